"""The data of a training: which labels it has, by name or by number, and what is read."""

import numpy as np
import pytest
import SimpleITK as sitk

from MedNCALib import Label, make_phantom, write_segmentation
from MedNCALib.errors import MedNCAError, TrainingError
from MedNCALib.imaging.labels import write_labels

pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training.preparation import prepare
from MedNCALib.training.preset import load_preset

FRONT, BACK = Label(1, "Front", (10, 20, 30)), Label(2, "Back", (40, 50, 60))


def write(root, orders, changed=lambda labels: labels):
    """Phantoms whose label files name their labels: for each case the label that has value 1."""
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True)
    for number, first in enumerate(orders):
        phantom = make_phantom(seed=number, size=(12, 40, 28), spacing=(2.0, 1.5, 1.5))
        labels, named = changed(phantom.labels), (FRONT, BACK)
        if first is BACK:
            labels = sitk.ChangeLabel(labels, {1: 2, 2: 1})
            named = (Label(1, BACK.name, BACK.color), Label(2, FRONT.name, FRONT.color))
        sitk.WriteImage(phantom.image, str(root / "images" / f"case{number}.nrrd"))
        write_segmentation(root / "labels" / f"case{number}.seg.nrrd", labels, named)
    return root / "images", root / "labels"


def prepared(folders, output, **options):
    return prepare(*folders, output, load_preset("general"), seed=0, **options)


def test_labels_of_one_name_are_one_label_whatever_their_values(tmp_path):
    alike = prepared(write(tmp_path / "alike", [FRONT] * 4), tmp_path / "model")
    mixed = prepared(write(tmp_path / "mixed", [FRONT, BACK, FRONT, BACK]), tmp_path / "model")
    assert [(label.value, label.name, label.color) for label in mixed.model.labels] == [
        (1, "Front", (10, 20, 30)),
        (2, "Back", (40, 50, 60)),
    ]
    one, other = (data.sampler.draw_batch(0, np.random.default_rng(0)) for data in (alike, mixed))
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.target, other.target)
    for one, other in zip(alike.held_out, mixed.held_out):
        np.testing.assert_array_equal(*(sitk.GetArrayViewFromImage(case.labels) for case in (one, other)))


def test_a_table_in_the_model_folder_comes_before_the_names_in_the_files(tmp_path):
    folders = write(tmp_path / "data", [FRONT, BACK])
    (tmp_path / "model").mkdir()
    write_labels(tmp_path / "model" / "labels.csv", [Label(3, "back"), Label(5, "front")])
    data = prepared(folders, tmp_path / "model")
    assert [(label.value, label.name) for label in data.model.labels] == [(3, "back"), (5, "front")]
    assert set(np.unique(sitk.GetArrayViewFromImage(data.held_out[0].labels))) == {0, 3, 5}


def test_a_label_that_is_only_named_is_none_of_the_models(tmp_path):
    folders = write(tmp_path / "data", [FRONT, FRONT], lambda labels: sitk.Cast(labels == 1, sitk.sitkUInt8))
    assert [label.name for label in prepared(folders, tmp_path / "model").model.labels] == ["Front"]


def test_names_that_the_table_does_not_have_are_refused(tmp_path):
    folders = write(tmp_path / "data", [FRONT, FRONT])
    (tmp_path / "model").mkdir()
    write_labels(tmp_path / "model" / "labels.csv", [Label(1, "left"), Label(2, "right")])
    with pytest.raises(MedNCAError, match="'Front'"):
        prepared(folders, tmp_path / "model")


def test_labels_without_names_are_numbered(tmp_path):
    images, labels = write(tmp_path / "data", [FRONT, FRONT])
    for path in labels.iterdir():
        sitk.WriteImage(sitk.Cast(sitk.ReadImage(str(path)), sitk.sitkUInt8) * 3, str(labels / path.name[:5]) + ".mha")
        path.unlink()
    model = prepared((images, labels), tmp_path / "model").model
    assert [(label.value, label.name) for label in model.labels] == [(3, "Label 3"), (6, "Label 6")]


def test_files_that_do_not_say_enough_are_read_as_it_is_stated(tmp_path):
    images, labels = write(tmp_path / "data", [FRONT, FRONT])
    data = prepared((images, labels), tmp_path / "model", reading={"spacing": (1.0, 2.0, 3.0)})
    assert data.held_out[0].image.GetSpacing() == (1.0, 2.0, 3.0)
    assert data.held_out[0].labels.GetSpacing() == (1.0, 2.0, 3.0)


def test_an_empty_label_file_is_refused_by_name(tmp_path):
    folders = write(tmp_path / "data", [FRONT, FRONT], lambda labels: labels * 0)
    with pytest.raises(TrainingError, match=r"case0.*is empty"):
        prepared(folders, tmp_path / "model")
