"""Numbers that single precision cannot hold: large offsets, 64-bit integers, outliers."""

import numpy as np
import pytest

from MedNCALib.errors import ImageError
from MedNCALib.imaging.voxel_values import extremes, in_single_precision, sample

ORDINARY = np.random.default_rng(0).integers(0, 101, (20, 12, 14))


@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_ordinary_numbers_of_every_type_stay_as_they_are(kind):
    voxels = ORDINARY.astype(kind)
    assert in_single_precision(voxels) is voxels


@pytest.mark.parametrize(
    ("kind", "offset"),
    [
        ("i4", 10**9),
        ("i4", -(2**31)),
        ("u4", 2**32 - 101),
        ("i8", 2**60),
        ("i8", 2**63 - 101),
        ("i8", -(2**63)),
        ("u8", 2**64 - 101),
    ],
)
def test_integers_of_a_large_offset_keep_their_differences(kind, offset):
    voxels = (ORDINARY.astype(object) + offset).astype(kind)
    found = in_single_precision(voxels)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, ORDINARY)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("kind", "offset", "outliers"),
    [
        ("f8", 0, (-1.797e308,)),
        ("f8", 0, (-1.797e308, 1.797e308)),
        ("f8", 10**9, (0,)),
        ("f4", 0, (-3.4e38, 3.4e38)),
        ("i8", 10**12, (-(2**63), 2**63 - 1)),
        ("u8", 10**12, (0, 2**64 - 1)),
    ],
)
def test_outliers_are_clipped_and_the_others_keep_their_differences(kind, offset, outliers):
    voxels = (ORDINARY.astype(object) + offset).astype(kind)
    voxels.ravel()[: len(outliers)] = outliers
    found = in_single_precision(voxels).astype(float)
    others = ORDINARY.ravel()[len(outliers) :]
    scaled = found.ravel()[len(outliers) :]
    slope, start = np.polyfit(others, scaled, 1)
    np.testing.assert_allclose(scaled, slope * others + start, atol=1e-3 * 100 * slope)
    assert slope > 0
    assert np.isfinite(found).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("factor", [1e-300, 1e300])
def test_tiny_and_huge_numbers_are_scaled(factor):
    found = in_single_precision(ORDINARY * factor)
    np.testing.assert_allclose(found, ORDINARY / 101, rtol=0.02)
    assert len(np.unique(found)) == 101


def test_voxels_that_are_all_alike_stay_as_they_are():
    voxels = np.full((3, 3, 3), 1e300)
    assert in_single_precision(voxels) is voxels


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_not_numbers_are_refused(bad):
    voxels = ORDINARY.astype(float)
    voxels[3, 4, 5] = bad
    with pytest.raises(ImageError, match="NaN or infinite"):
        extremes(voxels)
    with pytest.raises(ImageError, match="NaN or infinite"):
        in_single_precision(voxels)


def test_a_sample_is_spread_over_the_image_and_of_bounded_size():
    assert sample(ORDINARY).shape == ORDINARY.shape
    large = np.broadcast_to(np.uint8(0), (400, 400, 400))
    assert 1 << 20 < sample(large).size < 1 << 23
