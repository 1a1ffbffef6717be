"""Only the largest piece of each label stays."""

import numpy as np
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


def test_segmenting_can_keep_the_largest_pieces_and_counts_their_volume():
    image = sitk.GetImageFromArray(two_pieces().astype(np.int16) * 100)
    whole = segment(image, threshold_model())
    np.testing.assert_array_equal(sitk.GetArrayFromImage(whole.labels), two_pieces())
    result = segment(image, threshold_model(), largest_only=True)
    expected = two_pieces()
    keep_largest(expected, (1, 2))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(result.labels), expected)
    assert [volume.mean for volume in result.quality.volumes_ml.values()] == [0.027, 0.016]
