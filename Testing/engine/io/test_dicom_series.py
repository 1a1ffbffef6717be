"""DICOM folders and files: which series, what is no image, what is damaged, and names of any kind."""

import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from support.dicom_files import enhanced, image_file, pixels, series
from support.shared_data import shared_data

from MedNCALib.errors import ImageError
from MedNCALib.io.images import read_image

SEGMENTATION, REPORT, PARAMETRIC_MAP = (
    "1.2.840.10008.5.1.4.1.1.66.4",
    "1.2.840.10008.5.1.4.1.1.88.11",
    "1.2.840.10008.5.1.4.1.1.30",
)


def refusal(path, **stated):
    with pytest.raises(ImageError) as refused:
        read_image(path, **stated)
    return str(refused.value)


# --- Which series ---


@pytest.fixture
def two_series(tmp_path):
    def write(first_number=None, second_number=None):
        folder = tmp_path / "two"
        folder.mkdir(exist_ok=True)
        for uid, description, count, number in (
            ("1.2.3", "T1 axial", 3, first_number),
            ("1.2.4", "T2 axial", 4, second_number),
        ):
            series(
                tmp_path / uid, count=count, SeriesInstanceUID=uid, SeriesDescription=description, SeriesNumber=number
            )
            for path in (tmp_path / uid).iterdir():
                shutil.copy(path, folder / f"{uid}_{path.name}")
        return folder

    return write


def test_several_series_are_listed_with_what_chooses_one(two_series):
    text = refusal(two_series())
    assert "2 DICOM series: 1: 'T1 axial' (3 files); 2: 'T2 axial' (4 files)" in text
    assert "--series 1" in text


@pytest.mark.parametrize(
    ("numbers", "choice", "slices"),
    [
        ((None, None), "1.2.3", 3),
        ((None, None), "2", 4),
        ((None, None), 1, 3),
        ((7, 3), "7", 3),  # the Series Numbers, as they tell the series apart
        ((7, 3), 3, 4),
        ((5, 5), 2, 4),
    ],
)
def test_a_series_is_chosen_by_its_uid_or_number(two_series, numbers, choice, slices):
    assert read_image(two_series(*numbers), series=choice).GetSize() == (6, 8, slices)


def test_a_choice_that_is_not_there_is_refused_with_what_is(two_series):
    assert "holds 2 DICOM series, none of them 9: 1: 'T1 axial'" in refusal(two_series(), series="9")


def test_a_choice_in_a_folder_of_one_series_must_be_that(tmp_path):
    series(tmp_path / "s")
    assert read_image(tmp_path / "s", series="1.2.3.4").GetSize() == (6, 8, 5)
    assert "holds one DICOM series, none of them 2" in refusal(tmp_path / "s", series=2)


def test_a_series_is_not_chosen_in_a_file(tmp_path):
    enhanced(tmp_path / "volume.dcm")
    assert "is a file: a series is chosen in a folder" in refusal(tmp_path / "volume.dcm", series=1)


def test_many_series_are_listed_in_part(tmp_path):
    (tmp_path / "s").mkdir()
    for number in range(15):
        image_file(tmp_path / "s" / f"{number}.dcm", pixels(0), SeriesInstanceUID=f"1.2.{number}")
    text = refusal(tmp_path / "s")
    assert "and 5 more" in text
    assert "\n" not in text


# --- What is no image ---


def test_a_folder_without_dicom_is_refused(tmp_path, capfd):
    (tmp_path / "notes.txt").write_text("nothing")
    assert "holds no DICOM images" in refusal(tmp_path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("modality", ["SEG", "PR", "SR", "RTSTRUCT", "RTDOSE", "KO"])
def test_what_is_no_image_is_left_out_of_a_folder_and_refused_by_itself(tmp_path, modality):
    series(tmp_path / "s")
    image_file(tmp_path / "s" / "other.dcm", pixels(9), Modality=modality, SeriesInstanceUID="1.2.9")
    assert read_image(tmp_path / "s").GetSize() == (6, 8, 5)
    assert f"other.dcm holds no image but DICOM of another kind ({modality})" in refusal(tmp_path / "s" / "other.dcm")
    for path in (tmp_path / "s").glob("IM*"):
        path.unlink()
    assert "holds no DICOM images" in refusal(tmp_path / "s")


@pytest.mark.parametrize("sop_class", [SEGMENTATION, REPORT, PARAMETRIC_MAP])
def test_the_class_says_that_a_file_is_no_image_whatever_its_modality(tmp_path, sop_class):
    image_file(tmp_path / "other.dcm", pixels(0), sop_class)
    assert "holds no image but DICOM of another kind" in refusal(tmp_path / "other.dcm")


def test_a_film_beside_a_series_is_another_series(tmp_path):
    series(tmp_path / "s")
    film = np.stack([pixels(number) for number in range(3)])
    image_file(tmp_path / "s" / "film.dcm", film, NumberOfFrames=3, SeriesInstanceUID="1.2.9", SeriesDescription="film")
    assert "holds 2 DICOM series" in refusal(tmp_path / "s")
    assert read_image(tmp_path / "s", series="1.2.3.4").GetSize() == (6, 8, 5)
    assert "has 3 frames and does not say where they lie" in refusal(tmp_path / "s", series="1.2.9")


def test_files_of_another_kind_and_hidden_ones_do_not_matter(tmp_path):
    series(tmp_path / "s")
    for name in ("notes.txt", ".DS_Store", "._IM000.dcm", "Thumbs.db", "DICOMDIR"):
        (tmp_path / "s" / name).write_bytes(bytes(128) + b"DICM" * (name == "DICOMDIR") + b"junk")
    (tmp_path / "s" / "below").mkdir()
    assert read_image(tmp_path / "s").GetSize() == (6, 8, 5)


# --- What is damaged ---


@pytest.mark.parametrize("share", [0.9, 0.3, 0.0])
@pytest.mark.parametrize("preamble", [True, False])
@pytest.mark.parametrize("number", [0, 3])
def test_a_damaged_slice_is_named_and_not_left_out(tmp_path, share, preamble, number):
    series(tmp_path / "s", preamble=preamble)
    damaged = sorted((tmp_path / "s").iterdir())[number]
    damaged.write_bytes(damaged.read_bytes()[: int(damaged.stat().st_size * share)])
    text = refusal(tmp_path / "s")
    assert damaged.name in text
    assert "damaged or cut short" in text


@pytest.mark.parametrize("share", [0.9, 0.3])
def test_a_damaged_slice_of_a_real_series_is_named(tmp_path, share):
    shutil.copytree(shared_data("inputs", "CTHeadAxialDicom"), tmp_path / "s")
    damaged = sorted((tmp_path / "s").iterdir())[3]
    damaged.chmod(0o644)
    damaged.write_bytes(damaged.read_bytes()[: int(damaged.stat().st_size * share)])
    text = refusal(tmp_path / "s")
    assert damaged.name in text
    assert "cut short" in text


def test_compressed_pixels_that_are_cut_are_noticed(tmp_path):
    from pydicom import dcmread
    from pydicom.uid import RLELossless

    path = next(series(tmp_path / "s", count=1, stored=np.arange(4096, dtype=np.uint16).reshape(64, 64)).iterdir())
    dataset = dcmread(path)
    dataset.compress(RLELossless)
    dataset.save_as(path)
    assert sitk.GetArrayFromImage(read_image(path)).max() == 4095
    path.write_bytes(path.read_bytes()[:-500])
    assert "damaged or cut short" in refusal(path)


# --- Files and names ---


def test_a_single_file_is_a_volume_of_one_slice_or_of_its_frames(tmp_path):
    path = next(series(tmp_path / "s", count=1).iterdir())
    assert read_image(path).GetSize() == read_image(tmp_path / "s").GetSize() == (6, 8, 1)
    assert read_image(enhanced(tmp_path / "e.dcm")).GetSize() == (6, 8, 5)


def test_a_file_is_dicom_whatever_it_is_called(tmp_path):
    enhanced(tmp_path / "volume.nii.gz")
    assert read_image(tmp_path / "volume.nii.gz").GetSize() == (6, 8, 5)


def test_names_beyond_ascii_and_very_long_paths_work(tmp_path):
    folder = tmp_path / "Größe 海馬" / ("long" * 40) / ("path" * 40) / ("deep" * 40) / ("down" * 40)
    folder.mkdir(parents=True)
    assert read_image(series(folder / "série")).GetSize() == (6, 8, 5)


def test_a_real_series_is_read_as_pydicom_reads_it():
    import pydicom

    folder = shared_data("inputs", "ProstateX-0000_t2_tra_dicom")
    image = read_image(folder)
    for path in folder.iterdir():
        slice_ = pydicom.dcmread(path)
        index = image.TransformPhysicalPointToIndex([float(p) for p in slice_.ImagePositionPatient])
        assert index[:2] == (0, 0)
        assert np.array_equal(sitk.GetArrayFromImage(image)[index[2]], slice_.pixel_array)
