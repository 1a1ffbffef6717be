"""PNG, JPEG, TIFF and BMP pictures and TIFF stacks."""

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from MedNCALib.errors import ImageError
from MedNCALib.io.images import read_image

VOXELS = np.arange(3 * 4 * 5).reshape(3, 4, 5)
STATED = {"axes": "LPS", "spacing": (1, 1.5, 2)}


def refusal(path, **stated):
    with pytest.raises(ImageError) as refused:
        read_image(path, **stated)
    text = str(refused.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("ending", [".bmp", ".tif", ".jpg", ".png"])
@pytest.mark.parametrize("called", ["picture", "PICTURE.TIFF", "picture.nrrd"])
def test_a_picture_is_a_volume_of_one_slice_whatever_it_is_called(tmp_path, ending, called):
    pixels = np.full((4, 5), 77, np.uint8)
    Image.fromarray(pixels).save(tmp_path / f"v{ending}")
    image = read_image((tmp_path / f"v{ending}").rename(tmp_path / called))
    assert image.GetSpacing() == pytest.approx((1, 1, 1))
    assert np.array_equal(sitk.GetArrayFromImage(image), pixels[None])


@pytest.mark.parametrize("ending", [".bmp", ".tif", ".jpg", ".png"])
def test_colour_is_refused(tmp_path, ending):
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(tmp_path / f"v{ending}")
    assert "3 values in each voxel" in refusal(tmp_path / f"v{ending}")


def test_a_palette_is_colour(tmp_path):
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).convert("P").save(tmp_path / "v.tif")
    assert "3 values in each voxel" in refusal(tmp_path / "v.tif")


@pytest.mark.parametrize("ending", [".tif", ".png"])
def test_a_stated_resolution_is_the_pixel_size(tmp_path, ending):
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / f"v{ending}", dpi=(50.8, 12.7))
    assert read_image(tmp_path / f"v{ending}").GetSpacing() == pytest.approx((0.5, 2, 1))


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_a_png_picture_is_read_as_itk_reads_it(tmp_path, kind):
    pixels = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (20, 30)).astype(kind)
    sitk.WriteImage(sitk.GetImageFromArray(pixels), str(tmp_path / "v.png"))
    ours, itk = read_image(tmp_path / "v.png"), sitk.ReadImage(str(tmp_path / "v.png"))
    assert np.array_equal(sitk.GetArrayFromImage(ours)[0], sitk.GetArrayFromImage(itk))
    assert ours.GetSpacing()[:2] == pytest.approx(itk.GetSpacing())
    assert ours.GetPixelID() == itk.GetPixelID()


def test_a_stack_has_to_be_told_its_axes_and_voxel_sizes(tmp_path):
    path = tmp_path / "v.tif"
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS.astype(np.uint8)), str(path))
    text = refusal(path)
    assert "neither which way its axes point" in text
    assert "--axes RAS" in text
    assert "--spacing X Y Z" in text
    assert "how large its voxels are" in refusal(path, axes="RAS")
    assert "which way its axes point" in refusal(path, spacing=(1, 1, 2))
    image = read_image(path, **STATED)
    assert np.array_equal(sitk.GetArrayFromImage(image), VOXELS)
    assert image.GetSpacing() == (1, 1.5, 2)


@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "f4"])
@pytest.mark.parametrize("compress", [False, True])
def test_every_type_of_voxel_is_read(tmp_path, kind, compress):
    low, high = (-1e3, 1e3) if kind == "f4" else (np.iinfo(kind).min, np.iinfo(kind).max)
    voxels = np.array([[[low, 0], [1, high]], [[high, 5], [low, 7]]], kind)
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(tmp_path / "v.tif"), compress)
    read = sitk.GetArrayFromImage(read_image(tmp_path / "v.tif", **STATED))
    assert read.dtype == kind
    assert np.array_equal(read, voxels)


def test_black_and_white_is_0_and_1(tmp_path):
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "v.tif")
    assert sitk.GetArrayFromImage(read_image(tmp_path / "v.tif")).tolist() == [[[1, 0]]]


@pytest.mark.parametrize("other", [np.zeros((5, 5), np.uint8), np.zeros((4, 5), np.float32)])
def test_pages_that_differ_are_refused(tmp_path, other):
    first = Image.fromarray(np.zeros((4, 5), np.uint8))
    first.save(tmp_path / "v.tif", save_all=True, append_images=[Image.fromarray(other)])
    assert "has pages that differ in size or kind" in refusal(tmp_path / "v.tif", **STATED)


@pytest.mark.parametrize("ending", [".bmp", ".tif", ".jpg", ".png"])
@pytest.mark.parametrize("share", [0.9, 0.5, 0.005])
def test_a_picture_that_is_cut_is_refused(tmp_path, ending, share):
    path = tmp_path / f"v{ending}"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "damaged or cut short" in refusal(path)
