"""The sequence that a volume is played from."""

from __future__ import annotations

import math

import slicer

from MedNCALib.io.frame_times import UNIT_MS, FrameTimes


def browserOf(volumeNode: slicer.vtkMRMLScalarVolumeNode | None) -> slicer.vtkMRMLSequenceBrowserNode | None:
    """The browser node that plays a sequence in this volume, or None."""
    if volumeNode is None or volumeNode.GetScene() is None:
        return None
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(volumeNode)
    return browser if browser is not None and browser.GetNumberOfItems() > 1 else None


def frameCount(volumeNode: slicer.vtkMRMLScalarVolumeNode | None) -> int:
    """Number of frames that are played in this volume; 1 if it is not played from a sequence."""
    browser = browserOf(volumeNode)
    return browser.GetNumberOfItems() if browser else 1


def frameTimes(sequence: slicer.vtkMRMLSequenceNode) -> FrameTimes:
    """When the volumes of a sequence are: its index, if that is a time; else they are only numbered."""
    unit = UNIT_MS.get((sequence.GetIndexUnit() or "").lower())
    try:
        values = [float(sequence.GetNthIndexValue(index)) for index in range(sequence.GetNumberOfDataNodes())]
    except ValueError:
        values = []
    if unit is None or len(values) < 2 or not all(map(math.isfinite, values)) or len(set(values)) < len(values):
        return FrameTimes(None, "sequence")
    return FrameTimes(tuple(value * unit for value in values), "sequence")
