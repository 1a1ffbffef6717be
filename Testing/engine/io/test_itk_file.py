"""Files that ITK reads: by what they hold, whatever they are called; what their formats leave out is not made up."""

import numpy as np
import pytest
import SimpleITK as sitk

from MedNCALib.errors import ImageError, MedNCAWarning
from MedNCALib.io.images import read_image

VOXELS = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)


def saved(path, voxels=VOXELS, compress=False):
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((1, 1.5, 2)[: voxels.ndim])
    sitk.WriteImage(image, str(path), compress)
    return path


def without(path, *lines):
    """Take lines that start so out of a MetaImage header."""
    header, end, voxels = path.read_bytes().partition(b"ElementDataFile")
    kept = [line for line in header.splitlines(keepends=True) if not line.startswith(lines)]
    assert len(kept) == len(header.splitlines()) - len(lines)
    path.write_bytes(b"".join(kept) + end + voxels)
    return path


def refusal(path, **stated):
    with pytest.raises(ImageError) as refused:
        read_image(path, **stated)
    text = str(refused.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("written", [".nrrd", ".nhdr", ".mha", ".mhd", ".vtk", ".gipl", ".seg.nrrd"])
@pytest.mark.parametrize("called", [str.upper, lambda ending: ending, lambda ending: ".data", lambda ending: ""])
def test_a_volume_is_read_whatever_its_ending_is(tmp_path, written, called):
    path = saved(tmp_path / f"v{written}")
    path = path.rename(tmp_path / f"V{called(written)}")
    image = read_image(path, axes="LPS", spacing=(1, 1.5, 2))
    assert np.array_equal(sitk.GetArrayFromImage(image), VOXELS)


@pytest.mark.parametrize("ending", [".vtk", ".gipl"])
def test_stacks_without_directions_have_to_be_told_their_axes(tmp_path, ending):
    path = saved(tmp_path / f"v{ending}")
    text = refusal(path)
    assert "does not say which way its axes point: its format has no directions" in text
    assert "--axes RAS" in text
    assert read_image(path, axes="RAS").GetSpacing() == pytest.approx((1, 1.5, 2))


@pytest.mark.parametrize(
    ("replaced", "by"),
    [
        (b"space: left-posterior-superior\n", b""),
        (b"space: left-posterior-superior\n", b"space: scanner-xyz\n"),
        (b"space: left-posterior-superior\n", b"space dimension: 3\n"),
        (b"space directions: (1,0,0) (0,1.5,0) (0,0,2)\n", b"spacings: 1 1.5 2\n"),
    ],
)
def test_an_nrrd_file_without_an_anatomical_space_has_to_be_told_its_axes(tmp_path, replaced, by):
    path = saved(tmp_path / "v.nrrd")
    data = path.read_bytes()
    assert replaced in data
    data = data.replace(replaced, by)
    if b"space" not in by:
        data = without_space(data)
    path.write_bytes(data)
    assert "does not say which way its axes point: its header" in refusal(path)
    image = read_image(path, axes="RAS")
    assert np.array_equal(sitk.GetArrayFromImage(image), VOXELS)
    assert image.GetDirection() == (-1, 0, 0, 0, -1, 0, 0, 0, 1)


def without_space(data):
    """NRRD forbids what belongs to a space if there is none."""
    data = data.replace(b"space origin: (0,0,0)\n", b"").replace(b"space: left-posterior-superior\n", b"")
    return data.replace(b"space directions: (1,0,0) (0,1.5,0) (0,0,2)\n", b"spacings: 1 1.5 2\n")


def test_an_nrrd_picture_has_no_place_to_be_told(tmp_path):
    path = tmp_path / "v.nrrd"
    path.write_bytes(b"NRRD0004\ntype: uint8\ndimension: 2\nsizes: 5 4\nencoding: raw\n\n" + bytes(20))
    assert read_image(path).GetSize() == (5, 4, 1)


@pytest.mark.parametrize("spacings", [b"", b"spacings: 1 1.5 nan\n"])
def test_an_nrrd_file_without_voxel_sizes_has_to_be_told_them(tmp_path, spacings):
    path = saved(tmp_path / "v.nrrd")
    path.write_bytes(without_space(path.read_bytes()).replace(b"spacings: 1 1.5 2\n", spacings))
    assert "its header has no spacings" in refusal(path, axes="RAS")
    assert read_image(path, axes="RAS", spacing=(1, 2, 3)).GetSpacing() == (1, 2, 3)


def test_an_nrrd_file_in_another_unit_has_to_be_told_its_voxel_sizes(tmp_path):
    path = saved(tmp_path / "v.nrrd")
    units = b'space units: "cm" "cm" "cm"\nspace directions'
    path.write_bytes(path.read_bytes().replace(b"space directions", units))
    assert "its unit is cm" in refusal(path)
    path.write_bytes(path.read_bytes().replace(b'"cm"', b'"mm"'))
    assert read_image(path).GetSpacing() == (1, 1.5, 2)


@pytest.mark.parametrize("space", ["RAS", "right-anterior-superior", "Left-Anterior-Superior", "LPS"])
def test_an_nrrd_file_in_any_anatomical_space_is_read(tmp_path, space):
    path = saved(tmp_path / "v.nrrd")
    path.write_bytes(path.read_bytes().replace(b"left-posterior-superior", space.encode()))
    assert read_image(path).GetSize() == (5, 4, 3)


def test_a_metaimage_without_directions_is_taken_as_its_format_has_it_and_says_so(tmp_path):
    path = without(saved(tmp_path / "v.mha"), b"TransformMatrix")
    with pytest.warns(MedNCAWarning, match="has no TransformMatrix.*taken as left, posterior, superior"):
        assert read_image(path).GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)


def test_a_metaimage_without_voxel_sizes_has_to_be_told_them(tmp_path):
    path = without(saved(tmp_path / "v.mha"), b"ElementSpacing")
    assert "its header has no ElementSpacing" in refusal(path)


def test_a_header_with_its_voxels_elsewhere_is_read(tmp_path):
    for name in ("v.mhd", "v.nhdr"):
        path = saved(tmp_path / name, np.zeros((64, 64, 64), np.uint8), compress=True)
        assert path.stat().st_size < 64**3 / 100
        assert read_image(path).GetSize() == (64, 64, 64)


@pytest.mark.parametrize("ending", [".mhd", ".nhdr"])
def test_a_header_whose_voxels_are_missing_is_refused(tmp_path, ending):
    path = saved(tmp_path / f"v{ending}")
    for other in tmp_path.iterdir():
        if other != path:
            other.unlink()
    assert "cannot be read" in refusal(path)


@pytest.mark.parametrize("data", [b"nothing", b"BMW", b"NRRD0004\n", b"NRRD0004\ntype: x\n\n", b"\0"])
def test_what_only_starts_like_an_image_is_refused_in_silence(tmp_path, data, capfd):
    (tmp_path / "v.nrrd").write_bytes(data)
    assert "cannot be read" in refusal(tmp_path / "v.nrrd")
    assert capfd.readouterr() == ("", "")
