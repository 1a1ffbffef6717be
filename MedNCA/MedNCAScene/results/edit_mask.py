"""The Segment Editor's masking: where segments may change."""

from __future__ import annotations

import numpy as np
import slicer
from vtk.util.numpy_support import vtk_to_numpy

from ..inputs.geometry import ijkToRasOfVolume
from ..transforms import between
from .segments import keptSegments, placeIn


class EditMask:
    """The editable area that a Segment Editor node asks for.

    Args:
        editorNode: its mask mode, mask segment and intensity range count, as they are when the mask is asked for.
    """

    def __init__(self, editorNode: slicer.vtkMRMLSegmentEditorNode) -> None:
        self._editorNode = editorNode

    def __call__(
        self, segmentationNode: slicer.vtkMRMLSegmentationNode, volumeNode: slicer.vtkMRMLScalarVolumeNode
    ) -> np.ndarray:
        """Whether the label of each voxel of a volume may change: shape (slices, rows, columns)."""
        shape = volumeNode.GetImageData().GetDimensions()[::-1]
        editable = np.ones(shape, bool)
        if self._editorNode.GetMaskMode() != slicer.vtkMRMLSegmentationNode.EditAllowedEverywhere:
            editable &= self._bySegments(segmentationNode, volumeNode)
        if self._editorNode.GetSourceVolumeIntensityMask():
            low, high = self._editorNode.GetSourceVolumeIntensityMaskRange()
            values = _valuesAt(volumeNode, self._editorNode.GetSourceVolumeNode() or volumeNode)
            editable &= (values >= low) & (values <= high)
        return editable

    def _bySegments(
        self, segmentationNode: slicer.vtkMRMLSegmentationNode, volumeNode: slicer.vtkMRMLScalarVolumeNode
    ) -> np.ndarray:
        grid, mask = slicer.vtkOrientedImageData(), slicer.vtkOrientedImageData()
        grid.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(ijkToRasOfVolume(volumeNode)))
        grid.SetDimensions(volumeNode.GetImageData().GetDimensions())
        placeIn(segmentationNode, grid, volumeNode)
        mode, maskId = self._editorNode.GetMaskMode(), self._editorNode.GetMaskSegmentID() or ""
        editable = np.zeros(grid.GetDimensions()[::-1], bool)
        for segmentId in keptSegments(segmentationNode):  # each may change in itself
            segmentationNode.GenerateEditMask(mask, mode, grid, segmentId, maskId)
            editable |= vtk_to_numpy(mask.GetPointData().GetScalars()).reshape(editable.shape) == 0
        return editable


def _valuesAt(volumeNode: slicer.vtkMRMLScalarVolumeNode, sourceNode: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
    """The values of another volume at the voxels of a volume."""
    source, grid, resampled = (slicer.vtkOrientedImageData() for _number in range(3))
    source.ShallowCopy(sourceNode.GetImageData())
    for image, node in ((source, sourceNode), (grid, volumeNode)):
        image.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(ijkToRasOfVolume(node)))
    grid.SetDimensions(volumeNode.GetImageData().GetDimensions())
    resample = slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage
    resample(source, grid, resampled, True, False, between(sourceNode, volumeNode))
    values: np.ndarray = vtk_to_numpy(resampled.GetPointData().GetScalars())
    return values.reshape(grid.GetDimensions()[::-1])
