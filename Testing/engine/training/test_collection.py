"""Collections: what a preset says of them, and what is read from their folders."""

import json
import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from support.collection_folders import collections_settings, write_collections

from MedNCALib.errors import MedNCAError, TrainingError
from MedNCALib.imaging.labels import Label

pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training.collection_preparation import prepare_collections
from MedNCALib.training.collection_reading import find_subjects, read_structures, validation_cases
from MedNCALib.training.preset import Preset

LABELS = (Label(1, "front"), Label(2, "back"))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_collections(tmp_path_factory.mktemp("collections"))


@pytest.fixture
def settings():
    return collections_settings()


def read(settings, data, number):
    """The structures of a collection by share, the collection, and the model's slices."""
    preset = Preset.from_json(settings)
    collection, slice_format = preset.collections[number], preset.preprocessing.slice_format((1.0, 1.0, 1.0))
    return read_structures(collection, find_subjects(collection, data), slice_format), collection, slice_format


def test_a_preset_with_collections_survives_the_way_to_json_and_back(settings):
    preset = Preset.from_json(settings)
    assert len(preset.collections) == 3
    assert Preset.from_json(json.loads(json.dumps(preset.to_json()))) == preset


def test_a_preset_without_collections_says_nothing_of_them(settings):
    for key in ("collections", "slice_size", "unnamed_share", "vote_weight"):
        del settings[key]
    assert set(Preset.from_json(settings).to_json()) == set(settings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": []}, "batch must have at least one share"),
        ({"known": "some"}, "known must be one of parts, whole"),
        ({"structures": [[]]}, "at least one label value"),
        ({"structures": [["2-1", 3]]}, "label values must be a text such as '1-46, 49', not '2-1'"),
        ({"structures": [["1; 2", 3]]}, "label values must be a text"),
        ({"structures": [["0-2", 3]]}, "label values must be a text"),
        ({"structures": [[1, 2], [3]]}, "same number of values"),
        ({"reporting": ["1"]}, "1 must not be among both"),
        ({"protocol": 0}, "one below and one above 0"),
        ({"protocol": 4}, "the card's protocols have none of value 4"),
        ({"images": None}, "label maps need"),
        ({"subject": "("}, "subject .* is not a regular expression"),
        ({"colour": 3}, "keys that are not known: colour"),
        ({"batch": [{"slices": 1, "drawing": {"angle": 3}}]}, "keys that are not known: angle"),
        ({"batch": [{"slices": 1, "drawing": {"changes": {"noise": "much"}}}]}, "noise must be a number"),
        ({"batch": [{"slices": 3}]}, "batch_size must be the sum of the collections' slices, 5"),
    ],
)
def test_collections_that_contradict_themselves_are_refused_with_the_reason(settings, changes, message):
    settings["collections"][0].update(changes)
    with pytest.raises(ValueError, match=message):
        Preset.from_json(settings)


@pytest.mark.parametrize("share", ["choosing", "reporting"])
def test_subjects_must_be_held_out_for_both_purposes(settings, share):
    for collection in settings["collections"]:
        collection[share] = []
    with pytest.raises(ValueError, match=f"must hold out subjects for {share}"):
        Preset.from_json(settings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slice_size": None}, "slice_size must be given"),
        ({"dice_reduction": "slice"}, "dice_reduction must be batch"),
        ({"phantoms": 2}, "phantoms must be 0"),
        ({"preprocessing": {"axes": "acquired"}}, "three letters"),
        ({"preprocessing": {"spacing": ["median", 1, 1]}}, "three lengths in mm"),
    ],
)
def test_settings_that_do_not_go_with_collections_are_refused_with_the_reason(settings, changes, message):
    for key, value in changes.items():
        settings[key] = {**settings[key], **value} if isinstance(value, dict) else value
    with pytest.raises(ValueError, match=message):
        Preset.from_json(settings)


def test_the_parts_of_a_structure_are_the_labels_in_their_order(settings, data):
    (training, choosing, reporting), *_ = read(settings, data, 0)
    assert [structure.name for structure in training] == ["block_0", "block_3"]
    assert [structure.name for structure in choosing + reporting] == ["block_1", "block_2"]
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(data / "blocks" / "labels" / "block_0.nii.gz")))
    assert training[0].target.sum(dim=(1, 2, 3)).tolist() == [(labels == 1).sum(), (labels == 2).sum()]
    assert training[0].brain is None


def test_a_text_names_several_values_of_one_part(settings, data):
    settings["collections"][1].update(structures=[[48, "1-47, 49, 50-70"]], known="parts")
    (training, *_), *_ = read(settings, data, 1)
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(data / "heads" / "labels" / "head0.nii.gz")))
    left = (labels == 48).sum()
    assert training[0].target.sum(dim=(1, 2, 3)).tolist() == [left, (labels > 0).sum() - left]
    assert not (training[0].target.sum(dim=0) > 1).any()


def test_label_maps_are_thinned_for_a_much_coarser_grid(settings, data):
    settings["preprocessing"]["spacing"] = [3.0, 3.0, 1.0]
    (training, *_), *_ = read(settings, data, 2)
    assert training[0].spacing == (1.0, 2.0, 2.0)
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(data / "maps" / "map_0.nii.gz")))
    assert training[0].target.sum().item() == pytest.approx((labels == 17).sum() / 4, rel=0.15)
    found = training[0].target[0].nonzero().float().mean(dim=0)
    np.testing.assert_allclose(found, training[0].centre, atol=1e-4)


def test_left_and_right_are_structures_of_their_own_with_the_centre_in_its_place(settings, data):
    (training, *_), *_ = read(settings, data, 1)
    assert [structure.name for structure in training] == ["head0 [48]", "head0 [47]", "head3 [48]", "head3 [47]"]
    for structure in training:
        assert len(structure.target) == 1
        found = structure.target[0].nonzero().float().mean(dim=0)
        np.testing.assert_allclose(found, structure.centre, atol=1e-4)
        assert structure.brain[structure.target > 0].min() == 1


def test_small_rests_of_a_structure_take_no_part(settings, data):
    settings["collections"][2]["least_ml"] = 0.8
    (training, _, reporting), *_ = read(settings, data, 2)
    assert [structure.name for structure in training] == ["map_1"]
    assert len(reporting) == 1


def test_validation_shows_the_models_labels_in_boxes_around_the_structures(settings, data):
    (_, _, reporting), collection, slice_format = read(settings, data, 0)
    (case,) = validation_cases(collection, reporting, slice_format, LABELS)
    original = sitk.ReadImage(str(data / "blocks" / "labels" / "block_2.nii.gz"))
    back = sitk.DICOMOrient(case.labels, "LPS")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(back), sitk.GetArrayFromImage(original))
    (_, _, reporting), collection, slice_format = read(settings, data, 1)
    left, right = validation_cases(collection, reporting, slice_format, LABELS)
    for case, value in ((left, 48), (right, 47)):
        labels = sitk.GetArrayFromImage(sitk.ReadImage(str(data / "heads" / "labels" / "head2.nii.gz")))
        found = sitk.GetArrayFromImage(case.labels)
        assert found.sum() == (labels == value).sum()
        assert found.max() == 1
        assert max(case.image.GetSize()) <= 21
        image = sitk.GetArrayFromImage(case.image)
        assert image[found == 1].min() > image[found == 0].mean()


def test_label_maps_are_validated_on_images_that_are_drawn_the_same_each_time(settings, data):
    (_, _, reporting), collection, slice_format = read(settings, data, 2)
    first, second = (validation_cases(collection, reporting, slice_format, LABELS) for _ in range(2))
    assert [case.name for case in first] == ["map_2 draw 1", "map_2 draw 2"]
    for one, other in zip(first, second):
        np.testing.assert_array_equal(*(sitk.GetArrayViewFromImage(case.image) for case in (one, other)))
    assert (sitk.GetArrayViewFromImage(first[0].image) != sitk.GetArrayViewFromImage(first[1].image)).any()
    assert first[0].image.GetSize() == (20, 18, 16)


def prepared(settings, data, output):
    return prepare_collections(data, output, Preset.from_json(settings), seed=0)


@pytest.mark.parametrize(
    ("number", "changes", "message"),
    [
        (1, {"structures": [[48], [99]]}, "heads has no structure of the label values 99 in .*labels"),
        (0, {"choosing": ["1", "7"]}, "blocks holds out the subject '7', which .* does not have"),
        (2, {"labels": "none"}, "no folder .*none"),
        (0, {"leave_out": "[03]$"}, "blocks has no subject left for training"),
        (2, {"least_ml": 50}, "maps has no structure of the label values 17"),
        (0, {"subject": "x"}, "subject 'x' is not found in the name 'block_0'"),
    ],
)
def test_data_that_does_not_fit_is_refused_in_words(settings, data, tmp_path, number, changes, message):
    settings["collections"][number].update(changes)
    with pytest.raises(MedNCAError, match=message):
        prepared(settings, data, tmp_path / "model")


def test_files_that_are_no_label_maps_are_refused(settings, data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    path = tmp_path / "data" / "maps" / "map_1.nii.gz"
    sitk.WriteImage(sitk.ReadImage(str(path)) * 10, str(path))
    with pytest.raises(TrainingError, match=r"map_1.* is no label map"):
        prepared(settings, tmp_path / "data", tmp_path / "model")


def test_a_folder_that_is_missing_is_named(settings, tmp_path):
    with pytest.raises(TrainingError, match=r"no folder .*nowhere"):
        prepared(settings, tmp_path / "nowhere", tmp_path / "model")


def test_an_architecture_without_hidden_channels_is_refused(settings, data, tmp_path):
    settings["architecture"]["channels"] = 6
    with pytest.raises(TrainingError, match="no hidden channel"):
        prepared(settings, data, tmp_path / "model")
