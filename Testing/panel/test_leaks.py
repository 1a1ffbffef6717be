"""Nothing is left behind: nodes, observers, connections and timers are counted before and after."""

import gc

import pytest
from support.panel_driver import chooseModel, runUntilStep, segment, tick
from support.slice_view_probe import layers


def useAll(host, panel):
    """A run with everything on, then all that can be done with its result, and a cancelled run."""
    panel.ui.runsSpinBox.setValue(2)
    for box in (panel.ui.probabilityCheckBox, panel.ui.uncertaintyCheckBox, panel.ui.keepGrowthCheckBox):
        if not box.checked:
            tick(host, box)
    chooseModel(panel, "brightness")
    segment(host, panel)
    panel.ui.stepSlider.setValue(1)
    host.click(panel.ui.playButton)
    host.click(panel.ui.playButton)
    tick(host, panel.ui.growthOverlayCheckBox)
    tick(host, panel.ui.uncertaintyOverlayCheckBox)
    tick(host, panel.ui.uncertaintyOverlayCheckBox)
    host.click(panel.ui.jumpButton)
    inspect(host, panel)
    chooseModel(panel, "slow")
    host.click(panel.ui.segmentButton)
    runUntilStep(host, panel, 5)
    host.click(panel.ui.segmentButton)
    chooseModel(panel, "brightness")
    gc.collect()


def inspect(host, panel):
    """Leave placing once, then place the point and drag it."""
    with host.mouse("Red") as mouse:
        centre = middleOf("Red")
        beside = [centre[0] + 5, *centre[1:]]
        host.click(panel.ui.inspectButton)
        mouse.click(centre, "Right")
        host.click(panel.ui.inspectButton)
        mouse.click(centre)
        host.processEvents()
        assert panel.ui.statusLabel.text.startswith("The plot shows")
        mouse.drag(centre, beside)
        host.processEvents()


def middleOf(sliceView):
    """The point (RAS) in the middle of a slice view."""
    import slicer

    matrix = slicer.app.layoutManager().sliceWidget(sliceView).mrmlSliceNode().GetSliceToRAS()
    return [matrix.GetElement(row, 3) for row in range(3)]


def observersOf(node):
    from host.inspection import observerCount  # needs Qt, which only the host brings

    return observerCount(node)


def mouseObservers():
    import slicer

    logic = slicer.app.applicationLogic()
    return observersOf(logic.GetInteractionNode()), observersOf(logic.GetSelectionNode())


def counts(host, volumeNode):
    return {
        **host.counts(),
        "volumeObservers": observersOf(volumeNode),
        "mouseObservers": mouseObservers(),
        "layers": layers(),
        "errors": host.messages.texts("error"),
    }


def test_secondTimeAddsNothing(host, panel, volumeNode):
    useAll(host, panel)
    before = counts(host, volumeNode)
    useAll(host, panel)
    assert counts(host, volumeNode) == before


def test_reloadedPanelLetsGoOfTheScene(host, panel, volumeNode):
    """The application itself only hides the widgets of a panel that is reloaded, so those are not counted."""
    useAll(host, panel)
    kept = ("nodes", "timers", "layers", "mouseObservers")
    before = {key: value for key, value in counts(host, volumeNode).items() if key in kept}
    for _ in range(2):
        new = host.reloadModule("MedNCA")
    after = counts(host, volumeNode)
    assert {key: after[key] for key in before} == before
    assert new is not panel
    assert panel._panel._input._volume.node is None
    assert panel._panel._player._playback.browserNode is None
    assert not panel._panel._inspector.Observations


def test_closedModuleObservesNoNode(host, panel, volumeNode):
    host.closeModule()
    before = observersOf(volumeNode)
    host.openModule("MedNCA")
    useAll(host, panel)
    assert observersOf(volumeNode) > before
    point = panel.logic.getParameterNode().inspectedPoint
    whileOpen = observersOf(point)
    host.closeModule()
    assert observersOf(volumeNode) <= before + 1  # the slice views follow a volume that they have shown
    assert observersOf(point) == whileOpen - 2  # placed, dragged


@pytest.mark.parametrize("version", [(5, 10), (5, 12)])
def test_opening_the_module_again_leaves_no_observer(host, panel, volumeNode, version):
    host.imitateVersion(*version)
    node = panel.logic.getParameterNode().parameterNode
    counts = []
    for _ in range(3):
        host.closeModule()
        host.openModule("MedNCA")
        gc.collect()
        counts.append(observersOf(node))
    assert counts == counts[:1] * 3
