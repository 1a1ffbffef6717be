"""What a finder has found: kept with the segmentation, and shown as boxes that the user may move."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import slicer
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.imaging.contrast_turn import ContrastTurn
from MedNCALib.imaging.laterality import side_of
from MedNCALib.model.model import structures_of
from MedNCALib.segmentation.found_structures import Finding, FoundStructure

from ..application.settings import modelsFolder
from ..derived_nodes import LABEL_TAG, derivedNodes, findOrAdd, inputOf
from ..inputs.region import boxInVolume, placeBox
from .cell_colors import rgb
from .segments import segmentationsOf

# An attribute of a segmentation, followed by the name of the model, and of each box: the finding as JSON.
_FOUND_TAG = "MedNCA.Found"
_BOX = "vtkMRMLMarkupsROINode"
_NO_SIDE = "found"  # in place of the side of a box

# mm to which a box is read, so that one that was not moved is the same as before.
_DIGITS = 3


def keepFinding(segmentationNode: slicer.vtkMRMLSegmentationNode, model: mednca.Model, result: mednca.Result) -> None:
    """Keep with a segmentation what the finder has found for it; nothing if it has found nothing."""
    text = _textOf(Finding(result.found, result.brain_ml, result.notes)) if result.found else None
    segmentationNode.SetAttribute(f"{_FOUND_TAG}.{model.name}", text)


def findingOf(segmentationNode: slicer.vtkMRMLSegmentationNode | None, modelName: str) -> Finding | None:
    """What a model's finder has found for the segments of a segmentation; None if they were made without it."""
    text = segmentationNode and segmentationNode.GetAttribute(f"{_FOUND_TAG}.{modelName}")
    return _findingOf(text) if text else None


def foundAt(
    point: Sequence[float], modelName: str, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> FoundStructure | None:
    """What was found at a point, in the latest result of a model in a volume; None if its finder has found nothing.

    Args:
        point: RAS in the volume's own space, in mm.
        modelName, volumeNode: of the result.

    Raises:
        ImageError: something was found, and the point is in none of the boxes.
    """
    findings = [findingOf(node, modelName) for node in segmentationsOf(modelName, volumeNode)]
    latest = next(filter(None, reversed(findings)), None)
    if latest is None:
        return None
    for structure in latest.structures:
        edges = zip(structure.box[::2], point, structure.box[1::2])
        if all(low <= place <= high for low, place, high in edges):
            return structure
    raise mednca.ImageError(_("The point lies outside of the boxes in which the model has looked. Place it in one."))


def boxesOf(modelName: str, volumeNode: slicer.vtkMRMLScalarVolumeNode | None) -> list[slicer.vtkMRMLMarkupsROINode]:
    """The boxes that show where a model has looked in a volume; none if they are not shown."""
    return derivedNodes(modelName, volumeNode, _BOX) if volumeNode is not None else []


def showBoxes(
    finding: Finding, model: mednca.Model, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> list[slicer.vtkMRMLMarkupsROINode]:
    """Put a box at each place where a structure was found; boxes that are there already are moved back.

    Args:
        finding: what was found.
        model: whose finder has found it.
        volumeNode: the volume.

    Returns:
        The boxes, in the order of the structures.
    """
    nodes = []
    for structure in finding.structures:
        node = _boxFor(structure, model, volumeNode)
        node.SetAttribute(_FOUND_TAG, _textOf(finding))
        nodes.append(node)
    return nodes


def showFoundBy(
    modelName: str,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    segmentationNode: slicer.vtkMRMLSegmentationNode | None,
) -> list[slicer.vtkMRMLMarkupsROINode]:
    """Put boxes at what a model has found for a segmentation, see `showBoxes`; none if it did not have to look."""
    model = mednca.load_model(modelName, modelsFolder())
    finding = findingOf(segmentationNode, model.name)
    return showBoxes(finding, model, volumeNode) if finding else []


def findingInBoxes(
    nodes: Sequence[slicer.vtkMRMLMarkupsROINode], volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> Finding:
    """What was found, at the places to which the user may have moved the boxes; without those that are not there.

    Args:
        nodes: boxes from `showBoxes`.
        volumeNode: the volume.

    Raises:
        MedNCAError: a node that is no such box of this volume, or one without an extent.
    """
    structures, finding = [], None
    for node in nodes:
        text = node.GetAttribute(_FOUND_TAG)
        if not text or inputOf(node) is not volumeNode:
            raise mednca.ImageError(
                _("{name} is not a box in which something was found in this volume.").format(name=node.GetName())
            )
        finding = _findingOf(text)
        r0, r1, a0, a1, s0, s1 = (round(edge, _DIGITS) for edge in boxInVolume(node, volumeNode))
        sides = {each.side or _NO_SIDE: each for each in finding.structures}
        structures.append(replace(sides[node.GetAttribute(LABEL_TAG)], box=(r0, r1, a0, a1, s0, s1)))
    if finding is None:
        raise mednca.ImageError(_("There is no box: show where the model has looked."))
    return replace(finding, structures=tuple(structures))


def _boxFor(
    structure: FoundStructure, model: mednca.Model, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLMarkupsROINode:
    """The box of a structure, new or from before."""
    purpose = structure.side or _NO_SIDE
    name = _("{volume} {structure}").format(volume=volumeNode.GetName(), structure=structureName(structure, model))
    node, _isNew = findOrAdd(_BOX, name, model.name, volumeNode, purpose)
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    placeBox(node, structure.box, boxColor(structure, model))
    return node


def boxColor(structure: FoundStructure, model: mednca.Model) -> tuple[float, float, float]:
    """Colour of a box: that of the model's first label on the structure's side."""
    return rgb(model.labels_on(structure.side)[0])


def structureName(structure: FoundStructure, model: mednca.Model) -> str:
    """What was found, as the finder names it."""
    labels = structures_of(model.finder) if model.finder else []
    return next((label.name for label in labels if side_of(label) == structure.side), structure.side or model.title)


def _textOf(finding: Finding) -> str:
    return json.dumps(asdict(finding))


def _findingOf(text: str) -> Finding:
    return findingFromJson(json.loads(text))


def findingFromJson(kept: dict[str, Any]) -> Finding:
    """A finding from its fields as JSON has them."""
    structures = tuple(map(_structureFromJson, kept["structures"]))
    return Finding(structures, kept["brain_ml"], tuple(kept["notes"]))


def _structureFromJson(kept: dict[str, Any]) -> FoundStructure:
    turn = kept.get("contrast_turn")
    return FoundStructure(**{**kept, "box": tuple(kept["box"]), "contrast_turn": turn and ContrastTurn(**turn)})
