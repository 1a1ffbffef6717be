"""Corrections in a segmentation node that steer the cells: from the edited segments to those that have regrown."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import SimpleITK as sitk
import slicer
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.measurement.volumes import measure_volumes
from MedNCALib.model.card import AUTO
from MedNCALib.segmentation.regrowing import require_can_regrow

from .application.segment_editor import saveStateForUndo
from .application.settings import modelsFolder
from .derived_nodes import derivedNode, removeNodes
from .display.live_overlay import LiveOverlay
from .inputs.region import regionInVolume
from .inputs.volumes import checkUnchanged, checkVolume, imageFromVolume
from .results.kept_results import (
    Corrected,
    forget,
    hasCorrections,
    isEdited,
    isKept,
    keep,
    keptTexts,
    makerOf,
    readCorrected,
    startFrom,
)
from .results.measurement_table import writeMeasurements
from .results.overlay_volumes import UNCERTAINTY, writeUncertainty
from .results.quality_table import writeCorrectedVolumes
from .results.roll_back import allOrNothing, remember
from .results.segments import (
    checkTarget,
    imageOnGridOf,
    labelmapFromImage,
    placeIn,
    replaceVoxels,
    segmentedVolume,
    segmentsFor,
)

# Of the regrown labels on the grid of the volume: where they may be written.
Editable = Callable[[slicer.vtkMRMLSegmentationNode, slicer.vtkMRMLScalarVolumeNode], np.ndarray]


@dataclass(frozen=True)
class SceneRegrown:
    """What regrowing has written.

    Attributes:
        segmentationNode, volumeNode: of the segments.
        model: name of the model that has regrown them.
        isStart: whether nothing was kept with the segments before: what they hold is what corrections start from now.
        said: number of voxels that a person has corrected since the segments were written last.
        changed: number of other voxels that have another label than before.
        uncertaintyNode: volume with the spread over the passes, or None.
        restore: undoes it: segments, what is kept with them, tables and volumes are as they were before.
        written: what is kept with the segments since, to notice that somebody else has changed them.
    """

    segmentationNode: slicer.vtkMRMLSegmentationNode
    volumeNode: slicer.vtkMRMLScalarVolumeNode
    model: str
    isStart: bool = False
    said: int = 0
    changed: int = 0
    uncertaintyNode: slicer.vtkMRMLScalarVolumeNode | None = None
    restore: Callable[[], None] | None = None
    written: tuple[str, ...] = ()


class History:
    """What was written by regrowing and forgetting, the latest first to be undone."""

    _LENGTH = 10  # as of the Segment Editor

    def __init__(self) -> None:
        self._entries: list[SceneRegrown] = []

    def add(self, outcome: SceneRegrown) -> None:
        """Remember what was written."""
        if outcome.restore is not None:
            there = [entry for entry in self._entries if entry.segmentationNode.GetScene() is not None]
            self._entries = [*there[1 - self._LENGTH :], outcome]

    def canUndo(self, segmentationNode: slicer.vtkMRMLSegmentationNode | None) -> bool:
        """Whether the latest is of this segmentation, and nobody has changed it since."""
        if segmentationNode is None or not self._entries or segmentationNode.GetScene() is None:
            return False
        latest = self._entries[-1]
        return (
            latest.segmentationNode is segmentationNode
            and latest.written == keptTexts(segmentationNode)
            and not isEdited(segmentationNode)
        )

    def undo(self, segmentationNode: slicer.vtkMRMLSegmentationNode) -> None:
        """Undo the latest.

        Raises:
            ImageError: `canUndo` says no.
        """
        if not self.canUndo(segmentationNode):
            name = segmentationNode.GetName() if segmentationNode else _("No segmentation")
            raise mednca.ImageError(
                _(
                    "{name}: there is no regrowing to undo, or the segments were changed since. The Segment Editor's"
                    " own Undo takes edits back."
                ).format(name=name)
            )
        restore = self._entries.pop().restore
        assert restore is not None
        restore()


def regrowSteps(
    segmentationNode: slicer.vtkMRMLSegmentationNode,
    volumeNode: slicer.vtkMRMLScalarVolumeNode | None = None,
    model: str | None = None,
    region: slicer.vtkMRMLMarkupsROINode | None = None,
    runs: int = 1,
    showWhileRunning: bool = False,
    allCells: bool = False,
    editable: Editable | None = None,
    beforeWriting: Callable[[], None] | None = None,
    **options: Any,
) -> Generator[mednca.Step, None, SceneRegrown]:
    """Regrow the segments of a node around what was edited in them, step by step.

    Args:
        segmentationNode, volumeNode, model, region, runs, showWhileRunning, allCells: see `MedNCALogic.regrowSteps`.
        editable: gives the voxels whose label may change, called when they have regrown; None is all.
        beforeWriting: called when the segments are about to change; by default the Segment Editor saves their state for
            its Undo, if it is the one that edits them.
        options: those of `MedNCALib.regrow_steps`: seed, engine, threads, protocol.

    Yields:
        The steps of the run; none if the segments are what corrections start from now.

    Returns:
        What it has written.

    Raises:
        MedNCAError: the input or an option cannot be used, nothing was edited, or a node was changed meanwhile; the
            scene is as it was, as after any other error.
    """
    volumeNode = checkRegrown(segmentationNode, volumeNode)
    loaded = modelOfSegments(segmentationNode, model)
    require_can_regrow(loaded)
    image = imageFromVolume(volumeNode)
    before = readCorrected(segmentationNode, volumeNode, loaded.name)
    if before is None:
        startFrom(segmentationNode, loaded, segmentsFor(loaded, segmentationNode))
        return SceneRegrown(segmentationNode, volumeNode, loaded.name, isStart=True)
    if not before.edited.any():
        raise mednca.ImageError(nothingEdited(segmentationNode))
    steps = _steps(image, loaded, before, volumeNode, region, runs, allCells, options)
    if showWhileRunning:
        steps = LiveOverlay(volumeNode, loaded).follow(steps)
    found = yield from steps
    checkUnchanged(volumeNode, image)
    _checkSegments(segmentationNode, volumeNode, before)
    grown = sitk.GetArrayFromImage(found.labels)
    if editable is not None:
        grown = np.where(editable(segmentationNode, volumeNode), grown, before.labels)
    labels = grown.astype(np.uint8)
    after = replace(before, labels=labels, latest=labels, said=before.allSaid)
    (beforeWriting or (lambda: saveStateForUndo(segmentationNode)))()
    restore = remember(loaded, volumeNode, segmentationNode)
    with allOrNothing(loaded, volumeNode, segmentationNode):
        labelmap = labelmapFromImage(imageOnGridOf(volumeNode, labels))
        placeIn(segmentationNode, labelmap, volumeNode)
        replaceVoxels(segmentationNode, labelmap, after.segmentIds)
        keep(segmentationNode, volumeNode, after)
        hadUncertainty = derivedNode("vtkMRMLScalarVolumeNode", loaded.name, volumeNode, UNCERTAINTY) is not None
        uncertaintyNode = _writeUncertainty(found, loaded, volumeNode)
        _writeVolumes(after, loaded, volumeNode)

    def restoreAll() -> None:
        restore()
        if uncertaintyNode is not None and not hadUncertainty:
            removeNodes([uncertaintyNode])

    return SceneRegrown(
        segmentationNode,
        volumeNode,
        loaded.name,
        said=int(np.count_nonzero(before.edited)),
        changed=int(np.count_nonzero(labels != before.labels)),
        uncertaintyNode=uncertaintyNode,
        restore=restoreAll,
        written=keptTexts(segmentationNode),
    )


def forgetCorrections(
    segmentationNode: slicer.vtkMRMLSegmentationNode,
    volumeNode: slicer.vtkMRMLScalarVolumeNode | None = None,
    model: str | None = None,
    beforeWriting: Callable[[], None] | None = None,
) -> SceneRegrown:
    """Give segments the model's own result again, as it was before all corrections; arguments: see `regrowSteps`.

    Raises:
        MedNCAError: no segmentation, or one without corrections.
    """
    volumeNode = checkRegrown(segmentationNode, volumeNode)
    reason = whyNotForgotten(segmentationNode)
    if reason:
        raise mednca.ImageError(reason)
    loaded = modelOfSegments(segmentationNode, model)
    (beforeWriting or (lambda: saveStateForUndo(segmentationNode)))()
    restore = remember(loaded, volumeNode, segmentationNode)
    with allOrNothing(loaded, volumeNode, segmentationNode):
        forget(segmentationNode)
        after = readCorrected(segmentationNode, volumeNode, loaded.name)
        if after is not None:
            _writeVolumes(after, loaded, volumeNode)
    written = keptTexts(segmentationNode)
    return SceneRegrown(segmentationNode, volumeNode, loaded.name, restore=restore, written=written)


def checkRegrown(
    segmentationNode: slicer.vtkMRMLSegmentationNode | None, volumeNode: slicer.vtkMRMLScalarVolumeNode | None
) -> slicer.vtkMRMLScalarVolumeNode:
    """The volume that belongs to a segmentation.

    Raises:
        ImageError: no segmentation or volume, or one that cannot be used.
    """
    if segmentationNode is None:
        raise mednca.ImageError(_("No segmentation: choose the one that was corrected."))
    checkTarget(segmentationNode)
    volumeNode = volumeNode or segmentedVolume(segmentationNode)
    if volumeNode is None:
        raise mednca.ImageError(
            _("{name} does not say which volume it was made from: choose the volume.").format(
                name=segmentationNode.GetName()
            )
        )
    return volumeNode


def modelOfSegments(segmentationNode: slicer.vtkMRMLSegmentationNode, model: str | None) -> mednca.Model:
    """The model that regrows a segmentation: the one that is named, else the one that has made it.

    Raises:
        MedNCAError: it is not there, or none is named and none has made it.
    """
    name = model or makerOf(segmentationNode)
    if name is None:
        raise mednca.ImageError(
            _("No model has made the segments of {name}: choose the model that shall regrow them.").format(
                name=segmentationNode.GetName()
            )
        )
    return mednca.load_model(name, modelsFolder())


def modelsThatRegrow() -> list[mednca.Model]:
    """The models that are there and take hints."""
    return [model for model in mednca.list_models(modelsFolder()) if model.can_regrow]


def whyNotRegrown(
    segmentationNode: slicer.vtkMRMLSegmentationNode | None,
    volumeNode: slicer.vtkMRMLScalarVolumeNode | None,
    model: str | None,
) -> str:
    """A sentence that says why segments cannot be regrown now; empty if they can. Arguments: see `regrowSteps`."""
    if segmentationNode is None:
        return _("There is no segmentation to regrow yet.")
    try:
        checkVolume(checkRegrown(segmentationNode, volumeNode))
        loaded = modelOfSegments(segmentationNode, model)
        require_can_regrow(loaded)
        if isKept(segmentationNode, loaded.name):
            return "" if isEdited(segmentationNode) else nothingEdited(segmentationNode)
        segmentsFor(loaded, segmentationNode)
    except mednca.MedNCAError as error:
        return str(error)
    return ""


def whyNotForgotten(segmentationNode: slicer.vtkMRMLSegmentationNode | None) -> str:
    """A sentence that says why there is nothing to forget; empty if there is."""
    if segmentationNode is None:
        return _("There is no segmentation yet.")
    if not hasCorrections(segmentationNode):
        return _("There are no corrections in {name} to forget.").format(name=segmentationNode.GetName())
    return ""


def startOfCorrections(
    segmentationNode: slicer.vtkMRMLSegmentationNode, volumeNode: slicer.vtkMRMLScalarVolumeNode | None, model: str
) -> bool:
    """Take segments from elsewhere as what corrections start from, if a model can regrow them; whether it did."""
    if whyNotRegrown(segmentationNode, volumeNode, model):
        return False
    loaded = modelOfSegments(segmentationNode, model)
    if isKept(segmentationNode, loaded.name):
        return False
    startFrom(segmentationNode, loaded, segmentsFor(loaded, segmentationNode))
    return True


def nothingEdited(segmentationNode: slicer.vtkMRMLSegmentationNode) -> str:
    """The segments are as they were written last."""
    return _("Nothing was corrected in {name} since it has grown: edit its segments first, in any way.").format(
        name=segmentationNode.GetName()
    )


def _steps(
    image: sitk.Image,
    model: mednca.Model,
    before: Corrected,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    region: slicer.vtkMRMLMarkupsROINode | None,
    runs: int,
    allCells: bool,
    options: Mapping[str, Any],
) -> Generator[mednca.Step, None, mednca.Regrown]:
    """The steps of the library, with the place and the protocol of the run that has made the segments."""
    origin = before.origin
    place: dict[str, Any] = {"region": origin.region, "find": "never"}
    if region is not None:
        place = {"region": regionInVolume(region, volumeNode), "find": "never"}
    elif origin.finding is not None:
        place = {"found": origin.finding}
    present, said, saidBefore = (
        imageOnGridOf(volumeNode, labels) for labels in (before.labels, before.allSaid, before.said)
    )
    chosen: dict[str, Any] = {"runs": runs, "uncertainty": runs > 1, "all_cells": allCells, **options, **place}
    if chosen.get("protocol", AUTO) == AUTO:
        chosen["protocol"] = origin.protocol or AUTO
    return mednca.regrow_steps(image, model, present, said, saidBefore, **chosen)


def _checkSegments(
    segmentationNode: slicer.vtkMRMLSegmentationNode, volumeNode: slicer.vtkMRMLScalarVolumeNode, before: Corrected
) -> None:
    """Refuse to write over what was edited meanwhile."""
    name = segmentationNode.GetName()
    if segmentationNode.GetScene() is None:
        raise mednca.ImageError(_("{name} was deleted during the run.").format(name=name))
    now = readCorrected(segmentationNode, volumeNode, before.origin.model)
    if now is None or now.segmentIds != before.segmentIds or not np.array_equal(now.labels, before.labels):
        raise mednca.ImageError(_("{name} was edited during the run: regrow again.").format(name=name))


def _writeUncertainty(
    found: mednca.Regrown, model: mednca.Model, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLScalarVolumeNode | None:
    """Of the passes that a voxel has grown in last; 0 where a person has decided, so that nobody is sent there again.

    Nothing, if there are neither several passes nor an uncertainty of before.
    """
    kept = sitk.GetArrayFromImage(found.kept)
    earlier = derivedNode("vtkMRMLScalarVolumeNode", model.name, volumeNode, UNCERTAINTY)
    spread = np.zeros(kept.shape, np.float32)
    if found.uncertainty is not None:
        spread += sitk.GetArrayFromImage(found.uncertainty)
    elif earlier is None:
        return None
    if earlier is not None and slicer.util.arrayFromVolume(earlier).shape == kept.shape:
        spread += slicer.util.arrayFromVolume(earlier) * kept
    return writeUncertainty(imageOnGridOf(volumeNode, spread), model, volumeNode)


def _writeVolumes(corrected: Corrected, model: mednca.Model, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Have the tables of the result, if there are any, show the volumes of the corrected segments."""
    table = derivedNode("vtkMRMLTableNode", model.name, volumeNode)
    if table is None:
        return
    counts = np.bincount(corrected.labels.ravel(), minlength=256)
    voxelMl = float(np.prod(volumeNode.GetSpacing())) / 1000
    labels = [label for label in model.all_labels if label.value in corrected.segmentIds]
    volumes = {label.name: float(counts[label.value]) * voxelMl for label in labels}
    finding = corrected.origin.finding
    brainMl = finding.brain_ml if finding else None
    writeCorrectedVolumes(volumes, model, volumeNode, corrected.origin.protocol)
    writeMeasurements(measure_volumes(labels, volumes, (), brainMl), model, volumeNode, brainMl)
