"""The panel as a person uses it: choose, click, watch, cancel, look at it in 3D."""

import numpy as np
import pytest
from support.brightness_model import MODULE
from support.panel_driver import assertFound, assertIdle, chooseModel, nodeIds, runUntilStep, segment, segmentationNodes
from support.scene_assertions import addVolume


@pytest.fixture
def volumeNode(panel):
    return addVolume()


def test_segmentIsDisabledAndTellsWhatIsMissing(panel):
    assert not panel.ui.segmentButton.enabled
    assert panel.ui.segmentButton.toolTip == "Still missing: an input volume"


def test_segmentIsEnabledAsSoonAsThereIsAVolume(panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    assert panel.ui.segmentButton.enabled
    assert panel.ui.segmentButton.toolTip == "Segment the volume"


def test_volumeThatIsLoadedBeforeThePanelIsOpenedIsChosen(host):
    import slicer

    host.loadModule(MODULE)
    labels = slicer.util.addVolumeFromArray(np.ones((3, 3, 3), np.uint8), nodeClassName="vtkMRMLLabelMapVolumeNode")
    volumeNode = addVolume()
    widget = host.openModule("MedNCA")
    assert widget.ui.inputSelector.currentNode() is volumeNode
    assert labels not in [widget.ui.inputSelector.nodeFromIndex(i) for i in range(widget.ui.inputSelector.nodeCount())]


def test_modelListHoldsTheUsersModelsAndTheLineTellsWhatTheCardSays(panel):
    names = [panel.ui.modelComboBox.itemData(index) for index in range(panel.ui.modelComboBox.count)]
    assert {"brightness", "slow"} <= set(names)
    line = panel.ui.modelLabel.text
    for words in ("anterior hippocampus, posterior hippocampus", "test images", "not measured", "KB"):
        assert words in line


def test_modelOfASceneFromAnotherComputerIsReportedAsMissing(panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    panel.logic.getParameterNode().model = "spleen-ct"
    assert "spleen-ct is not installed" in panel.ui.modelLabel.text
    assert not panel.ui.segmentButton.enabled
    assert panel.ui.segmentButton.toolTip == "Still missing: a model"
    chooseModel(panel, "brightness")
    assert panel.ui.segmentButton.enabled


def test_choicesAreKeptInTheSceneAndShownAgain(host, panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    panel.ui.runsSpinBox.setValue(3)
    panel.ui.seedSpinBox.setValue(77)
    panel.ui.threadsSpinBox.setValue(2)
    panel.ui.engineComboBox.setCurrentIndex(1)
    chooseModel(panel, "slow")
    widget = host.reloadModule("MedNCA")
    parameters = widget.logic.getParameterNode()
    assert parameters.inputVolume is volumeNode
    assert (parameters.runs, parameters.seed, parameters.threads) == (3, 77, 2)
    assert (parameters.engine, parameters.model) == ("numpy", "slow")
    assert widget.ui.runsSpinBox.value == 3
    assert widget.ui.modelComboBox.itemData(widget.ui.modelComboBox.currentIndex) == "slow"


#
# A run
#


def test_clickOnSegmentFillsANewSegmentation(host, panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    segment(host, panel)
    (segmentationNode,) = segmentationNodes()
    assert segmentationNode.GetName() == "head_brightness"
    assert panel.ui.outputSelector.currentNode() is segmentationNode
    assertFound(segmentationNode, volumeNode)
    assertIdle(panel)
    assert panel.ui.statusLabel.text.startswith("Done in")
    assert "anterior hippocampus 0.53 mL, posterior hippocampus 0.60 mL" in panel.ui.statusLabel.text
    assert panel.ui.segmentButton.enabled


def test_secondClickReplacesTheResult(host, panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    segment(host, panel)
    segment(host, panel)
    assert len(segmentationNodes()) == 1
    assertFound(segmentationNodes()[0], volumeNode)


def test_resultForAnotherVolumeGoesToAnotherSegmentation(host, panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    segment(host, panel)
    other = addVolume(name="other head")
    panel.ui.inputSelector.setCurrentNode(other)
    assert panel.ui.outputSelector.currentNode() is None
    segment(host, panel)
    assert [node.GetName() for node in segmentationNodes()] == ["head_brightness", "other head_brightness"]


def test_chosenOutputIsKeptAndFilled(host, panel, volumeNode):
    import slicer

    mine = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    panel.ui.outputSelector.setCurrentNode(mine)
    segment(host, panel)
    assert segmentationNodes() == [mine]
    assertFound(mine, volumeNode)


def test_settingsReachTheEngine(host, panel, volumeNode, monkeypatch):
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
    volumeNode.GetRASBounds(bounds)
    roi.SetCenter(*(bounds[::2] + bounds[1::2]) / 2)
    roi.SetSize(*(bounds[1::2] - bounds[::2]))
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    panel.ui.regionSelector.setCurrentNode(roi)
    panel.ui.runsSpinBox.setValue(2)
    panel.ui.seedSpinBox.setValue(5)
    panel.ui.engineComboBox.setCurrentIndex(1)
    segment(host, panel)
    assert given["model"] == "brightness"
    assert (given["runs"], given["seed"], given["engine"], given["threads"]) == (2, 5, "numpy", None)
    assert given["region"] == pytest.approx(bounds, abs=1e-4)


def test_progressIsTrueAndInWords(host, panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    shown = []
    panel.ui.progressBar.connect("valueChanged(int)", lambda value: shown.append((value, panel.ui.statusLabel.text)))
    lines = []
    chooseModel(panel, "slow")
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


def test_inputsAreLockedDuringARunAndTheButtonCancels(host, panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    chooseModel(panel, "slow")
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
    assertIdle(panel)


@pytest.mark.parametrize("steps", [1, 40, 80], ids=["first step", "middle", "last step"])
def test_cancelLeavesEverythingAsItWas(host, panel, volumeNode, steps):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    chooseModel(panel, "slow")
    before = nodeIds()
    host.click(panel.ui.segmentButton)
    runUntilStep(host, panel, steps)
    host.click(panel.ui.segmentButton)
    assertIdle(panel)
    assert panel.ui.statusLabel.text == "Cancelled; nothing was changed."
    host.processEvents(0.05)
    assert nodeIds() == before
    # And it can be started again.
    chooseModel(panel, "brightness")
    segment(host, panel)
    assertFound(segmentationNodes()[0], volumeNode)


#
# 3D
#


def test_show3DMakesAndRemovesTheSurfaces(host, panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    assert not panel.ui.show3DButton.enabled
    segment(host, panel)
    (segmentationNode,) = segmentationNodes()
    assert not segmentationNode.GetSegmentation().ContainsRepresentation("Closed surface")
    host.click(panel.ui.show3DButton)
    assert segmentationNode.GetSegmentation().ContainsRepresentation("Closed surface")
    assert segmentationNode.GetDisplayNode().GetVisibility3D()
    host.click(panel.ui.show3DButton)
    assert not segmentationNode.GetSegmentation().ContainsRepresentation("Closed surface")


def test_show3DFollowsTheChosenOutput(host, panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    segment(host, panel)
    host.click(panel.ui.show3DButton)
    panel.ui.outputSelector.setCurrentNode(None)
    assert not panel.ui.show3DButton.checked
    panel.ui.outputSelector.setCurrentNode(segmentationNodes()[0])
    assert panel.ui.show3DButton.checked
