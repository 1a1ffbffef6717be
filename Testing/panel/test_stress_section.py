"""The stress test in the panel: started by a click, shown with its worst case, cancelled without a trace."""

import pytest
from support.panel_driver import assert_idle, choose_model, node_ids, run_until_step, segment, tick
from support.scene_assertions import add_volume, scene_content
from support.slice_view_probe import layers


def stress(host, panel):
    host.click(panel.ui.stressButton)
    host.waitUntil(lambda: not panel.isRunning, 60)


def outcome(panel):
    return panel.logic.stressOutcome


def test_before_a_stress_test_the_panel_says_so(panel, volume_node):
    assert "No stress test" in panel.ui.stressLabel.text
    assert not panel.ui.stressTableView.visible
    assert not panel.ui.worstCaseCheckBox.enabled
    assert "Click Stress test" in panel.ui.worstCaseCheckBox.toolTip
    assert panel.ui.stressButton.enabled
    assert "eleven times" in panel.ui.stressButton.toolTip


def test_without_a_volume_the_button_says_what_is_missing(panel):
    assert not panel.ui.stressButton.enabled
    assert panel.ui.stressButton.toolTip == "Still missing: an input volume"


def test_a_click_gives_a_table_a_sentence_and_the_worst_case_in_the_views(host, panel, volume_node):
    before = layers()
    stress(host, panel)
    table = panel.ui.stressTableView.mrmlTableNode()
    assert table is outcome(panel).tableNode
    assert panel.ui.stressTableView.visible
    assert "The result depends on noise" in panel.ui.stressLabel.text
    assert "#d9822b" in panel.ui.stressLabel.text
    assert panel.ui.statusLabel.text.startswith("The stress test is done, in ")
    assert panel.ui.worstCaseCheckBox.checked
    assert {foreground for _, foreground, *_ in layers()} == {outcome(panel).worstNode.GetID()}
    tick(host, panel.ui.worstCaseCheckBox)
    assert layers() == before
    assert_idle(panel)


def test_the_views_move_to_where_most_changes(host, panel, volume_node):
    import numpy as np
    import slicer
    import vtk

    stress(host, panel)
    worst = outcome(panel).worstNode
    changed = slicer.util.arrayFromVolume(worst) > 1
    sums = [changed.sum(axis=tuple(other for other in range(3) if other != axis)).argmax() for axis in (2, 1, 0)]
    matrix = vtk.vtkMatrix4x4()
    worst.GetIJKToRASMatrix(matrix)
    place = matrix.MultiplyPoint((*map(float, sums), 1))
    offset = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed").GetSliceToRAS().GetElement(2, 3)
    np.testing.assert_allclose(offset, place[2], atol=0.01)


def test_the_segments_are_outlines_while_the_worst_case_is_shown(host, panel, volume_node):
    segment(host, panel)
    display = panel.ui.outputSelector.currentNode().GetDisplayNode()
    stress(host, panel)
    assert not display.GetVisibility2DFill()
    tick(host, panel.ui.worstCaseCheckBox)
    assert display.GetVisibility2DFill()


def test_progress_says_which_perturbation_is_on(host, panel, volume_node):
    choose_model(panel, "slow")
    host.click(panel.ui.stressButton)
    run_until_step(host, panel, 5)
    assert panel.ui.statusLabel.text.startswith("Stress test, segmentation 1 of 11: As it is")
    host.waitUntil(lambda: "segmentation 2 of 11: Noise, 10 %" in panel.ui.statusLabel.text, 60)
    assert 100 / 11 <= panel.ui.progressBar.value + 1 < 200 / 11 + 1
    host.click(panel.ui.segmentButton)


def test_cancel_leaves_the_scene_as_it_was(host, panel, volume_node):
    segment(host, panel)
    scores = panel.ui.verdictLabel.text
    before, shown = scene_content(), layers()
    host.click(panel.ui.stressButton)
    host.waitUntil(lambda: "segmentation 3" in panel.ui.statusLabel.text, 60)
    assert panel.ui.segmentButton.text == "&Cancel"
    host.click(panel.ui.segmentButton)
    assert panel.ui.statusLabel.text == "Cancelled; nothing was changed."
    assert (scene_content(), layers()) == (before, shown)
    assert panel.ui.verdictLabel.text == scores
    assert "No stress test" in panel.ui.stressLabel.text
    assert_idle(panel)


def test_a_failure_leaves_the_scene_as_it_was(host, panel, volume_node):
    import slicer

    slicer.util.arrayFromVolume(volume_node)[:] = 0
    before, shown = scene_content(), layers()
    stress(host, panel)
    assert "no contrast" in panel.ui.statusLabel.text
    assert (scene_content(), layers()) == (before, shown)
    assert "No stress test" in panel.ui.stressLabel.text


def test_a_volume_that_is_deleted_meanwhile_ends_the_stress_test(host, panel, volume_node):
    import slicer

    choose_model(panel, "slow")
    host.click(panel.ui.stressButton)
    run_until_step(host, panel, 5)
    slicer.mrmlScene.RemoveNode(volume_node)
    assert panel.ui.statusLabel.text == "Cancelled: head was deleted."
    assert not panel.isRunning


def test_the_scores_of_the_segmentation_stay_as_they_are(host, panel, volume_node):
    segment(host, panel)
    scores, table = panel.ui.verdictLabel.text, panel.ui.qualityTableView.mrmlTableNode()
    stress(host, panel)
    assert panel.ui.verdictLabel.text == scores
    assert panel.ui.verdictLabel.enabled
    assert panel.ui.qualityTableView.mrmlTableNode() is table


def test_a_stress_test_belongs_to_its_volume_and_its_model(host, panel, volume_node):
    stress(host, panel)
    said = panel.ui.stressLabel.text
    choose_model(panel, "slow")
    assert "No stress test" in panel.ui.stressLabel.text
    choose_model(panel, "brightness")
    assert panel.ui.stressLabel.text == said
    panel.ui.inputSelector.setCurrentNode(add_volume(name="next patient"))
    assert "No stress test" in panel.ui.stressLabel.text
    assert not panel.ui.worstCaseCheckBox.enabled


def test_the_next_stress_test_fills_the_same_nodes(host, panel, volume_node):
    stress(host, panel)
    before = node_ids()
    stress(host, panel)
    assert node_ids() == before


def test_a_stress_test_is_kept_in_the_scene(host, panel, volume_node, tmp_path):
    import slicer

    stress(host, panel)
    said = panel.ui.stressLabel.text
    tick(host, panel.ui.worstCaseCheckBox)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.closeScene()
    assert "No stress test" in panel.ui.stressLabel.text
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.closeModule()
    assert host.openModule("MedNCA").ui.stressLabel.text == said
    assert panel.ui.worstCaseCheckBox.enabled


def test_a_worst_case_that_is_deleted_cannot_be_shown(host, panel, volume_node):
    import slicer

    stress(host, panel)
    tick(host, panel.ui.worstCaseCheckBox)
    slicer.mrmlScene.RemoveNode(outcome(panel).worstNode)
    panel.onParametersModified()
    assert not panel.ui.worstCaseCheckBox.enabled
    assert not panel.ui.worstCaseCheckBox.checked


@pytest.mark.parametrize("overlay", ["uncertaintyOverlayCheckBox", "worstCaseCheckBox"])
def test_one_overlay_takes_the_place_of_the_other(host, panel, volume_node, overlay):
    panel.ui.runsSpinBox.setValue(2)
    tick(host, panel.ui.uncertaintyCheckBox)
    segment(host, panel)
    stress(host, panel)
    other = {"uncertaintyOverlayCheckBox", "worstCaseCheckBox"} - {overlay}
    tick(host, panel.ui.uncertaintyOverlayCheckBox)
    if overlay == "worstCaseCheckBox":
        tick(host, panel.ui.worstCaseCheckBox)
    assert getattr(panel.ui, overlay).checked
    assert not getattr(panel.ui, other.pop()).checked


def test_a_declined_licence_starts_no_stress_test(host, panel, volume_node, monkeypatch):
    from MedNCAPanel import licence_consent

    monkeypatch.setattr(licence_consent, "mayUse", lambda model: False)
    host.click(panel.ui.stressButton)
    assert not panel.isRunning
    assert "licence" in panel.ui.statusLabel.text


def test_the_colours_are_explained_while_the_worst_case_is_shown(host, panel, volume_node):
    assert not panel.ui.worstCaseLabel.visible
    stress(host, panel)
    assert panel.ui.worstCaseLabel.visible
    for words in ("unchanged", "lost", "new", "another label"):
        assert words in panel.ui.worstCaseLabel.text
    tick(host, panel.ui.worstCaseCheckBox)
    assert not panel.ui.worstCaseLabel.visible
