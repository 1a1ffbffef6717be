"""ROI node -> the box in the volume's own space that a run is limited to."""

import itertools

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

import MedNCALib as mednca


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
