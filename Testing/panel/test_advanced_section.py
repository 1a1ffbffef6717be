"""Advanced in the panel: the largest piece only, the user's own models, back to the defaults."""

import numpy as np
import pytest
from support.brightness_model import BRIGHT, MODULE, boxesImage, brightnessModel, truthOf
from support.panel_driver import chooseModel, makeModels, openPanel, segment, tick
from support.scene_assertions import addVolume


@pytest.fixture
def panel(host, tmp_path, monkeypatch):
    makeModels(tmp_path / "environment", monkeypatch)
    widget = openPanel(host)
    widget.ui.advancedCollapsibleButton.collapsed = False
    return widget


def names(panel):
    return {panel.ui.modelComboBox.itemData(index) for index in range(panel.ui.modelComboBox.count)}


def test_biggestPieceOnly(host, panel):
    import slicer

    image = boxesImage()
    image[12:15, 2:4, 10:12] = BRIGHT
    volumeNode = addVolume(image)
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    tick(host, panel.ui.largestOnlyCheckBox)
    segment(host, panel)
    (segmentationNode,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    segmentId = segmentationNode.GetSegmentation().GetNthSegmentID(0)
    found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentationNode, segmentId, volumeNode)
    np.testing.assert_array_equal(found > 0, truthOf(boxesImage()) == 1)
    assert "anterior hippocampus 0.53 mL" in panel.ui.statusLabel.text


def test_modelsOfTheChosenFolderAreOfferedAndUsed(host, panel, tmp_path):
    import slicer

    brightnessModel(tmp_path / "mine", name="my-own")
    panel.ui.modelsFolderPathLineEdit.setCurrentPath(str(tmp_path / "mine"))
    assert "my-own" in names(panel)
    assert "hippocampus-mr" in names(panel)
    volumeNode = addVolume()
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    chooseModel(panel, "my-own")
    segment(host, panel)
    assert panel.ui.statusLabel.text.startswith("Done")
    assert slicer.util.getNode("head_my-own")


def test_folderIsRememberedByTheApplication(host, panel, tmp_path):
    brightnessModel(tmp_path / "mine", name="my-own")
    panel.ui.modelsFolderPathLineEdit.setCurrentPath(str(tmp_path / "mine"))
    widget = host.reloadModule("MedNCA")
    assert widget.ui.modelsFolderPathLineEdit.currentPath == str(tmp_path / "mine")
    assert "my-own" in names(widget)


def test_pathThatIsStillBeingTypedChangesNothing(panel, tmp_path):
    before = names(panel)
    panel.ui.modelsFolderPathLineEdit.setCurrentPath(str(tmp_path / "no such folder"))
    assert names(panel) == before
    from MedNCAScene.application.settings import modelsFolder

    assert modelsFolder() is None


def test_restoreDefaultsKeepsWhatWasChosen(host, panel, tmp_path):
    from MedNCAScene.application.settings import modelsFolder

    volumeNode = addVolume()
    panel.ui.inputSelector.setCurrentNode(volumeNode)
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
    assert parameters.inputVolume is volumeNode
    assert parameters.model == "brightness"


def test_consoleFindsTheModelsOfTheFolderToo(host, tmp_path):
    from MedNCAScene.application.settings import setModelsFolder

    host.loadModule(MODULE)
    import MedNCA

    brightnessModel(tmp_path, name="my-own")
    setModelsFolder(str(tmp_path))
    assert MedNCA.MedNCALogic().process(addVolume(), model="my-own")


@pytest.mark.parametrize("way", ["the user deletes the text", "Restore defaults"])
def test_a_folder_that_is_cleared_is_forgotten(host, panel, tmp_path, way):
    from MedNCAScene.application.settings import modelsFolder

    brightnessModel(tmp_path / "mine", name="my-own")
    panel.ui.modelsFolderPathLineEdit.setCurrentPath(str(tmp_path / "mine"))
    assert "my-own" in names(panel)
    if way == "Restore defaults":
        host.click(panel.ui.defaultsButton)
    else:
        panel.ui.modelsFolderPathLineEdit.comboBox().setEditText("")
    assert "my-own" not in names(panel)
    assert modelsFolder() is None
    assert host.reloadModule("MedNCA").ui.modelsFolderPathLineEdit.currentPath == ""
