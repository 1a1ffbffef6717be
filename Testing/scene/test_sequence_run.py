"""A volume that is played from a sequence: all frames are offered, segmented, and play along with their segments."""

import numpy as np
import pytest
import SimpleITK as sitk
from support.brightness_model import BRIGHT, MIDDLE, boxes_image
from support.panel_driver import cancel_at_step, node_ids, segment, tick
from support.scene_assertions import add_volume, scene_content

from MedNCALib import MedNCAError


@pytest.fixture
def volume_node(panel):
    """Plays three frames in which the boxes move."""
    import slicer

    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "cine")
    for number in range(3):
        frame = add_volume(moved_boxes(number), "frame")
        sequence.SetDataNodeAtValue(frame, str(10 * number))
        slicer.mrmlScene.RemoveNode(frame.GetDisplayNode())
        slicer.mrmlScene.RemoveNode(frame)
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    node = browser.GetProxyNode(sequence)
    panel.ui.inputSelector.setCurrentNode(node)
    return node


def moved_boxes(number):
    image = boxes_image()
    moved = sitk.GetImageFromArray(np.roll(sitk.GetArrayFromImage(image), number, axis=1))
    moved.CopyInformation(image)
    return moved


def browser_of(node):
    from MedNCAScene.inputs.sequence import browserOf

    return browserOf(node)


def assert_follows(segmentation_node, volume_node):
    """In each frame the segments are where the boxes are."""
    import slicer

    browser = browser_of(volume_node)
    for number in (0, 2, 1):
        browser.SetSelectedItemNumber(number)
        voxels = slicer.util.arrayFromVolume(volume_node)
        for value, segment_id in zip((BRIGHT, MIDDLE), segmentation_node.GetSegmentation().GetSegmentIDs()):
            found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation_node, segment_id, volume_node)
            np.testing.assert_array_equal(found > 0, voxels == value)


def test_all_frames_are_offered_only_for_a_sequence(host, panel, volume_node):
    assert panel.ui.allFramesCheckBox.visible
    panel.ui.inputSelector.setCurrentNode(add_volume())
    assert not panel.ui.allFramesCheckBox.visible


def test_segments_of_all_frames_play_along(host, panel, volume_node):
    import slicer

    tick(host, panel.ui.allFramesCheckBox)
    segment(host, panel)
    assert panel.ui.statusLabel.text.startswith("Done")
    (segmentation_node,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    assert panel.ui.outputSelector.currentNode() is segmentation_node
    assert_follows(segmentation_node, volume_node)
    sequence = browser_of(volume_node).GetSequenceNode(segmentation_node)
    assert [sequence.GetNthIndexValue(index) for index in range(3)] == ["0", "10", "20"]


def test_next_run_replaces_the_frames(host, panel, volume_node):
    import slicer

    tick(host, panel.ui.allFramesCheckBox)
    segment(host, panel)
    before = slicer.mrmlScene.GetNumberOfNodes()
    segment(host, panel)
    assert slicer.mrmlScene.GetNumberOfNodes() == before
    assert_follows(panel.ui.outputSelector.currentNode(), volume_node)


def test_without_the_tick_only_the_shown_frame_is_segmented(host, panel, volume_node):
    segment(host, panel)
    assert browser_of(volume_node).GetSequenceNode(panel.ui.outputSelector.currentNode()) is None


def test_progress_is_that_of_all_frames(panel, volume_node):
    steps = panel.logic.processSteps(volume_node, model="brightness", allFrames=True, threads=1)
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[3] == pytest.approx(1 / 3)
    assert fractions[-1] == pytest.approx(1)


def test_cancel_leaves_the_sequence_as_it_was(host, panel, volume_node):
    from support.panel_driver import choose_model

    tick(host, panel.ui.allFramesCheckBox)
    choose_model(panel, "slow")
    before = node_ids()
    cancel_at_step(host, panel, 30)
    assert node_ids() == before


def test_frame_that_cannot_be_used_is_named(panel, volume_node):
    import slicer

    sequence = browser_of(volume_node).GetSequenceNode(volume_node)
    slicer.util.arrayFromVolume(sequence.GetNthDataNode(1))[:] = MIDDLE
    before = node_ids()
    with pytest.raises(MedNCAError, match=r"Frame 2 of 3: .*no contrast"):
        panel.logic.process(volume_node, model="brightness", allFrames=True)
    assert node_ids() == before


def test_volume_without_a_sequence_is_refused(panel):
    with pytest.raises(MedNCAError, match="head is not played from a sequence"):
        panel.logic.process(add_volume(), model="brightness", allFrames=True)


@pytest.mark.parametrize("earlier", [False, True], ids=["first run", "later run"])
@pytest.mark.parametrize(("write", "calls"), [("writeQuality", 1), ("writeSegments", 1), ("writeSegments", 3)])
def test_a_run_whose_results_cannot_all_be_written_leaves_the_scene_as_it_was(
    host, panel, volume_node, monkeypatch, write, calls, earlier
):
    from MedNCAScene import sequence_run

    tick(host, panel.ui.allFramesCheckBox)
    if earlier:
        segment(host, panel)
        browser_of(volume_node).SetSelectedItemNumber(1)
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
    assert_follows(panel.ui.outputSelector.currentNode(), volume_node)
