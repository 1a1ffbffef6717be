"""The scores, against values worked out by hand and by brute force."""

import numpy as np
import pytest
import SimpleITK as sitk

from MedNCALib.errors import ImageError
from MedNCALib.evaluation.metrics import compare, score
from MedNCALib.imaging.labels import Label
from MedNCALib.imaging.phantom import make_phantom

pytest.importorskip("surface_distance")


def box(low, high, shape=(20, 20, 20)):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(a, b) for a, b in zip(low, high))] = True
    return mask


def test_equal_masks_agree_fully():
    mask = box((2, 2, 2), (9, 10, 11))
    agreement = score(mask, mask.copy(), (1, 1, 1))
    assert (agreement.dice, agreement.hd95_mm, agreement.volume_error_ml) == (1.0, 0.0, 0.0)
    assert agreement.volume_ml == pytest.approx(7 * 8 * 9 / 1000)


def test_dice_is_twice_the_overlap_over_the_sum():
    assert score(box((0, 0, 0), (4, 4, 4)), box((2, 0, 0), (6, 4, 4)), (1, 1, 1)).dice == pytest.approx(0.5)


def test_volumes_are_signed_and_count_the_spacing():
    truth, found = box((0, 0, 0), (4, 4, 4)), box((0, 0, 0), (4, 4, 3))
    agreement = score(truth, found, (2.0, 1.5, 0.5))
    assert agreement.volume_ml == pytest.approx(48 * 1.5 / 1000)
    assert agreement.volume_error_ml == pytest.approx(-16 * 1.5 / 1000)


def test_where_both_are_empty_dice_is_one_and_there_is_no_distance():
    empty = np.zeros((4, 4, 4), bool)
    agreement = score(empty, empty, (1, 1, 1))
    assert agreement.dice == 1.0
    assert agreement.hd95_mm is None


def test_where_one_is_empty_dice_is_zero_and_there_is_no_distance():
    empty, full = np.zeros((4, 4, 4), bool), np.ones((4, 4, 4), bool)
    for truth, found in ((empty, full), (full, empty)):
        agreement = score(truth, found, (1, 1, 1))
        assert agreement.dice == 0.0
        assert agreement.hd95_mm is None


@pytest.mark.parametrize(("axis", "spacing"), [(0, (3.0, 1.0, 1.0)), (1, (1.0, 0.7, 1.0)), (2, (1.0, 1.0, 2.0))])
def test_a_shifted_plate_lies_as_far_as_it_was_shifted(axis, spacing):
    # A wide thin plate: nearly all of its surface moves along its normal.
    low, high = [4, 4, 4], [16, 16, 16]
    low[axis], high[axis] = 6, 8
    truth = box(low, high)
    agreement = score(truth, np.roll(truth, 5, axis), spacing)
    assert agreement.hd95_mm == pytest.approx(5 * spacing[axis])


def test_distances_agree_with_brute_force_on_anatomy():
    scipy_spatial = pytest.importorskip("scipy.spatial")
    morphology = pytest.importorskip("scipy.ndimage")
    spacing = np.array((1.2, 1.0, 0.8))
    first, second = (
        sitk.GetArrayFromImage(make_phantom(spacing=spacing[::-1].tolist(), seed=seed).labels) > 0 for seed in (1, 2)
    )
    points = [np.argwhere(mask & ~morphology.binary_erosion(mask)) * spacing for mask in (first, second)]
    trees = [scipy_spatial.cKDTree(cloud) for cloud in points]
    forth, back = trees[1].query(points[0])[0], trees[0].query(points[1])[0]
    expected = max(np.percentile(forth, 95), np.percentile(back, 95))
    # Voxel centres stand for the surface here, areas of surface elements there: they differ by part of a voxel.
    assert score(first, second, spacing.tolist()).hd95_mm == pytest.approx(expected, abs=0.6)


def test_labels_are_compared_one_by_one_and_merged():
    truth, found = np.zeros((6, 6, 6), np.uint8), np.zeros((6, 6, 6), np.uint8)
    truth[:3], truth[3:] = 1, 2
    found[:2], found[2:] = 1, 2
    labels = (Label(1, "front"), Label(2, "back"))
    by_label, whole = compare(sitk.GetImageFromArray(truth), sitk.GetImageFromArray(found), labels)
    assert by_label["front"].dice == pytest.approx(2 * 2 / 5)
    assert by_label["back"].dice == pytest.approx(2 * 3 / 7)
    assert whole.dice == 1.0


def test_spacing_is_taken_along_the_right_axes():
    truth = np.zeros((20, 20, 20), np.uint8)
    truth[5:7, 4:16, 4:16] = 1  # a plate across z
    images = [sitk.GetImageFromArray(values) for values in (truth, np.roll(truth, 4, 0))]
    for image in images:
        image.SetSpacing((1.0, 2.0, 5.0))
    assert compare(*images, (Label(1, "plate"),))[1].hd95_mm == pytest.approx(20.0)


def test_different_grids_are_refused():
    with pytest.raises(ImageError, match="different grids"):
        compare(sitk.Image((4, 4, 4), sitk.sitkUInt8), sitk.Image((4, 4, 5), sitk.sitkUInt8), ())
