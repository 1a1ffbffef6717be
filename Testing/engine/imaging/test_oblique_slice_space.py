"""Upright slices of oblique images: when they are taken, where they lie, and the way back."""

import numpy as np
import pytest
import SimpleITK as sitk
from support.images import image_of, random_image, rotated

from MedNCALib.errors import ImageError
from MedNCALib.imaging.anatomical_axes import degrees_off, index_to_physical
from MedNCALib.imaging.oblique_slice_space import slice_space
from MedNCALib.imaging.slice_format import SliceFormat
from MedNCALib.imaging.slice_space import SliceSpace

MILLIMETRES = SliceFormat("PIL", (1.0, 1.0, 1.0))
ANGLES = [(axis, degrees) for axis in range(3) for degrees in (-44, -20, 11, 30)]


def ramp(points):
    """A linear function of places in LPS mm: interpolation gives it exactly."""
    return points @ (0.5, -1.25, 2.0) + 7


def places(matrix, shape):
    """LPS mm of the cells of a grid of this shape (slices, rows, columns), by its matrix from (column, row, slice)."""
    indices = np.stack(np.indices(shape)[::-1], axis=-1)
    return indices @ matrix[:3, :3].T + matrix[:3, 3]


def ramp_image(size=(16, 20, 14), spacing=(1.0, 0.8, 1.3), axis=0, degrees=30):
    image = rotated(image_of(np.zeros(size[::-1], np.float32), spacing), axis, degrees)
    filled = sitk.GetImageFromArray(ramp(places(index_to_physical(image), size[::-1])).astype(np.float32))
    filled.CopyInformation(image)
    return filled


def written(space, planes, group):
    """The image that a writer makes of planes (slices, height, width), and how often it wrote each voxel."""
    array, view = space.empty_image(np.float32)
    times, times_view = space.empty_image(np.uint8)
    writer = space.writer(1)
    for start in range(0, space.count, group):
        ready, values = writer.add(planes[start : start + group, ..., None].astype(np.float32))
        view[ready] = values[..., 0]
        times_view[ready] += 1
    return array, times


@pytest.mark.parametrize(("axis", "degrees"), [(0, 10), (1, -10), (2, 10), (0, 80), (1, 90), (2, 175), (0, 0)])
def test_up_to_ten_degrees_the_image_s_own_axes_are_the_slices_bit_for_bit(axis, degrees):
    image = rotated(random_image(), axis, degrees)
    space, own = slice_space(image, MILLIMETRES, 4), SliceSpace(image, MILLIMETRES, 4)
    assert type(space) is SliceSpace
    np.testing.assert_array_equal(space.read(0, space.count), own.read(0, own.count))


@pytest.mark.parametrize(("axis", "degrees"), ANGLES)
def test_beyond_that_the_slices_are_upright(axis, degrees):
    image = rotated(random_image(), axis, degrees)
    assert degrees_off(image) == pytest.approx(abs(degrees))
    matrix = slice_space(image, MILLIMETRES, 4).index_to_physical()
    np.testing.assert_allclose(matrix[:3, :3], [[0, 0, 1], [1, 0, 0], [0, -1, 0]], atol=1e-12)  # P, I, L


@pytest.mark.parametrize(
    ("slice_format", "size"),
    [
        (SliceFormat("acquired", (1.0, 1.0, None)), (7, 8, 9)),
        (SliceFormat("PIL", (None, None, None)), (7, 8, 9)),
        (SliceFormat("RAS", (None, None, None), (16, 16)), (7, 8, 9)),
        (MILLIMETRES, (7, 8, 1)),
    ],
)
def test_acquired_slices_own_pixels_and_single_slices_stay_as_they_lie(slice_format, size):
    assert type(slice_space(rotated(random_image(size), 0, 30), slice_format)) is SliceSpace


@pytest.mark.parametrize("letters", ["PIL", "LPS", "RAS", "SLA"])
@pytest.mark.parametrize(("axis", "degrees"), ANGLES)
def test_slices_hold_what_is_at_their_place_and_the_mean_outside_of_the_image(letters, axis, degrees):
    image = ramp_image(axis=axis, degrees=degrees)
    space = slice_space(image, SliceFormat(letters, (1.0, 1.0, 1.0)), 4)
    slices = space.read(0, space.count)
    assert slices.dtype == np.float32
    assert slices.shape == (space.count, space.height, space.width)
    assert space.height % 4 == space.width % 4 == 0
    inside = slices[space.inside]
    assert inside.shape == space.inside_shape
    points = places(space.index_to_physical(), space.inside_shape)
    to_index = np.linalg.inv(index_to_physical(image))
    index = points @ to_index[:3, :3].T + to_index[:3, 3]
    deep = ((index > 0) & (index < np.array(image.GetSize()) - 1)).all(axis=-1)
    assert deep.sum() > 1000
    np.testing.assert_allclose(inside[deep], ramp(points[deep]), atol=1e-3)
    far = ((index < -0.51) | (index > np.array(image.GetSize()) - 0.49)).any(axis=-1)
    np.testing.assert_allclose(inside[far], sitk.GetArrayViewFromImage(image).mean(), rtol=1e-5)
    volume = np.prod((np.array(image.GetSize()) - 1) * image.GetSpacing())
    assert deep.sum() == pytest.approx(volume, rel=0.1)  # cells of a cubic millimetre: the grid covers the image


@pytest.mark.parametrize("group", [1, 3, 100])
@pytest.mark.parametrize(("axis", "degrees"), ANGLES)
def test_the_way_back_reaches_every_voxel_once_and_at_its_place(axis, degrees, group):
    image = ramp_image(axis=axis, degrees=degrees)
    space = slice_space(image, SliceFormat("PIL", (1.1, 0.7, 1.0)), 4)
    _, rows, columns = space.inside
    matrix = space.index_to_physical()
    matrix[:, 3] = matrix @ (-columns.start, -rows.start, 0, 1)  # the margin is part of the planes
    array, times = written(space, ramp(places(matrix, (space.count, space.height, space.width))), group)
    assert (times == 1).all()
    expected = sitk.GetArrayViewFromImage(image)
    # Voxels at the corners lie up to half a cell outside of the outermost ones.
    np.testing.assert_allclose(array[1:-1, 1:-1, 1:-1], expected[1:-1, 1:-1, 1:-1], atol=1e-3)
    np.testing.assert_allclose(array, expected, atol=3)


def test_large_pixels_are_means():
    image = rotated(random_image((60, 60, 60), spacing=(0.4, 0.4, 0.4)), 0, 30)
    deviations = []
    for mm in (0.4, 2.0):
        space = slice_space(image, SliceFormat("LPS", (mm, mm, mm)))
        row, column, reach = space.height // 2, space.width // 2, round(4 / mm)
        middle = space.read(space.count // 2, space.count // 2 + 1)[
            0, row - reach : row + reach, column - reach : column + reach
        ]
        deviations.append(middle.std())
    assert deviations[1] < 0.2 * deviations[0]


@pytest.mark.parametrize("degrees", [-30, 30])
def test_a_region_is_an_upright_box_and_only_voxels_that_reach_into_it_are_written(degrees):
    image = ramp_image(size=(30, 34, 28), degrees=degrees)
    left, posterior, superior = image.TransformContinuousIndexToPhysicalPoint((15.0, 16.0, 13.0))
    region = (-left - 4, -left + 5, -posterior - 6, -posterior + 2, superior - 3, superior + 5)
    space = slice_space(image, MILLIMETRES, 4, region)
    assert space.inside_shape == (9, 8, 8)  # along L, I and P
    points = places(space.index_to_physical(), space.inside_shape) * (-1, -1, 1)
    assert (points > np.array(region[::2])).all()
    assert (points < np.array(region[1::2])).all()
    np.testing.assert_allclose(space.read(0, 9)[space.inside], ramp(points * (-1, -1, 1)), atol=1e-3)
    _, times = written(space, np.ones((space.count, space.height, space.width)), 2)
    centres = places(index_to_physical(image), times.shape) * (-1, -1, 1)
    within = ((centres > region[::2]) & (centres < region[1::2])).all(axis=-1)
    near = ((centres > np.array(region[::2]) - 1.1) & (centres < np.array(region[1::2]) + 1.1)).all(axis=-1)
    assert times.max() == 1
    assert times[within].all()
    assert not times[~near].any()


def test_a_region_within_a_voxel_writes_that_voxel():
    image = rotated(random_image((9, 9, 9), spacing=(2.0, 2.0, 2.0)), 0, 30)
    left, posterior, superior = image.TransformIndexToPhysicalPoint((4, 5, 6))
    region = (-left - 0.1, -left + 0.1, -posterior - 0.1, -posterior + 0.1, superior - 0.1, superior + 0.1)
    space = slice_space(image, MILLIMETRES, 4, region)
    assert space.inside_shape == (1, 1, 1)
    array, times = written(space, np.full((1, 4, 4), 3.0), 1)
    assert array[6, 5, 4] == 3
    assert times.sum() < 10


def test_a_region_outside_of_an_oblique_volume_is_refused():
    with pytest.raises(ImageError, match="outside of the volume"):
        slice_space(rotated(random_image(), 0, 30), MILLIMETRES, 4, (500, 510, 500, 510, 500, 510))


def test_an_oblique_image_longer_than_any_body_is_refused():
    with pytest.raises(ImageError, match="cannot be right"):
        slice_space(rotated(random_image(spacing=(1000.0, 1000.0, 1000.0)), 0, 30), MILLIMETRES)


def test_integers_of_a_large_offset_keep_their_differences():
    image = rotated(random_image((20, 20, 20)), 0, 30)
    voxels = np.rint(1000 * sitk.GetArrayFromImage(image)).astype(np.int64)
    plain, moved = (image_of(voxels + offset) for offset in (0, 2**60))
    for other in (plain, moved):
        other.CopyInformation(image)
    first, second = (slice_space(other, MILLIMETRES, 4).read(5, 9) for other in (plain, moved))
    np.testing.assert_allclose(second, first - voxels.min(), atol=1e-2)
