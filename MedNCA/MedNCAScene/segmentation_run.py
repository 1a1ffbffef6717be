"""A run from a volume node to its results in the scene."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import SimpleITK as sitk
import slicer

import MedNCALib as mednca
from MedNCALib.model.licence import licence_note
from MedNCALib.segmentation.input_checks import check_input
from MedNCALib.segmentation.options import Find

from .application.settings import isLicenceAccepted, modelsFolder
from .display.live_overlay import LiveOverlay
from .inputs.region import Box, regionInVolume
from .inputs.volumes import checkUnchanged, imageFromVolume
from .results.found_boxes import findingInBoxes, keepFinding
from .results.growth_sequence import DEFAULT_MEGABYTES, GrowthRecording
from .results.kept_results import keepResult
from .results.measurement_table import writeMeasurements
from .results.overlay_volumes import writeProbabilities, writeUncertainty
from .results.quality_table import writeQuality
from .results.roll_back import allOrNothing
from .results.segments import checkTarget, writeSegments


@dataclass(frozen=True)
class SceneResult:
    """The nodes that a run has written; see the arguments of `processSteps`.

    Attributes:
        segmentationNode: the segments.
        quality: the scores.
        protocol, found, brainMl, notes: see `MedNCALib.Result`.
        measurements: what follows from the volumes, see `MedNCALib.measure`.
        probabilityNodes: a volume per label, none if not asked for.
        uncertaintyNode: a volume, or None.
        growthNode: the volume that shows the kept steps, or None.
        growthBrowserNode: plays them in that volume; None if there is nothing to play.
        tableNode: each label's volume and agreement, or None.
        measurementNode: a table of the measurements; None if it was not asked for or there are none.
        beatNode: the volume of the heart's chamber in each frame, or None.
        volumeNode: of a run of all frames, the volume that plays them: the input, or a new one for a multi-volume.
    """

    segmentationNode: slicer.vtkMRMLSegmentationNode
    quality: mednca.Quality
    protocol: str | None = None
    found: tuple[mednca.FoundStructure, ...] = ()
    brainMl: float | None = None
    notes: tuple[str, ...] = ()
    measurements: tuple[mednca.Measurement, ...] = ()
    probabilityNodes: tuple[slicer.vtkMRMLScalarVolumeNode, ...] = ()
    uncertaintyNode: slicer.vtkMRMLScalarVolumeNode | None = None
    growthNode: slicer.vtkMRMLScalarVolumeNode | None = None
    growthBrowserNode: slicer.vtkMRMLSequenceBrowserNode | None = None
    tableNode: slicer.vtkMRMLTableNode | None = None
    measurementNode: slicer.vtkMRMLTableNode | None = None
    beatNode: slicer.vtkMRMLTableNode | None = None
    volumeNode: slicer.vtkMRMLScalarVolumeNode | None = None


def processSteps(
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    segmentationNode: slicer.vtkMRMLSegmentationNode | None = None,
    model: str = "",
    region: slicer.vtkMRMLMarkupsROINode | None = None,
    probability: bool = False,
    uncertainty: bool = False,
    showWhileRunning: bool = False,
    keepGrowth: str | None = None,
    growthMegabytes: int = DEFAULT_MEGABYTES,
    table: bool = False,
    largestOnly: bool = False,
    allCells: bool = False,
    find: Find = "auto",
    found: Sequence[slicer.vtkMRMLMarkupsROINode] | None = None,
    **options: Any,
) -> Generator[mednca.Step, None, SceneResult]:
    """Segment a volume node step by step.

    The scene changes only after the last step, but for the live preview, which is removed in any case.

    Args:
        volumeNode, segmentationNode, model, region: see `MedNCALogic.processSteps`.
        probability, uncertainty, showWhileRunning, keepGrowth, growthMegabytes, table, largestOnly, allCells, find,
            found: likewise.
        options: those of `MedNCALib.RunOptions`: runs, seed, engine, threads, protocol.

    Yields:
        The steps of the run.

    Returns:
        The nodes that it has written.

    Raises:
        MedNCAError: the input or an option cannot be used; the scene is as it was, as after any other error.
    """
    checkTarget(segmentationNode)
    image = imageFromVolume(volumeNode)
    loaded = mednca.load_model(model, modelsFolder())
    box = regionInVolume(region, volumeNode)
    logNotes(image, loaded, box, find)
    steps = mednca.segment_steps(
        image,
        loaded,
        region=box,
        probabilities=probability,
        uncertainty=uncertainty,
        largest_only=largestOnly,
        all_cells=allCells or keepGrowth is not None,  # growth shows every cell
        find=find,
        found=findingInBoxes(found, volumeNode) if found else None,
        **options,
    )
    growth = GrowthRecording(loaded, keepGrowth, growthMegabytes) if keepGrowth else None
    if growth:
        steps = growth.follow(steps)
    if showWhileRunning:
        steps = LiveOverlay(volumeNode, loaded).follow(steps)
    result = yield from steps
    checkUnchanged(volumeNode, image)
    logSentences(result.notes)
    measurements = mednca.measure(result)
    with allOrNothing(loaded, volumeNode, segmentationNode):
        segmentationNode = writeSegments(result.labels, loaded, volumeNode, segmentationNode, result.label_table)
        keepResult(segmentationNode, volumeNode, loaded, result, box)
        probabilityNodes = writeProbabilities(result, loaded, volumeNode) if probability else []
        uncertaintyNode = None
        if result.uncertainty is not None:
            uncertaintyNode = writeUncertainty(result.uncertainty, loaded, volumeNode)
        tableNode = writeQuality(result.quality, loaded, volumeNode, result.protocol) if table else None
        measurementNode = writeMeasurements(measurements, loaded, volumeNode, result.brain_ml) if table else None
        growthNode, growthBrowserNode = growth.write(volumeNode) if growth else (None, None)
    keepFinding(segmentationNode, loaded, result)
    return SceneResult(
        segmentationNode=segmentationNode,
        quality=result.quality,
        protocol=result.protocol,
        found=result.found,
        brainMl=result.brain_ml,
        notes=result.notes,
        measurements=measurements,
        probabilityNodes=tuple(probabilityNodes),
        uncertaintyNode=uncertaintyNode,
        growthNode=growthNode,
        growthBrowserNode=growthBrowserNode,
        tableNode=tableNode,
        measurementNode=measurementNode,
    )


def logNotes(image: sitk.Image, model: mednca.Model, region: Box | None, find: Find) -> None:
    """Log, a line each, a licence that restricts the use and is not accepted yet, and what does not fit the model."""
    licence = None if isLicenceAccepted(model) else licence_note(model)
    logSentences(filter(None, (licence, *check_input(image, model, region, find))))


def logSentences(sentences: Iterable[str]) -> None:
    """Log what a user has to know, a line each."""
    for sentence in sentences:
        logging.warning("MedNCA: %s", sentence)
