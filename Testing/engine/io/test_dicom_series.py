"""DICOM folders: slices are put in order, and a stack with anything wrong about it is refused."""

import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from support.shared_data import shared_data

from MedNCALib.errors import ImageError
from MedNCALib.io.images import read_image


def write_dicom_series(folder, images, uid="1.2.3.4", positions=None, description="T1", **fields):
    """Slices as DICOM files, named so that the order of names is not the order of positions."""
    folder.mkdir(exist_ok=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    orientation = fields.pop("orientation", "1\\0\\0\\0\\1\\0")
    for number, image in enumerate(images):
        position = positions[number] if positions else (0.0, 0.0, 2.0 * number)
        tags = {
            "0008|0060": "MR",
            "0008|103e": description,
            "0020|000e": uid,
            "0020|000d": uid + ".1",
            "0008|0018": f"{uid}.{number + 10}",
            "0020|0032": "\\".join(str(p) for p in position),
            "0020|0037": orientation,
            "0018|0050": "2",
            **{key: value[number] if isinstance(value, list) else value for key, value in fields.items()},
        }
        for key, value in tags.items():
            image.SetMetaData(key, value)
        writer.SetFileName(str(folder / f"{uid}_{(number * 7) % len(images):03d}.dcm"))
        writer.Execute(image)


def plane(value):
    return sitk.JoinSeries(sitk.GetImageFromArray(np.full((8, 6), value, np.int16)))


def planes(count):
    return [plane(value + 1) for value in range(count)]


def test_slices_are_sorted_by_position_not_by_name(tmp_path):
    write_dicom_series(tmp_path / "s", planes(5))
    image = read_image(tmp_path / "s")
    assert sitk.GetArrayFromImage(image)[:, 0, 0].tolist() == [1, 2, 3, 4, 5]
    assert image.GetSpacing()[2] == pytest.approx(2.0)


@pytest.mark.parametrize("slopes", [(2, 2, 2), (1, 1.25, 1.5)])
def test_rescale_slope_and_intercept_are_applied_slice_by_slice(tmp_path, slopes):
    pydicom = pytest.importorskip("pydicom")
    write_dicom_series(tmp_path / "s", planes(3))
    for path in (tmp_path / "s").iterdir():
        slice_ = pydicom.dcmread(path)
        number = int(slice_.SOPInstanceUID.split(".")[-1]) - 10
        slice_.RescaleSlope, slice_.RescaleIntercept = str(slopes[number]), "-3"
        slice_.save_as(path)
    expected = [(number + 1) * slope - 3 for number, slope in enumerate(slopes)]
    assert sitk.GetArrayFromImage(read_image(tmp_path / "s"))[:, 0, 0].tolist() == pytest.approx(expected)


def test_several_series_are_listed(tmp_path):
    write_dicom_series(tmp_path / "s", planes(3), uid="1.2.3", description="T1 axial")
    write_dicom_series(tmp_path / "s", planes(4), uid="1.2.4", description="T2 axial")
    with pytest.raises(ImageError) as refused:
        read_image(tmp_path / "s")
    assert "2 DICOM series" in str(refused.value)
    assert "'T1 axial' (3 files)" in str(refused.value)
    assert "'T2 axial' (4 files)" in str(refused.value)
    assert "--series 1" in str(refused.value)


def test_a_folder_without_dicom_is_refused(tmp_path, capfd):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(ImageError, match="holds no DICOM images"):
        read_image(tmp_path)
    assert capfd.readouterr().err == ""


def test_a_missing_slice_is_found(tmp_path):
    positions = [(0, 0, z) for z in (0, 2, 4, 8, 10)]
    write_dicom_series(tmp_path / "s", planes(5), positions=positions)
    with pytest.raises(ImageError, match=r"2\.00 mm apart, but 4\.00 mm between slice 3 and slice 4 of 5"):
        read_image(tmp_path / "s")


def test_positions_rounded_to_a_tenth_of_a_millimetre_are_equally_spaced(tmp_path):
    positions = [(0, 0, round(0.625 * number, 1)) for number in range(9)]
    write_dicom_series(tmp_path / "s", planes(9), positions=positions)
    assert read_image(tmp_path / "s").GetSpacing()[2] == pytest.approx(0.625)


def test_several_images_at_one_position_are_refused(tmp_path):
    positions = [(0, 0, z) for z in (0, 2, 4, 0, 2, 4)]
    write_dicom_series(tmp_path / "s", planes(6), positions=positions)
    with pytest.raises(ImageError, match="several images at one position"):
        read_image(tmp_path / "s")


def test_a_slanted_stack_is_refused(tmp_path):
    positions = [(0, 0.3 * number, 2 * number) for number in range(6)]
    write_dicom_series(tmp_path / "s", planes(6), positions=positions)
    with pytest.raises(ImageError, match="slanted stack"):
        read_image(tmp_path / "s")


def test_images_of_different_directions_are_no_stack(tmp_path):
    first, other = "1\\0\\0\\0\\1\\0", "0\\1\\0\\0\\0\\-1"
    write_dicom_series(tmp_path / "s", planes(4), **{"0020|0037": [first, first, other, other]})
    with pytest.raises(ImageError, match="different directions"):
        read_image(tmp_path / "s")


@pytest.mark.parametrize("share", [0.9, 0.3])
@pytest.mark.parametrize("number", [0, 3])
def test_a_damaged_slice_is_named_and_not_left_out(tmp_path, share, number):
    shutil.copytree(shared_data("inputs", "CTHeadAxialDicom"), tmp_path / "s")
    damaged = sorted((tmp_path / "s").iterdir())[number]
    damaged.chmod(0o644)
    damaged.write_bytes(damaged.read_bytes()[: int(damaged.stat().st_size * share)])
    with pytest.raises(ImageError, match=rf"{damaged.name}.*(damaged|cut short)"):
        read_image(tmp_path / "s")


def test_a_single_dicom_file_is_a_volume_of_one_slice(tmp_path):
    write_dicom_series(tmp_path / "s", planes(1))
    assert read_image(tmp_path / "s").GetSize() == (6, 8, 1)
    assert read_image(next((tmp_path / "s").iterdir())).GetSize() == (6, 8, 1)


def test_names_beyond_ascii_and_very_long_paths_work(tmp_path):
    folder = tmp_path / "Größe 海馬" / ("long" * 40) / ("path" * 40) / ("deep" * 40) / ("down" * 40)
    folder.mkdir(parents=True)
    write_dicom_series(folder / "série", planes(3))
    assert read_image(folder / "série").GetSize() == (6, 8, 3)
