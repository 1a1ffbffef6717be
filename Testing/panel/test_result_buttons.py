"""The way to the Segment Editor."""

from pathlib import Path

import host as hostPackage
import pytest
from support.panel_driver import chooseModel, runUntilStep, segment, segmentationNodes
from support.scene_assertions import addVolume

SEGMENT_EDITOR = Path(hostPackage.__file__).parent / "scripted" / "SegmentEditor.py"


@pytest.fixture
def editor(host, panel):
    host.loadModule(SEGMENT_EDITOR)
    return panel.ui.editButton


def choices():
    import slicer

    node = slicer.mrmlScene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode")
    return node.GetSegmentationNode(), node.GetSourceVolumeNode()


def shownModule():
    import slicer

    return slicer.util.mainWindow().moduleSelector().selectedModule


def test_buttonOpensTheEditorWithTheSegmentationAndTheVolume(host, panel, editor, volumeNode):
    import slicer

    addVolume()
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "of someone else")
    segment(host, panel)
    output = panel.ui.outputSelector.currentNode()
    host.click(editor)
    assert shownModule() == "SegmentEditor"
    assert choices() == (output, volumeNode)


def test_editorThatWasOpenBeforeGetsTheNewResult(host, panel, editor, volumeNode):
    import slicer

    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "of someone else")
    host.openModule("SegmentEditor")
    assert choices() == (other, None)
    host.openModule("MedNCA")
    segment(host, panel)
    host.click(editor)
    assert choices() == (panel.ui.outputSelector.currentNode(), volumeNode)


def test_buttonWaitsForASegmentationAndForTheEndOfARun(host, panel, editor, volumeNode):
    assert not editor.enabled
    segment(host, panel)
    assert editor.enabled
    chooseModel(panel, "slow")
    host.click(panel.ui.segmentButton)
    runUntilStep(host, panel, 5)
    assert not editor.enabled
    host.click(panel.ui.segmentButton)
    assert editor.enabled
    panel.ui.outputSelector.setCurrentNode(None)
    assert not editor.enabled
    panel.ui.outputSelector.setCurrentNode(segmentationNodes()[0])
    assert editor.enabled
