"""What speaks against learning from some cases, in words, before the first batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import vtk_to_numpy

import MedNCALib as mednca
from MedNCALib.io.image_label_pairs import find_pairs, labels_named_in

from ..inputs.geometry import ijkToRasOfVolume
from ..inputs.volumes import checkVolume
from ..results.segments import segmentsOf
from .cases import LearningCase, Naming, isOfModel, labelsOf, labelValuesOf, wholesOf

_BINARY = "Binary labelmap"
_MOST_LABELS = 255
_SPACINGS_APART = 1.5  # ratio of the coarsest to the finest, along any axis, that is worth a word
_LISTED = 4


@dataclass(frozen=True)
class Finding:
    """One thing that the user should know.

    Attributes:
        text: a sentence.
        isInTheWay: whether a training cannot start like this.
    """

    text: str
    isInTheWay: bool = False


def check(cases: Sequence[LearningCase], naming: Naming) -> list[Finding]:
    """What to know of some cases, that which is in the way first; nothing if all is well."""
    if not cases:
        return [Finding(_("There is no case to learn from: choose at least one segmentation with its volume."), True)]
    found = [*_unusable(cases), *_unnamed(cases, naming), *_wrongSums(cases, naming)]
    if not any(each.isInTheWay for each in found):
        found += [*_unlike(cases), *_incomplete(cases, naming), *_few(len(cases))]
    return sorted(found, key=lambda each: not each.isInTheWay)


def checkFolders(images: str, labels: str) -> list[Finding]:
    """What to know of a folder of images and one of labels; that there is nothing in the way is said too."""
    if not images or not labels:
        return [Finding(_("Choose the folder with the images and the one with their labels."), True)]
    try:
        pairs = find_pairs(images, labels)
        names = [label.name for label in labels_named_in(pairs)]
    except mednca.MedNCAError as error:
        return [Finding(str(error), True)]
    named = _("They name {labels}.") if names else _("They name no labels: these are numbered.")
    line = _("{count} pairs of images and labels.").format(count=len(pairs))
    return [Finding(f"{line} {named.format(labels=_listed(names))}"), *_few(len(pairs))]


def require(findings: Iterable[Finding]) -> None:
    """Refuse what is in the way.

    Raises:
        TrainingError: with the sentences.
    """
    texts = [finding.text for finding in findings if finding.isInTheWay]
    if texts:
        raise mednca.TrainingError(" ".join(texts))


def isEmpty(segmentationNode: slicer.vtkMRMLSegmentationNode, segment: slicer.vtkSegment) -> bool:
    """Whether a segment has no voxel."""
    labelmap = slicer.vtkOrientedImageData()
    segmentId = segmentationNode.GetSegmentation().GetSegmentIdBySegment(segment)
    segmentationNode.GetBinaryLabelmapRepresentation(segmentId, labelmap)
    return labelmap.IsEmpty() or not vtk_to_numpy(labelmap.GetPointData().GetScalars()).any()


def _unusable(cases: Sequence[LearningCase]) -> Iterator[Finding]:
    volumes = set()
    for case in cases:
        name = case.segmentationNode.GetName()
        if case.segmentationNode.GetScene() is None:
            yield Finding(_("{name} was deleted: take it out.").format(name=name), True)
            continue
        segmentation = case.segmentationNode.GetSegmentation()
        if not segmentation.ContainsRepresentation(_BINARY):
            yield Finding(
                _(
                    "The segments of {name} are stored as surfaces: make a binary labelmap of them in the module"
                    " Segmentations."
                ).format(name=name),
                True,
            )
        if case.volumeNode is None or case.volumeNode.GetScene() is None:
            yield Finding(_("Choose the volume that {name} was drawn on.").format(name=name), True)
            continue
        if isOfModel(case):
            yield Finding(_("{name} was made by a model: choose an image.").format(name=case.name), True)
        try:
            checkVolume(case.volumeNode)
        except mednca.MedNCAError as error:
            yield Finding(str(error), True)
        if case.volumeNode in volumes:
            yield Finding(_("{name} is there twice: take out one of its segmentations.").format(name=case.name), True)
        volumes.add(case.volumeNode)


def _unnamed(cases: Sequence[LearningCase], naming: Naming) -> Iterator[Finding]:
    labels = labelsOf(cases, naming)
    if not labels:
        yield Finding(_("No segment is chosen: tick at least one, and give it a name."), True)
    if len(labels) > _MOST_LABELS:
        yield Finding(_("There are {count} labels, and at most 255 can be learned.").format(count=len(labels)), True)
    files: dict[str, str] = {}
    for label in labels:
        other = files.setdefault(label.file_name.casefold(), label.name)
        if other != label.name:
            yield Finding(
                _("The names {one} and {other} are too much alike: rename one.").format(one=other, other=label.name),
                True,
            )
    for case in cases:
        if case.segmentationNode.GetScene() is None:
            continue
        chosen = [s for s in segmentsOf(case.segmentationNode) if naming.labelOf(s.GetName()) is not None]
        drawn = [segment for segment in chosen if not isEmpty(case.segmentationNode, segment)]
        if labels and not drawn:
            yield Finding(_("{name} has no voxel of what is to be learned: take it out.").format(name=case.name), True)
        else:
            for segment in chosen:
                if segment not in drawn:
                    yield Finding(
                        _("{segment} is empty in {name}: the case teaches nothing of it.").format(
                            segment=segment.GetName(), name=case.name
                        )
                    )


def _wrongSums(cases: Sequence[LearningCase], naming: Naming) -> Iterator[Finding]:
    """A label that is named as the sum of others that are not there."""
    try:
        wholesOf(cases, naming)
    except mednca.MedNCAError as error:
        yield Finding(str(error), True)


def _unlike(cases: Sequence[LearningCase]) -> Iterator[Finding]:
    """Segmentations on another grid than their volume, and volumes with other spacings than others."""
    for case in cases:
        if not _sharesGrid(case):
            yield Finding(
                _("{segmentation} was drawn on another grid than {volume}: it is resampled to that one.").format(
                    segmentation=case.segmentationNode.GetName(), volume=case.name
                )
            )
        if case.isUnedited:
            yield Finding(
                _("{name} was made by a model and not edited: a model that learns from it learns its faults.").format(
                    name=case.segmentationNode.GetName()
                )
            )
    spacings = np.array([sorted(case.volumeNode.GetSpacing()) for case in cases if case.volumeNode])
    if (spacings.max(axis=0) / spacings.min(axis=0)).max() > _SPACINGS_APART:
        yield Finding(_("The volumes have different spacings: all are resampled to the usual one of them."))


def _incomplete(cases: Sequence[LearningCase], naming: Naming) -> Iterator[Finding]:
    """Labels that only some of the cases have, and what others have in their place."""
    every = labelsOf(cases, naming)
    values = [labelValuesOf(case, naming, every) for case in cases]
    labels, wholes = wholesOf(cases, naming)
    for whole in wholes:
        yield Finding(
            _(
                "{count} of {all} cases have only {whole}, the whole of {parts}: they teach where these are together,"
                " not which is which."
            ).format(
                whole=whole.label.name,
                count=sum(whole.is_in(each) for each in values),
                all=len(cases),
                parts=_(" and ").join(part.name for part in whole.parts),
            )
        )
    for label in labels:
        instead = {whole.label.value for whole in wholes if label in whole.parts}
        count = sum(bool({label.value, *instead} & each) for each in values)
        if count < len(cases):
            yield Finding(
                _("{label} is drawn in {count} of {all} cases: the others teach only what they have.").format(
                    label=label.name, count=count, all=len(cases)
                )
            )


def _few(count: int) -> Iterator[Finding]:
    if count == 1:
        yield Finding(
            _(
                "There is one case: some of its slices are kept aside, and the scores are of these alone. They say"
                " little of other volumes."
            )
        )
    elif count < 4:
        yield Finding(
            _("There are {count} cases, of which one is kept aside: the scores are of that one alone.").format(
                count=count
            )
        )


def _sharesGrid(case: LearningCase) -> bool:
    """Whether a segmentation's voxels lie on those of the volume, up to whole voxels of shift."""
    geometry = slicer.vtkOrientedImageData()
    segment = segmentsOf(case.segmentationNode)[0]
    segmentId = case.segmentationNode.GetSegmentation().GetSegmentIdBySegment(segment)
    case.segmentationNode.GetBinaryLabelmapRepresentation(segmentId, geometry)
    matrix = vtk.vtkMatrix4x4()
    geometry.GetImageToWorldMatrix(matrix)
    own, grid = slicer.util.arrayFromVTKMatrix(matrix), ijkToRasOfVolume(case.volumeNode)
    between = np.linalg.solve(grid, own)
    return bool(np.allclose(between[:3, :3], np.eye(3), atol=1e-3) and _isWhole(between[:3, 3]))


def _isWhole(numbers: np.ndarray) -> bool:
    return bool(np.allclose(numbers, np.rint(numbers), atol=1e-2))


def _listed(names: Sequence[str]) -> str:
    more = _(" and {count} more").format(count=len(names) - _LISTED) if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
