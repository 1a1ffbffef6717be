"""Axes, spacing, region, padding, and the exact way back."""

from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK as sitk
from support.images import AXIS_ORDERS, image_of, oblique_stack, random_image, turned
from support.shared_data import shared_data

from MedNCALib.errors import ImageError
from MedNCALib.imaging.slice_format import SliceFormat
from MedNCALib.imaging.slice_space import SliceSpace
from MedNCALib.io.images import read_image
from MedNCALib.numerics.resampling import METHODS, sampling_matrix


def there_and_back(image, slice_format, multiple=1, region=None, group=3):
    space = SliceSpace(image, slice_format, multiple, region)
    array, view = space.empty_image(np.float32)
    writer = space.writer(1)
    for start in range(0, space.count, group):
        ready, values = writer.add(space.read(start, min(start + group, space.count))[..., None])
        view[ready] = values[..., 0]
    return space, array


def test_there_are_48_axis_orders():
    assert len(set(AXIS_ORDERS)) == 48


@pytest.mark.parametrize("order", AXIS_ORDERS)
def test_every_axis_order_gives_bitwise_the_same_slices(order):
    image = random_image(spacing=(0.7, 1.1, 1.3))
    slice_format = SliceFormat("PIL", (1.0, 1.0, 1.0))
    expected = SliceSpace(image, slice_format, 4).read(0, 5)
    stored = sitk.DICOMOrient(image, order)
    np.testing.assert_array_equal(SliceSpace(stored, slice_format, 4).read(0, 5), expected)


@pytest.mark.parametrize("order", AXIS_ORDERS)
def test_without_resampling_the_way_back_is_exact(order):
    stored = sitk.DICOMOrient(random_image(direction=turned(20)), order)
    _, array = there_and_back(stored, SliceFormat("RAS", (1.0, 1.0, 1.0)), multiple=4)
    np.testing.assert_array_equal(array, sitk.GetArrayViewFromImage(stored))


def test_the_letters_say_where_columns_rows_and_slices_run_to():
    # In an LPS image the first index runs to the left, the second to posterior, the third to superior.
    array = np.arange(24).reshape(2, 3, 4)
    space = SliceSpace(image_of(array), SliceFormat("PIL", (None, None, None)))
    expected = array.transpose(2, 0, 1)[:, ::-1, :]  # slices along L, rows along I = -S, columns along P
    np.testing.assert_array_equal(space.read(0, space.count), expected)


def test_an_oblique_image_is_read_along_its_own_nearest_axes():
    image = random_image(direction=turned(30))
    upright = random_image()
    slice_format = SliceFormat("LPS", (None, None, None))
    np.testing.assert_array_equal(
        SliceSpace(image, slice_format).read(0, 9), SliceSpace(upright, slice_format).read(0, 9)
    )


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.5), (0.8, 1.3, 2.4), (2.0, 3.0, 1.0)])
def test_a_ramp_keeps_its_place_through_resampling(spacing):
    size = (24, 20, 16)
    z, y, x = np.meshgrid(*(np.arange(n) for n in size[::-1]), indexing="ij")
    ramp = (x * spacing[0] + y * spacing[1] + z * spacing[2]).astype(np.float32)
    image = image_of(ramp, spacing)
    space, array = there_and_back(image, SliceFormat("LPS", (1.0, 1.0, 1.0)), multiple=4)
    assert space.spacing == pytest.approx((1, 1, 1))
    inner = np.s_[4:-4, 4:-4, 4:-4]  # the border goes on outside, so a ramp ends there
    # Means over parts of voxels are off by less than a tenth of a millimetre along each axis.
    np.testing.assert_allclose(array[inner], ramp[inner], atol=0.3)
    np.testing.assert_allclose((array - ramp)[inner].mean(), 0, atol=0.02)


def test_the_padded_margin_is_marked():
    image = random_image((7, 8, 9))
    space = SliceSpace(image, SliceFormat("LPS", (1.0, 1.0, 1.0)), multiple=4)
    slices = space.read(0, space.count)
    assert slices.shape == (9, 8, 8)
    assert slices[space.inside].shape == (9, 8, 7)
    np.testing.assert_array_equal(slices[space.inside], sitk.GetArrayViewFromImage(image))


def test_nearly_equal_spacing_is_not_resampled():
    image = random_image(spacing=(0.9999, 1.0001, 1.0))
    space = SliceSpace(image, SliceFormat("LPS", (1.0, 1.0, 1.0)))
    np.testing.assert_array_equal(space.read(0, space.count), sitk.GetArrayViewFromImage(image))


def test_slices_can_be_resized_to_a_square_whatever_their_spacing():
    image = image_of(np.full((3, 35, 51), 7.0, np.float32))
    space, array = there_and_back(image, SliceFormat("RAS", (None, None, None), (64, 64), "cubic"), multiple=4)
    assert space.read(0, 3).shape == (3, 64, 64)
    np.testing.assert_allclose(array, 7, rtol=1e-5)


def test_a_region_takes_the_voxels_under_its_box_and_nothing_else():
    image = random_image((10, 10, 10), spacing=(2.0, 2.0, 2.0), origin=(0.0, 0.0, 0.0))
    # Voxels 2..4 along x reach from 3 to 9 mm left, which is -9 to -3 mm right; 1..3 along y from 1 to 7 mm posterior.
    region = (-9, -3, -7, -1, 3, 7)
    space = SliceSpace(image, SliceFormat("LPS", (None, None, None)), region=region)
    expected = sitk.GetArrayViewFromImage(image)[2:4, 1:4, 2:5]
    np.testing.assert_array_equal(space.read(0, space.count), expected)
    array, view = space.empty_image(np.uint8)
    view[...] = 1
    assert array.sum() == expected.size
    assert array[2:4, 1:4, 2:5].all()


@pytest.mark.parametrize("order", AXIS_ORDERS[::7])
def test_a_region_is_the_same_anatomy_in_every_axis_order(order):
    image = random_image((10, 12, 14), origin=(0.0, 0.0, 0.0))
    region, slice_format = (-8, -2, -9, -3, 2, 11), SliceFormat("PIL", (None, None, None))
    expected = SliceSpace(image, slice_format, region=region).read(0, 6)
    found = SliceSpace(sitk.DICOMOrient(image, order), slice_format, region=region).read(0, 6)
    np.testing.assert_array_equal(found, expected)


def test_a_region_outside_of_the_volume_is_refused():
    with pytest.raises(ImageError, match="outside of the volume"):
        SliceSpace(random_image(), SliceFormat("LPS", (None, None, None)), region=(500, 510, 500, 510, 500, 510))


@pytest.mark.parametrize(
    "region", [(1, 2, 3), (5, 1, 0, 1, 0, 1), (0, np.nan, 0, 1, 0, 1), "box", 5, [None] * 6, np.zeros((2, 3))]
)
def test_a_region_that_is_no_box_is_refused(region):
    with pytest.raises(ImageError, match="not a box"):
        SliceSpace(random_image(), SliceFormat("LPS", (None, None, None)), region=region)


def test_colour_and_four_dimensional_images_are_refused():
    slice_format = SliceFormat("LPS", (None, None, None))
    with pytest.raises(ImageError, match="colour"):
        SliceSpace(sitk.Image([4, 4, 4], sitk.sitkVectorUInt8, 3), slice_format)
    with pytest.raises(ImageError, match="frame by frame"):
        SliceSpace(sitk.Image([4, 4, 4, 2], sitk.sitkUInt8), slice_format)


def test_a_single_two_dimensional_slice_is_a_volume_of_one_slice():
    assert SliceSpace(sitk.Image([5, 6], sitk.sitkUInt8), SliceFormat("LPS", (1.0, 1.0, None))).count == 1


ACQUIRED = SliceFormat("acquired", (None, None, None))


@pytest.mark.parametrize("order", AXIS_ORDERS)
@pytest.mark.parametrize(
    ("size", "spacing"),
    [
        ((7, 9, 5), (1.3, 1.2, 8.0)),
        ((4, 5, 20), (1.3, 1.3, 8.0)),
        ((8, 6, 1), (1.3, 1.3, 1.0)),
        ((7, 9, 5), (1.0, 1.0, 1.0)),
        ((5, 5, 5), (1.0, 1.0, 1.0)),
    ],
)
def test_acquired_slices_are_bitwise_the_same_in_every_axis_order_and_come_back_exactly(order, size, spacing):
    image = oblique_stack(size, spacing)
    expected = sitk.GetArrayViewFromImage(image)
    slices = SliceSpace(image, ACQUIRED, 4).read(0, size[2])
    stored = sitk.DICOMOrient(image, order)
    space, array = there_and_back(stored, ACQUIRED, multiple=4)
    assert space.count == size[2]
    np.testing.assert_array_equal(space.read(0, size[2]), slices)
    np.testing.assert_array_equal(array, sitk.GetArrayViewFromImage(stored))
    assert sorted(slices[space.inside].ravel()) == sorted(expected.ravel())


def runs_to(image):
    """Where columns, rows and slices run to: unit vectors in LPS."""
    matrix = SliceSpace(image, ACQUIRED).index_to_physical()[:3, :3]
    return (matrix / np.linalg.norm(matrix, axis=0)).T


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("RAS", "LPS"), ("LPS", "LPS"), ("ASL", "PIR"), ("RIP", "LIP"), ("SAR", "PIR"), ("LSA", "LIP")],
)
def test_acquired_slices_are_shown_as_radiologists_do(stored, shown):
    # The third letter is where the slices of 8 mm run to: axial, sagittal, coronal.
    letters = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
    direction = np.array([letters[letter] for letter in stored]).T
    image = random_image((6, 6, 4), spacing=(1.0, 1.0, 8.0), direction=direction)
    np.testing.assert_array_equal(runs_to(image), [letters[letter] for letter in shown])


@pytest.mark.parametrize("degrees", [-30, 30, 60, 120, 200])
def test_acquired_slices_that_are_turned_in_their_plane_are_shown_the_nearest_way(degrees):
    columns, rows, slices = runs_to(random_image((6, 6, 4), spacing=(1.0, 1.0, 8.0), direction=turned(degrees)))
    best = columns @ (1, 0.5, 0) + rows @ (0, 0.5, -1)
    for one, other in permutations((columns, rows)):
        for sign_one, sign_other in product((-1, 1), repeat=2):
            assert best >= sign_one * one @ (1, 0.5, 0) + sign_other * other @ (0, 0.5, -1)
    np.testing.assert_allclose(np.cross(columns, rows), slices, atol=1e-12)


def test_a_picture_is_one_acquired_slice_as_it_is_stored():
    array = np.random.default_rng(0).integers(0, 255, (1, 256, 200), np.uint8)
    for spacing in ((1.0, 1.0, 1.0), (1.4, 1.4, 1.0)):  # a picture's slice counts as 1 mm thick
        space = SliceSpace(image_of(array, spacing), ACQUIRED)
        np.testing.assert_array_equal(space.read(0, space.count), array)


def test_the_acquired_slices_of_a_real_series_are_its_dicom_files():
    image = read_image(shared_data("inputs", "ProstateX-0000_t2_tra_dicom"))
    expected = sitk.GetArrayViewFromImage(image).astype(np.float32)
    for order in ("LPS", "SAR", "IPR"):
        space = SliceSpace(sitk.DICOMOrient(image, order), ACQUIRED)
        np.testing.assert_array_equal(space.read(0, space.count), expected)


@pytest.mark.parametrize(
    ("axes", "name"), [("PIL", "slices"), ("RAS", "columns"), ("SLP", "rows"), ("acquired", "columns")]
)
def test_a_format_says_which_of_its_axes_runs_between_left_and_right(axes, name):
    assert SliceFormat(axes, (None, None, None)).left_right == name


@pytest.mark.parametrize("axes", ["LPP", "LR", "XYZ", "LPSI", "Acquired"])
def test_axes_must_name_each_direction_once(axes):
    with pytest.raises(ValueError, match="axes"):
        SliceFormat(axes, (None, None, None))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("length", "samples"), [(5, 20), (20, 5), (7, 7), (1, 4), (13, 6)])
def test_resampling_keeps_a_constant_line(method, length, samples):
    np.testing.assert_allclose(sampling_matrix(length, samples, method).sum(axis=1), 1, atol=1e-6)


def test_area_means_whole_blocks_and_linear_the_middle_pixels():
    line = np.arange(8, dtype=np.float32) ** 2
    np.testing.assert_allclose(sampling_matrix(8, 2, "area") @ line, [line[:4].mean(), line[4:].mean()])
    np.testing.assert_allclose(sampling_matrix(8, 2, "linear") @ line, [line[1:3].mean(), line[5:7].mean()])


def test_enlarging_by_nearest_repeats_and_linear_interpolates():
    line = np.array([0, 4], np.float32)
    np.testing.assert_array_equal(sampling_matrix(2, 4, "nearest") @ line, [0, 0, 4, 4])
    np.testing.assert_allclose(sampling_matrix(2, 4, "linear") @ line, [0, 1, 3, 4])


@pytest.mark.parametrize("name", ["spine_t2_PSR.nii.gz", "abdomen_mr_LPS_3mm.nii.gz"])
def test_real_volumes_in_other_axis_orders_come_back_exactly(name):
    image = sitk.ReadImage(str(shared_data("inputs", name)))
    _, array = there_and_back(image, SliceFormat("PIL", (None, None, None)), multiple=4, group=10)
    np.testing.assert_array_equal(array, sitk.GetArrayViewFromImage(image).astype(np.float32))


@pytest.mark.parametrize("order", ["PIL", "RAS", "LPS", "IRA"])
@pytest.mark.parametrize("region", [None, (-14.5, -11.5, 14.5, 18.5, 31.5, 35.5)])
def test_the_grid_of_the_slices_is_where_their_values_come_from(order, region):
    image = random_image(spacing=(1.0, 1.2, 0.9), direction=turned(10))
    space = SliceSpace(image, SliceFormat(order, (None, None, None)), 4, region)
    values = space.read(0, space.count)[space.inside]
    assert values.shape == space.inside_shape
    matrix = space.index_to_physical()
    voxels = sitk.GetArrayViewFromImage(image)
    for index in [(0, 0, 0), (1, 2, 1), tuple(length - 1 for length in values.shape)]:
        point = matrix @ [*index[::-1], 1]
        i, j, k = image.TransformPhysicalPointToIndex(point[:3].tolist())
        np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((i, j, k)), point[:3], atol=1e-6)
        assert voxels[k, j, i] == values[index]


def test_the_grid_of_resampled_slices_holds_a_ramp():
    z, y, x = np.mgrid[:12, :15, :18].astype(np.float32)
    image = image_of(x + 10 * y + 100 * z)
    space = SliceSpace(image, SliceFormat("LPS", (2.0, 0.5, 2.0)), 4)
    values = space.read(0, space.count)[space.inside]
    matrix = space.index_to_physical()
    for index in [(2, 3, 4), (4, 5, 6)]:
        i, j, k = image.TransformPhysicalPointToContinuousIndex((matrix @ [*index[::-1], 1])[:3].tolist())
        assert values[index] == pytest.approx(i + 10 * j + 100 * k, abs=1e-2)


@pytest.mark.parametrize("multiple", [1, 4])
@pytest.mark.parametrize("thin", [0.3, 0.9, 1.0])
@pytest.mark.parametrize("size", [(1, 9, 8), (9, 1, 8), (9, 8, 1), (1, 1, 8), (1, 1, 1), (2, 1, 3)])
def test_an_axis_that_is_thinner_than_a_pixel_gives_a_pixel_and_comes_back(size, thin, multiple):
    spacing = [thin if length == 1 else 1.0 for length in size]
    image = random_image(size, spacing=spacing)
    space, array = there_and_back(image, SliceFormat("LPS", (1.0, 1.0, 1.0)), multiple)
    assert space.inside_shape == size[::-1]
    np.testing.assert_allclose(array, sitk.GetArrayViewFromImage(image), atol=1e-6)


@pytest.mark.parametrize("width", [1e-9, 1e-3, 0.5])
@pytest.mark.parametrize("place", [3.0, 3.5, 3.25])
def test_a_region_within_a_voxel_or_between_two_takes_one_or_two(place, width):
    image = random_image(origin=(0.0, 0.0, 0.0))
    region = (-place - width, -place, -place - width, -place, place, place + width)
    space = SliceSpace(image, SliceFormat("LPS", (1.0, 1.0, 1.0)), 4, region)
    assert set(space.inside_shape) <= {1, 2}
    assert space.read(0, space.count).shape[1:] == (4, 4)


def test_an_image_longer_than_any_body_is_refused_before_work_starts():
    image = random_image(spacing=(1000.0, 1000.0, 1000.0))
    with pytest.raises(ImageError, match=r"is 9 m long .* spacing of 1000 mm cannot be right"):
        SliceSpace(image, SliceFormat("LPS", (1.0, 1.0, 1.0)))


@pytest.mark.parametrize("given", [np.zeros((3, 4, 5)), "image.nii.gz", None])
def test_what_is_no_image_is_refused_with_what_was_given(given):
    with pytest.raises(ImageError, match=f"must be a SimpleITK.Image, not a {type(given).__name__}"):
        SliceSpace(given, SliceFormat("LPS", (1.0, 1.0, 1.0)))


def test_complex_numbers_are_refused():
    with pytest.raises(ImageError, match="complex numbers"):
        SliceSpace(sitk.Image([4, 4, 4], sitk.sitkComplexFloat32), SliceFormat("LPS", (None, None, None)))
