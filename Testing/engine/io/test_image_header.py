"""What a header says is checked before voxels are read, for every format; what it does not say can be stated."""

import numpy as np
import pytest
import SimpleITK as sitk

import MedNCALib.io.image_header as image_header
from MedNCALib.errors import ImageError
from MedNCALib.io.images import read_image

NAN = float("nan")


@pytest.fixture
def image():
    array = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    return sitk.GetImageFromArray(array)


def refusal(path, **stated):
    with pytest.raises(ImageError) as refused:
        read_image(path, **stated)
    text = str(refused.value)
    assert "\n" not in text
    return text


def saved(tmp_path, image, ending=".nrrd"):
    path = tmp_path / f"v{ending}"
    sitk.WriteImage(image, str(path))
    return path


FORMATS = [".nrrd", ".mha", ".nii.gz"]


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("spacing", [(1000, 1000, 1000), (0.001, 0.001, 0.001), (1, 1, 51), (1, 0.009, 1), (10, 9, 10)])
def test_voxel_sizes_that_are_not_plausible_are_refused_and_can_be_stated(tmp_path, image, ending, spacing):
    image.SetSpacing(spacing)
    path = saved(tmp_path, image, ending)
    text = refusal(path)
    assert "has voxels of " + " x ".join(f"{mm:.4g}" for mm in spacing) + " mm by its header" in text
    assert "plausible are 0.01 to 50 mm" in text
    assert "--spacing X Y Z" in text
    assert read_image(path, spacing=(1, 1.5, 2)).GetSpacing() == (1, 1.5, 2)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("spacing", [(0.01, 0.01, 0.01), (8, 8, 50), (1, 1, 10)])
def test_voxel_sizes_at_the_limits_are_taken(tmp_path, image, ending, spacing):
    image.SetSpacing(spacing)
    assert read_image(saved(tmp_path, image, ending)).GetSpacing() == pytest.approx(spacing)


@pytest.mark.parametrize("ending", FORMATS)
def test_a_volume_longer_than_a_person_is_refused(tmp_path, ending):
    image = sitk.Image((2, 2, 401), sitk.sitkUInt8)
    image.SetSpacing((1, 1, 5))
    assert "is 2 x 2 x 2005 mm large by its header; plausible are up to 2000 mm" in refusal(
        saved(tmp_path, image, ending)
    )


def test_sheared_axes_are_refused_in_text_headers_too(tmp_path, image):
    path = saved(tmp_path, image)
    data = path.read_bytes().replace(b"(1,0,0) (0,1,0)", b"(1,0,0) (0.2,1,0)")
    assert b"0.2" in data
    path.write_bytes(data)
    assert "not at right angles" in refusal(path)
    path = saved(tmp_path, image, ".mha")
    data = path.read_bytes().replace(b"TransformMatrix = 1 0 0 0 1 0", b"TransformMatrix = 1 0 0 0.2 1 0")
    assert b"0.2" in data
    path.write_bytes(data)
    assert "not at right angles" in refusal(path)


def test_axes_at_right_angles_but_for_rounding_are_taken(tmp_path, image):
    path = saved(tmp_path, image)
    path.write_bytes(path.read_bytes().replace(b"(1,0,0) (0,1,0)", b"(1,0,0) (0.001,1,0)"))
    assert read_image(path).GetSize() == (5, 4, 3)


def test_more_voxels_than_the_memory_holds_are_refused_before_they_are_read(tmp_path, image, monkeypatch):
    path = saved(tmp_path, image)
    monkeypatch.setattr(image_header, "machine_bytes", lambda: 119)
    assert "announces 5 x 4 x 3 voxels, more than this computer has memory for" in refusal(path)
    monkeypatch.setattr(image_header, "machine_bytes", lambda: 120)
    assert read_image(path).GetSize() == (5, 4, 3)


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_a_small_file_that_announces_a_large_volume_is_damaged(tmp_path, image, ending):
    path = saved(tmp_path, image, ending)
    path.write_bytes(path.read_bytes().replace(b"5 4 3", b"500 400 300"))
    assert "damaged or cut short" in refusal(path)


@pytest.mark.parametrize(
    ("axes", "direction"),
    [
        ("LPS", (1, 0, 0, 0, 1, 0, 0, 0, 1)),
        ("ras", (-1, 0, 0, 0, -1, 0, 0, 0, 1)),
        ("PIR", (0, 0, -1, 1, 0, 0, 0, -1, 0)),
    ],
)
def test_stated_axes_take_the_place_of_those_of_the_file(tmp_path, image, axes, direction):
    assert read_image(saved(tmp_path, image), axes=axes).GetDirection() == direction


@pytest.mark.parametrize("axes", ["", "RA", "RAR", "RLS", "XYZ", "RASL"])
def test_axes_that_are_none_are_refused(tmp_path, image, axes):
    assert f"The stated axes {axes!r} are not three directions" in refusal(saved(tmp_path, image), axes=axes)


@pytest.mark.parametrize("spacing", [(1, 1), (1, 1, 0), (1, 1, NAN), (1, 1, 51), (-1, 1, 1), (1, 1, 1, 1)])
def test_stated_sizes_that_cannot_be_are_refused(tmp_path, image, spacing):
    assert "is not plausible: give three lengths from 0.01 to 50 mm" in refusal(saved(tmp_path, image), spacing=spacing)
