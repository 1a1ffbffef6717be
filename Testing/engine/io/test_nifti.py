"""NIfTI and Analyze files in every guise: where they lie, what they do not say, and what cannot be."""

import gzip
import warnings

import numpy as np
import pytest
import SimpleITK as sitk
from support.nifti_files import VOXELS, nifti

from MedNCALib.errors import ImageError, MedNCAWarning
from MedNCALib.io.images import read_image

NAN = float("nan")
LPS_OF_RAS = (-1, 0, 0, 0, -1, 0, 0, 0, 1)


def write(path, packed=False, **fields):
    data = b"".join(nifti(**fields))
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


def write_pair(folder, header_name="v.hdr", voxels_name="v.img", **fields):
    for name, data in zip((header_name, voxels_name), nifti(pair=True, **fields)):
        (folder / name).write_bytes(gzip.compress(data) if name.lower().endswith(".gz") else data)
    return folder / header_name


def is_the_volume(image):
    assert np.array_equal(sitk.GetArrayFromImage(image), VOXELS)
    assert image.GetSpacing() == pytest.approx((1, 2, 3))
    assert image.GetDirection() == pytest.approx(LPS_OF_RAS)
    assert image.GetOrigin() == pytest.approx((-10, -20, 30))
    return True


def refusal(path, **stated):
    with pytest.raises(ImageError) as refused:
        read_image(path, **stated)
    return str(refused.value)


@pytest.fixture(autouse=True)
def no_unexpected_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error", MedNCAWarning)
        yield


# --- In every guise ---


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz", "v.NII.GZ", "v", "v.dcm"])
def test_a_file_is_what_it_holds_whatever_it_is_called(tmp_path, version, order, packed, name):
    assert is_the_volume(read_image(write(tmp_path / name, packed, version=version, order=order)))


@pytest.mark.parametrize(
    "names",
    [("v.hdr", "v.img"), ("V.HDR", "V.IMG"), ("v.hdr", "v.img.gz"), ("v.hdr.gz", "v.img.gz"), ("v.HDR", "v.img")],
)
@pytest.mark.parametrize("version", [1, 2])
def test_a_pair_is_read_by_either_of_its_names(tmp_path, names, version):
    write_pair(tmp_path, *names, version=version)
    for name in names:
        assert is_the_volume(read_image(tmp_path / name))


@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
@pytest.mark.parametrize("order", "<>")
def test_every_type_of_voxel_is_read(tmp_path, kind, order):
    image = read_image(write(tmp_path / "v.nii", voxels=VOXELS.astype(kind), order=order))
    assert sitk.GetArrayFromImage(image).dtype == kind
    assert is_the_volume(image)


def test_values_are_scaled_as_itk_scales_them(tmp_path):
    path = write(tmp_path / "v.nii", scl_slope=0.37, scl_inter=-2.5)
    ours, itk = read_image(path), sitk.ReadImage(str(path))
    assert ours.GetPixelID() == itk.GetPixelID() == sitk.sitkFloat32
    assert np.array_equal(sitk.GetArrayFromImage(ours), sitk.GetArrayFromImage(itk))


def test_digits_are_kept_under_a_large_intercept(tmp_path):
    path = write(tmp_path / "v.nii", scl_slope=1, scl_inter=1e9)
    assert np.array_equal(sitk.GetArrayFromImage(read_image(path)), VOXELS + 1e9)
    path = write(tmp_path / "v.nii", voxels=VOXELS.astype(np.int32) + 10**9, scl_slope=1, scl_inter=-1e9)
    assert np.array_equal(sitk.GetArrayFromImage(read_image(path)), VOXELS)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"sform_code": 0, "qform_code": 1, "quatern": (0.1, -0.2, 0.3)},
        {"sform_code": 0, "qform_code": 1, "quatern": (0.1, -0.2, 0.3), "pixdim": (-1, 1, 2, 3, 0, 0, 0, 0)},
        {"qform_code": 1, "sform_code": 2},
        {"xyzt_units": 3, "pixdim": (1, 1000, 2000, 3000, 0, 0, 0, 0)},
        {"xyzt_units": 10},
    ],
)
def test_the_place_is_the_one_that_itk_gives(tmp_path, fields):
    path = write(tmp_path / "v.nii", **fields)
    ours, itk = read_image(path), sitk.ReadImage(str(path))
    assert ours.GetOrigin() == itk.GetOrigin()
    assert ours.GetDirection() == itk.GetDirection()
    assert ours.GetSpacing() == pytest.approx(itk.GetSpacing(), rel=1e-6)


def test_a_single_picture_is_a_volume_of_one_slice_with_its_place(tmp_path):
    path = write(tmp_path / "v.nii", voxels=VOXELS[0], pixdim=(1, 1, 2, 0, 0, 0, 0, 0), srow=THIN)
    image = read_image(path)
    assert image.GetSize() == (4, 5, 1)
    assert image.GetSpacing() == (1, 2, 1)
    assert image.GetDirection() == LPS_OF_RAS


def test_voxels_follow_the_header_if_it_does_not_say_where_they_are(tmp_path):
    assert is_the_volume(read_image(write(tmp_path / "v.nii", vox_offset=0)))


# --- What it does not say, or says twice ---


@pytest.mark.parametrize("version", [1, 2])
def test_without_orientation_codes_method_1_of_the_standard_is_taken_and_said(tmp_path, version):
    path = write(tmp_path / "v.nii", version=version, qform_code=0, sform_code=0)
    with pytest.warns(MedNCAWarning, match=r"v\.nii does not say which way its axes point .*taken as right, anterior"):
        image = read_image(path)
    assert image.GetDirection() == LPS_OF_RAS
    assert image.GetSpacing() == (1, 2, 3)
    assert read_image(path, axes="lia").GetDirection() == (1, 0, 0, 0, 0, -1, 0, -1, 0)


def test_analyze_files_have_to_be_told_their_axes(tmp_path):
    for name, data in zip(("v.hdr", "v.img"), nifti(analyze=True)):
        (tmp_path / name).write_bytes(data)
    text = refusal(tmp_path / "v.img")
    assert "does not say which way its axes point: it is an Analyze 7.5 file" in text
    assert "--axes RAS" in text
    image = read_image(tmp_path / "v.hdr", axes="RAS")
    assert np.array_equal(sitk.GetArrayFromImage(image), VOXELS)
    assert image.GetSpacing() == (1, 2, 3)


RAS = (1, 0, 0, 10, 0, 2, 0, 20, 0, 0, 3, 30)
THIN = (1, 0, 0, 10, 0, 2, 0, 20, 0, 0, 1, 30)
FLIPPED = (-1, 0, 0, 10, 0, 2, 0, 20, 0, 0, 3, 30)
SHEARED = (1, 0.5, 0, 10, 0, 2, 0, 20, 0, 0, 3, 30)


def test_forms_that_disagree_are_named_with_the_one_that_was_taken(tmp_path):
    with pytest.warns(MedNCAWarning, match="qform and its sform put it in different places; the sform was taken"):
        image = read_image(write(tmp_path / "v.nii", qform_code=1, srow=FLIPPED))
    assert image.GetDirection() == pytest.approx((1, 0, 0, 0, -1, 0, 0, 0, 1))
    with pytest.warns(MedNCAWarning, match="the qform was taken"):
        assert is_the_volume(read_image(write(tmp_path / "v.nii", qform_code=1, srow=SHEARED)))


def test_forms_that_differ_by_less_than_a_voxel_agree(tmp_path):
    moved = (1, 0, 0, 10.4, 0, 2, 0, 20, 0, 0, 3, 30)
    assert read_image(write(tmp_path / "v.nii", qform_code=1, srow=moved)).GetSize() == (4, 5, 6)


def test_voxel_sizes_of_the_sform_are_taken_if_pixdim_has_others(tmp_path):
    with pytest.warns(MedNCAWarning, match="pixdim and sform give different voxel sizes; the sform's were taken"):
        assert is_the_volume(read_image(write(tmp_path / "v.nii", pixdim=(1, 1, 1, 1, 0, 0, 0, 0), srow=RAS)))


def test_axes_at_right_angles_but_for_rounding_are_taken(tmp_path):
    nearly = (1, 0.003, 0, 10, 0, 2, 0, 20, 0, 0, 3, 30)
    image = read_image(write(tmp_path / "v.nii", srow=nearly))
    direction = np.reshape(image.GetDirection(), (3, 3))
    assert direction.T @ direction == pytest.approx(np.eye(3))
    assert image.GetDirection() == pytest.approx(LPS_OF_RAS, abs=0.01)
    assert image.GetOrigin() == pytest.approx((-10, -20, 30))


# --- What cannot be ---


def test_sheared_axes_are_refused(tmp_path):
    assert "not at right angles" in refusal(write(tmp_path / "v.nii", srow=SHEARED))
    assert "not at right angles" in refusal(write(tmp_path / "v.nii", srow=(0,) * 12))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"pixdim": (1, 0, 2, 3, 0, 0, 0, 0), "srow": RAS}, "has voxels of 0 x 2 x 3 mm by its header"),
        ({"pixdim": (1, 1, NAN, 3, 0, 0, 0, 0), "srow": RAS}, "has voxels of 1 x nan x 3 mm"),
        ({"pixdim": (1, 1, 2, -3, 0, 0, 0, 0), "srow": RAS}, "has voxels of 1 x 2 x -3 mm"),
        ({"pixdim": (1, 1000, 2000, 3000, 0, 0, 0, 0)}, "has voxels of 1000 x 2000 x 3000 mm"),
        ({"pixdim": (1, 0.001, 0.002, 0.003, 0, 0, 0, 0)}, "has voxels of 0.001 x 0.002 x 0.003 mm"),
        ({"dim": (3, 4, 0, 6, 1, 1, 1, 1)}, "one of its dimensions is 0"),
        ({"dim": (3, -4, 5, 6, 1, 1, 1, 1)}, "damaged"),
        ({"dim": (0, 4, 5, 6, 1, 1, 1, 1)}, "damaged"),
        ({"dim": (9, 4, 5, 6, 1, 1, 1, 1)}, "damaged"),
        ({"dim": (3, 30000, 30000, 30000, 1, 1, 1, 1), "pixdim": (1, 0.05, 0.05, 0.05, 0, 0, 0, 0)}, "memory"),
        ({"dim": (3, 200, 200, 200, 1, 1, 1, 1)}, "damaged or cut short"),
        ({"dim": (4, 4, 5, 2, 3, 1, 1, 1)}, "is a sequence of 3 frames"),
        ({"dim": (5, 4, 5, 2, 1, 3, 1, 1)}, "is a sequence of 3 frames"),
        ({"vox_offset": NAN}, "damaged"),
        ({"vox_offset": -5}, "damaged"),
        ({"vox_offset": 100}, "damaged"),
        ({"vox_offset": 1e30}, "damaged"),
        ({"scl_slope": NAN}, "damaged"),
        ({"scl_inter": float("inf")}, "damaged"),
        ({"datatype": 32, "bitpix": 64}, "complex numbers"),
        ({"datatype": 128, "bitpix": 24}, "3 values in each voxel"),
        ({"datatype": 1536, "bitpix": 128}, "NIfTI data type 1536"),
        ({"datatype": 77}, "NIfTI data type 77"),
        ({"srow": (1, 0, 0, NAN, 0, 2, 0, 20, 0, 0, 3, 30)}, "does not say where it lies"),
        ({"sform_code": 0, "qform_code": 1, "quatern": (3, 0, 0)}, "does not say where it lies"),
        ({"sform_code": 0, "qform_code": 1, "qoffset": (0, 0, NAN)}, "does not say where it lies"),
    ],
)
def test_a_header_that_cannot_be_is_refused(tmp_path, fields, reason):
    text = refusal(write(tmp_path / "v.nii", **fields))
    assert text.startswith(str(tmp_path / "v.nii"))
    assert reason in text
    assert "\n" not in text


def test_stated_voxel_sizes_take_the_place_of_those_that_cannot_be(tmp_path):
    path = write(tmp_path / "v.nii", pixdim=(1, 0, NAN, 3000, 0, 0, 0, 0), srow=RAS)
    assert is_the_volume(read_image(path, spacing=(1, 2, 3)))


@pytest.mark.parametrize("cut", [1, 100, 700])
def test_a_packed_pair_that_is_cut_is_refused(tmp_path, cut):
    rng = np.random.default_rng(0)
    path = write_pair(tmp_path, "v.hdr", "v.img.gz", voxels=rng.integers(0, 999, (9, 9, 9)).astype(np.int16))
    voxels = tmp_path / "v.img.gz"
    voxels.write_bytes(voxels.read_bytes()[:-cut])
    assert "damaged or cut short" in refusal(path)


def test_a_pair_without_its_voxels_says_what_is_missing(tmp_path):
    path = write_pair(tmp_path)
    (tmp_path / "v.img").unlink()
    assert "its voxels lie in an .img file that is not there" in refusal(path)


@pytest.mark.parametrize("length", [4, 200, 347])
def test_a_header_that_is_cut_is_refused(tmp_path, length):
    path = write(tmp_path / "v.nii")
    path.write_bytes(path.read_bytes()[:length])
    assert "damaged or cut short" in refusal(path)


def test_a_nifti_2_file_with_another_magic_is_damaged(tmp_path):
    path = write(tmp_path / "v.nii", version=2)
    data = bytearray(path.read_bytes())
    data[4] = 0
    path.write_bytes(data)
    assert "damaged" in refusal(path)
