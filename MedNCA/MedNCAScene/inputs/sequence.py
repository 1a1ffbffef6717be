"""The sequence that a volume is played from."""

from __future__ import annotations

import slicer


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
