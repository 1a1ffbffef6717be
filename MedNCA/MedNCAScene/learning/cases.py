"""Cases to learn from: a volume and the segmentation that was drawn on it, and what its segments are called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.imaging.label_wholes import Whole, key_of, split_wholes
from MedNCALib.imaging.labels import CodedConcept
from MedNCALib.imaging.laterality import LATERALITY, name_without_side, side_of

from ..derived_nodes import MODEL_TAG, modelOf
from ..inputs.volumes import canBeInput, imageFromVolume
from ..results.kept_results import hasCorrections, makerOf
from ..results.segments import imageOnGridOf, segmentedVolume, segmentsOf, tagOf, voxelsOfSegment

# What Slicer's Segment Editor writes to a segment that a tool of it has changed.
_STATUS, _UNTOUCHED = "Segmentation.Status", ("", "notstarted")
_SIDES = {concept[:2] for concept in LATERALITY.values()}
_CODES = ("category", "type", "type_modifier", "region", "region_modifier")


@dataclass(frozen=True)
class LearningCase:
    """A pair to learn from.

    Attributes:
        segmentationNode: the segmentation.
        volumeNode: what it was drawn on; None if it is not known.
        isCorrection: whether a model has made segments of it that somebody has edited since.
        isUnedited: whether a model has made segments of it, and nobody has edited them.
    """

    segmentationNode: slicer.vtkMRMLSegmentationNode
    volumeNode: slicer.vtkMRMLScalarVolumeNode | None
    isCorrection: bool = False
    isUnedited: bool = False

    @property
    def name(self) -> str:
        """Of the volume or, if there is none, of the segmentation."""
        return (self.volumeNode or self.segmentationNode).GetName()


@dataclass(frozen=True)
class Naming:
    """Which segments are learned, and what each is called.

    Attributes:
        names: name of a segment -> name of the label; segments of one name, in whatever case, are one label. A segment
            that is not named here keeps its name.
        leftOut: names of segments that are not learned.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    leftOut: frozenset[str] = frozenset()

    def labelOf(self, segmentName: str) -> str | None:
        """The name of the label that a segment is learned as; None if it is not learned."""
        if segmentName in self.leftOut:
            return None
        return " ".join(self.names.get(segmentName, segmentName).split()) or None


def findCases() -> list[LearningCase]:
    """The segmentations of the scene with the volumes that they were drawn on, by their reference geometry."""
    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    return [caseOf(node) for node in nodes if not node.GetHideFromEditors() and segmentsOf(node)]


def caseOf(
    segmentationNode: slicer.vtkMRMLSegmentationNode, volumeNode: slicer.vtkMRMLScalarVolumeNode | None = None
) -> LearningCase:
    """A segmentation as a case.

    Args:
        segmentationNode: the segmentation.
        volumeNode: what it was drawn on; None goes by its reference geometry.
    """
    volumeNode = volumeNode or segmentedVolume(segmentationNode)
    isModels = makerOf(segmentationNode) is not None
    # The second also knows results of which nothing is kept, in scenes of an earlier version.
    isEdited = hasCorrections(segmentationNode) or any(map(_isEdited, segmentsOf(segmentationNode)))
    return LearningCase(segmentationNode, volumeNode, isModels and isEdited, isModels and not isEdited)


def volumesToLearnFrom() -> list[slicer.vtkMRMLScalarVolumeNode]:
    """The volumes of the scene that a segmentation may have been drawn on."""
    return [node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if canBeInput(node)]


def modelCorrectedIn(cases: Sequence[LearningCase]) -> str | None:
    """Name of the model whose results the user has corrected, the first if they are several; None if there is none."""
    for case in cases:
        if case.isCorrection:
            return makerOf(case.segmentationNode)
    return None


def segmentNames(cases: Sequence[LearningCase]) -> dict[str, int]:
    """Name of each segment of the cases -> number of cases that have it."""
    counts: dict[str, int] = {}
    for case in cases:
        for name in {segment.GetName(): None for segment in segmentsOf(case.segmentationNode)}:
            counts[name] = counts.get(name, 0) + 1
    return counts


def namesWithoutSide(cases: Sequence[LearningCase]) -> dict[str, str]:
    """Name of a segment that a model has made on a side -> that of the model's label, which has none."""
    segments = [segment for case in cases for segment in segmentsOf(case.segmentationNode)]
    labels = [_label(segment, segment.GetName(), 1) for segment in segments if tagOf(segment, MODEL_TAG)]
    return {label.name: name_without_side(label) for label in labels if side_of(label)}


def labelsOf(cases: Sequence[LearningCase], naming: Naming) -> tuple[mednca.Label, ...]:
    """The labels to learn: one for each name, with colour and terminology of the first segment of that name."""
    found: dict[str, mednca.Label] = {}
    for case in cases:
        for segment in segmentsOf(case.segmentationNode):
            name = naming.labelOf(segment.GetName())
            if name is not None:
                value = len(found) + 1
                found.setdefault(key_of(name), _label(segment, name, value))
    return tuple(found.values())


def wholesOf(cases: Sequence[LearningCase], naming: Naming) -> tuple[tuple[mednca.Label, ...], tuple[Whole, ...]]:
    """The labels that the new model finds, and what some cases have in place of several of them.

    Raises:
        MedNCAError: a label is named as the sum of others, and one of them is missing.
    """
    labels = labelsOf(cases, naming)
    return split_wholes(labels, [labelValuesOf(case, naming, labels) for case in cases])


def labelValuesOf(case: LearningCase, naming: Naming, labels: Sequence[mednca.Label]) -> set[int]:
    """The values of the labels that a case has segments of."""
    names = {key_of(name) for each in segmentNames([case]) if (name := naming.labelOf(each)) is not None}
    return {label.value for label in labels if key_of(label.name) in names}


def imagesOf(
    case: LearningCase, naming: Naming, labels: Sequence[mednca.Label]
) -> tuple[sitk.Image, sitk.Image, list[mednca.Label]]:
    """The voxels of a case.

    Returns:
        The volume, the labels on its grid (uint8), and those of the labels that the case knows. A voxel of several
        segments is of the last.

    Raises:
        MedNCAError: a node of it has left the scene, or the volume cannot be used.
    """
    if not isInScene(case):
        raise mednca.TrainingError(
            _("{name} was deleted before it was copied: start again without it.").format(name=case.name)
        )
    assert case.volumeNode is not None
    image = imageFromVolume(case.volumeNode)
    voxels = np.zeros(image.GetSize()[::-1], np.uint8)
    values, own = {key_of(label.name): label for label in labels}, []
    for segment in segmentsOf(case.segmentationNode):
        learned = naming.labelOf(segment.GetName())
        if learned is None:
            continue
        label = values[key_of(learned)]
        own += [] if label in own else [label]
        segmentId = case.segmentationNode.GetSegmentation().GetSegmentIdBySegment(segment)
        voxels[voxelsOfSegment(case.segmentationNode, segmentId, case.volumeNode)] = label.value
    return image, imageOnGridOf(case.volumeNode, voxels), own


def fileNames(cases: Sequence[LearningCase]) -> list[str]:
    """A file name for each case that no other has, without an ending."""
    names: list[str] = []
    for case in cases:
        name = re.sub(r"[^\w-]+", "-", case.name, flags=re.ASCII).strip("-") or "case"
        number, unique = 2, name
        while unique.casefold() in {each.casefold() for each in names}:
            number, unique = number + 1, f"{name}-{number}"
        names.append(unique)
    return names


def isInScene(case: LearningCase) -> bool:
    """Whether both nodes of a case are in the scene."""
    nodes = (case.segmentationNode, case.volumeNode)
    return all(node is not None and node.GetScene() is not None for node in nodes)


def isOfModel(case: LearningCase) -> bool:
    """Whether the volume of a case was made by a model, such as a probability."""
    return case.volumeNode is not None and modelOf(case.volumeNode) is not None


def _isEdited(segment: slicer.vtkSegment) -> bool:
    isModels = bool(tagOf(segment, MODEL_TAG))
    return isModels and tagOf(segment, _STATUS).lower() not in _UNTOUCHED


def _label(segment: slicer.vtkSegment, name: str, value: int) -> mednca.Label:
    terminology = _terminology(segment)
    own = mednca.Label(value, segment.GetName(), terminology=terminology)
    if side_of(own) and name != own.name and name == name_without_side(own):
        terminology = {code: concept for code, concept in terminology.items() if concept[:2] not in _SIDES}
    color = [min(255, max(0, round(255 * part))) for part in segment.GetColor()]
    return mednca.Label(value, name, (color[0], color[1], color[2]), terminology)


def _terminology(segment: slicer.vtkSegment) -> dict[str, CodedConcept]:
    """The coded concepts of a segment, from Slicer's one-line form: see `Label.terminology_entry`."""
    text = vtk.reference("")
    if not segment.GetTag(segment.GetTerminologyEntryTagName(), text):
        return {}
    parts = [part.split("^") for part in str(text).split("~")]
    concepts = [*parts[1:4], *parts[5:7]]  # without the names of the two lists that they are from
    return {
        code: CodedConcept(*concept)
        for code, concept in zip(_CODES, concepts)
        if len(concept) == len(CodedConcept._fields) and concept[1]
    }
