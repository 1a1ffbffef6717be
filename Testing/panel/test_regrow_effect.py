"""The effect Regrow in the Segment Editor, as a person uses it there: with the editor's undo, masks and key."""

from pathlib import Path

import host as hostPackage
import numpy as np
import pytest
from support.brightness_model import MODULE, brightness_model
from support.corrections import STROKE, Editor, flat_image, voxels_of
from support.obedient_model import obedient_model
from support.scene_assertions import add_volume

SEGMENT_EDITOR = Path(hostPackage.__file__).parent / "scripted" / "SegmentEditor.py"
K, J, _I = STROKE
AROUND = K, slice(J - 1, J + 2), slice(_I - 1, _I + 2)


@pytest.fixture
def editing(host, tmp_path, monkeypatch):
    """The Segment Editor with a result of a model, and the effect."""
    monkeypatch.setenv("MEDNCA_MODELS", str(tmp_path))
    obedient_model().save(tmp_path / "obedient")
    brightness_model(tmp_path, name="brightness")
    host.loadModule(MODULE)
    host.loadModule(SEGMENT_EDITOR)
    import MedNCA

    volume_node = add_volume(flat_image())
    node = MedNCA.MedNCALogic().process(volume_node, model="obedient")
    widget = host.openModule("SegmentEditor").editor
    editor = Editor(node, volume_node, widget)
    return widget, editor, node, volume_node


def regrow(host, effect):
    host.click(effect.self().regrowButton)
    host.waitUntil(lambda: not effect.self().isRunning)


def test_it_regrows_and_the_editor_undoes_and_redoes_it(host, editing):
    widget, editor, node, volume_node = editing
    effect = widget.effectByName("Regrow")
    host.click(widget._buttons["Regrow"])
    assert widget.activeEffect() is effect
    assert not effect.self().regrowButton.enabled
    assert "Nothing was corrected" in effect.self().statusLabel.text
    editor.paint(STROKE)
    host.processEvents()
    painted = voxels_of(node, 2, volume_node)
    regrow(host, effect)
    grown = voxels_of(node, 2, volume_node)
    assert grown[AROUND].all()
    assert effect.self().statusLabel.text.startswith("Regrown in ")
    widget.undo()
    np.testing.assert_array_equal(voxels_of(node, 2, volume_node), painted)
    host.processEvents()
    assert effect.self().regrowButton.enabled
    widget.redo()
    np.testing.assert_array_equal(voxels_of(node, 2, volume_node), grown)
    host.processEvents()
    host.click(effect.self().forgetButton)
    assert not voxels_of(node, 2, volume_node)[AROUND].any()
    widget.undo()
    np.testing.assert_array_equal(voxels_of(node, 2, volume_node), grown)


def test_the_key_works_while_another_effect_is_active(host, editing):
    from PySide6 import QtCore, QtTest

    widget, editor, node, volume_node = editing
    assert widget.activeEffect() is None  # as while one paints
    editor.paint(STROKE)
    host.processEvents()
    widget.window().activateWindow()
    QtTest.QTest.keyClick(widget.window(), QtCore.Qt.Key_N)
    effect = widget.effectByName("Regrow").self()
    host.waitUntil(lambda: not effect.isRunning)
    assert voxels_of(node, 2, volume_node)[AROUND].all()
    QtTest.QTest.keyClick(widget.window(), QtCore.Qt.Key_N)
    host.processEvents()
    assert "Nothing was corrected" in effect.statusLabel.text


@pytest.mark.parametrize("masking", ["inside a segment", "intensity range"])
def test_only_the_editable_area_changes(host, editing, masking):
    import slicer

    widget, editor, node, volume_node = editing
    editor.paint(STROKE)
    before = voxels_of(node, 2, volume_node)
    mask = np.zeros(before.shape, bool)
    mask[K, J:, :] = True
    if masking == "inside a segment":
        mask_id = node.GetSegmentation().AddEmptySegment("", "here")
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), node, mask_id, volume_node)
        editor.node.SetMaskMode(slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment)
        editor.node.SetMaskSegmentID(mask_id)
    else:
        seen = add_volume(flat_image(), "another sequence")
        slicer.util.updateVolumeFromArray(seen, np.where(mask, 500, 0).astype(np.int16))
        editor.node.SetAndObserveSourceVolumeNode(seen)
        editor.node.SetSourceVolumeIntensityMask(True)
        editor.node.SetSourceVolumeIntensityMaskRange(400, 600)
    before = voxels_of(node, 2, volume_node)
    widget.setActiveEffectByName("Regrow")
    regrow(host, widget.effectByName("Regrow"))
    after = voxels_of(node, 2, volume_node)
    assert after[K, J : J + 2, _I - 1 : _I + 2].all()
    np.testing.assert_array_equal(after[~mask], before[~mask])
    assert not widget.effectByName("Regrow").self().regrowButton.enabled


def test_it_can_be_cancelled_and_ends_if_the_volume_is_deleted(host, editing):
    import slicer

    widget, editor, node, volume_node = editing
    effect = widget.effectByName("Regrow")
    editor.paint(STROKE)
    painted = voxels_of(node, 2, volume_node)
    widget.setActiveEffectByName("Regrow")
    host.click(effect.self().regrowButton)
    assert effect.self().regrowButton.text == "Cancel"
    host.click(effect.self().regrowButton)
    assert not effect.self().isRunning
    np.testing.assert_array_equal(voxels_of(node, 2, volume_node), painted)
    host.click(effect.self().regrowButton)
    slicer.mrmlScene.RemoveNode(volume_node)
    assert not effect.self().isRunning
    assert effect.self().statusLabel.text == "Cancelled: head was deleted."
    assert not effect.self().regrowButton.enabled


def test_closing_the_scene_in_the_middle_ends_it(host, editing):
    import slicer

    widget, editor, _, _ = editing
    effect = widget.effectByName("Regrow")
    editor.paint(STROKE)
    widget.setActiveEffectByName("Regrow")
    host.click(effect.self().regrowButton)
    host.processEvents()
    host.closeScene()
    assert not effect.self().isRunning
    assert not slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")


def test_a_model_that_cannot_is_named_and_those_that_can_are_listed(host, editing):
    import MedNCA

    widget, editor, _, volume_node = editing
    node = MedNCA.MedNCALogic().process(volume_node, model="brightness")
    editor.node.SetAndObserveSegmentationNode(node)
    effect = widget.effectByName("Regrow")
    widget.setActiveEffectByName("Regrow")
    assert "brightness cannot regrow" in effect.self().regrowButton.toolTip
    box = effect.self().modelComboBox
    listed = [box.itemData(index) for index in range(box.count)]
    assert {"", "hippocampus-mr", "obedient"} <= set(listed)
    assert "brightness" not in listed
    assert not effect.icon().isNull()
    assert "Regrow" in effect.helpText()
    assert not effect.perSegment


def test_saved_and_loaded_it_goes_on(host, editing, tmp_path):
    import slicer

    widget, editor, node, volume_node = editing
    editor.paint(STROKE)
    widget.setActiveEffectByName("Regrow")
    regrow(host, widget.effectByName("Regrow"))
    path = str(tmp_path / "scene.mrb")
    slicer.util.saveScene(path)
    widget.setActiveEffect(None)
    host.closeScene()
    slicer.util.loadScene(path)
    host.closeModule()
    host.openModule("SegmentEditor")
    node, volume_node = slicer.util.getNode("head_obedient"), slicer.util.getNode("head")
    editor = Editor(node, volume_node, widget)
    editor.paint((K, J, 3))
    widget.setActiveEffectByName("Regrow")
    regrow(host, widget.effectByName("Regrow"))
    after = voxels_of(node, 2, volume_node)
    assert after[AROUND].all()
    assert after[K, J - 1 : J + 2, 2:5].all()
