"""A volume that is played from a sequence: all frames are offered, segmented, and play along with their segments."""

import numpy as np
import pytest
import SimpleITK as sitk
from support.brightness_model import BRIGHT, MIDDLE, boxesImage
from support.panel_driver import cancelAtStep, nodeIds, segment, tick
from support.scene_assertions import addVolume, scene_content

from MedNCALib import MedNCAError


@pytest.fixture
def volumeNode(panel):
    """Plays three frames in which the boxes move."""
    import slicer

    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "cine")
    for number in range(3):
        frame = addVolume(movedBoxes(number), "frame")
        sequence.SetDataNodeAtValue(frame, str(10 * number))
        slicer.mrmlScene.RemoveNode(frame.GetDisplayNode())
        slicer.mrmlScene.RemoveNode(frame)
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    node = browser.GetProxyNode(sequence)
    panel.ui.inputSelector.setCurrentNode(node)
    return node


def movedBoxes(number):
    image = boxesImage()
    moved = sitk.GetImageFromArray(np.roll(sitk.GetArrayFromImage(image), number, axis=1))
    moved.CopyInformation(image)
    return moved


def browserOf(node):
    from MedNCAScene.inputs.sequence import browserOf

    return browserOf(node)


def assertFollows(segmentationNode, volumeNode):
    """In each frame the segments are where the boxes are."""
    import slicer

    browser = browserOf(volumeNode)
    for number in (0, 2, 1):
        browser.SetSelectedItemNumber(number)
        voxels = slicer.util.arrayFromVolume(volumeNode)
        for value, segmentId in zip((BRIGHT, MIDDLE), segmentationNode.GetSegmentation().GetSegmentIDs()):
            found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentationNode, segmentId, volumeNode)
            np.testing.assert_array_equal(found > 0, voxels == value)


def test_allFramesAreOfferedOnlyForASequence(host, panel, volumeNode):
    assert panel.ui.allFramesCheckBox.visible
    panel.ui.inputSelector.setCurrentNode(addVolume())
    assert not panel.ui.allFramesCheckBox.visible


def test_segmentsOfAllFramesPlayAlong(host, panel, volumeNode):
    import slicer

    tick(host, panel.ui.allFramesCheckBox)
    segment(host, panel)
    assert panel.ui.statusLabel.text.startswith("Done")
    (segmentationNode,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    assert panel.ui.outputSelector.currentNode() is segmentationNode
    assertFollows(segmentationNode, volumeNode)
    sequence = browserOf(volumeNode).GetSequenceNode(segmentationNode)
    assert [sequence.GetNthIndexValue(index) for index in range(3)] == ["0", "10", "20"]


def test_nextRunReplacesTheFrames(host, panel, volumeNode):
    import slicer

    tick(host, panel.ui.allFramesCheckBox)
    segment(host, panel)
    before = slicer.mrmlScene.GetNumberOfNodes()
    segment(host, panel)
    assert slicer.mrmlScene.GetNumberOfNodes() == before
    assertFollows(panel.ui.outputSelector.currentNode(), volumeNode)


def test_withoutTheTickOnlyTheShownFrameIsSegmented(host, panel, volumeNode):
    segment(host, panel)
    assert browserOf(volumeNode).GetSequenceNode(panel.ui.outputSelector.currentNode()) is None


def test_progressIsThatOfAllFrames(panel, volumeNode):
    fractions = [step.fraction for step in panel.logic.processSteps(volumeNode, model="brightness", allFrames=True)]
    assert fractions == sorted(fractions)
    assert fractions[3] == pytest.approx(1 / 3)
    assert fractions[-1] == pytest.approx(1)


def test_cancelLeavesTheSequenceAsItWas(host, panel, volumeNode):
    from support.panel_driver import chooseModel

    tick(host, panel.ui.allFramesCheckBox)
    chooseModel(panel, "slow")
    before = nodeIds()
    cancelAtStep(host, panel, 30)
    assert nodeIds() == before


def test_frameThatCannotBeUsedIsNamed(panel, volumeNode):
    import slicer

    sequence = browserOf(volumeNode).GetSequenceNode(volumeNode)
    slicer.util.arrayFromVolume(sequence.GetNthDataNode(1))[:] = MIDDLE
    before = nodeIds()
    with pytest.raises(MedNCAError, match=r"Frame 2 of 3: .*no contrast"):
        panel.logic.process(volumeNode, model="brightness", allFrames=True)
    assert nodeIds() == before


def test_volumeWithoutASequenceIsRefused(panel):
    with pytest.raises(MedNCAError, match="head is not played from a sequence"):
        panel.logic.process(addVolume(), model="brightness", allFrames=True)


@pytest.mark.parametrize("earlier", [False, True], ids=["first run", "later run"])
@pytest.mark.parametrize(("write", "calls"), [("writeQuality", 1), ("writeSegments", 1), ("writeSegments", 3)])
def test_a_run_whose_results_cannot_all_be_written_leaves_the_scene_as_it_was(
    host, panel, volumeNode, monkeypatch, write, calls, earlier
):
    from MedNCAScene import sequence_run

    tick(host, panel.ui.allFramesCheckBox)
    if earlier:
        segment(host, panel)
        browserOf(volumeNode).SetSelectedItemNumber(1)
    before, original, left = scene_content(), getattr(sequence_run, write), [calls]

    def failing(*arguments):
        result = original(*arguments)
        left[0] -= 1
        if left[0] == 0:
            raise MemoryError("for the test")
        return result

    monkeypatch.setattr(sequence_run, write, failing)
    segment(host, panel)
    assert left == [0]
    assert "for the test" in panel.ui.statusLabel.text
    assert scene_content() == before
    assert host.errors == []
    segment(host, panel)
    assertFollows(panel.ui.outputSelector.currentNode(), volumeNode)
