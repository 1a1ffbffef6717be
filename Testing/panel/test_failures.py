"""What may go wrong during a run: afterwards panel and scene are as they should be, and nothing is left behind."""

import gc
import sys
import weakref

import pytest
from support.brightness_model import boxesImage
from support.panel_driver import assertFound, assertIdle, chooseModel, nodeIds, runUntilStep, segment, segmentationNodes
from support.scene_assertions import addVolume


@pytest.fixture
def volumeNode(panel):
    return addVolume()


def test_refusedVolumeIsOneSentenceInThePanel(host, panel):
    image = boxesImage() * 0
    panel.ui.inputSelector.setCurrentNode(addVolume(image, "empty field"))
    before = nodeIds()
    segment(host, panel)
    assert "no contrast" in panel.ui.statusLabel.text
    assert "Traceback" not in panel.ui.statusLabel.text
    assert nodeIds() == before
    assertIdle(panel)
    assert host.messages.texts("error") == []


def test_defectIsLoggedWithItsTraceAndShownAndEndsTheRun(host, panel, volumeNode, monkeypatch, caplog):
    from MedNCAScene import segmentation_run

    def fail(*_):
        raise ZeroDivisionError("for the test")

    monkeypatch.setattr(segmentation_run, "writeSegments", fail)
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
    before = nodeIds() - {volumeNode.GetID(), volumeNode.GetDisplayNodeID()}
    host.click(panel.ui.segmentButton)
    runUntilStep(host, panel, 3)
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

    other = addVolume(name="other head")
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    chooseModel(panel, "slow")
    host.click(panel.ui.segmentButton)
    runUntilStep(host, panel, 3)
    slicer.mrmlScene.RemoveNode(other)
    addVolume(name="third head")
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
    volumeNode = addVolume(name="next patient")
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
    before = nodeIds()
    host.click(panel.ui.segmentButton)
    runUntilStep(host, panel, 3)
    widget = host.reloadModule("MedNCA")
    assert widget is not panel
    assert not panel.isRunning
    host.processEvents(0.05)
    assert nodeIds() == before
    chooseModel(widget, "brightness")
    segment(host, widget)
    assertFound(segmentationNodes()[0], volumeNode)


def test_reloadReadsThePackagesOfTheModuleAgain(host, panel):
    before = {name: sys.modules[name] for name in ("MedNCAScene", "MedNCAPanel.messages", "MedNCALib")}
    host.reloadModule("MedNCA")
    assert all(sys.modules[name] is not module for name, module in before.items())


def test_applicationMayEndDuringARun(host, panel, volumeNode):
    """Most other modules are unloaded before."""
    import slicer
    from host.inspection import observerCount

    panel.ui.inputSelector.setCurrentNode(volumeNode)
    chooseModel(panel, "slow")
    host.click(panel.ui.segmentButton)
    runUntilStep(host, panel, 3)
    observers = observerCount(slicer.mrmlScene)
    host.quit()
    assert host.errors == []
    assert not panel.isRunning
    assert not panel.Observations
    assert observerCount(slicer.mrmlScene) < observers
    assert segmentationNodes() == []


def test_nothingIsLeftAfterRunsAndReloads(host, panel, volumeNode):
    """No nodes, no observers of the scene, and no timer of a run stays behind."""
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    segment(host, panel)
    nodes = nodeIds()
    chooseModel(panel, "slow")
    runs = []
    for _ in range(3):
        host.click(panel.ui.segmentButton)
        runs.append(weakref.ref(panel._runSection._run._steps))
        runUntilStep(host, panel, 2)
        host.click(panel.ui.segmentButton)
    gc.collect()
    assert nodeIds() == nodes
    assert [run() for run in runs] == [None] * 3
    widgets = [panel, *(host.reloadModule("MedNCA") for _ in range(2))]
    assert widgets[-1].Observations
    for widget in widgets[:-1]:
        assert not widget.Observations
    assert nodeIds() == nodes


def test_a_timer_that_calls_the_run_is_there_for_the_next_run(host, panel, volumeNode):
    """A timer that is deleted within its own tick may end the application."""
    panel.ui.inputSelector.setCurrentNode(volumeNode)
    timer = panel._runSection._run._timer
    for _ in range(2):
        segment(host, panel)
        assert panel._runSection._run._timer is timer
        assert not timer.active
