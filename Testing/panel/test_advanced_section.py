"""Advanced in the panel: the largest piece only, the user's own models, back to the defaults."""

import numpy as np
import pytest
from support.brightness_model import BRIGHT, MODULE, boxes_image, brightness_model, truth_of
from support.panel_driver import choose_model, make_models, open_panel, segment, tick
from support.scene_assertions import add_volume


@pytest.fixture
def panel(host, tmp_path, monkeypatch):
    make_models(tmp_path / "environment", monkeypatch)
    widget = open_panel(host)
    widget.ui.advancedCollapsibleButton.collapsed = False
    return widget


def names(panel):
    return {panel.ui.modelComboBox.itemData(index) for index in range(panel.ui.modelComboBox.count)}


def test_biggest_piece_only(host, panel):
    import slicer

    image = boxes_image()
    image[12:15, 2:4, 10:12] = BRIGHT
    volume_node = add_volume(image)
    panel.ui.inputSelector.setCurrentNode(volume_node)
    tick(host, panel.ui.largestOnlyCheckBox)
    segment(host, panel)
    (segmentation_node,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    segment_id = segmentation_node.GetSegmentation().GetNthSegmentID(0)
    found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation_node, segment_id, volume_node)
    np.testing.assert_array_equal(found > 0, truth_of(boxes_image()) == 1)
    assert "anterior hippocampus 0.53 mL" in panel.ui.statusLabel.text


def test_models_of_the_chosen_folder_are_offered_and_used(host, panel, tmp_path):
    import slicer

    brightness_model(tmp_path / "mine", name="my-own")
    panel.ui.modelsFolderPathLineEdit.setCurrentPath(str(tmp_path / "mine"))
    assert "my-own" in names(panel)
    assert "hippocampus-mr" in names(panel)
    volume_node = add_volume()
    panel.ui.inputSelector.setCurrentNode(volume_node)
    choose_model(panel, "my-own")
    segment(host, panel)
    assert panel.ui.statusLabel.text.startswith("Done")
    assert slicer.util.getNode("head_my-own")


def test_folder_is_remembered_by_the_application(host, panel, tmp_path):
    brightness_model(tmp_path / "mine", name="my-own")
    panel.ui.modelsFolderPathLineEdit.setCurrentPath(str(tmp_path / "mine"))
    widget = host.reloadModule("MedNCA")
    assert widget.ui.modelsFolderPathLineEdit.currentPath == str(tmp_path / "mine")
    assert "my-own" in names(widget)


def test_path_that_is_still_being_typed_changes_nothing(panel, tmp_path):
    before = names(panel)
    panel.ui.modelsFolderPathLineEdit.setCurrentPath(str(tmp_path / "no such folder"))
    assert names(panel) == before
    from MedNCAScene.application.settings import modelsFolder

    assert modelsFolder() is None


def test_restore_defaults_keeps_what_was_chosen(host, panel, tmp_path):
    from MedNCAScene.application.settings import modelsFolder

    volume_node = add_volume()
    panel.ui.inputSelector.setCurrentNode(volume_node)
    panel.ui.runsSpinBox.setValue(5)
    panel.ui.seedSpinBox.setValue(7)
    tick(host, panel.ui.keepGrowthCheckBox)
    tick(host, panel.ui.showWhileRunningCheckBox)
    panel.ui.modelsFolderPathLineEdit.setCurrentPath(str(tmp_path))
    host.click(panel.ui.defaultsButton)
    parameters = panel.logic.getParameterNode()
    assert (parameters.runs, parameters.seed, parameters.keepGrowth, parameters.showWhileRunning) == (1, 0, False, True)
    assert panel.ui.runsSpinBox.value == 1
    assert panel.ui.modelsFolderPathLineEdit.currentPath == ""
    assert modelsFolder() is None
    assert parameters.inputVolume is volume_node
    assert parameters.model == "brightness"


def test_console_finds_the_models_of_the_folder_too(host, tmp_path):
    from MedNCAScene.application.settings import setModelsFolder

    host.loadModule(MODULE)
    import MedNCA

    brightness_model(tmp_path, name="my-own")
    setModelsFolder(str(tmp_path))
    assert MedNCA.MedNCALogic().process(add_volume(), model="my-own")


@pytest.mark.parametrize("way", ["the user deletes the text", "Restore defaults"])
def test_a_folder_that_is_cleared_is_forgotten(host, panel, tmp_path, way):
    from MedNCAScene.application.settings import modelsFolder

    brightness_model(tmp_path / "mine", name="my-own")
    panel.ui.modelsFolderPathLineEdit.setCurrentPath(str(tmp_path / "mine"))
    assert "my-own" in names(panel)
    if way == "Restore defaults":
        host.click(panel.ui.defaultsButton)
    else:
        panel.ui.modelsFolderPathLineEdit.comboBox().setEditText("")
    assert "my-own" not in names(panel)
    assert modelsFolder() is None
    assert host.reloadModule("MedNCA").ui.modelsFolderPathLineEdit.currentPath == ""
