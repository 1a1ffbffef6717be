"""The segments of a segmentation node: their tags, and their voxels on the grid of a volume."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from ..transforms import between
from .geometry import ijkToRasOfVolume, placeImage


def segmentsOf(segmentationNode: slicer.vtkMRMLSegmentationNode) -> list[slicer.vtkSegment]:
    """All segments, in their order."""
    segmentation = segmentationNode.GetSegmentation()
    return [segmentation.GetNthSegment(number) for number in range(segmentation.GetNumberOfSegments())]


def segmentTag(segment: slicer.vtkSegment, name: str) -> str:
    """A tag of a segment; empty if it has none of this name."""
    value = vtk.reference("")
    return str(value) if segment.GetTag(name, value) else ""


def voxelsOfSegment(
    segment: slicer.vtkSegment,
    frameNode: slicer.vtkMRMLSegmentationNode,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    segmentationNode: slicer.vtkMRMLSegmentationNode,
) -> np.ndarray:
    """Which voxels of a volume are in a segment.

    Args:
        segment: of `frameNode`.
        frameNode: holds the segment; it may be a frame of a sequence, which is in no scene and so under no transform.
        volumeNode: the volume.
        segmentationNode: the node in the scene that plays the frame, or `frameNode` itself.

    Returns:
        bool, shape of the volume: slices, rows, columns.
    """
    grid, labelmap, resampled = (slicer.vtkOrientedImageData() for _number in range(3))
    grid.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(ijkToRasOfVolume(volumeNode)))
    grid.SetDimensions(volumeNode.GetImageData().GetDimensions())
    shape = grid.GetDimensions()[::-1]
    isMoved = segmentationNode.GetTransformNodeID() != volumeNode.GetTransformNodeID()
    moved = between(segmentationNode, volumeNode) if isMoved else None
    frameNode.GetBinaryLabelmapRepresentation(frameNode.GetSegmentation().GetSegmentIdBySegment(segment), labelmap)
    resample = slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage
    if labelmap.IsEmpty() or not resample(labelmap, grid, resampled, False, False, moved):
        return np.zeros(shape, bool)
    return vtk_to_numpy(resampled.GetPointData().GetScalars()).reshape(shape) > 0


def imageOnGrid(voxels: np.ndarray, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> sitk.Image:
    """Voxels of a volume's grid (slices, rows, columns) as uint8 image in the volume's own space."""
    image = sitk.GetImageFromArray(voxels.astype(np.uint8))
    placeImage(image, ijkToRasOfVolume(volumeNode))
    return image
