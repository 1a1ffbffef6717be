"""Segmentations out to files that Slicer opens with names, colours and terminology."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.command_line import python

from MedNCALib.errors import ImageError, MedNCAError
from MedNCALib.imaging.labels import Label
from MedNCALib.imaging.phantom import make_phantom
from MedNCALib.io.images import read_image, write_image
from MedNCALib.io.segmentation_file import read_segments, write_segmentation


@dataclass
class FakeLabel:
    value: int
    name: str
    color: tuple
    terminology_entry: str


LABELS = (
    FakeLabel(1, "Hippocampus anterior", (255, 128, 0), "MedNCA~S^1^Anatomy~S^2^Hippo~^^~MedNCA~^^~^^"),
    FakeLabel(2, "Hippocampus posterior — é", (0, 51, 255), ""),
)


def array(image):
    return sitk.GetArrayFromImage(image)


@pytest.fixture
def segmented(tmp_path):
    labels = make_phantom(size=(30, 44, 28), spacing=(1.2, 1.1, 1.3), axes="AIL").labels
    path = tmp_path / "scan_model.seg.nrrd"
    write_segmentation(path, labels, LABELS)
    return path, labels


def test_a_segmentation_is_also_a_plain_label_image(segmented):
    path, labels = segmented
    image = read_image(path)
    assert image.GetPixelID() == sitk.sitkUInt8
    assert np.array_equal(array(image), array(labels))
    assert image.GetDirection() == pytest.approx(labels.GetDirection())
    assert image.GetOrigin() == pytest.approx(labels.GetOrigin())


def test_names_and_colours_are_in_the_header(segmented):
    image = sitk.ReadImage(str(segmented[0]))
    assert image.GetMetaData("Segment0_Name") == "Hippocampus anterior"
    assert image.GetMetaData("Segment1_LabelValue") == "2"
    assert [float(part) for part in image.GetMetaData("Segment1_Color").split()] == pytest.approx([0, 0.2, 1])


def test_slicer_opens_a_segmentation_with_names_colours_terminology_and_place(segmented):
    slicer = pytest.importorskip("slicer", reason="needs slicer-core")
    vtk = pytest.importorskip("vtk")
    path, labels = segmented
    scene = slicer.vtkMRMLScene()
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    assert storage.GetUserMessages().GetNumberOfMessagesOfType(vtk.vtkCommand.WarningEvent) == 0
    assert storage.GetUserMessages().GetNumberOfMessagesOfType(vtk.vtkCommand.ErrorEvent) == 0

    segmentation = node.GetSegmentation()
    assert segmentation.GetNumberOfSegments() == 2
    assert segmentation.GetNumberOfLayers() == 1
    for number, label in enumerate(LABELS):
        segment = segmentation.GetNthSegment(number)
        assert segment.GetName() == label.name
        assert segment.GetLabelValue() == label.value
        assert segment.GetColor() == pytest.approx([part / 255 for part in label.color], abs=1e-5)
        entry = vtk.reference("")
        assert segment.GetTag("TerminologyEntry", entry)
        # A segment without an entry gets Slicer's own default.
        assert str(entry) == label.terminology_entry or (not label.terminology_entry and "Tissue" in str(entry))

    # Voxel by voxel, in Slicer's RAS, the segments lie where the label image has them.
    for number, label in enumerate(LABELS):
        segmented_image = segmentation.GetNthSegment(number).GetRepresentation("Binary labelmap")
        matrix = vtk.vtkMatrix4x4()
        segmented_image.GetImageToWorldMatrix(matrix)
        voxels = np.argwhere(array(labels) == label.value)[:, ::-1]
        for index in voxels[:: max(1, len(voxels) // 50)]:
            x, y, z = labels.TransformIndexToPhysicalPoint([int(i) for i in index])
            assert matrix.MultiplyPoint([*map(float, index), 1.0])[:3] == pytest.approx((-x, -y, z), abs=1e-3)
            assert segmented_image.GetScalarComponentAsDouble(*map(int, index), 0) == label.value


def test_a_label_without_voxels_is_a_segment_too(tmp_path):
    slicer = pytest.importorskip("slicer", reason="needs slicer-core")
    write_segmentation(tmp_path / "e.seg.nrrd", sitk.Image((5, 6, 7), sitk.sitkUInt8), LABELS)
    scene = slicer.vtkMRMLScene()
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "e.seg.nrrd"))
    assert storage.ReadData(node)
    assert node.GetSegmentation().GetNumberOfSegments() == 2


def test_the_representation_is_named_as_newer_and_older_slicer_name_it(segmented):
    image = sitk.ReadImage(str(segmented[0]))
    for name in ("Source", "Master"):
        assert image.GetMetaData(f"Segmentation_{name}Representation") == "Binary labelmap"


def test_a_file_keeps_a_record_of_how_it_came_about(tmp_path):
    record = {"model": "größe", "model_sha256": "0a1b", "version": "1.2", "seed": 7, "passes": 5}
    image = sitk.Image((5, 6, 7), sitk.sitkUInt8)
    write_segmentation(tmp_path / "v.seg.nrrd", image, LABELS, record)
    write_image(tmp_path / "v.mha", image, record)
    for name in ("v.seg.nrrd", "v.mha"):
        written = sitk.ReadImage(str(tmp_path / name))
        for key, value in record.items():
            assert written.GetMetaData(f"MedNCA_{key}") == str(value)
    assert not image.GetMetaDataKeys()
    assert read_segments(tmp_path / "v.seg.nrrd").keys() == {1, 2}


def test_the_segments_of_a_file_are_read_with_names_and_colours(tmp_path):
    labels = (Label(3, "front — é", (255, 128, 0)), Label(200, "back", (0, 51, 255)))
    write_segmentation(tmp_path / "v.seg.nrrd", sitk.Image((5, 6, 7), sitk.sitkUInt8), labels)
    assert read_segments(tmp_path / "v.seg.nrrd") == {label.value: label for label in labels}


def test_another_label_image_has_no_segments(tmp_path):
    for name in ("v.nrrd", "v.nii.gz", "v.mha"):
        write_image(tmp_path / name, sitk.Image((5, 6, 7), sitk.sitkUInt8))
        assert read_segments(tmp_path / name) == {}


@pytest.mark.parametrize("value", ["x", "-1", "0", "256", "1.5", "", "9" * 5000])
def test_a_segment_without_a_value_that_voxels_can_have_is_none(tmp_path, value):
    image = sitk.Image((5, 6, 7), sitk.sitkUInt8)
    for key, text in {"Name": "front", "LabelValue": value, "Color": "red"}.items():
        image.SetMetaData(f"Segment0_{key}", text)
    write_image(tmp_path / "v.nrrd", image)
    assert read_segments(tmp_path / "v.nrrd") == {}


# --- A write that fails ---


def test_a_writer_that_says_nothing_of_a_full_disk_is_found_out(tmp_path, monkeypatch):
    path = tmp_path / "v.seg.nrrd"
    path.write_text("old")
    write = sitk.WriteImage

    def cut(image, name, **options):
        write(image, name, **options)
        with Path(name).open("r+b") as file:
            file.truncate(1000)

    monkeypatch.setattr(sitk, "WriteImage", cut)
    rng = np.random.default_rng(0)
    with pytest.raises(MedNCAError, match="cannot be written: only a part of it arrived"):
        write_segmentation(path, sitk.GetImageFromArray(rng.integers(0, 2, (20, 20, 20), np.uint8)), LABELS)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("ending", [".seg.nrrd", ".nrrd", ".nii", ".nii.gz", ".mha"])
def test_a_limit_on_the_size_of_files_leaves_the_old_one(tmp_path, ending):
    path = tmp_path / f"v{ending}"
    path.write_text("old")
    code = f"""
import resource
import numpy as np, SimpleITK as sitk
from MedNCALib.errors import MedNCAError
from MedNCALib.io.images import write_image
image = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 255, (20, 20, 20), np.uint8))
resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
try:
    write_image({str(path)!r}, image)
except MedNCAError as error:
    print(error)
"""
    output = python(code)
    assert f"v{ending} cannot be written: " in output
    assert "\n" not in output
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", [".mhd", ".nhdr", ".hdr", ".jpg", ".unknown", ""])
def test_formats_that_are_no_single_faithful_file_are_refused(tmp_path, ending):
    with pytest.raises(ImageError, match="cannot be written: choose a name that ends with"):
        write_image(tmp_path / f"v{ending}", sitk.Image((5, 6, 7), sitk.sitkUInt8))
    assert not list(tmp_path.iterdir())
