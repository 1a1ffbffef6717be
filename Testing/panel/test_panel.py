"""The panel as a person uses it: choose, click, watch, cancel, look at it in 3D."""

import numpy as np
import pytest
from support.brightness_model import MODULE
from support.panel_driver import (
    assert_found,
    assert_idle,
    choose_model,
    node_ids,
    run_until_step,
    segment,
    segmentation_nodes,
)
from support.scene_assertions import add_volume


@pytest.fixture
def volume_node(panel):
    return add_volume()


def test_segment_is_disabled_and_tells_what_is_missing(panel):
    assert not panel.ui.segmentButton.enabled
    assert panel.ui.segmentButton.toolTip == "Still missing: an input volume"


def test_segment_is_enabled_as_soon_as_there_is_a_volume(panel, volume_node):
    panel.ui.inputSelector.setCurrentNode(volume_node)
    assert panel.ui.segmentButton.enabled
    assert panel.ui.segmentButton.toolTip == "Segment the volume"


def test_volume_that_is_loaded_before_the_panel_is_opened_is_chosen(host):
    import slicer

    host.loadModule(MODULE)
    labels = slicer.util.addVolumeFromArray(np.ones((3, 3, 3), np.uint8), nodeClassName="vtkMRMLLabelMapVolumeNode")
    volume_node = add_volume()
    widget = host.openModule("MedNCA")
    assert widget.ui.inputSelector.currentNode() is volume_node
    assert labels not in [widget.ui.inputSelector.nodeFromIndex(i) for i in range(widget.ui.inputSelector.nodeCount())]


def test_model_list_holds_the_users_models_and_the_line_tells_what_the_card_says(panel):
    names = [panel.ui.modelComboBox.itemData(index) for index in range(panel.ui.modelComboBox.count)]
    assert {"brightness", "slow"} <= set(names)
    line = panel.ui.modelLabel.text
    for words in ("anterior hippocampus, posterior hippocampus", "test images", "not measured", "KB"):
        assert words in line


def test_model_of_a_scene_from_another_computer_is_reported_as_missing(panel, volume_node):
    panel.ui.inputSelector.setCurrentNode(volume_node)
    panel.logic.getParameterNode().model = "spleen-ct"
    assert "spleen-ct is not installed" in panel.ui.modelLabel.text
    assert not panel.ui.segmentButton.enabled
    assert panel.ui.segmentButton.toolTip == "Still missing: a model"
    choose_model(panel, "brightness")
    assert panel.ui.segmentButton.enabled


def test_choices_are_kept_in_the_scene_and_shown_again(host, panel, volume_node):
    panel.ui.inputSelector.setCurrentNode(volume_node)
    panel.ui.runsSpinBox.setValue(3)
    panel.ui.seedSpinBox.setValue(77)
    panel.ui.threadsSpinBox.setValue(2)
    panel.ui.engineComboBox.setCurrentIndex(1)
    choose_model(panel, "slow")
    widget = host.reloadModule("MedNCA")
    parameters = widget.logic.getParameterNode()
    assert parameters.inputVolume is volume_node
    assert (parameters.runs, parameters.seed, parameters.threads) == (3, 77, 2)
    assert (parameters.engine, parameters.model) == ("numpy", "slow")
    assert widget.ui.runsSpinBox.value == 3
    assert widget.ui.modelComboBox.itemData(widget.ui.modelComboBox.currentIndex) == "slow"


#
# A run
#


def test_click_on_segment_fills_a_new_segmentation(host, panel, volume_node):
    panel.ui.inputSelector.setCurrentNode(volume_node)
    segment(host, panel)
    (segmentation_node,) = segmentation_nodes()
    assert segmentation_node.GetName() == "head_brightness"
    assert panel.ui.outputSelector.currentNode() is segmentation_node
    assert_found(segmentation_node, volume_node)
    assert_idle(panel)
    assert panel.ui.statusLabel.text.startswith("Done in")
    assert "anterior hippocampus 0.53 mL, posterior hippocampus 0.60 mL" in panel.ui.statusLabel.text
    assert panel.ui.segmentButton.enabled


def test_second_click_replaces_the_result(host, panel, volume_node):
    panel.ui.inputSelector.setCurrentNode(volume_node)
    segment(host, panel)
    segment(host, panel)
    assert len(segmentation_nodes()) == 1
    assert_found(segmentation_nodes()[0], volume_node)


def test_result_for_another_volume_goes_to_another_segmentation(host, panel, volume_node):
    panel.ui.inputSelector.setCurrentNode(volume_node)
    segment(host, panel)
    other = add_volume(name="other head")
    panel.ui.inputSelector.setCurrentNode(other)
    assert panel.ui.outputSelector.currentNode() is None
    segment(host, panel)
    assert [node.GetName() for node in segmentation_nodes()] == ["head_brightness", "other head_brightness"]


def test_chosen_output_is_kept_and_filled(host, panel, volume_node):
    import slicer

    mine = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    panel.ui.inputSelector.setCurrentNode(volume_node)
    panel.ui.outputSelector.setCurrentNode(mine)
    segment(host, panel)
    assert segmentation_nodes() == [mine]
    assert_found(mine, volume_node)


def test_settings_reach_the_engine(host, panel, volume_node, monkeypatch):
    import slicer

    from MedNCALib.segmentation import segmenter

    given = {}
    original = segmenter.segment_steps

    def record(image, model, **options):
        given.update(options, model=model.name)
        return original(image, model, **options)

    monkeypatch.setattr(segmenter, "segment_steps", record)
    roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    bounds = np.zeros(6)
    volume_node.GetRASBounds(bounds)
    roi.SetCenter(*(bounds[::2] + bounds[1::2]) / 2)
    roi.SetSize(*(bounds[1::2] - bounds[::2]))
    panel.ui.inputSelector.setCurrentNode(volume_node)
    panel.ui.regionSelector.setCurrentNode(roi)
    panel.ui.runsSpinBox.setValue(2)
    panel.ui.seedSpinBox.setValue(5)
    panel.ui.engineComboBox.setCurrentIndex(1)
    panel.ui.allCellsCheckBox.setChecked(True)
    segment(host, panel)
    assert given["model"] == "brightness"
    assert (given["runs"], given["seed"], given["engine"], given["threads"]) == (2, 5, "numpy", None)
    assert given["all_cells"]
    assert given["region"] == pytest.approx(bounds, abs=1e-4)


def test_progress_is_true_and_in_words(host, panel, volume_node):
    panel.ui.inputSelector.setCurrentNode(volume_node)
    shown = []
    panel.ui.progressBar.connect("valueChanged(int)", lambda value: shown.append((value, panel.ui.statusLabel.text)))
    lines = []
    choose_model(panel, "slow")
    host.click(panel.ui.segmentButton)
    while panel.isRunning:
        host.processEvents()
        lines.append(panel.ui.statusLabel.text)
    values = [value for value, _ in shown if value]
    assert values == sorted(values)
    assert values[-1] == 100
    assert len(values) > 20
    assert any("Coarse stage, step 7 of 40, slices 1-20 of 20" in line for line in lines)
    assert any("Fine stage, step 40 of 40, slices 1-20 of 20" in line for line in lines)


def test_inputs_are_locked_during_a_run_and_the_button_cancels(host, panel, volume_node):
    panel.ui.inputSelector.setCurrentNode(volume_node)
    choose_model(panel, "slow")
    host.click(panel.ui.segmentButton)
    assert panel.isRunning
    assert panel.ui.segmentButton.text == "&Cancel"
    assert panel.ui.segmentButton.enabled
    assert panel.ui.segmentButton.toolTip == "Stop, and leave everything as it was"
    assert panel.ui.progressBar.visible
    for section in (panel.ui.inputsCollapsibleButton, panel.ui.outputsCollapsibleButton):
        assert not section.enabled
    assert not panel.ui.show3DButton.enabled
    host.click(panel.ui.segmentButton)
    assert_idle(panel)


@pytest.mark.parametrize("steps", [1, 40, 80], ids=["first step", "middle", "last step"])
def test_cancel_leaves_everything_as_it_was(host, panel, volume_node, steps):
    panel.ui.inputSelector.setCurrentNode(volume_node)
    choose_model(panel, "slow")
    before = node_ids()
    host.click(panel.ui.segmentButton)
    run_until_step(host, panel, steps)
    host.click(panel.ui.segmentButton)
    assert_idle(panel)
    assert panel.ui.statusLabel.text == "Cancelled; nothing was changed."
    host.processEvents(0.05)
    assert node_ids() == before
    # And it can be started again.
    choose_model(panel, "brightness")
    segment(host, panel)
    assert_found(segmentation_nodes()[0], volume_node)


#
# 3D
#


def test_show3d_makes_and_removes_the_surfaces(host, panel, volume_node):
    panel.ui.inputSelector.setCurrentNode(volume_node)
    assert not panel.ui.show3DButton.enabled
    segment(host, panel)
    (segmentation_node,) = segmentation_nodes()
    assert not segmentation_node.GetSegmentation().ContainsRepresentation("Closed surface")
    host.click(panel.ui.show3DButton)
    assert segmentation_node.GetSegmentation().ContainsRepresentation("Closed surface")
    assert segmentation_node.GetDisplayNode().GetVisibility3D()
    host.click(panel.ui.show3DButton)
    assert not segmentation_node.GetSegmentation().ContainsRepresentation("Closed surface")


def test_show3d_follows_the_chosen_output(host, panel, volume_node):
    panel.ui.inputSelector.setCurrentNode(volume_node)
    segment(host, panel)
    host.click(panel.ui.show3DButton)
    panel.ui.outputSelector.setCurrentNode(None)
    assert not panel.ui.show3DButton.checked
    panel.ui.outputSelector.setCurrentNode(segmentation_nodes()[0])
    assert panel.ui.show3DButton.checked
