"""Hands and eyes for tests that use the panel as a person does."""

import numpy as np
import pytest

from support.brightness_model import MODULE, boxes_image, brightness_model, truth_of
from support.scene_assertions import add_volume


@pytest.fixture
def panel(host, tmp_path, monkeypatch):
    """The panel, opened, with the model `brightness` chosen."""
    make_models(tmp_path, monkeypatch)
    return open_panel(host)


@pytest.fixture
def volume_node(panel):
    """A volume, chosen in the panel and shown in the slice views."""
    import slicer

    node = add_volume()
    panel.ui.inputSelector.setCurrentNode(node)
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node


def make_models(folder, monkeypatch):
    """A models directory with two models that need no training; the runs of `slow` take 80 steps."""
    monkeypatch.setenv("MEDNCA_MODELS", str(folder))
    brightness_model(folder, name="brightness")
    brightness_model(folder, name="slow", steps=40)


def open_panel(host):
    """Load and open the module; the widget, with the model `brightness` chosen."""
    host.loadModule(MODULE)
    widget = host.openModule("MedNCA")
    choose_model(widget, "brightness")
    return widget


def choose_model(widget, name):
    index = widget.ui.modelComboBox.findData(name)
    assert index >= 0
    widget.ui.modelComboBox.setCurrentIndex(index)


def tick(host, check_box):
    """Click a check box where it is, at its left end."""
    from PySide6 import QtCore, QtTest

    assert check_box.enabled
    assert check_box.visible
    before = check_box.checked
    position = QtCore.QPoint(8, check_box.height // 2)
    QtTest.QTest.mouseClick(check_box, QtCore.Qt.LeftButton, QtCore.Qt.NoModifier, position)
    host.processEvents()
    assert check_box.checked is not before


def segmentation_nodes():
    import slicer

    return slicer.util.getNodesByClass("vtkMRMLSegmentationNode")


def node_ids():
    import slicer

    return {slicer.mrmlScene.GetNthNode(i).GetID() for i in range(slicer.mrmlScene.GetNumberOfNodes())}


def run_until_step(host, widget, number):
    """Let the event loop run until the running model has done this many steps."""
    done = [0]
    show = widget._runSection._onStep

    def count(step, seconds_left):
        done[0] = (step.stage - 1) * step.steps + step.step
        show(step, seconds_left)

    widget._runSection._run._onStep = count
    host.waitUntil(lambda: done[0] >= number or not widget.isRunning)
    assert widget.isRunning


def cancel_at_step(host, widget, number):
    """Click Segment, let the run get to this step, and click Cancel."""
    host.click(widget.ui.segmentButton)
    run_until_step(host, widget, number)
    host.click(widget.ui.segmentButton)


def segment(host, widget):
    host.click(widget.ui.segmentButton)
    host.waitUntil(lambda: not widget.isRunning)


def assert_idle(widget):
    assert not widget.isRunning
    assert widget.ui.segmentButton.text == "&Segment"
    assert not widget.ui.progressBar.visible
    assert widget.ui.inputsCollapsibleButton.enabled
    assert widget.ui.outputsCollapsibleButton.enabled
    assert widget.ui.growthCollapsibleButton.enabled
    assert widget.ui.advancedCollapsibleButton.enabled


def assert_found(segmentation_node, volume_node):
    import slicer

    for value, segment_id in enumerate(segmentation_node.GetSegmentation().GetSegmentIDs(), 1):
        found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation_node, segment_id, volume_node)
        np.testing.assert_array_equal(found > 0, truth_of(boxes_image()) == value)
