"""Probabilities and uncertainty -> scalar volume nodes that can be laid over the input."""

import SimpleITK as sitk
import slicer
import vtk
from slicer.i18n import tr as _

from ..inputs.geometry import ijkToRasOfImage
from .segments import INPUT_ROLE, LABEL_TAG, MODEL_TAG
from .subject_hierarchy import placeBeside

# What is shown of the uncertainty, a standard deviation of a probability: less is noise, and it cannot be more.
UNCERTAINTY_RANGE = (0.05, 0.5)

_UNCERTAINTY = "uncertainty"  # in place of a label's value
_WARM = "vtkMRMLColorTableNodeWarm1"


def writeProbabilities(probabilities, model, volumeNode) -> list:
    """One volume node per label with its probability, 0 to 1; those of an earlier run are filled anew.

    :param probabilities: label name -> image with the geometry of the volume in the volume's own space.
    """
    nodes = []
    for label in model.labels:
        name = _("{volume} {label} probability").format(volume=volumeNode.GetName(), label=label.name)
        node, isNew = _volumeFor(str(label.value), name, model, volumeNode)
        _fill(node, probabilities[label.name])
        if isNew:
            node.GetDisplayNode().SetAutoWindowLevel(False)
            node.GetDisplayNode().SetWindowLevelMinMax(0.0, 1.0)
        nodes.append(node)
    return nodes


def writeUncertainty(uncertainty, model, volumeNode):
    """A volume node with the standard deviation over the runs, in warm colours and transparent where it is small."""
    name = _("{volume} uncertainty").format(volume=volumeNode.GetName())
    node, isNew = _volumeFor(_UNCERTAINTY, name, model, volumeNode)
    _fill(node, uncertainty)
    if isNew:
        display = node.GetDisplayNode()
        display.SetAndObserveColorNodeID(_WARM)
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(*UNCERTAINTY_RANGE)
        display.SetAutoThreshold(False)
        display.SetThreshold(UNCERTAINTY_RANGE[0], 1.0)
        display.SetApplyThreshold(True)
    return node


def uncertaintyOf(volumeNode):
    """The uncertainty volume that was made last for a volume, or None."""
    nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    made = [node for node in nodes if node.GetAttribute(LABEL_TAG) == _UNCERTAINTY and _inputOf(node) is volumeNode]
    made = [node for node in made if node.GetImageData() is not None]  # none while a scene is loaded
    return max(made, key=lambda node: node.GetImageData().GetMTime(), default=None)


def canBeInput(node) -> bool:
    """Whether a volume node may be the one to segment: an image, and not one that was made here."""
    return node.GetClassName() == "vtkMRMLScalarVolumeNode" and node.GetAttribute(MODEL_TAG) is None


def _volumeFor(what: str, name: str, model, volumeNode):
    """The node that this model made for the same purpose before, else a new one; and whether it is new."""
    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        made = node.GetAttribute(MODEL_TAG), node.GetAttribute(LABEL_TAG)
        if made == (model.name, what) and _inputOf(node) is volumeNode:
            node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
            return node, False
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", slicer.mrmlScene.GenerateUniqueName(name))
    node.SetAttribute(MODEL_TAG, model.name)
    node.SetAttribute(LABEL_TAG, what)
    node.SetNodeReferenceID(INPUT_ROLE, volumeNode.GetID())
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    node.CreateDefaultDisplayNodes()
    placeBeside(node, volumeNode)
    return node, True


def _inputOf(node):
    return node.GetNodeReference(INPUT_ROLE)


def _fill(node, image) -> None:
    with slicer.util.NodeModify(node):
        slicer.util.updateVolumeFromArray(node, sitk.GetArrayViewFromImage(image))
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijkToRasOfImage(image)))


def jumpToUncertainty(uncertaintyNode) -> tuple[float, float, float] | None:
    """Move the slice views to where the uncertainty is highest: along each axis, the slice with the largest sum.

    :return: the place (RAS), or None where all runs agree and nothing was moved.
    """
    voxels = slicer.util.arrayFromVolume(uncertaintyNode)
    if not voxels.any():
        return None
    sums = [voxels.sum(axis=tuple(other for other in range(3) if other != axis)) for axis in (2, 1, 0)]
    ijkToRas, toWorld = vtk.vtkMatrix4x4(), vtk.vtkGeneralTransform()
    uncertaintyNode.GetIJKToRASMatrix(ijkToRas)
    place = ijkToRas.MultiplyPoint([*(float(line.argmax()) for line in sums), 1.0])[:3]
    parent = uncertaintyNode.GetParentTransformNode()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(parent, None, toWorld)
    place = toWorld.TransformPoint(place)
    for sliceNode in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        sliceNode.JumpSliceByOffsetting(*place)
    return tuple(place)
