"""The table of coils and fields of view: what is done to an image, and a row for each condition."""

import numpy as np
import pytest
import SimpleITK as sitk
from support.threshold_model import threshold_model
from tools import coil_figures

from MedNCALib.model.card import Scores


@pytest.fixture
def pair():
    labels = sitk.Image(60, 50, 6, sitk.sitkUInt8)
    labels[24:32, 20:30, 1:5] = 1
    image = sitk.Cast(labels, sitk.sitkFloat32) * 500 + 100
    for each in (image, labels):
        each.SetSpacing((2.0, 2.0, 3.0))
        each.SetDirection((0, 1, 0, 1, 0, 0, 0, 0, -1))  # columns run to posterior
    return image, labels


def test_a_coil_brightens_what_lies_behind_the_labels(pair):
    brightened, _ = coil_figures.near_coil(4, *pair)
    gain = sitk.GetArrayFromImage(brightened) / sitk.GetArrayFromImage(pair[0])
    assert gain[0].max() == pytest.approx(5, abs=0.05)
    middle, back = np.unravel_index(gain[0].argmax(), gain[0].shape)
    assert (middle, back) in {(24, 31), (25, 31)}
    np.testing.assert_allclose(gain, np.broadcast_to(gain[:1], gain.shape), rtol=1e-5)
    assert gain.min() == pytest.approx(1, abs=0.1)


def test_a_narrow_field_of_view_shows_all_of_the_labels_and_lies_where_it_lay(pair):
    image, labels = coil_figures.within(40, *pair)
    assert image.GetSize() == labels.GetSize() == (20, 20, 6)
    assert np.count_nonzero(sitk.GetArrayViewFromImage(labels)) == np.count_nonzero(sitk.GetArrayViewFromImage(pair[1]))
    back = sitk.Resample(image, pair[0], sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    shown = sitk.GetArrayFromImage(back) > 0
    assert (sitk.GetArrayFromImage(back)[shown] == sitk.GetArrayFromImage(pair[0])[shown]).all()


def test_a_table_has_a_row_for_each_condition(pair, tmp_path, capsys):
    for folder, image in zip(("images", "labels"), pair):
        (tmp_path / folder).mkdir()
        for name in ("case0.nrrd", "case1.nrrd"):
            sitk.WriteImage(image, str(tmp_path / folder / name))
    threshold_model(scores=Scores(1.0, cases=("case0",)).to_json()).save(tmp_path / "model")
    coil_figures.main([str(tmp_path / "model"), str(tmp_path)])
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[0].strip("| ") for row in rows] == list(coil_figures.CONDITIONS)
    assert rows[0] == "| as it is | 1.000 | 1.000 |"
