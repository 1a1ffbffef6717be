"""The way to the Segment Editor."""

from pathlib import Path

import host as hostPackage
import pytest
from support.panel_driver import choose_model, run_until_step, segment, segmentation_nodes
from support.scene_assertions import add_volume

SEGMENT_EDITOR = Path(hostPackage.__file__).parent / "scripted" / "SegmentEditor.py"


@pytest.fixture
def editor(host, panel):
    host.loadModule(SEGMENT_EDITOR)
    return panel.ui.editButton


def choices():
    import slicer

    node = slicer.mrmlScene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode")
    return node.GetSegmentationNode(), node.GetSourceVolumeNode()


def shown_module():
    import slicer

    return slicer.util.mainWindow().moduleSelector().selectedModule


def test_button_opens_the_editor_with_the_segmentation_and_the_volume(host, panel, editor, volume_node):
    import slicer

    add_volume()
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "of someone else")
    segment(host, panel)
    output = panel.ui.outputSelector.currentNode()
    host.click(editor)
    assert shown_module() == "SegmentEditor"
    assert choices() == (output, volume_node)


def test_editor_that_was_open_before_gets_the_new_result(host, panel, editor, volume_node):
    import slicer

    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "of someone else")
    host.openModule("SegmentEditor")
    assert choices() == (other, None)
    host.openModule("MedNCA")
    segment(host, panel)
    host.click(editor)
    assert choices() == (panel.ui.outputSelector.currentNode(), volume_node)


def test_button_waits_for_a_segmentation_and_for_the_end_of_a_run(host, panel, editor, volume_node):
    assert not editor.enabled
    segment(host, panel)
    assert editor.enabled
    choose_model(panel, "slow")
    host.click(panel.ui.segmentButton)
    run_until_step(host, panel, 5)
    assert not editor.enabled
    host.click(panel.ui.segmentButton)
    assert editor.enabled
    panel.ui.outputSelector.setCurrentNode(None)
    assert not editor.enabled
    panel.ui.outputSelector.setCurrentNode(segmentation_nodes()[0])
    assert editor.enabled
