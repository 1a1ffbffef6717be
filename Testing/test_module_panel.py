"""The panel as a person uses it: choose, click, watch, cancel, and whatever else may happen meanwhile."""

import gc
import sys
import weakref

import numpy as np
import pytest
from scene_samples import MODULE, boxesImage, brightnessModel, truthOf

import MedNCALib


@pytest.fixture(autouse=True)
def samePackagesForTheNextTest():
    """A reload imports the packages anew; the tests that follow shall not meet two classes of one name."""
    for name in MedNCALib.__all__:
        getattr(MedNCALib, name)  # each is imported when it is first asked for
    before = packageModules()
    yield
    if any(sys.modules.get(name) is not module for name, module in before.items()):
        for name in packageModules():
            del sys.modules[name]
        sys.modules.update(before)


def packageModules():
    packages = ("MedNCALib", "MedNCAScene", "MedNCAPanel")
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in packages}


@pytest.fixture
def models(tmp_path, monkeypatch):
    """The user's models directory with two models that need no training; the runs of the second take many steps."""
    monkeypatch.setenv("MEDNCA_MODELS", str(tmp_path / "models"))
    brightnessModel(tmp_path / "models", name="brightness")
    brightnessModel(tmp_path / "models", name="slow", steps=40)
    return tmp_path / "models"


@pytest.fixture
def panel(host, models):
    """The opened module's widget, with the model `brightness` chosen."""
    host.loadModule(MODULE)
    widget = host.openModule("MedNCA")
    chooseModel(widget, "brightness")
    return widget


@pytest.fixture
def volumeNode(panel):
    return addVolume()


def addVolume(name="head", image=None):
    from MedNCAScene.volumes import volumeFromImage

    return volumeFromImage(boxesImage() if image is None else image, name)


def chooseModel(widget, name):
    index = widget.ui.modelComboBox.findData(name)
    assert index >= 0
    widget.ui.modelComboBox.setCurrentIndex(index)


def segmentationNodes():
    import slicer

    return slicer.util.getNodesByClass("vtkMRMLSegmentationNode")


def nodeIds():
    import slicer

    return {slicer.mrmlScene.GetNthNode(i).GetID() for i in range(slicer.mrmlScene.GetNumberOfNodes())}


def runUntilStep(host, widget, number):
    """Let the event loop run until the running model has done this many steps."""
    done = [0]
    show = widget._runSection._onStep

    def count(step, secondsLeft):
        done[0] = (step.stage - 1) * step.steps + step.step
        show(step, secondsLeft)

    widget._runSection._run._onStep = count
    host.waitUntil(lambda: done[0] >= number or not widget.isRunning)
    assert widget.isRunning


def segment(host, widget):
    host.click(widget.ui.segmentButton)
    host.waitUntil(lambda: not widget.isRunning)


def assertIdle(widget):
    assert not widget.isRunning
    assert widget.ui.segmentButton.text == "Segment"
    assert not widget.ui.progressBar.visible
    assert widget.ui.inputsCollapsibleButton.enabled
    assert widget.ui.outputsCollapsibleButton.enabled
    assert widget.ui.advancedCollapsibleButton.enabled


def assertFound(segmentationNode, volumeNode):
    import slicer

    for value, segmentId in enumerate(segmentationNode.GetSegmentation().GetSegmentIDs(), 1):
        found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentationNode, segmentId, volumeNode)
        np.testing.assert_array_equal(found > 0, truthOf(boxesImage()) == value)


#
# Before a run
#


def test_segmentIsDisabledAndTellsWhatIsMissing(panel):
    assert not panel.ui.segmentButton.enabled
    assert panel.ui.segmentButton.toolTip == "Still missing: an input volume"


def test_segmentIsEnabledAsSoonAsThereIsAVolume(panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    assert panel.ui.segmentButton.enabled
    assert panel.ui.segmentButton.toolTip == "Segment the volume"


def test_volumeThatIsLoadedBeforeThePanelIsOpenedIsChosen(host, models):
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
    other = addVolume("other head")
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

    from MedNCALib import segmenter

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
    assert any("coarse stage, step 7 of 40, slices 1-20 of 20" in line for line in lines)
    assert any("fine stage, step 40 of 40, slices 1-20 of 20" in line for line in lines)


def test_inputsAreLockedDuringARunAndTheButtonCancels(host, panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    chooseModel(panel, "slow")
    host.click(panel.ui.segmentButton)
    assert panel.isRunning
    assert panel.ui.segmentButton.text == "Cancel"
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
# What may go wrong
#


def test_refusedVolumeIsOneSentenceInThePanel(host, panel):
    image = boxesImage() * 0
    panel.ui.inputSelector.setCurrentNode(addVolume("empty field", image))
    before = nodeIds()
    segment(host, panel)
    assert "no contrast" in panel.ui.statusLabel.text
    assert "Traceback" not in panel.ui.statusLabel.text
    assert nodeIds() == before
    assertIdle(panel)
    assert host.messages.texts("error") == []


def test_defectIsLoggedWithItsTraceAndShownAndEndsTheRun(host, panel, volumeNode, monkeypatch, caplog):
    from MedNCAScene import segments

    def fail(*_):
        raise ZeroDivisionError("for the test")

    monkeypatch.setattr(segments, "writeSegments", fail)
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    before = nodeIds()
    segment(host, panel)
    assert panel.ui.statusLabel.text == "The run failed because of a defect in MedNCA: for the test"
    assert "ZeroDivisionError" in caplog.text
    assert "Traceback" in caplog.text
    assert nodeIds() == before
    assertIdle(panel)


def test_inputDeletedDuringARunCancelsIt(host, panel, volumeNode):
    import slicer

    panel.ui.inputSelector.setCurrentNode(volumeNode)
    chooseModel(panel, "slow")
    host.click(panel.ui.segmentButton)
    runUntilStep(host, panel, 3)
    before = nodeIds() - {volumeNode.GetID(), volumeNode.GetDisplayNodeID()}
    slicer.mrmlScene.RemoveNode(volumeNode)
    assertIdle(panel)
    assert panel.ui.statusLabel.text == "Cancelled: head was deleted."
    host.processEvents(0.05)
    assert nodeIds() <= before
    assert segmentationNodes() == []
    assert not panel.ui.segmentButton.enabled


def test_outputDeletedDuringARunCancelsIt(host, panel, volumeNode):
    import slicer

    mine = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    panel.ui.outputSelector.setCurrentNode(mine)
    chooseModel(panel, "slow")
    host.click(panel.ui.segmentButton)
    runUntilStep(host, panel, 3)
    slicer.mrmlScene.RemoveNode(mine)
    assertIdle(panel)
    assert panel.ui.statusLabel.text == "Cancelled: mine was deleted."
    assert segmentationNodes() == []


def test_otherNodesMayComeAndGoDuringARun(host, panel, volumeNode):
    import slicer

    other = addVolume("other head")
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    chooseModel(panel, "slow")
    host.click(panel.ui.segmentButton)
    runUntilStep(host, panel, 3)
    slicer.mrmlScene.RemoveNode(other)
    addVolume("third head")
    host.waitUntil(lambda: not panel.isRunning)
    assertFound(segmentationNodes()[0], volumeNode)


def test_sceneClosedDuringARunCancelsIt(host, panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    chooseModel(panel, "slow")
    host.click(panel.ui.segmentButton)
    runUntilStep(host, panel, 3)
    host.closeScene()
    assertIdle(panel)
    assert not panel.ui.segmentButton.enabled
    assert segmentationNodes() == []
    # The panel works on in the new scene.
    volumeNode = addVolume("next patient")
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    chooseModel(panel, "brightness")
    segment(host, panel)
    assertFound(segmentationNodes()[0], volumeNode)


def test_runGoesOnWhileAnotherModuleIsShown(host, panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    chooseModel(panel, "slow")
    host.click(panel.ui.segmentButton)
    runUntilStep(host, panel, 3)
    host.closeModule()
    host.waitUntil(lambda: not panel.isRunning)
    assertFound(segmentationNodes()[0], volumeNode)
    assert host.openModule("MedNCA") is panel
    assert panel.ui.outputSelector.currentNode() is segmentationNodes()[0]
    assertIdle(panel)


def test_moduleReloadedDuringARunCancelsItAndWorks(host, panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    chooseModel(panel, "slow")
    host.click(panel.ui.segmentButton)
    runUntilStep(host, panel, 3)
    before = nodeIds()
    widget = host.reloadModule("MedNCA")
    assert widget is not panel
    assert not panel.isRunning
    host.processEvents(0.05)
    assert nodeIds() == before
    chooseModel(widget, "brightness")
    segment(host, widget)
    assertFound(segmentationNodes()[0], volumeNode)


def test_reloadReadsThePackagesOfTheModuleAgain(host, panel):
    before = {name: sys.modules[name] for name in ("MedNCAScene", "MedNCAPanel.words", "MedNCALib")}
    host.reloadModule("MedNCA")
    assert all(sys.modules[name] is not module for name, module in before.items())


def test_applicationMayEndDuringARun(host, panel, volumeNode):
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    chooseModel(panel, "slow")
    host.click(panel.ui.segmentButton)
    runUntilStep(host, panel, 3)
    host.unloadModule("MedNCA")
    assert not panel.isRunning
    assert segmentationNodes() == []


def test_nothingIsLeftAfterRunsAndReloads(host, panel, volumeNode):
    """No nodes, no observers of the scene, and no timer of a run stays behind."""
    import slicer

    scene = slicer.mrmlScene
    events = (scene.StartCloseEvent, scene.EndCloseEvent, scene.NodeRemovedEvent)
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    segment(host, panel)
    nodes = nodeIds()
    chooseModel(panel, "slow")
    runs = []
    for _ in range(3):
        host.click(panel.ui.segmentButton)
        runs.append(weakref.ref(panel._runSection._run))
        runUntilStep(host, panel, 2)
        host.click(panel.ui.segmentButton)
    gc.collect()
    assert nodeIds() == nodes
    assert [run() for run in runs] == [None] * 3
    widgets = [panel, *(host.reloadModule("MedNCA") for _ in range(2))]
    for widget in widgets[:-1]:
        assert not any(widget.hasObserver(scene, event, handler) for event, handler in zip(
            events, (widget.onSceneStartClose, widget.onSceneEndClose, widget.onNodeRemoved), strict=True
        ))  # fmt: skip
    assert nodeIds() == nodes


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
