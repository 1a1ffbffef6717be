"""Only the largest piece of each label stays, and those that are not small beside it."""

import numpy as np
import pytest
import SimpleITK as sitk
from support.threshold_model import threshold_model

from MedNCALib import segment
from MedNCALib.imaging.connected_components import keep_largest


def two_pieces():
    labels = np.zeros((6, 12, 10), np.uint8)
    labels[1:4, 1:4, 1:4] = 1  # 27 voxels
    labels[1:3, 6:8, 1:3] = 1  # 8
    labels[4, 4, 4] = 1  # touches the first at a corner only
    labels[1:3, 1:3, 6:9] = 2  # 12
    labels[4:6, 8:12, 6:8] = 2  # 16
    return labels


def test_the_largest_piece_of_each_label_stays():
    labels = two_pieces()
    keep_largest(labels, (1, 2, 3))
    expected = np.zeros_like(labels)
    expected[1:4, 1:4, 1:4] = 1
    expected[4:6, 8:12, 6:8] = 2
    np.testing.assert_array_equal(labels, expected)


def test_labels_that_are_not_asked_for_stay_whole():
    labels = two_pieces()
    keep_largest(labels, (1,))
    np.testing.assert_array_equal(labels == 2, two_pieces() == 2)


@pytest.mark.parametrize(("share", "kept"), [(0, (27, 8, 1)), (8 / 27, (27, 8)), (0.3, (27,)), (1, (27,))])
def test_pieces_stay_that_are_large_enough_beside_the_largest(share, kept):
    labels = two_pieces()
    keep_largest(labels, (1, 2), (share, 0))
    assert np.count_nonzero(labels == 1) == sum(kept)
    np.testing.assert_array_equal(labels == 2, two_pieces() == 2)


@pytest.mark.parametrize(
    ("shares", "volumes"), [([0.1, 0.8], [0.035, 0.016]), ([0.5, 0], [0.027, 0.028]), ([], [0.036, 0.028])]
)
def test_a_card_can_say_which_pieces_stay(shares, volumes):
    image = sitk.GetImageFromArray(two_pieces().astype(np.int16) * 100)
    result = segment(image, threshold_model(least_pieces=shares))
    found = [volume.mean for volume in result.quality.volumes_ml.values()]
    assert found == pytest.approx(volumes)
    largest = segment(image, threshold_model(least_pieces=shares), largest_only=True)
    assert [volume.mean for volume in largest.quality.volumes_ml.values()] == [0.027, 0.016]


def test_segmenting_can_keep_the_largest_pieces_and_counts_their_volume():
    image = sitk.GetImageFromArray(two_pieces().astype(np.int16) * 100)
    whole = segment(image, threshold_model())
    np.testing.assert_array_equal(sitk.GetArrayFromImage(whole.labels), two_pieces())
    result = segment(image, threshold_model(), largest_only=True)
    expected = two_pieces()
    keep_largest(expected, (1, 2))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(result.labels), expected)
    assert [volume.mean for volume in result.quality.volumes_ml.values()] == [0.027, 0.016]
