"""The frames of a multi-volume as a sequence that a browser plays, as the MultiVolume importer makes it by default."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from ..derived_nodes import placeBeside, removeNodes
from ..inputs.sequence import Frames
from ..inputs.volumes import volumeFromImage


def playFrames(multiVolumeNode: slicer.vtkMRMLScalarVolumeNode, frames: Frames) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a sequence with the frames of a multi-volume, a browser, and the volume that it plays them in.

    Returns:
        That volume, at the place of the multi-volume; the slice views show it.
    """
    name = _("{volume} frames").format(volume=multiVolumeNode.GetName())
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    times = frames.times.milliseconds
    sequence.SetIndexName("time" if times else "frame")
    sequence.SetIndexUnit("ms" if times else "")
    for index in range(frames.count):
        frame = volumeFromImage(frames.image(index), name)
        frame.CreateDefaultDisplayNodes()
        sequence.SetDataNodeAtValue(frame, f"{times[index]:g}" if times else str(index))
        removeNodes([frame])
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", _("{name} browser").format(name=name))
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    volumeNode = browser.GetProxyNode(sequence)
    volumeNode.SetAndObserveTransformNodeID(multiVolumeNode.GetTransformNodeID())
    placeBeside(volumeNode, multiVolumeNode)
    slicer.util.setSliceViewerLayers(background=volumeNode)
    return volumeNode
