"""Corrections in the panel: Regrow by button and by key, Undo, Forget corrections, and why they wait."""

from pathlib import Path

import host as hostPackage
import numpy as np
import pytest
from support.corrections import STROKE, Editor, flat_image, voxels_of
from support.obedient_model import obedient_model
from support.panel_driver import choose_model, run_until_step, segment
from support.scene_assertions import add_volume, new_segmentation
from support.slice_view_probe import layers

SEGMENT_EDITOR = Path(hostPackage.__file__).parent / "scripted" / "SegmentEditor.py"
SLICE, AROUND = STROKE[0], (STROKE[0], slice(STROKE[1] - 1, STROKE[1] + 2), slice(STROKE[2] - 1, STROKE[2] + 2))


@pytest.fixture
def corrected(host, panel, tmp_path):
    """The panel with a result of a model that can regrow, in which a person has painted one voxel."""
    import slicer

    obedient_model().save(tmp_path / "obedient")
    panel.initializeParameterNode()
    volume_node = add_volume(flat_image())
    panel.ui.inputSelector.setCurrentNode(volume_node)
    slicer.util.setSliceViewerLayers(background=volume_node, fit=True)
    choose_model(panel, "obedient")
    segment(host, panel)
    assert "Nothing was corrected" in panel.ui.regrowButton.toolTip
    assert not panel.ui.regrowButton.enabled
    node = panel.ui.outputSelector.currentNode()
    editor = Editor(node, volume_node)
    editor.paint(STROKE)
    host.processEvents()
    return node, volume_node, editor


def done(host, panel):
    host.waitUntil(lambda: not panel.isRunning)


def press(host, key, window):
    from PySide6 import QtCore, QtTest

    window.activateWindow()
    host.processEvents()
    QtTest.QTest.keyClick(window, key, QtCore.Qt.NoModifier)
    host.processEvents()


def test_button_regrows_undo_brings_back_and_forget_starts_over(host, panel, corrected):
    node, volume_node, _ = corrected
    painted = voxels_of(node, 2, volume_node)
    assert not panel.ui.undoButton.enabled
    host.click(panel.ui.regrowButton)
    done(host, panel)
    assert panel.ui.statusLabel.text.startswith("Regrown in ")
    assert "Voxels corrected: 1; changed with them: 44." in panel.ui.statusLabel.text
    grown = voxels_of(node, 2, volume_node)
    assert grown[AROUND].all()
    assert not panel.ui.regrowButton.enabled
    host.click(panel.ui.undoButton)
    np.testing.assert_array_equal(voxels_of(node, 2, volume_node), painted)
    assert not panel.ui.undoButton.enabled
    host.click(panel.ui.regrowButton)
    done(host, panel)
    np.testing.assert_array_equal(voxels_of(node, 2, volume_node), grown)
    host.click(panel.ui.forgetButton)
    assert not voxels_of(node, 2, volume_node)[AROUND].any()
    assert "forgotten" in panel.ui.statusLabel.text
    assert not panel.ui.forgetButton.enabled
    assert "no corrections" in panel.ui.forgetButton.toolTip
    assert panel.ui.verdictLabel.text.endswith("no score speaks of them.")


def test_many_edits_at_once_are_looked_at_once(host, panel, corrected, monkeypatch):
    from MedNCAPanel import regrow_section

    looked = []
    whyNot = regrow_section.whyNotRegrown
    monkeypatch.setattr(regrow_section, "whyNotRegrown", lambda *nodes: looked.append(nodes) or whyNot(*nodes))
    _node, _volume_node, editor = corrected
    for column in (1, 2, 3):
        editor.paint((*STROKE[:2], column))
    host.processEvents()
    assert len(looked) == 1


def test_one_key_regrows_or_says_why_not(host, panel, corrected):
    from PySide6 import QtCore

    node, volume_node, _ = corrected
    press(host, QtCore.Qt.Key_N, panel.parent.window())
    done(host, panel)
    assert voxels_of(node, 2, volume_node)[AROUND].all()
    press(host, QtCore.Qt.Key_N, panel.parent.window())
    assert not panel.isRunning
    assert "Nothing was corrected" in panel.ui.statusLabel.text


def test_the_views_show_it_growing_and_cancel_leaves_everything(host, panel, corrected):
    node, volume_node, _ = corrected
    painted, before = voxels_of(node, 2, volume_node), layers()
    host.click(panel.ui.regrowButton)
    run_until_step(host, panel, 4)
    assert layers() != before
    for name in ("regrowButton", "undoButton", "forgetButton", "editButton"):
        assert not getattr(panel.ui, name).enabled
    host.click(panel.ui.segmentButton)
    assert panel.ui.statusLabel.text == "Cancelled; nothing was changed."
    assert layers() == before
    np.testing.assert_array_equal(voxels_of(node, 2, volume_node), painted)
    assert panel.ui.regrowButton.enabled


@pytest.mark.parametrize("deleted", ["volume", "segmentation"])
def test_deleting_a_node_in_the_middle_ends_it_with_a_sentence(host, panel, corrected, deleted):
    import slicer

    node, volume_node, _ = corrected
    host.click(panel.ui.regrowButton)
    run_until_step(host, panel, 3)
    slicer.mrmlScene.RemoveNode(volume_node if deleted == "volume" else node)
    host.processEvents()
    assert not panel.isRunning
    assert "was deleted" in panel.ui.statusLabel.text
    assert not panel.ui.regrowButton.enabled
    assert panel.ui.regrowButton.toolTip


def test_a_model_that_cannot_regrow_is_named_in_the_tooltip(host, panel, volume_node):
    segment(host, panel)
    assert not panel.ui.regrowButton.enabled
    assert "The model brightness cannot regrow" in panel.ui.regrowButton.toolTip


def test_a_segmentation_from_elsewhere_starts_when_it_is_edited_or_regrown_first(host, panel, corrected):
    import slicer

    _, volume_node, _ = corrected
    host.loadModule(SEGMENT_EDITOR)
    for way in ("edited", "regrown"):
        node = new_segmentation(volume_node, way)
        for name in ("medium", "bright"):
            node.GetSegmentation().AddEmptySegment("", name)
        panel.ui.outputSelector.setCurrentNode(node)
        if way == "edited":
            host.click(panel.ui.editButton)
            host.openModule("MedNCA")
            panel.ui.outputSelector.setCurrentNode(node)
        else:
            host.click(panel.ui.regrowButton)
            done(host, panel)
            assert "is what corrections start from" in panel.ui.statusLabel.text
        Editor(node, volume_node).paint(STROKE)
        host.processEvents()
        host.click(panel.ui.regrowButton)
        done(host, panel)
        assert voxels_of(node, 2, volume_node)[AROUND].all()
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode")


def test_the_segment_editor_takes_a_regrowing_of_the_panel_back_too(host, panel, corrected):
    import slicer

    node, volume_node, _ = corrected
    host.loadModule(SEGMENT_EDITOR)
    host.click(panel.ui.editButton)
    painted = voxels_of(node, 2, volume_node)
    host.openModule("MedNCA")
    host.click(panel.ui.regrowButton)
    done(host, panel)
    assert voxels_of(node, 2, volume_node)[AROUND].all()
    slicer.modules.SegmentEditorWidget.editor.undo()
    host.processEvents()
    np.testing.assert_array_equal(voxels_of(node, 2, volume_node), painted)
    assert panel.ui.regrowButton.enabled
    assert not panel.ui.undoButton.enabled
    assert "Segment Editor" in panel.ui.undoButton.toolTip
