"""The frames of a volume that is played from a sequence, or that holds several volumes in one node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import SimpleITK as sitk
import slicer

from MedNCALib.io.frame_times import TRIGGER_TIME, FrameTimes, labelled_times

from .volumes import imageFromVolume, isMultiVolume

# Attributes that the MultiVolume importer gives to a vtkMRMLMultiVolumeNode, and to the sequence that it makes of one,
# whose index is then the number of the frame (MultiVolumeImporterPlugin.py).
_TIMES = "MultiVolume.FrameLabels"
_TAG, _UNIT = "MultiVolume.FrameIdentifyingDICOMTagName", "MultiVolume.FrameIdentifyingDICOMTagUnits"


@dataclass(frozen=True)
class Frames:
    """The frames of a volume node.

    Attributes:
        count: how many there are.
        times: when they are.
        image: gives the image of a frame, from 0.
    """

    count: int
    times: FrameTimes
    image: Callable[[int], sitk.Image]


def framesOf(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> Frames | None:
    """The frames of the sequence that a volume is played from, or of a multi-volume; None if it is one volume."""
    if isMultiVolume(volumeNode):
        count = frameCount(volumeNode)
        return Frames(count, _labelledTimes(volumeNode, count), lambda index: imageFromVolume(volumeNode, index))
    browser = browserOf(volumeNode)
    if browser is None:
        return None
    images = browser.GetSequenceNode(volumeNode)
    count = images.GetNumberOfDataNodes()
    return Frames(count, frameTimes(images), lambda index: imageFromVolume(images.GetNthDataNode(index)))


def browserOf(volumeNode: slicer.vtkMRMLScalarVolumeNode | None) -> slicer.vtkMRMLSequenceBrowserNode | None:
    """The browser node that plays a sequence in this volume, or None."""
    if volumeNode is None or volumeNode.GetScene() is None:
        return None
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(volumeNode)
    return browser if browser is not None and browser.GetNumberOfItems() > 1 else None


def frameCount(volumeNode: slicer.vtkMRMLScalarVolumeNode | None) -> int:
    """Number of frames of this volume; 1 if it is neither played from a sequence nor a multi-volume."""
    if volumeNode is not None and isMultiVolume(volumeNode):
        return volumeNode.GetImageData().GetNumberOfScalarComponents()
    browser = browserOf(volumeNode)
    return browser.GetNumberOfItems() if browser else 1


def frameTimes(sequence: slicer.vtkMRMLSequenceNode) -> FrameTimes:
    """When the volumes of a sequence are: its index, if that is a time, or what the DICOM importer has noted.

    Frames without times are only numbered.
    """
    count = sequence.GetNumberOfDataNodes()
    values = [sequence.GetNthIndexValue(index) for index in range(count)]
    times = labelled_times(values, sequence.GetIndexUnit() or "", "sequence")
    return times if times.milliseconds else _labelledTimes(sequence, count)


def _labelledTimes(node: slicer.vtkMRMLNode, count: int) -> FrameTimes:
    """The trigger times that the MultiVolume importer has noted."""
    values = (node.GetAttribute(_TIMES) or "").split(",")
    isTrigger = node.GetAttribute(_TAG) == TRIGGER_TIME and len(values) == count
    return labelled_times(values, (node.GetAttribute(_UNIT) or "") if isTrigger else "", "sequence")
