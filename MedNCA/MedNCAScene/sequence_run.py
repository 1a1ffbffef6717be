"""A volume that is played from a sequence: segment all of its frames."""

from dataclasses import replace

import slicer
from slicer.i18n import tr as _

import MedNCALib as mednca

from .application.settings import modelsFolder
from .inputs.region import regionInVolume
from .inputs.volumes import checkVolume, imageFromVolume
from .results.quality_table import writeQuality
from .results.segments import checkTarget, writeSegments
from .results.subject_hierarchy import placeBeside
from .segmentation_run import SceneResult


def browserOf(volumeNode):
    """The browser node that plays a sequence in this volume, or None."""
    if volumeNode is None or volumeNode.GetScene() is None:
        return None
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(volumeNode)
    return browser if browser is not None and browser.GetNumberOfItems() > 1 else None


def frameCount(volumeNode) -> int:
    """Number of frames that are played in this volume; 1 where none are."""
    browser = browserOf(volumeNode)
    return browser.GetNumberOfItems() if browser else 1


def processFrames(volumeNode, segmentationNode=None, model="", region=None, table=False, **options):
    """Segment each frame of the sequence that a volume is played from: a generator like `process.processSteps`.

    The result is a sequence of segmentations that the same browser plays, so that image and segments stay together.

    :param options: those of `MedNCALib.segment_steps`: runs, seed, engine, threads, largest_only.
    :raises MedNCAError: a frame or an option cannot be used; the message names the frame, and the scene is as it was.
    """
    checkTarget(segmentationNode)
    checkVolume(volumeNode)
    browser = browserOf(volumeNode)
    if browser is None:
        raise mednca.ImageError(_("{name} is not played from a sequence.").format(name=volumeNode.GetName()))
    images = browser.GetSequenceNode(volumeNode)
    box = regionInVolume(region, volumeNode) if region else None
    loaded = mednca.load_model(model, modelsFolder())
    count, results = images.GetNumberOfDataNodes(), []
    for index in range(count):
        try:
            image = imageFromVolume(images.GetNthDataNode(index))
            steps = mednca.segment_steps(image, loaded, region=box, **options)
            results.append((yield from _partOfAll(steps, index, count)))
        except mednca.MedNCAError as error:
            text = _("Frame {number} of {count}: {error}").format(number=index + 1, count=count, error=error)
            raise type(error)(text) from error
    if volumeNode.GetScene() is None or browser.GetScene() is None or images.GetNumberOfDataNodes() != count:
        raise mednca.ImageError(_("The sequence was changed during the run: run again."))
    segmentationNode = _write(results, loaded, volumeNode, segmentationNode, browser, images)
    shown = results[browser.GetSelectedItemNumber()].quality
    return SceneResult(segmentationNode, shown, tableNode=writeQuality(shown, loaded, volumeNode) if table else None)


def _partOfAll(steps, index: int, count: int):
    """Pass steps on with their share of all frames."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            return end.value
        yield replace(step, fraction=(index + step.fraction) / count)


def _write(results, model, volumeNode, segmentationNode, browser, images):
    previous = browser.GetSequenceNode(segmentationNode) if segmentationNode else None
    if previous is not None:
        browser.RemoveSynchronizedSequenceNode(previous.GetID())
        slicer.mrmlScene.RemoveNode(previous)
    scene = slicer.mrmlScene
    node = writeSegments(results[0].labels, model, volumeNode, segmentationNode)
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", _("{name} frames").format(name=node.GetName()))
    sequence.SetIndexName(images.GetIndexName())
    sequence.SetIndexUnit(images.GetIndexUnit())
    sequence.SetIndexType(images.GetIndexType())
    for index, result in enumerate(results):
        writeSegments(result.labels, model, volumeNode, node)
        sequence.SetDataNodeAtValue(node, images.GetNthIndexValue(index))
    with slicer.util.NodeModify(browser):
        browser.AddSynchronizedSequenceNode(sequence)
        browser.AddProxyNode(node, sequence, False)
        browser.SetSaveChanges(sequence, True)  # corrections of a frame stay with it
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    placeBeside(node, volumeNode)
    return node
