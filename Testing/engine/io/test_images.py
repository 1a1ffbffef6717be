"""Images in from files and DICOM folders, and out to files."""

import errno
import gzip
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.shared_data import shared_data

from MedNCALib.errors import ImageError, MedNCAError
from MedNCALib.imaging.phantom import make_phantom
from MedNCALib.io.images import image_stem, read_image, write_image

INPUTS = {
    "CTHeadAxialDicom": ((64, 64, 93), (3.2, 3.2, 1.5)),
    "ProstateX-0000_t2_tra_dicom": ((384, 384, 19), (0.5, 0.5, 3.0)),
    "abdomen_mr_LPS_3mm.nii.gz": ((117, 91, 20), (3.0, 3.0, 3.0)),
    "spine_t1w.nii.gz": ((42, 76, 77), (1.0, 1.0, 1.0)),
    "spine_t2_PSR.nii.gz": ((60, 55, 52), (1.0, 1.0, 1.0)),
}


def array(image):
    return sitk.GetArrayFromImage(image)


@pytest.fixture
def volume():
    return make_phantom(size=(12, 16, 10), spacing=(1.0, 2.0, 3.0), axes="PIR").image


# --- Reading ---


@pytest.mark.parametrize("name", INPUTS)
def test_real_inputs_are_read_with_their_geometry(name):
    image = read_image(shared_data("inputs", name))
    size, spacing = INPUTS[name]
    assert image.GetSize() == size
    assert image.GetSpacing() == pytest.approx(spacing, abs=1e-4)
    assert array(image).std() > 0


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".img", ".nrrd", ".nhdr", ".mha", ".mhd", ".gipl", ".vtk"])
def test_a_volume_is_read_back_from_every_common_format(tmp_path, volume, ending):
    path = tmp_path / f"volume{ending}"
    sitk.WriteImage(volume, str(path))
    image = read_image(path, axes="PIR")  # GIPL and VTK do not say it
    assert np.array_equal(array(image), array(volume))
    assert image.GetSpacing() == pytest.approx(volume.GetSpacing())
    assert image.GetDirection() == pytest.approx(volume.GetDirection())
    assert image.GetOrigin() == pytest.approx(volume.GetOrigin(), abs=1e-4)


def test_a_single_picture_becomes_a_volume_of_one_slice(tmp_path):
    sitk.WriteImage(sitk.Image((20, 30), sitk.sitkUInt8), str(tmp_path / "slice.png"))
    assert read_image(tmp_path / "slice.png").GetSize() == (20, 30, 1)


def test_a_sequence_of_one_frame_is_a_volume(tmp_path):
    sitk.WriteImage(sitk.Image((5, 6, 7, 1), sitk.sitkInt16), str(tmp_path / "one.nii"))
    assert read_image(tmp_path / "one.nii").GetSize() == (5, 6, 7)


def test_a_sequence_is_refused_with_the_advice_to_go_frame_by_frame(tmp_path):
    sitk.WriteImage(sitk.Image((5, 6, 7, 4), sitk.sitkInt16), str(tmp_path / "cine.nrrd"))
    with pytest.raises(ImageError, match=r"cine\.nrrd is a sequence of 4 frames.*frame by frame"):
        read_image(tmp_path / "cine.nrrd")


def test_colour_is_refused(tmp_path):
    sitk.WriteImage(sitk.Image((8, 8), sitk.sitkVectorUInt8, 3), str(tmp_path / "photo.png"))
    with pytest.raises(ImageError, match=r"photo\.png has 3 values in each voxel"):
        read_image(tmp_path / "photo.png")


def test_complex_numbers_are_refused(tmp_path):
    sitk.WriteImage(sitk.Image((4, 4, 4), sitk.sitkComplexFloat32), str(tmp_path / "k.nii"))
    with pytest.raises(ImageError, match="complex numbers"):
        read_image(tmp_path / "k.nii")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ImageError, match=r"no file or folder .*nowhere\.nii"):
        read_image(tmp_path / "nowhere.nii")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.nii").touch()
    with pytest.raises(ImageError, match=r"empty\.nii is empty"):
        read_image(tmp_path / "empty.nii")


def test_what_is_no_image_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("not an image")
    with pytest.raises(ImageError, match=r"notes\.txt cannot be read: it is no image"):
        read_image(tmp_path / "notes.txt")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".img", ".nrrd", ".mha", ".vtk", ".gipl", ".png", ".dcm"])
@pytest.mark.parametrize("share", [0.97, 0.5, 0.1])
def test_a_file_cut_short_is_refused_and_not_filled_with_zeros(tmp_path, volume, ending, share):
    path = tmp_path / f"volume{ending}"
    one_slice = sitk.Cast(volume, sitk.sitkUInt8)[:, :, 4:5]
    content = {".png": one_slice[:, :, 0], ".dcm": one_slice}.get(ending, volume)
    sitk.WriteImage(content, str(path))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ImageError, match=r"volume\.\w+.*(cut short|damaged)"):
        read_image(path, axes="PIR", spacing=(1, 2, 3))


def test_a_nifti_file_with_too_little_inside_a_whole_gzip_file_is_refused(tmp_path, volume):
    sitk.WriteImage(volume, str(tmp_path / "v.nii"))
    (tmp_path / "v.nii.gz").write_bytes(gzip.compress((tmp_path / "v.nii").read_bytes()[:-9]))
    with pytest.raises(ImageError, match="damaged or cut short"):
        read_image(tmp_path / "v.nii.gz")


def test_a_gzip_file_of_several_members_is_read(tmp_path, volume):
    sitk.WriteImage(volume, str(tmp_path / "v.nii"))
    data = (tmp_path / "v.nii").read_bytes()
    (tmp_path / "v.nii.gz").write_bytes(gzip.compress(data[:1000]) + gzip.compress(data[1000:]))
    assert np.array_equal(array(read_image(tmp_path / "v.nii.gz")), array(volume))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_flipped_bit_inside_a_packed_nifti_file_is_noticed(tmp_path, volume, share):
    sitk.WriteImage(volume, str(tmp_path / "v.nii.gz"))
    data = bytearray((tmp_path / "v.nii.gz").read_bytes())
    data[int(len(data) * share)] ^= 0x10
    (tmp_path / "v.nii.gz").write_bytes(data)
    with pytest.raises(ImageError, match="damaged"):
        read_image(tmp_path / "v.nii.gz")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes there")
def test_what_is_neither_a_file_nor_a_folder_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.nii")
    with pytest.raises(ImageError, match=r"pipe\.nii is neither a file nor a folder"):
        read_image(tmp_path / "pipe.nii")


@pytest.mark.parametrize("path", [None, 3, b"bytes.nii", sitk.Image((2, 2), sitk.sitkUInt8)])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(ImageError, match=f"from a path, not from {type(path).__name__}"):
        read_image(path)


def test_a_file_that_may_not_be_opened_is_named(tmp_path, volume, monkeypatch):
    def refuse(*_arguments, **_options):
        raise PermissionError(errno.EACCES, "Permission denied")

    sitk.WriteImage(volume, str(tmp_path / "secret.nrrd"))
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ImageError, match=r"secret\.nrrd cannot be opened: Permission denied"):
        read_image(tmp_path / "secret.nrrd")


def test_names_beyond_ascii_and_very_long_paths_work(tmp_path, volume):
    folder = tmp_path / "Größe 海馬" / ("long" * 40) / ("path" * 40) / ("deep" * 40) / ("down" * 40)
    folder.mkdir(parents=True)
    path = folder / ("é" * 100 + ".nrrd")
    write_image(path, volume)
    assert read_image(path).GetSize() == volume.GetSize()


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a/scan.nii.gz", "scan"),
        ("scan.v2.NII.GZ", "scan.v2"),
        ("x.seg.nrrd", "x"),
        ("1.2.840.113619", "1.2.840.113619"),
        ("dicom folder/", "dicom folder"),
        ("IM-0001.dcm", "IM-0001"),
        ("brain.mgz", "brain"),
        ("SCAN.HDR", "SCAN"),
        (".nii", "image"),
    ],
)
def test_the_stem_is_the_name_without_what_says_the_format(name, stem):
    assert image_stem(name) == stem


@pytest.mark.parametrize("name", [".", "..", "below/..", "./"])
def test_the_stem_of_a_relative_folder_is_the_folder_s_name(tmp_path, monkeypatch, name):
    folder = tmp_path / "scan" / "below"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder if name == ".." else folder.parent)
    assert image_stem(name) == "scan"


# --- Writing ---


def test_a_failed_write_leaves_what_was_there_and_nothing_beside(tmp_path, volume):
    (tmp_path / "old.unknown").write_text("kept")
    with pytest.raises(ImageError, match=r"old\.unknown cannot be written"):
        write_image(tmp_path / "old.unknown", volume)
    assert (tmp_path / "old.unknown").read_text() == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["old.unknown"]


def test_writing_into_a_folder_that_is_not_there_is_refused(tmp_path, volume):
    with pytest.raises(MedNCAError, match="cannot be written"):
        write_image(tmp_path / "nowhere" / "v.nrrd", volume)


def test_writing_replaces_the_old_file_whole(tmp_path, volume):
    path = tmp_path / "v.nrrd"
    path.write_text("old")
    write_image(path, volume)
    assert np.array_equal(array(read_image(path)), array(volume))
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
