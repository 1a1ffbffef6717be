"""ROI node -> the box in the volume's own space that a run is limited to."""

import itertools

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

import MedNCALib as mednca

# Times the volume of what a model expects.
_MUCH_LARGER = 4


def regionInVolume(roiNode, volumeNode) -> tuple[float, float, float, float, float, float]:
    """The smallest box (R0, R1, A0, A1, S0, S1), in mm in the volume's own RAS, that holds the ROI as it is displayed.

    The ROI is in the world, the voxels are not: whatever transforms the two are under is taken into account. An ROI
    that is oblique to the volume's RAS axes gives a box that is larger than itself.

    :raises ImageError: the ROI has no extent yet.
    """
    size = np.array(roiNode.GetSize())
    if roiNode.GetNumberOfControlPoints() == 0 or not np.all(size > 0):
        raise mednca.ImageError(
            _("The region {name} is not placed yet: place it, or choose no region.").format(name=roiNode.GetName())
        )
    worldToVolume = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(None, volumeNode.GetParentTransformNode(), worldToVolume)
    objectToWorld = slicer.util.arrayFromVTKMatrix(roiNode.GetObjectToWorldMatrix())
    corners = [
        worldToVolume.TransformPoint((objectToWorld @ [*(size / 2 * signs), 1.0])[:3])
        for signs in itertools.product((-1, 1), repeat=3)
    ]
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    return tuple(float(edge) for edge in np.ravel([low, high], order="F"))


def placeRegion(volumeNode, size, roiNode=None):
    """Put a box where the user is looking: around the crosshair if that is in the volume, else in its middle.

    :param size: of the box along right, anterior and superior, in mm.
    :param roiNode: the box to move; None adds one, named after the volume.
    :return: the ROI node.
    """
    if roiNode is None:
        name = slicer.mrmlScene.GenerateUniqueName(_("{volume} region").format(volume=volumeNode.GetName()))
        roiNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", name)
        roiNode.CreateDefaultDisplayNodes()
        # Its edges alone: what is inside is to be looked at.
        roiNode.GetDisplayNode().SetFillVisibility(False)
        roiNode.GetDisplayNode().SetPropertiesLabelVisibility(False)
    centre = crosshairIn(volumeNode)
    if centre is None:
        bounds = np.zeros(6)
        volumeNode.GetRASBounds(bounds)
        centre = (bounds[::2] + bounds[1::2]) / 2
    worldToNode = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(None, roiNode.GetParentTransformNode(), worldToNode)
    roiNode.SetCenter(worldToNode.TransformPoint(centre))
    roiNode.SetSize(*size)
    return roiNode


def crosshairIn(volumeNode):
    """Where the crosshair of the slice views is (RAS in the world), or None if that is not in the volume."""
    bounds = np.zeros(6)
    volumeNode.GetRASBounds(bounds)
    crosshair = np.array(slicer.util.getNode("Crosshair").GetCrosshairRAS())
    # Before the user has placed it, it is at the origin.
    isInside = crosshair.any() and np.all((crosshair > bounds[::2]) & (crosshair < bounds[1::2]))
    return tuple(crosshair.tolist()) if isInside else None


def isMuchLarger(volumeNode, size) -> bool:
    """Whether a volume holds several boxes of this size (mm), so that a model that expects one is lost in it."""
    imageData = volumeNode.GetImageData()
    if imageData is None:
        return False
    extent = np.multiply(imageData.GetDimensions(), volumeNode.GetSpacing())
    return bool(np.prod(extent) > _MUCH_LARGER * np.prod(size))
