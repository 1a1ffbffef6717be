"""What may go wrong during a run: afterwards panel and scene are as they should be, and nothing is left behind."""

import gc
import sys
import weakref

import pytest
from support.brightness_model import boxes_image
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


def test_refused_volume_is_one_sentence_in_the_panel(host, panel):
    image = boxes_image() * 0
    panel.ui.inputSelector.setCurrentNode(add_volume(image, "empty field"))
    before = node_ids()
    segment(host, panel)
    assert "no contrast" in panel.ui.statusLabel.text
    assert "Traceback" not in panel.ui.statusLabel.text
    assert node_ids() == before
    assert_idle(panel)
    assert host.messages.texts("error") == []


def test_defect_is_logged_with_its_trace_and_shown_and_ends_the_run(host, panel, volume_node, monkeypatch, caplog):
    from MedNCAScene import segmentation_run

    def fail(*_):
        raise ZeroDivisionError("for the test")

    monkeypatch.setattr(segmentation_run, "writeSegments", fail)
    panel.ui.inputSelector.setCurrentNode(volume_node)
    before = node_ids()
    segment(host, panel)
    assert panel.ui.statusLabel.text == "The run failed because of a defect in MedNCA: for the test"
    assert "ZeroDivisionError" in caplog.text
    assert "Traceback" in caplog.text
    assert node_ids() == before
    assert_idle(panel)


def test_input_deleted_during_a_run_cancels_it(host, panel, volume_node):
    import slicer

    panel.ui.inputSelector.setCurrentNode(volume_node)
    choose_model(panel, "slow")
    before = node_ids() - {volume_node.GetID(), volume_node.GetDisplayNodeID()}
    host.click(panel.ui.segmentButton)
    run_until_step(host, panel, 3)
    slicer.mrmlScene.RemoveNode(volume_node)
    assert_idle(panel)
    assert panel.ui.statusLabel.text == "Cancelled: head was deleted."
    host.processEvents(0.05)
    assert node_ids() <= before
    assert segmentation_nodes() == []
    assert not panel.ui.segmentButton.enabled


def test_output_deleted_during_a_run_cancels_it(host, panel, volume_node):
    import slicer

    mine = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    panel.ui.inputSelector.setCurrentNode(volume_node)
    panel.ui.outputSelector.setCurrentNode(mine)
    choose_model(panel, "slow")
    host.click(panel.ui.segmentButton)
    run_until_step(host, panel, 3)
    slicer.mrmlScene.RemoveNode(mine)
    assert_idle(panel)
    assert panel.ui.statusLabel.text == "Cancelled: mine was deleted."
    assert segmentation_nodes() == []


def test_other_nodes_may_come_and_go_during_a_run(host, panel, volume_node):
    import slicer

    other = add_volume(name="other head")
    panel.ui.inputSelector.setCurrentNode(volume_node)
    choose_model(panel, "slow")
    host.click(panel.ui.segmentButton)
    run_until_step(host, panel, 3)
    slicer.mrmlScene.RemoveNode(other)
    add_volume(name="third head")
    host.waitUntil(lambda: not panel.isRunning)
    assert_found(segmentation_nodes()[0], volume_node)


def test_scene_closed_during_a_run_cancels_it(host, panel, volume_node):
    panel.ui.inputSelector.setCurrentNode(volume_node)
    choose_model(panel, "slow")
    host.click(panel.ui.segmentButton)
    run_until_step(host, panel, 3)
    host.closeScene()
    assert_idle(panel)
    assert not panel.ui.segmentButton.enabled
    assert segmentation_nodes() == []
    # The panel works on in the new scene.
    volume_node = add_volume(name="next patient")
    panel.ui.inputSelector.setCurrentNode(volume_node)
    choose_model(panel, "brightness")
    segment(host, panel)
    assert_found(segmentation_nodes()[0], volume_node)


def test_run_goes_on_while_another_module_is_shown(host, panel, volume_node):
    panel.ui.inputSelector.setCurrentNode(volume_node)
    choose_model(panel, "slow")
    host.click(panel.ui.segmentButton)
    run_until_step(host, panel, 3)
    host.closeModule()
    host.waitUntil(lambda: not panel.isRunning)
    assert_found(segmentation_nodes()[0], volume_node)
    assert host.openModule("MedNCA") is panel
    assert panel.ui.outputSelector.currentNode() is segmentation_nodes()[0]
    assert_idle(panel)


def test_module_reloaded_during_a_run_cancels_it_and_works(host, panel, volume_node):
    panel.ui.inputSelector.setCurrentNode(volume_node)
    choose_model(panel, "slow")
    before = node_ids()
    host.click(panel.ui.segmentButton)
    run_until_step(host, panel, 3)
    widget = host.reloadModule("MedNCA")
    assert widget is not panel
    assert not panel.isRunning
    host.processEvents(0.05)
    assert node_ids() == before
    choose_model(widget, "brightness")
    segment(host, widget)
    assert_found(segmentation_nodes()[0], volume_node)


def test_reload_reads_the_packages_of_the_module_again(host, panel):
    before = {name: sys.modules[name] for name in ("MedNCAScene", "MedNCAPanel.messages", "MedNCALib")}
    host.reloadModule("MedNCA")
    assert all(sys.modules[name] is not module for name, module in before.items())


def test_application_may_end_during_a_run(host, panel, volume_node):
    """Most other modules are unloaded before."""
    import slicer
    from host.inspection import observerCount

    panel.ui.inputSelector.setCurrentNode(volume_node)
    choose_model(panel, "slow")
    host.click(panel.ui.segmentButton)
    run_until_step(host, panel, 3)
    observers = observerCount(slicer.mrmlScene)
    host.quit()
    assert host.errors == []
    assert not panel.isRunning
    assert not panel.Observations
    assert observerCount(slicer.mrmlScene) < observers
    assert segmentation_nodes() == []


def test_nothing_is_left_after_runs_and_reloads(host, panel, volume_node):
    """No nodes, no observers of the scene, and no timer of a run stays behind."""
    panel.ui.inputSelector.setCurrentNode(volume_node)
    segment(host, panel)
    nodes = node_ids()
    choose_model(panel, "slow")
    runs = []
    for _ in range(3):
        host.click(panel.ui.segmentButton)
        runs.append(weakref.ref(panel._runSection._run._steps))
        run_until_step(host, panel, 2)
        host.click(panel.ui.segmentButton)
    gc.collect()
    assert node_ids() == nodes
    assert [run() for run in runs] == [None] * 3
    widgets = [panel, *(host.reloadModule("MedNCA") for _ in range(2))]
    assert widgets[-1].Observations
    for widget in widgets[:-1]:
        assert not widget.Observations
    assert node_ids() == nodes


def test_a_timer_that_calls_the_run_is_there_for_the_next_run(host, panel, volume_node):
    """A timer that is deleted within its own tick may end the application."""
    panel.ui.inputSelector.setCurrentNode(volume_node)
    timer = panel._runSection._run._timer
    for _ in range(2):
        segment(host, panel)
        assert panel._runSection._run._timer is timer
        assert not timer.active
