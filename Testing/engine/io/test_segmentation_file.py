"""Segmentations out to files that Slicer opens with names, colours and terminology."""

from dataclasses import dataclass

import numpy as np
import pytest
import SimpleITK as sitk

from MedNCALib.imaging.phantom import make_phantom
from MedNCALib.io.images import read_image
from MedNCALib.io.segmentation_file import write_segmentation


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
