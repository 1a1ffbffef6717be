"""Nothing is left behind: nodes, observers, connections and timers are counted before and after."""

import gc

import pytest
from support.panel_driver import choose_model, run_until_step, segment, tick
from support.slice_view_probe import layers


def use_all(host, panel):
    """A run with everything on, then all that can be done with its result, and a cancelled run."""
    panel.ui.runsSpinBox.setValue(2)
    for box in (panel.ui.probabilityCheckBox, panel.ui.uncertaintyCheckBox, panel.ui.keepGrowthCheckBox):
        if not box.checked:
            tick(host, box)
    choose_model(panel, "brightness")
    segment(host, panel)
    panel.ui.stepSlider.setValue(1)
    host.click(panel.ui.playButton)
    host.click(panel.ui.playButton)
    tick(host, panel.ui.growthOverlayCheckBox)
    tick(host, panel.ui.uncertaintyOverlayCheckBox)
    tick(host, panel.ui.uncertaintyOverlayCheckBox)
    host.click(panel.ui.jumpButton)
    inspect(host, panel)
    choose_model(panel, "slow")
    host.click(panel.ui.segmentButton)
    run_until_step(host, panel, 5)
    host.click(panel.ui.segmentButton)
    choose_model(panel, "brightness")
    gc.collect()


def inspect(host, panel):
    """Leave placing once, then place the point and drag it."""
    with host.mouse("Red") as mouse:
        centre = middle_of("Red")
        beside = [centre[0] + 5, *centre[1:]]
        host.click(panel.ui.inspectButton)
        mouse.click(centre, "Right")
        host.click(panel.ui.inspectButton)
        mouse.click(centre)
        host.processEvents()
        assert panel.ui.statusLabel.text.startswith("The plot shows")
        mouse.drag(centre, beside)
        host.processEvents()


def middle_of(slice_view):
    """The point (RAS) in the middle of a slice view."""
    import slicer

    matrix = slicer.app.layoutManager().sliceWidget(slice_view).mrmlSliceNode().GetSliceToRAS()
    return [matrix.GetElement(row, 3) for row in range(3)]


def observers_of(node):
    from host.inspection import observerCount  # needs Qt, which only the host brings

    return observerCount(node)


def mouse_observers():
    import slicer

    logic = slicer.app.applicationLogic()
    return observers_of(logic.GetInteractionNode()), observers_of(logic.GetSelectionNode())


def counts(host, volume_node):
    return {
        **host.counts(),
        "volumeObservers": observers_of(volume_node),
        "mouseObservers": mouse_observers(),
        "layers": layers(),
        "errors": host.messages.texts("error"),
    }


def test_second_time_adds_nothing(host, panel, volume_node):
    use_all(host, panel)
    before = counts(host, volume_node)
    use_all(host, panel)
    assert counts(host, volume_node) == before


def test_reloaded_panel_lets_go_of_the_scene(host, panel, volume_node):
    """The application itself only hides the widgets of a panel that is reloaded, so those are not counted."""
    use_all(host, panel)
    kept = ("nodes", "timers", "layers", "mouseObservers")
    before = {key: value for key, value in counts(host, volume_node).items() if key in kept}
    for _ in range(2):
        new = host.reloadModule("MedNCA")
    after = counts(host, volume_node)
    assert {key: after[key] for key in before} == before
    assert new is not panel
    assert panel._panel._input._volume.node is None
    assert panel._panel._player._playback.browserNode is None
    assert not panel._panel._inspector.Observations


def test_closed_module_observes_no_node(host, panel, volume_node):
    host.closeModule()
    before = observers_of(volume_node)
    host.openModule("MedNCA")
    use_all(host, panel)
    assert observers_of(volume_node) > before
    point = panel.logic.getParameterNode().inspectedPoint
    while_open = observers_of(point)
    host.closeModule()
    assert observers_of(volume_node) <= before + 1  # the slice views follow a volume that they have shown
    assert observers_of(point) == while_open - 2  # placed, dragged


@pytest.mark.parametrize("version", [(5, 10), (5, 12)])
def test_opening_the_module_again_leaves_no_observer(host, panel, volume_node, version):
    host.imitateVersion(*version)
    node = panel.logic.getParameterNode().parameterNode
    counts = []
    for _ in range(3):
        host.closeModule()
        host.openModule("MedNCA")
        gc.collect()
        counts.append(observers_of(node))
    assert counts == counts[:1] * 3
