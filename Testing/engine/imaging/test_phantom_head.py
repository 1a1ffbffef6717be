"""The synthetic head: both hippocampi at their places, the same anatomy on every grid, and a head around them."""

import numpy as np
import pytest
import SimpleITK as sitk

from MedNCALib.errors import ArgumentError
from MedNCALib.imaging.phantom import BLOCK_CENTRE_LEFT
from MedNCALib.imaging.phantom_head import make_head

VALUES = {"left": (11, 12), "right": (21, 22)}


@pytest.fixture(scope="module")
def head():
    return make_head((3.0, 3.0, 3.0))


def ras(image, mask):
    """Mean place of voxels along right, anterior and superior."""
    index = np.argwhere(mask).mean(axis=0)[::-1]
    left, posterior, superior = image.TransformContinuousIndexToPhysicalPoint(index.tolist())
    return np.array([-left, -posterior, superior])


def voxels(image):
    return sitk.GetArrayFromImage(image)


def test_each_side_is_where_its_name_says_and_mirrors_the_other(head):
    places = {side: ras(head.labels, np.isin(voxels(head.labels), values)) for side, values in VALUES.items()}
    assert np.linalg.norm(places["left"] - BLOCK_CENTRE_LEFT) < 8
    np.testing.assert_allclose(places["right"], places["left"] * (-1, 1, 1), atol=0.5)
    for values in VALUES.values():
        anterior, posterior = (ras(head.labels, voxels(head.labels) == value) for value in values)
        assert anterior[1] > posterior[1]


@pytest.mark.parametrize("seed", [0, 1])
def test_each_side_has_the_volume_of_a_hippocampus(seed):
    labels = make_head((2.0, 2.0, 2.0), seed=seed).labels
    for values in VALUES.values():
        assert 2.5 < np.isin(voxels(labels), values).sum() * 8 / 1000 < 5


def test_air_is_around_the_head_and_tissue_in_it(head):
    image = voxels(head.image)
    white = np.percentile(image, 90)
    corner = image[-8:, :8, :8]
    assert corner.mean() < 0.15 * white
    assert np.isfinite(image).all()
    inside = image[np.isin(voxels(head.labels), (11, 12, 21, 22))]
    assert 0.4 * white < inside.mean() < white


def test_another_order_of_the_axes_stores_the_same_head(head):
    other = make_head((3.0, 3.0, 3.0), "PIR")
    np.testing.assert_array_equal(voxels(sitk.DICOMOrient(other.image, "LPS")), voxels(head.image))
    np.testing.assert_array_equal(voxels(sitk.DICOMOrient(other.labels, "LPS")), voxels(head.labels))


def test_same_seed_same_head_and_another_seed_another(head):
    np.testing.assert_array_equal(voxels(make_head((3.0, 3.0, 3.0)).image), voxels(head.image))
    assert (voxels(make_head((3.0, 3.0, 3.0), seed=1).labels) != voxels(head.labels)).any()


def test_a_grid_that_cannot_be_is_refused():
    with pytest.raises(ArgumentError, match="each spacing must be a positive length"):
        make_head((0.0, 1.0, 1.0))
