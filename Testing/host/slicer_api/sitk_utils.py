"""Stand-in for Slicer's module ``sitkUtils``: volume nodes to SimpleITK images and back, as copies."""

import numpy as np
import SimpleITK as sitk
import slicer
import slicer.util
import vtk

# SimpleITK's axes point left and posterior, Slicer's right and anterior.
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def PullVolumeFromSlicer(nodeObjectOrName):
    """The image of a volume node (or of the node with that name)."""
    isNode = isinstance(nodeObjectOrName, slicer.vtkMRMLNode)
    node = nodeObjectOrName if isNode else slicer.util.getNode(nodeObjectOrName)
    ijkToRas = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(ijkToRas)
    ijkToLps = LPS_TO_RAS @ slicer.util.arrayFromVTKMatrix(ijkToRas)
    voxels = slicer.util.arrayFromVolume(node)
    image = sitk.GetImageFromArray(voxels, isVector=voxels.ndim == 4)
    spacing = np.array(node.GetSpacing())
    image.SetSpacing(spacing.tolist())
    image.SetDirection((ijkToLps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(ijkToLps[:3, 3].tolist())
    return image


def PushVolumeToSlicer(sitkimage, targetNode=None, name=None, className="vtkMRMLScalarVolumeNode"):
    """Put an image into a volume node, made if none is given."""
    if not targetNode:
        targetNode = slicer.mrmlScene.AddNewNodeByClass(className, slicer.mrmlScene.GetUniqueNameByString(name))
        targetNode.CreateDefaultDisplayNodes()
    ijkToLps = np.eye(4)
    ijkToLps[:3, :3] = np.reshape(sitkimage.GetDirection(), (3, 3)) * sitkimage.GetSpacing()
    ijkToLps[:3, 3] = sitkimage.GetOrigin()
    slicer.util.updateVolumeFromArray(targetNode, sitk.GetArrayFromImage(sitkimage))
    targetNode.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(LPS_TO_RAS @ ijkToLps))
    return targetNode
