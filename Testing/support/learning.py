"""What the tests of learning share: cases that somebody has drawn, and the way through the section Learn."""

import time

import numpy as np

from support.brightness_model import BRIGHT, MIDDLE, boxes_image
from support.scene_assertions import add_volume


def add_case(name, image=None):
    """A volume, and a segmentation of it that somebody has drawn; both nodes."""
    import slicer

    volume = add_volume(boxes_image() if image is None else image, name)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"{name} drawn")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    voxels = slicer.util.arrayFromVolume(volume)
    for segment_name, value in (("bright box", BRIGHT), ("middle box", MIDDLE)):
        segment_id = node.GetSegmentation().AddEmptySegment("", segment_name)
        drawn = (voxels == value).astype(np.uint8)
        slicer.util.updateSegmentBinaryLabelmapFromArray(drawn, node, segment_id, volume)
    return volume, node


def open_learn(host, panel):
    """Open the section; the panel."""
    panel.ui.learnCollapsibleButton.collapsed = False
    host.processEvents()
    return panel


def is_on(panel):
    return panel._panel._learn.isOn


def start_learning(host, panel, minutes=1, name="boxes"):
    panel.ui.learnNameLineEdit.setText(name)
    panel.ui.learnMinutesSpinBox.setValue(minutes)
    host.processEvents()
    host.click(panel.ui.learnStartButton)


def until(host, panel, predicate):
    """Let the event loop run until this is true or the training is over; the processor is left to the training."""
    end = time.monotonic() + 300
    while is_on(panel) and not predicate():
        assert time.monotonic() < end, panel.ui.learnStatusLabel.text
        host.processEvents()
        time.sleep(0.02)


def until_learned(host, panel):
    """Let the training come to its end; what the panel says then."""
    until(host, panel, lambda: False)
    host.processEvents()
    return panel.ui.learnStatusLabel.text


def until_second(host, panel, second):
    """Let the training come to this second of its working time."""
    until(host, panel, lambda: panel._panel._learn._training._history.seconds >= second)
    assert is_on(panel), panel.ui.learnStatusLabel.text
