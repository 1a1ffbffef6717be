"""DICOM SEG objects: the very voxels, in the place of the source, with codes and references."""

import shutil
import subprocess

import numpy as np
import pytest
import SimpleITK as sitk
from support.dicom_files import enhanced, series
from support.packages import needs
from support.shared_data import shared_data

from MedNCALib import load_model, read_image
from MedNCALib.errors import ImageError
from MedNCALib.imaging.labels import Label
from MedNCALib.io.dicom_seg import write_dicom_seg

pytestmark = needs("highdicom", reason="needs highdicom")

LABELS = load_model("hippocampus-mr").labels
DIRECTIONS = {
    "axial": [1, 0, 0, 0, 1, 0],
    "sagittal": [0, 1, 0, 0, 0, -1],
    "coronal": [1, 0, 0, 0, 0, -1],
    "oblique": [0.8, 0.6, 0, -0.48, 0.64, 0.6],
}


def placed(direction):
    """What the slice of a number says of its place: 2 mm apart along the normal."""
    normal = np.cross(direction[:3], direction[3:])
    return lambda number: {
        "ImageOrientationPatient": direction,
        "ImagePositionPatient": [float(value) for value in [10, -20, 5] + 2.0 * number * normal],
    }


def read_object(path):
    from highdicom.seg import segread

    return segread(path)


def labels_on(image):
    """Labels of which no two slices are alike, and one slice has none."""
    values = np.random.default_rng(0).integers(0, 3, sitk.GetArrayViewFromImage(image).shape).astype(np.uint8)
    values[1] = 0
    labels = sitk.GetImageFromArray(values)
    labels.CopyInformation(image)
    return labels


def placed_masks(path):
    """Each frame of a SEG object as SimpleITK reads it: segment, corner of the slice in mm, and mask."""
    import pydicom

    dataset = pydicom.dcmread(path)
    frames = np.atleast_3d(sitk.GetArrayFromImage(sitk.ReadImage(str(path))))
    for groups, mask in zip(dataset.PerFrameFunctionalGroupsSequence, frames):
        segment = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        yield segment, groups.PlanePositionSequence[0].ImagePositionPatient, mask > 0


def check(path, labels):
    """Both readers find every voxel where it was."""
    found = np.zeros_like(sitk.GetArrayViewFromImage(labels))
    for segment, corner, mask in placed_masks(path):
        column, row, number = labels.TransformPhysicalPointToContinuousIndex([float(value) for value in corner])
        assert np.allclose([column, row, number % 1 * (1 - number % 1)], 0, atol=1e-3)
        found[round(number)][mask] = LABELS[segment - 1].value
    assert np.array_equal(found, sitk.GetArrayViewFromImage(labels))
    read = read_object(path)
    volume = read.get_volume(combine_segments=True, allow_missing_positions=True)
    geometry = volume.affine  # LPS, from (slice, row, column)
    first = labels.TransformPhysicalPointToIndex([float(value) for value in geometry[:3, 3]])
    slices = sitk.GetArrayViewFromImage(labels)
    step = 1 if np.dot(geometry[:3, 0], np.reshape(labels.GetDirection(), (3, 3))[:, 2]) > 0 else -1
    expected = slices[first[2] :: step][: len(volume.array)]
    assert np.array_equal(volume.array, expected)
    assert expected.any(axis=(1, 2)).sum() == slices.any(axis=(1, 2)).sum()
    return read


@pytest.mark.parametrize("name", DIRECTIONS)
def test_a_series_of_any_direction_gives_the_same_voxels_back(tmp_path, name):
    source = series(tmp_path / "series", change=placed(DIRECTIONS[name]))
    labels = labels_on(read_image(source))
    write_dicom_seg(tmp_path / "seg.dcm", labels, LABELS, source, "hippocampus-mr")
    check(tmp_path / "seg.dcm", labels)


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [3, 0, 4, 1, 2]])
def test_an_enhanced_file_does_too_in_any_order_of_its_frames(tmp_path, order):
    source = enhanced(tmp_path / "enhanced.dcm", order=order)
    labels = labels_on(read_image(source))
    write_dicom_seg(tmp_path / "seg.dcm", labels, LABELS, source, "hippocampus-mr")
    check(tmp_path / "seg.dcm", labels)


def test_segments_have_the_codes_of_the_labels_and_say_who_made_them(tmp_path):
    source = series(tmp_path / "series")
    right = {"region_modifier": type(LABELS[0].terminology["type"])("SCT", "24028007", "Right")}
    labels = [Label(1, "first", (230, 159, 0), {**LABELS[0].terminology, **right}), Label(2, "plain", (0, 0, 255))]
    write_dicom_seg(tmp_path / "seg.dcm", labels_on(read_image(source)), labels, source, "hippocampus-mr")
    read = read_object(tmp_path / "seg.dcm")
    first, plain = (read.get_segment_description(number) for number in (1, 2))
    assert first.segmented_property_type.value == LABELS[0].terminology["type"].value
    assert first.anatomic_regions[0].value == LABELS[0].terminology["region"].value
    (modifier,) = first.AnatomicRegionSequence[0].AnatomicRegionModifierSequence
    assert modifier.CodeMeaning == "Right"
    assert first.algorithm_identification.name == "MedNCA hippocampus-mr"
    from highdicom.color import CIELabColor

    color = CIELabColor.from_dicom_value(tuple(first.RecommendedDisplayCIELabValue))
    assert np.allclose(color.to_rgb(), (230, 159, 0), atol=2)
    assert plain.segmented_property_type.meaning == "Tissue"
    assert {uid for *_, uid in read.get_source_image_uids()} == {f"1.2.3.4.{number + 1}" for number in range(5)}


def test_the_same_result_is_the_same_object(tmp_path):
    source = series(tmp_path / "series")
    labels = labels_on(read_image(source))
    uids = []
    for name in ("a.dcm", "b.dcm"):
        write_dicom_seg(tmp_path / name, labels, LABELS, source, "hippocampus-mr")
        uids.append(read_object(tmp_path / name).SOPInstanceUID)
    assert uids[0] == uids[1]
    write_dicom_seg(tmp_path / "c.dcm", labels, LABELS, source, "another")
    assert read_object(tmp_path / "c.dcm").SOPInstanceUID != uids[0]


def test_labels_that_found_nothing_are_an_object_all_the_same(tmp_path):
    source = series(tmp_path / "series")
    labels = labels_on(read_image(source)) * 0
    write_dicom_seg(tmp_path / "seg.dcm", labels, LABELS, source, "hippocampus-mr")
    assert not read_object(tmp_path / "seg.dcm").pixel_array.any()


def test_an_image_that_is_no_dicom_is_refused_in_a_sentence(tmp_path):
    image = sitk.Image((4, 4, 4), sitk.sitkUInt8)
    sitk.WriteImage(image, str(tmp_path / "image.nii"))
    with pytest.raises(ImageError, match=r"image\.nii is no DICOM series"):
        write_dicom_seg(tmp_path / "seg.dcm", image, LABELS, tmp_path / "image.nii", "hippocampus-mr")
    assert not (tmp_path / "seg.dcm").exists()


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="needs dciodvfy (Debian: dicom3tools)")
@pytest.mark.parametrize("name", ["ProstateX-0000_t2_tra_dicom", "CTHeadAxialDicom"])
def test_objects_of_real_series_keep_the_standard(tmp_path, name):
    source = shared_data("inputs", name)
    labels = labels_on(read_image(source))
    write_dicom_seg(tmp_path / "seg.dcm", labels, LABELS, source, "hippocampus-mr")
    check(tmp_path / "seg.dcm", labels)
    done = subprocess.run(["dciodvfy", tmp_path / "seg.dcm"], capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).splitlines()
    assert [line for line in said if line.startswith("Error")] == []
    assert "Segmentation" in said
