"""Segments that would cover what is laid over the slice views are outlines meanwhile."""

import numpy as np
import pytest
from support.panel_driver import choose_model, run_until_step, segment, tick
from support.scene_assertions import add_hand_drawn_segment, add_volume, new_segmentation
from support.slice_view_probe import colored, layers, pixels

ORANGE = (230, 159, 0)  # of the first label
RED = (255, 64, 64)  # of the highest uncertainty
BOX = (slice(3, 8), slice(5, 12), slice(4, 9))  # of the first label, k, j, i


@pytest.fixture
def kept(host, panel, volume_node):
    """A panel that has kept the four steps of a run and the uncertainty, which is high where the first label is."""
    import slicer

    panel.ui.runsSpinBox.setValue(2)
    for box in (panel.ui.uncertaintyCheckBox, panel.ui.keepGrowthCheckBox):
        tick(host, box)
    segment(host, panel)
    node = panel.logic.outcome.uncertaintyNode
    slicer.util.arrayFromVolume(node)[BOX] = 0.5
    slicer.util.arrayFromVolumeModified(node)
    return panel


def middle(volume_node):
    """RAS of the middle of the box."""
    import vtk

    to_ras = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(to_ras)
    return to_ras.MultiplyPoint((6, 8, 5, 1))[:3]


def display(panel):
    return panel.ui.outputSelector.currentNode().GetDisplayNode()


def look(display_node):
    return display_node.GetVisibility2DFill(), display_node.GetVisibility2DOutline()


FILLED, OUTLINES = (True, True), (False, True)


def set_foreground(volume_node):
    import slicer

    slicer.util.setSliceViewerLayers(foreground=volume_node)


class Seen:
    """The slice views around the first label, with the segments as they are and without them."""

    def __init__(self, host, panel, volume_node, folder):
        centre = middle(volume_node)
        self.picture = pixels(host, folder / "seen.png", centreOn=centre)
        display(panel).SetVisibility(False)
        self.bare = pixels(host, folder / "bare.png", centreOn=centre)
        display(panel).SetVisibility(True)

    def shareOfSegments(self, where):
        """How much of some pixels the segments change."""
        assert where.sum() > 10000
        return (self.picture != self.bare).any(axis=-1)[where].mean()


def test_slice_views_show_the_uncertainty_where_the_segment_is(host, kept, volume_node, tmp_path):
    before = Seen(host, kept, volume_node, tmp_path)
    tick(host, kept.ui.uncertaintyOverlayCheckBox)
    during = Seen(host, kept, volume_node, tmp_path)
    red = colored(during.bare, RED) & ~colored(before.bare, RED)
    assert before.shareOfSegments(red) > 0.8
    assert during.shareOfSegments(red) < 0.1
    assert (during.picture != during.bare).any()  # the outlines
    tick(host, kept.ui.uncertaintyOverlayCheckBox)
    np.testing.assert_array_equal(Seen(host, kept, volume_node, tmp_path).picture, before.picture)


def test_played_steps_are_seen_where_the_segment_is(host, kept, volume_node, tmp_path):
    kept.ui.stepSlider.setValue(0)  # nothing has grown yet
    empty = Seen(host, kept, volume_node, tmp_path)
    kept.ui.stepSlider.setValue(3)
    grown = Seen(host, kept, volume_node, tmp_path)
    orange = colored(grown.bare, ORANGE) & ~colored(empty.bare, ORANGE)
    assert empty.shareOfSegments(orange) < 0.1
    assert grown.shareOfSegments(orange) < 0.1


def test_each_way_to_lay_them_over_the_views_makes_outlines(host, kept):
    ui = kept.ui
    for way, box in (
        (lambda: host.click(ui.playButton), ui.growthOverlayCheckBox),
        (lambda: ui.stepSlider.setValue(1), ui.growthOverlayCheckBox),
        (lambda: tick(host, ui.growthOverlayCheckBox), ui.growthOverlayCheckBox),
        (lambda: tick(host, ui.uncertaintyOverlayCheckBox), ui.uncertaintyOverlayCheckBox),
    ):
        way()
        assert look(display(kept)) == OUTLINES
        tick(host, box)
        assert look(display(kept)) == FILLED


def test_one_overlay_after_the_other_still_gives_the_fill_back(host, kept):
    tick(host, kept.ui.growthOverlayCheckBox)
    tick(host, kept.ui.uncertaintyOverlayCheckBox)
    assert look(display(kept)) == OUTLINES
    tick(host, kept.ui.uncertaintyOverlayCheckBox)
    assert look(display(kept)) == FILLED


@pytest.mark.parametrize("before", [(True, True), (True, False), (False, True), (False, False)])
def test_fill_and_outlines_come_back_as_they_were(host, kept, before):
    display(kept).SetVisibility2DFill(before[0])
    display(kept).SetVisibility2DOutline(before[1])
    tick(host, kept.ui.growthOverlayCheckBox)
    # Segments that had no fill are left alone, hidden ones too.
    assert look(display(kept)) == (OUTLINES if before[0] else before)
    tick(host, kept.ui.growthOverlayCheckBox)
    assert look(display(kept)) == before


@pytest.mark.parametrize("choices", [(True,), (True, False)])
def test_fill_that_the_user_switches_meanwhile_stays_as_he_has_set_it(host, kept, choices):
    tick(host, kept.ui.growthOverlayCheckBox)
    for choice in choices:
        display(kept).SetVisibility2DFill(choice)
    kept.ui.stepSlider.setValue(0)
    kept.ui.speedSpinBox.setValue(3)
    kept.ui.largestOnlyCheckBox.setChecked(True)
    assert display(kept).GetVisibility2DFill() == choices[-1]
    tick(host, kept.ui.growthOverlayCheckBox)
    assert display(kept).GetVisibility2DFill() == choices[-1]


def test_outline_that_was_lent_goes_when_the_user_fills_the_segments(host, kept):
    display(kept).SetVisibility2DOutline(False)
    tick(host, kept.ui.growthOverlayCheckBox)
    display(kept).SetVisibility2DFill(True)
    assert look(display(kept)) == (True, False)


def test_settings_of_single_segments_stay(host, kept):
    first, second = kept.ui.outputSelector.currentNode().GetSegmentation().GetSegmentIDs()
    display(kept).SetSegmentVisibility2DFill(first, False)
    display(kept).SetSegmentOpacity2DFill(second, 0.2)
    for _ in range(2):
        tick(host, kept.ui.growthOverlayCheckBox)
        assert not display(kept).GetSegmentVisibility2DFill(first)
        assert display(kept).GetSegmentVisibility2DFill(second)
        assert display(kept).GetSegmentOpacity2DFill(second) == pytest.approx(0.2)


def test_other_segmentations_are_not_touched(host, kept, volume_node):
    other = add_volume(name="other")
    drawn = new_segmentation(volume_node)
    add_hand_drawn_segment(drawn, volume_node)
    of_other_volume = kept.logic.process(other, model="brightness")
    of_other_model = kept.logic.process(volume_node, model="slow")
    tick(host, kept.ui.growthOverlayCheckBox)
    assert look(display(kept)) == OUTLINES
    for node in (drawn, of_other_volume, of_other_model):
        assert look(node.GetDisplayNode()) == FILLED


def test_segments_that_a_run_makes_under_an_overlay_are_outlines_too(host, kept):
    tick(host, kept.ui.uncertaintyOverlayCheckBox)
    first = display(kept)
    kept.ui.outputSelector.setCurrentNode(None)
    segment(host, kept)
    assert display(kept) is not first
    assert look(first) == look(display(kept)) == OUTLINES
    tick(host, kept.ui.uncertaintyOverlayCheckBox)
    assert look(first) == look(display(kept)) == FILLED


def test_foreground_that_the_user_chooses_gives_the_fill_back(host, kept):
    tick(host, kept.ui.growthOverlayCheckBox)
    set_foreground(add_volume(name="other"))
    assert look(display(kept)) == FILLED


@pytest.mark.parametrize("deleted", ["growth", "input", "segmentation"])
def test_deleted_nodes_give_the_fill_back(host, kept, volume_node, deleted):
    import slicer

    segmentation_node, display_node = kept.ui.outputSelector.currentNode(), display(kept)
    tick(host, kept.ui.growthOverlayCheckBox)
    assert look(display_node) == OUTLINES
    node = {"growth": kept.logic.outcome.growthNode, "input": volume_node, "segmentation": segmentation_node}[deleted]
    if deleted == "growth":
        slicer.mrmlScene.RemoveNode(kept.logic.outcome.growthBrowserNode)
    slicer.mrmlScene.RemoveNode(node)
    if deleted == "segmentation":
        tick(host, kept.ui.growthOverlayCheckBox)
    assert look(display_node) == FILLED
    assert host.errors == []


def test_next_run_replaces_the_growth_and_gives_the_fill_back(host, kept):
    tick(host, kept.ui.growthOverlayCheckBox)
    segment(host, kept)
    assert not kept.ui.growthOverlayCheckBox.checked
    assert look(display(kept)) == FILLED


def test_cells_of_the_next_run_are_seen_under_the_previous_result(host, panel, volume_node):
    choose_model(panel, "slow")
    segment(host, panel)
    host.click(panel.ui.segmentButton)
    run_until_step(host, panel, 10)
    assert look(display(panel)) == OUTLINES
    host.click(panel.ui.segmentButton)
    assert look(display(panel)) == FILLED
    segment(host, panel)
    assert look(display(panel)) == FILLED


def test_cancelled_run_gives_the_views_back_to_the_overlay(host, panel, volume_node):
    choose_model(panel, "slow")
    tick(host, panel.ui.keepGrowthCheckBox)
    segment(host, panel)
    tick(host, panel.ui.growthOverlayCheckBox)
    host.click(panel.ui.segmentButton)
    run_until_step(host, panel, 10)
    host.click(panel.ui.segmentButton)
    assert look(display(panel)) == OUTLINES
    tick(host, panel.ui.growthOverlayCheckBox)
    assert look(display(panel)) == FILLED


def test_left_module_still_gives_the_fill_back(host, kept):
    display_node = display(kept)
    tick(host, kept.ui.growthOverlayCheckBox)
    host.closeModule()
    assert look(display_node) == OUTLINES
    set_foreground(None)
    assert look(display_node) == FILLED


def test_reloaded_module_gives_the_fill_back_and_looks_no_more(host, kept):
    from host.inspection import observerCount

    display_node, growth = display(kept), kept.logic.outcome.growthNode
    before = observerCount(display_node)
    tick(host, kept.ui.growthOverlayCheckBox)
    assert observerCount(display_node) > before
    host.reloadModule("MedNCA")
    assert look(display_node) == FILLED
    assert observerCount(display_node) == before
    host.unloadModule("MedNCA")
    set_foreground(growth)
    assert look(display_node) == FILLED


def test_volume_that_the_user_lays_over_the_views_himself_counts_too(host, kept):
    display_node, growth = display(kept), kept.logic.outcome.growthNode
    set_foreground(growth)
    assert look(display_node) == OUTLINES
    host.reloadModule("MedNCA")
    assert look(display_node) == FILLED


def test_outlines_that_have_ended_observe_nothing(host, kept):
    import slicer
    from host.inspection import observerCount
    from MedNCAScene.display.segment_outlines import SegmentOutlines

    observed = [slicer.mrmlScene, *slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")]
    before = [observerCount(each) for each in observed]
    outlines = SegmentOutlines()
    assert [observerCount(each) for each in observed] == [count + 1 for count in before]
    outlines.end()
    assert [observerCount(each) for each in observed] == before


@pytest.mark.parametrize("fill", [False, True])
def test_saved_scene_is_seen_again_as_it_was_saved(host, kept, tmp_path, fill):
    import slicer

    tick(host, kept.ui.growthOverlayCheckBox)
    display(kept).SetVisibility2DFill(fill)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.closeScene()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.processEvents()
    assert kept.logic.getParameterNode().growthVolume.GetID() in {foreground for _, foreground, *_ in layers()}
    assert look(display(kept)) == (fill, True)
    kept.ui.stepSlider.setValue(1)
    assert look(display(kept)) == (fill, True)
    set_foreground(None)
    assert look(display(kept)) == (fill, True)
    assert host.errors == []


def test_overlay_of_a_saved_scene_can_be_taken_away_by_its_box(host, kept, tmp_path):
    import slicer

    tick(host, kept.ui.growthOverlayCheckBox)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.closeScene()
    assert not kept.ui.growthOverlayCheckBox.checked
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.processEvents()
    assert kept.ui.growthOverlayCheckBox.checked
    tick(host, kept.ui.growthOverlayCheckBox)
    assert not kept.ui.growthOverlayCheckBox.checked
    assert {foreground for _, foreground, *_ in layers()} == {None}
    assert host.errors == []


def test_scene_that_is_added_is_seen_as_it_was_saved(host, kept, tmp_path):
    import slicer

    tick(host, kept.ui.growthOverlayCheckBox)
    first = display(kept)
    first.SetVisibility2DFill(True)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.processEvents()
    displays = slicer.util.getNodesByClass("vtkMRMLSegmentationDisplayNode")
    assert len(displays) == 2
    assert [look(each) for each in displays] == [FILLED, FILLED]
    assert host.errors == []


def test_views_that_change_while_a_scene_is_loaded_are_left_alone(host, kept):
    import slicer

    slicer.mrmlScene.StartState(slicer.mrmlScene.ImportState)
    set_foreground(kept.logic.outcome.growthNode)
    slicer.mrmlScene.EndState(slicer.mrmlScene.ImportState)
    kept.onParametersModified()
    assert look(display(kept)) == FILLED


def test_closed_scene_leaves_the_next_one_filled(host, kept):
    tick(host, kept.ui.growthOverlayCheckBox)
    host.closeScene()
    assert host.errors == []
    kept.ui.inputSelector.setCurrentNode(add_volume())
    choose_model(kept, "brightness")
    tick(host, kept.ui.keepGrowthCheckBox)
    segment(host, kept)
    assert look(display(kept)) == FILLED
    tick(host, kept.ui.growthOverlayCheckBox)
    assert look(display(kept)) == OUTLINES
