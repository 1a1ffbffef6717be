"""Probabilities, uncertainty, a stress test's worst case -> scalar volume nodes that can be laid over the input."""

from __future__ import annotations

import math

import numpy as np
import SimpleITK as sitk
import slicer
from slicer.i18n import tr as _

import MedNCALib as mednca

from ..derived_nodes import LABEL_TAG, findOrAdd, inputOf, modelOf
from ..inputs.geometry import ijkToRasOfImage, ijkToRasOfVolume
from ..transforms import toWorld
from .cell_colors import CHANGES, addChangeColors, showCellColors

# The uncertainty is a standard deviation of a probability: below the first it is noise, above the last it cannot be.
UNCERTAINTY_RANGE = (0.05, 0.5)

# mm from left to right beyond which voxels are of the other one of two structures.
_SIDE = 20.0

UNCERTAINTY, _WORST_CASE = "uncertainty", "worst case"  # in place of a label's value
_WARM = "vtkMRMLColorTableNodeWarm1"


def writeProbabilities(
    result: mednca.Result, model: mednca.Model, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> list[slicer.vtkMRMLScalarVolumeNode]:
    """Write one volume node per label with its probability, 0 to 1; those of an earlier run are filled anew.

    Args:
        result: one with probabilities, whose images have the geometry of the volume in the volume's own space.
        model: the model.
        volumeNode: the volume.

    Returns:
        The nodes, in the order of the result's labels.
    """
    nodes = []
    for label in result.label_table:
        name = _("{volume} {label} probability").format(volume=volumeNode.GetName(), label=label.name)
        node, isNew = _filledVolume(result.probabilities[label.name], str(label.value), name, model, volumeNode)
        if isNew:
            node.GetDisplayNode().SetAutoWindowLevel(False)
            node.GetDisplayNode().SetWindowLevelMinMax(0.0, 1.0)
        nodes.append(node)
    return nodes


def writeUncertainty(
    uncertainty: sitk.Image, model: mednca.Model, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLScalarVolumeNode:
    """Write a volume node with the standard deviation over the passes, in warm colours, transparent if it is small."""
    name = _("{volume} uncertainty").format(volume=volumeNode.GetName())
    node, isNew = _filledVolume(uncertainty, UNCERTAINTY, name, model, volumeNode)
    if isNew:
        display = node.GetDisplayNode()
        display.SetAndObserveColorNodeID(_WARM)
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(*UNCERTAINTY_RANGE)
        display.SetAutoThreshold(False)
        display.SetThreshold(UNCERTAINTY_RANGE[0], 1.0)
        display.SetApplyThreshold(True)
    return node


def writeWorstCase(
    test: mednca.StressTest, model: mednca.Model, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLScalarVolumeNode:
    """Write a volume node with the difference that a stress test's worst perturbation makes, see `CHANGES`."""
    before, after = (sitk.GetArrayViewFromImage(labels) for labels in (test.result.labels, test.worst_labels))
    after = after.reshape(before.shape)
    same, lost, new, other = CHANGES
    conditions = [before == 0, after == 0, before == after]
    values = np.select(conditions, [np.where(after > 0, new, 0), lost, same], other).astype(np.uint8)
    changes = sitk.GetImageFromArray(values)
    changes.CopyInformation(test.result.labels)
    name = _("{volume} stress test, worst case").format(volume=volumeNode.GetName())
    node, isNew = _filledVolume(changes, _WORST_CASE, name, model, volumeNode)
    if isNew:
        showCellColors(node, addChangeColors())
    return node


def uncertaintyOf(volumeNode: slicer.vtkMRMLScalarVolumeNode | None) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The uncertainty volume that was made last for a volume, by any model, or None."""
    return _latest(UNCERTAINTY, volumeNode)


def worstCaseOf(
    volumeNode: slicer.vtkMRMLScalarVolumeNode | None, modelName: str
) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The worst case of a model's stress test of a volume, or None."""
    return _latest(_WORST_CASE, volumeNode, modelName)


def jumpToUncertainty(uncertaintyNode: slicer.vtkMRMLScalarVolumeNode) -> tuple[float, float, float] | None:
    """Move the slice views to the highest uncertainty: along each axis, the slice with the largest sum.

    Of two structures, left and right, they go to one.

    Returns:
        The place (RAS), or None if all passes agree and nothing was moved.
    """
    return _jumpTo(uncertaintyNode, slicer.util.arrayFromVolume(uncertaintyNode))


def jumpToWorstCase(worstNode: slicer.vtkMRMLScalarVolumeNode) -> tuple[float, float, float] | None:
    """Move the slice views to where most voxels change; see `jumpToUncertainty`."""
    return _jumpTo(worstNode, slicer.util.arrayFromVolume(worstNode) > CHANGES[0])


def _jumpTo(node: slicer.vtkMRMLScalarVolumeNode, voxels: np.ndarray) -> tuple[float, float, float] | None:
    if not voxels.any():
        return None
    ijkToRas = ijkToRasOfVolume(node)
    # From left to right first: what lies far from that slice is of the other side.
    across, *others = sorted(range(3), key=lambda axis: -abs(ijkToRas[0, axis]))
    index = [0.0] * 3
    index[across] = float(_sums(voxels, across).argmax())
    reach = _SIDE / np.linalg.norm(ijkToRas[:3, across])
    near = slice(max(0, math.ceil(index[across] - reach)), math.floor(index[across] + reach) + 1)
    voxels = voxels[tuple(near if axis == across else slice(None) for axis in (2, 1, 0))]
    for axis in others:
        index[axis] = float(_sums(voxels, axis).argmax())
    place = toWorld(node).TransformPoint((ijkToRas @ [*index, 1.0])[:3])
    for sliceNode in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        sliceNode.JumpSliceByOffsetting(*place)
    return tuple(place)


def _sums(voxels: np.ndarray, axis: int) -> np.ndarray:
    """Sum of each slice along i (0), j (1) or k (2)."""
    return voxels.sum(axis=tuple(other for other in range(3) if other != 2 - axis))


def _latest(
    purpose: str, volumeNode: slicer.vtkMRMLScalarVolumeNode | None, modelName: str | None = None
) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The volume for a purpose that was made last for a volume, by a certain model or by any."""
    if volumeNode is None:
        return None
    made = [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        if node.GetAttribute(LABEL_TAG) == purpose
        and inputOf(node) is volumeNode
        and modelName in (None, modelOf(node))
        and node.GetImageData() is not None  # as while a scene is loaded
    ]
    return max(made, key=lambda node: node.GetImageData().GetMTime(), default=None)


def _filledVolume(
    image: sitk.Image, label: str, name: str, model: mednca.Model, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> tuple[slicer.vtkMRMLScalarVolumeNode, bool]:
    """The node that this model made for the same label before, or a new one, filled anew; and whether it is new."""
    node, isNew = findOrAdd("vtkMRMLScalarVolumeNode", name, model.name, volumeNode, label)
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    with slicer.util.NodeModify(node):
        slicer.util.updateVolumeFromArray(node, sitk.GetArrayViewFromImage(image))
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijkToRasOfImage(image)))
    if isNew:
        node.CreateDefaultDisplayNodes()
    return node, isNew
