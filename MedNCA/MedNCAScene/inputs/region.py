"""ROI node -> the box in the volume's own space that a run is limited to."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import slicer
from slicer.i18n import tr as _

import MedNCALib as mednca

from ..transforms import fromWorld

Box = tuple[float, float, float, float, float, float]


def regionInVolume(
    roiNode: slicer.vtkMRMLMarkupsROINode | None, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> Box | None:
    """The box of the region that the user has chosen, see `boxInVolume`; None for the whole volume."""
    return None if roiNode is None else boxInVolume(roiNode, volumeNode)


def boxInVolume(roiNode: slicer.vtkMRMLMarkupsROINode, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> Box:
    """The smallest box (R0, R1, A0, A1, S0, S1), in mm in the volume's own RAS, that holds the ROI as it is displayed.

    The ROI is in the world, the voxels are not: the transforms of both are taken into account. An ROI that is oblique
    to the volume's RAS axes gives a box that is larger than itself.

    Raises:
        ImageError: the ROI has no extent yet.
    """
    size = np.array(roiNode.GetSize())
    if roiNode.GetNumberOfControlPoints() == 0 or not np.all(size > 0):
        raise mednca.ImageError(
            _("The region {name} is not placed yet: place it, or choose no region.").format(name=roiNode.GetName())
        )
    worldToVolume = fromWorld(volumeNode)
    objectToWorld = slicer.util.arrayFromVTKMatrix(roiNode.GetObjectToWorldMatrix())
    corners = [
        worldToVolume.TransformPoint((objectToWorld @ [*(size / 2 * signs), 1.0])[:3])
        for signs in itertools.product((-1, 1), repeat=3)
    ]
    (r0, a0, s0), (r1, a1, s1) = np.min(corners, axis=0).tolist(), np.max(corners, axis=0).tolist()
    return r0, r1, a0, a1, s0, s1


def placeRegion(
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    size: Sequence[float],
    roiNode: slicer.vtkMRMLMarkupsROINode | None = None,
) -> slicer.vtkMRMLMarkupsROINode:
    """Put a box around the crosshair if that is in the volume, else in the middle of the volume.

    Args:
        volumeNode: the volume.
        size: of the box along right, anterior and superior, in mm.
        roiNode: the box to move; None adds one, named after the volume.

    Returns:
        The ROI node.
    """
    if roiNode is None:
        name = slicer.mrmlScene.GenerateUniqueName(_("{volume} region").format(volume=volumeNode.GetName()))
        roiNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", name)
        _showEdgesOnly(roiNode)
    centre = _crosshairIn(volumeNode)
    if centre is None:
        bounds = np.zeros(6)
        volumeNode.GetRASBounds(bounds)
        centre = (bounds[::2] + bounds[1::2]) / 2
    roiNode.SetCenter(fromWorld(roiNode).TransformPoint(centre))
    roiNode.SetSize(*size)
    return roiNode


def placeBox(roiNode: slicer.vtkMRMLMarkupsROINode, box: Box, color: Sequence[float]) -> None:
    """Give an ROI the extent of a box (R0, R1, A0, A1, S0, S1), in mm in its own space, and a colour."""
    low, high = np.array(box[::2]), np.array(box[1::2])
    _showEdgesOnly(roiNode)
    for setColor in (roiNode.GetDisplayNode().SetColor, roiNode.GetDisplayNode().SetSelectedColor):
        setColor(*color)
    roiNode.SetCenter((low + high) / 2)
    roiNode.SetSize(*(high - low))


def _showEdgesOnly(roiNode: slicer.vtkMRMLMarkupsROINode) -> None:
    """Have an ROI cover nothing of the volume."""
    roiNode.CreateDefaultDisplayNodes()
    roiNode.GetDisplayNode().SetFillVisibility(False)
    roiNode.GetDisplayNode().SetPropertiesLabelVisibility(False)


def _crosshairIn(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray | None:
    """The crosshair of the slice views (RAS in the world), or None if that is not in the volume."""
    bounds = np.zeros(6)
    volumeNode.GetRASBounds(bounds)
    crosshair = np.array(slicer.util.getNode("Crosshair").GetCrosshairRAS())
    # Before the user has placed it, it is at the origin.
    isInside = crosshair.any() and np.all((crosshair > bounds[::2]) & (crosshair < bounds[1::2]))
    return crosshair if isInside else None
