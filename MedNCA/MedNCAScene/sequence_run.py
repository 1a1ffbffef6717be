"""A volume that is played from a sequence: segment all of its frames."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import SimpleITK as sitk
import slicer
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.segmentation.options import Find

from .application.settings import modelsFolder
from .inputs.region import Box, regionInVolume
from .inputs.sequence import Frames, browserOf, frameCount, framesOf
from .inputs.volumes import checkVolume, isMultiVolume
from .results.beat_table import followSegmentation, showFrame, writeBeat
from .results.kept_results import keepResult
from .results.measurement_table import writeMeasurements
from .results.played_frames import playFrames
from .results.quality_table import writeQuality
from .results.roll_back import allOrNothing
from .results.segments import checkTarget, writeSegments
from .segmentation_run import SceneResult, logNotes, logSentences


def processFrames(
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    segmentationNode: slicer.vtkMRMLSegmentationNode | None = None,
    model: str = "",
    region: slicer.vtkMRMLMarkupsROINode | None = None,
    table: bool = False,
    largestOnly: bool = False,
    allCells: bool = False,
    find: Find = "auto",
    **options: Any,
) -> Generator[mednca.Step, None, SceneResult]:
    """Segment each frame of the sequence that a volume is played from, or of a multi-volume, step by step.

    The result is a sequence of segmentations that the same browser plays, so that image and segments stay together. The
    frames of a multi-volume, which no browser plays, become a sequence first; the multi-volume stays as it is.

    Args:
        volumeNode, segmentationNode, model, region, table, largestOnly, allCells, find: see `MedNCALogic.processSteps`.
        options: those of `MedNCALib.RunOptions`: runs, seed, engine, threads, protocol.

    Yields:
        The steps of the run, with the share of all frames that is done.

    Returns:
        The nodes that it has written; quality, protocol, measurements and tables are those of the frame that is
            shown, the beat's table that of all frames.

    Raises:
        MedNCAError: a frame or an option cannot be used, and the message names the frame; the scene is as it was, as
            after any other error.
    """
    checkTarget(segmentationNode)
    checkVolume(volumeNode, holdsFrames=isMultiVolume(volumeNode))
    frames = framesOf(volumeNode)
    if frames is None:
        raise mednca.ImageError(_("{name} is not played from a sequence.").format(name=volumeNode.GetName()))
    box = regionInVolume(region, volumeNode)
    loaded = mednca.load_model(model, modelsFolder())
    results = yield from mednca.segment_sequence_steps(
        _images(frames, loaded, box, find),
        frames.count,
        loaded,
        region=box,
        largest_only=largestOnly,
        all_cells=allCells,
        find=find,
        **options,
    )
    if frameCount(volumeNode) != frames.count:
        raise mednca.ImageError(_("The sequence was changed during the run: run again."))
    for number, result in enumerate(results, 1):
        logSentences(_("Frame {number}: {note}").format(number=number, note=note) for note in result.notes)
    chamber = mednca.chamber_volumes(results, loaded, frames.times)
    with allOrNothing(loaded, volumeNode, segmentationNode):
        if isMultiVolume(volumeNode):
            volumeNode = playFrames(volumeNode, frames)
        browser = browserOf(volumeNode)
        assert browser is not None
        shown = results[browser.GetSelectedItemNumber()]
        measurements = mednca.measure(shown)
        tableNode = writeQuality(shown.quality, loaded, volumeNode, shown.protocol) if table else None
        measurementNode = writeMeasurements(measurements, loaded, volumeNode, shown.brain_ml) if table else None
        beatNode = writeBeat(chamber, loaded, volumeNode) if chamber else None
        segmentationNode = _writeFrames(results, loaded, volumeNode, segmentationNode, browser, box)
    if beatNode:
        followSegmentation(beatNode, segmentationNode)
        showFrame(beatNode, browser.GetSelectedItemNumber())
    return SceneResult(
        segmentationNode,
        shown.quality,
        shown.protocol,
        shown.found,
        shown.brain_ml,
        shown.notes,
        measurements,
        tableNode=tableNode,
        measurementNode=measurementNode,
        beatNode=beatNode,
        volumeNode=volumeNode,
    )


def _images(frames: Frames, model: mednca.Model, box: Box | None, find: Find) -> Generator[sitk.Image, None, None]:
    """The volumes of all frames; notes on the first are logged."""
    for index in range(frames.count):
        image = frames.image(index)
        if index == 0:
            logNotes(image, model, box, find)
        yield image


def _writeFrames(
    results: list[mednca.Result],
    model: mednca.Model,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    segmentationNode: slicer.vtkMRMLSegmentationNode | None,
    browser: slicer.vtkMRMLSequenceBrowserNode,
    box: Box | None,
) -> slicer.vtkMRMLSegmentationNode:
    """Write a segmentation for each frame, and have the browser play them in place of those of an earlier run."""
    previous = browser.GetSequenceNode(segmentationNode) if segmentationNode else None
    if previous is not None:
        browser.SetSaveChanges(previous, False)  # what is written to the node is for the new sequence
    try:
        node = writeSegments(results[0].labels, model, volumeNode, segmentationNode, results[0].label_table)
        sequence = _sequenceLike(browser.GetSequenceNode(volumeNode), _("{name} frames").format(name=node.GetName()))
        for index, result in enumerate(results):
            writeSegments(result.labels, model, volumeNode, node, result.label_table)
            keepResult(node, volumeNode, model, result, box)
            sequence.SetDataNodeAtValue(node, browser.GetSequenceNode(volumeNode).GetNthIndexValue(index))
    except BaseException:
        if previous is not None:
            browser.SetSaveChanges(previous, True)
        raise
    with slicer.util.NodeModify(browser):
        if previous is not None:
            browser.RemoveSynchronizedSequenceNode(previous.GetID())
            slicer.mrmlScene.RemoveNode(previous)
        browser.AddSynchronizedSequenceNode(sequence)
        browser.AddProxyNode(node, sequence, False)
        browser.SetSaveChanges(sequence, True)  # corrections of a frame stay with it
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    return node


def _sequenceLike(images: slicer.vtkMRMLSequenceNode, name: str) -> slicer.vtkMRMLSequenceNode:
    """Add an empty sequence with the index of another."""
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    sequence.SetIndexName(images.GetIndexName())
    sequence.SetIndexUnit(images.GetIndexUnit())
    sequence.SetIndexType(images.GetIndexType())
    return sequence
