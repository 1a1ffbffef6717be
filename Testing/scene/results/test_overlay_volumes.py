"""Probability and uncertainty as volumes: ticked in the panel, on the anatomy, filled anew by the next run."""

import numpy as np
import pytest
from support.brightness_model import boxes_image, rotation, truth_of
from support.panel_driver import cancel_at_step, choose_model, node_ids, segment, tick
from support.scene_assertions import add_transform, add_volume


def volume_names():
    import slicer

    return sorted(node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"))


def test_no_volumes_are_added_unless_asked_for(host, panel, volume_node):
    segment(host, panel)
    assert volume_names() == ["head"]


def test_ticked_probability_gives_a_volume_per_label(host, panel, volume_node):
    import slicer

    tick(host, panel.ui.probabilityCheckBox)
    segment(host, panel)
    assert volume_names() == ["head", "head anterior hippocampus probability", "head posterior hippocampus probability"]
    truth = truth_of(boxes_image())
    for value, name in enumerate(volume_names()[1:], 1):
        voxels = slicer.util.arrayFromVolume(slicer.util.getNode(name))
        assert voxels.dtype == np.float32
        np.testing.assert_array_equal(voxels > 0.5, truth == value)


def test_uncertainty_needs_two_runs_and_says_so(host, panel, volume_node):
    assert not panel.ui.uncertaintyCheckBox.enabled
    assert "set Runs to 2 or more" in panel.ui.uncertaintyCheckBox.toolTip
    panel.ui.runsSpinBox.setValue(2)
    assert panel.ui.uncertaintyCheckBox.enabled
    assert "low confidence" in panel.ui.uncertaintyCheckBox.toolTip
    tick(host, panel.ui.uncertaintyCheckBox)
    segment(host, panel)
    assert "head uncertainty" in volume_names()


def test_tick_left_from_more_runs_does_not_fail_a_single_run(host, panel, volume_node):
    panel.ui.runsSpinBox.setValue(2)
    tick(host, panel.ui.uncertaintyCheckBox)
    panel.ui.runsSpinBox.setValue(1)
    segment(host, panel)
    assert panel.ui.statusLabel.text.startswith("Done in")
    assert volume_names() == ["head"]


def test_uncertainty_overlays_in_warm_colours_and_only_where_there_is_some(host, panel, volume_node):
    node = uncertainty_node(panel, volume_node)
    display = node.GetDisplayNode()
    assert display.GetColorNode().GetName() == "Warm1"
    assert display.GetApplyThreshold()
    assert display.GetLowerThreshold() == pytest.approx(0.05)
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx((0.05, 0.5))


def uncertainty_node(panel, volume_node):
    panel.logic.process(volume_node, model="brightness", runs=2, uncertainty=True)
    return panel.logic.outcome.uncertaintyNode


def test_volumes_lie_on_the_input_under_its_transform_and_beside_it(host, panel, volume_node):
    import slicer

    folder = hierarchy().CreateFolderItem(hierarchy().GetSceneItemID(), "patient")
    hierarchy().SetItemParent(hierarchy().GetItemByDataNode(volume_node), folder)
    volume_node.SetAndObserveTransformNodeID(add_transform(rotation(), (50, 0, 0)).GetID())
    panel.logic.process(volume_node, model="brightness", runs=2, probability=True, uncertainty=True)
    for node in (*panel.logic.outcome.probabilityNodes, panel.logic.outcome.uncertaintyNode):
        assert node.GetTransformNodeID() == volume_node.GetTransformNodeID()
        assert hierarchy().GetItemParent(hierarchy().GetItemByDataNode(node)) == folder
        expected, found = matrix(), matrix()
        volume_node.GetIJKToRASMatrix(expected)
        node.GetIJKToRASMatrix(found)
        np.testing.assert_allclose(
            slicer.util.arrayFromVTKMatrix(found), slicer.util.arrayFromVTKMatrix(expected), atol=1e-6
        )


def matrix():
    import vtk

    return vtk.vtkMatrix4x4()


def hierarchy():
    import slicer

    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)


def test_next_run_fills_the_same_volumes_and_keeps_their_display(host, panel, volume_node):
    tick(host, panel.ui.probabilityCheckBox)
    segment(host, panel)
    nodes = panel.logic.outcome.probabilityNodes
    nodes[0].GetDisplayNode().SetWindowLevelMinMax(0.2, 0.3)
    before = node_ids()
    segment(host, panel)
    assert panel.logic.outcome.probabilityNodes == nodes
    assert nodes[0].GetDisplayNode().GetWindowLevelMax() == pytest.approx(0.3)
    assert node_ids() == before


def test_volumes_of_another_input_are_left_alone(host, panel, volume_node):
    tick(host, panel.ui.probabilityCheckBox)
    segment(host, panel)
    panel.ui.inputSelector.setCurrentNode(add_volume(name="second"))
    segment(host, panel)
    assert len(volume_names()) == 6


def test_cancelled_run_adds_no_volumes(host, panel, volume_node):
    tick(host, panel.ui.probabilityCheckBox)
    choose_model(panel, "slow")
    before = node_ids()
    cancel_at_step(host, panel, 70)
    assert node_ids() == before


def test_output_is_no_input_to_begin_with(host, panel, volume_node):
    from MedNCAScene.inputs.volumes import canBeInput

    panel.logic.process(volume_node, model="brightness", probability=True)
    assert canBeInput(volume_node)
    assert not any(canBeInput(node) for node in panel.logic.outcome.probabilityNodes)
