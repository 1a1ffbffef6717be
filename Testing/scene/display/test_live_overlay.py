"""The live preview: seen while a run is on, gone afterwards, however the run has ended."""

from types import SimpleNamespace

import numpy as np
import pytest
from support.brightness_model import boxes_image, rotation, truth_of
from support.panel_driver import choose_model, node_ids, run_until_step, segment, tick
from support.scene_assertions import add_transform, add_volume
from support.slice_view_probe import colored, layers, pixels

ORANGE, BLUE = (230, 159, 0), (86, 180, 233)  # of the two labels


@pytest.fixture
def volume_node(panel, volume_node):
    choose_model(panel, "slow")
    return volume_node


@pytest.fixture
def each_step_is_shown(panel, monkeypatch):
    from MedNCAScene.display.live_overlay import LiveOverlay

    monkeypatch.setattr(LiveOverlay, "SHORTEST_INTERVAL", 0)
    monkeypatch.setattr(LiveOverlay, "REST", 0)


def overlay():
    import slicer

    views = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    ids = {view.GetForegroundVolumeID() for view in views}
    assert len(ids) == 1
    return slicer.mrmlScene.GetNodeByID(ids.pop())


def middle(volume_node):
    """World RAS of the corner where the two boxes meet."""
    import vtk

    to_ras, to_world = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(to_ras)
    if volume_node.GetParentTransformNode():
        volume_node.GetParentTransformNode().GetMatrixTransformToWorld(to_world)
    return to_world.MultiplyPoint(to_ras.MultiplyPoint((6, 12, 5, 1)))[:3]


def start(host, panel, steps):
    host.click(panel.ui.segmentButton)
    run_until_step(host, panel, steps)


def test_slice_views_show_the_labels_in_their_colours_during_a_run(
    host, panel, volume_node, each_step_is_shown, tmp_path
):
    centre = middle(volume_node)
    before = pixels(host, tmp_path / "before.png", centreOn=centre)
    start(host, panel, 79)
    during = pixels(host, tmp_path / "during.png", centreOn=centre)
    host.click(panel.ui.segmentButton)
    after = pixels(host, tmp_path / "after.png", centreOn=centre)
    for color in (ORANGE, BLUE):
        added = colored(during, color).sum() - colored(before, color).sum()
        assert added > 1000
    np.testing.assert_array_equal(after, before)


def test_picture_follows_the_step(host, panel, volume_node, each_step_is_shown):
    import slicer

    start(host, panel, 20)
    assert not slicer.util.arrayFromVolume(overlay()).any()  # the coarse stage of this model is silent
    run_until_step(host, panel, 41)
    early = slicer.util.arrayFromVolume(overlay()).copy()
    run_until_step(host, panel, 79)
    late = slicer.util.arrayFromVolume(overlay())
    assert early.any()
    assert (late != early).any()
    assert set(np.unique(late)) == {0, 127, 254}


def test_turn_of_the_event_loop_that_prepares_the_volume_shows_no_picture(panel, volume_node, each_step_is_shown):
    steps = panel.logic.processSteps(volume_node, model="slow", showWhileRunning=True)
    next(steps)
    assert all(foreground is None for _, foreground, *_ in layers())
    next(steps)
    assert overlay().GetName() == "MedNCA live preview"
    steps.close()


def test_picture_lies_on_the_anatomy(host, panel, volume_node, each_step_is_shown):
    import slicer
    from support.scene_assertions import sorted_points
    from vtk import vtkMatrix4x4

    volume_node.SetAndObserveTransformNodeID(add_transform(rotation(), (50, 0, 0)).GetID())
    start(host, panel, 79)
    node = overlay()
    assert node.GetTransformNodeID() == volume_node.GetTransformNodeID()

    def points(which, values):
        matrix = vtkMatrix4x4()
        which.GetIJKToRASMatrix(matrix)
        return sorted_points(np.argwhere(values)[:, ::-1], slicer.util.arrayFromVTKMatrix(matrix))

    found = slicer.util.arrayFromVolume(node)
    for value, code in ((1, 127), (2, 254)):
        expected = points(volume_node, truth_of(boxes_image()) == value)
        np.testing.assert_allclose(points(node, found == code), expected, atol=1e-4)


def test_everything_is_as_before_after_the_run(host, panel, volume_node):
    import slicer

    other = add_volume(name="other")
    slicer.util.setSliceViewerLayers(foreground=other, foregroundOpacity=0.3)
    before = layers()
    segment(host, panel)
    assert panel.ui.statusLabel.text.startswith("Done")
    assert layers() == before
    hidden = [name for name in slicer.util.getNodes("MedNCA*") if "picture" in name or "cells" in name]
    assert hidden == []


@pytest.mark.parametrize("ending", ["cancel", "failure", "input deleted", "reload"])
def test_everything_is_as_before_however_the_run_ends(host, panel, volume_node, ending):
    import slicer

    other = add_volume(name="other")
    slicer.util.setSliceViewerLayers(background=other, foreground=other, foregroundOpacity=0.3)
    nodes, before = node_ids(), layers()
    start(host, panel, 3)
    assert overlay().GetName() == "MedNCA live preview"
    if ending == "cancel":
        host.click(panel.ui.segmentButton)
    elif ending == "failure":
        slicer.util.updateVolumeFromArray(volume_node, np.ones((3, 4, 5)))
        host.waitUntil(lambda: not panel.isRunning)
        assert "was changed during the run" in panel.ui.statusLabel.text
    elif ending == "input deleted":
        nodes -= {volume_node.GetID(), volume_node.GetDisplayNodeID()}
        slicer.mrmlScene.RemoveNode(volume_node)
    else:
        host.reloadModule("MedNCA")
    assert layers() == before
    assert node_ids() <= nodes | {volume_node.GetDisplayNodeID()}


def test_closed_scene_is_empty(host, panel, volume_node):
    start(host, panel, 3)
    host.closeScene()
    assert all(foreground is None for _, foreground, *_ in layers())
    assert not [node for node in node_ids() if "ScalarVolume" in node or "ColorTableNode1" in node]


def test_foreground_that_the_user_chooses_meanwhile_stays(host, panel, volume_node):
    import slicer

    other = add_volume(name="other")
    start(host, panel, 3)
    slicer.util.setSliceViewerLayers(foreground=other, foregroundOpacity=0.3)
    host.click(panel.ui.segmentButton)
    assert {foreground for _, foreground, *_ in layers()} == {other.GetID()}


def test_picture_is_not_listed_nor_saved(host, panel, volume_node):
    start(host, panel, 3)
    node = overlay()
    selector = panel.ui.inputSelector
    assert node not in [selector.nodeFromIndex(index) for index in range(selector.nodeCount())]
    for each in (node, node.GetDisplayNode(), node.GetDisplayNode().GetColorNode()):
        assert each.GetHideFromEditors()
        assert not each.GetSaveWithScene()


def test_cleared_tick_shows_nothing(host, panel, volume_node):
    tick(host, panel.ui.showWhileRunningCheckBox)
    before, nodes = layers(), node_ids()
    start(host, panel, 3)
    assert layers() == before
    assert node_ids() == nodes


@pytest.mark.parametrize("drawing", [0.001, 0.01])
def test_pictures_come_seldom_enough(panel, volume_node, monkeypatch, drawing):
    """Not more than 20 in a second, and what the application then needs to draw one counts too."""
    from MedNCAScene.display import live_overlay

    now, shown = 100.0, []
    monkeypatch.setattr(live_overlay, "time", SimpleNamespace(monotonic=lambda: now))

    class Picture(live_overlay.LiveOverlay):
        def _show(self, step):
            shown.append(now)

        def _remove(self):
            pass

    drawn = 0
    for _ in Picture(volume_node, None).follow(None for _ in range(1000)):
        now += 0.002
        if len(shown) > drawn:
            now += drawing
            drawn += 1
    intervals = np.diff(shown)
    assert intervals.min() >= max(0.05, 15 * drawing)
    assert intervals.max() < max(0.05, 15 * drawing) + 0.05  # and not less often than that


def test_picture_of_a_volume_in_groups_keeps_the_slices_that_are_done(
    host, panel, volume_node, each_step_is_shown, monkeypatch
):
    import slicer

    from MedNCALib.segmentation import slice_groups

    monkeypatch.setattr(slice_groups, "GROUP_BYTES", 1)  # one slice at a time
    choose_model(panel, "brightness")
    found = None
    for step in panel.logic.processSteps(volume_node, model="brightness", showWhileRunning=True):
        if step.slices[0] == 12 and step.stage == 1:
            found = slicer.util.arrayFromVolume(overlay()).copy()
    assert found[:12].any()
    assert not found[13:].any()
