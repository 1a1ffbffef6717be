"""The inspected cell: click the button, click into a slice view, drag the point, and the plot follows."""

import numpy as np
import pytest
from support.brightness_model import boxes_image
from support.panel_driver import choose_model, run_until_step
from support.scene_assertions import add_volume

ANTERIOR, POSTERIOR, OUTSIDE = (5, 6, 4), (5, 15, 4), (-9, 6, 4)


def world_of(index):
    x, y, z = boxes_image().TransformContinuousIndexToPhysicalPoint([float(i) for i in index])
    return -x, -y, z


@pytest.fixture
def mouse(host, panel, volume_node):
    """The mouse over the red slice view, which shows the slice with both structures."""
    import slicer

    slicer.app.layoutManager().sliceWidget("Red").sliceLogic().SetSliceOffset(world_of(ANTERIOR)[2])
    with host.mouse("Red") as mouse:
        yield mouse


def points():
    import slicer

    return slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode")


def charts():
    import slicer

    return slicer.util.getNodesByClass("vtkMRMLPlotChartNode")


def plotted():
    """The label whose probability is high at the end of the only chart; None where both are low."""
    (chart,) = charts()
    table = chart.GetNodeReference("MedNCA.Table")
    last = {
        label: float(table.GetCellText(table.GetNumberOfRows() - 1, column))
        for column in range(table.GetNumberOfColumns())
        for label in ("anterior", "posterior")
        if table.GetColumnName(column) == f"Probability of {label} hippocampus"
    }
    return next((label for label, value in last.items() if value > 0.9), None)


def is_placing():
    import slicer

    interaction = slicer.app.applicationLogic().GetInteractionNode()
    return interaction.GetCurrentInteractionMode() == interaction.Place


def inspect(host, panel, mouse, index):
    host.click(panel.ui.inspectButton)
    mouse.click(world_of(index))
    host.processEvents()


def drag(host, mouse, start, end):
    mouse.drag(world_of(start), world_of(end))
    host.processEvents()


def test_click_into_a_slice_view_plots_the_cell_there(host, panel, mouse):
    host.click(panel.ui.inspectButton)
    assert panel.ui.inspectButton.checked
    assert is_placing()
    mouse.click(world_of(ANTERIOR))
    host.processEvents()
    (point,) = points()
    assert point.GetNumberOfControlPoints() == 1
    assert point.GetNthControlPointLabel(0) == "Inspected cell"
    assert point.GetNthControlPointPositionWorld(0) == pytest.approx(world_of(ANTERIOR), abs=0.5)
    assert plotted() == "anterior"
    assert not panel.ui.inspectButton.checked
    assert not is_placing()
    assert panel.ui.statusLabel.text.startswith("The plot shows the cell at the point.")


def test_plot_is_shown_in_a_layout_with_a_plot_view(host, panel, mouse):
    import slicer

    before = slicer.app.layoutManager().layout
    inspect(host, panel, mouse, ANTERIOR)
    layout = slicer.app.layoutManager().layout
    assert layout != before
    assert layout == slicer.modules.plots.logic().GetLayoutWithPlot(before)
    assert slicer.app.applicationLogic().GetSelectionNode().GetActivePlotChartID() == charts()[0].GetID()


def test_plot_follows_the_point_at_the_end_of_a_drag(host, panel, mouse):
    inspect(host, panel, mouse, ANTERIOR)
    (chart,) = charts()
    title = chart.GetTitle()
    drag(host, mouse, ANTERIOR, POSTERIOR)
    assert plotted() == "posterior"
    assert chart.GetTitle() != title


def test_nothing_is_plotted_before_the_drag_ends(host, panel, mouse):
    inspect(host, panel, mouse, ANTERIOR)
    mouse._send("LeftButtonPressEvent", world_of(ANTERIOR))
    mouse.moveTo(world_of(POSTERIOR))
    host.processEvents()
    assert plotted() == "anterior"
    mouse._send("LeftButtonReleaseEvent", world_of(POSTERIOR))
    host.processEvents()
    assert plotted() == "posterior"


def test_second_click_on_the_button_moves_the_same_point(host, panel, mouse):
    import slicer

    inspect(host, panel, mouse, ANTERIOR)
    before = slicer.mrmlScene.GetNumberOfNodes()
    inspect(host, panel, mouse, POSTERIOR)
    assert slicer.mrmlScene.GetNumberOfNodes() == before
    (point,) = points()
    assert point.GetNumberOfControlPoints() == 1
    assert plotted() == "posterior"
    # It can be dragged at once, although it has become another of the node's points.
    drag(host, mouse, POSTERIOR, ANTERIOR)
    assert plotted() == "anterior"


@pytest.mark.parametrize("way", ["right click", "button"])
def test_placing_can_be_left(host, panel, mouse, way):
    import slicer

    before = slicer.mrmlScene.GetNumberOfNodes()
    host.click(panel.ui.inspectButton)
    mouse.moveTo(world_of(POSTERIOR))
    if way == "button":
        host.click(panel.ui.inspectButton)
    else:
        mouse.click(world_of(POSTERIOR), "Right")
        host.processEvents()
    assert not panel.ui.inspectButton.checked
    assert panel.ui.inspectButton.text == "Ins&pect a cell"
    assert not is_placing()
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_placing_that_is_left_keeps_the_point_where_it_was(host, panel, mouse):
    inspect(host, panel, mouse, ANTERIOR)
    host.click(panel.ui.inspectButton)
    mouse.click(world_of(POSTERIOR), "Right")
    host.processEvents()
    (point,) = points()
    assert point.GetNthControlPointPositionWorld(0) == pytest.approx(world_of(ANTERIOR), abs=0.5)
    assert plotted() == "anterior"


def test_next_points_of_the_user_go_where_they_went_before(host, panel, mouse):
    import slicer

    landmarks = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "landmarks")
    selection = slicer.app.applicationLogic().GetSelectionNode()
    selection.SetReferenceActivePlaceNodeID(landmarks.GetID())
    inspect(host, panel, mouse, ANTERIOR)
    assert selection.GetActivePlaceNodeID() == landmarks.GetID()
    slicer.modules.markups.logic().StartPlaceMode(False)
    mouse.click(world_of(POSTERIOR))
    host.processEvents()
    assert landmarks.GetNumberOfControlPoints() == 1
    assert plotted() == "anterior"


def test_other_markup_chosen_for_placing_takes_the_mouse(host, panel, mouse):
    import slicer

    host.click(panel.ui.inspectButton)
    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "line")
    host.processEvents()
    assert not panel.ui.inspectButton.checked
    assert is_placing()
    assert slicer.app.applicationLogic().GetSelectionNode().GetActivePlaceNodeID() == line.GetID()
    assert not points()


def test_point_outside_is_said(host, panel, mouse):
    inspect(host, panel, mouse, OUTSIDE)
    assert "outside" in panel.ui.statusLabel.text
    assert not charts()
    drag(host, mouse, OUTSIDE, ANTERIOR)
    assert plotted() == "anterior"


def test_deleted_point_is_placed_a_new(host, panel, mouse):
    import slicer

    inspect(host, panel, mouse, ANTERIOR)
    slicer.mrmlScene.RemoveNode(points()[0])
    host.processEvents()
    inspect(host, panel, mouse, POSTERIOR)
    assert len(points()) == 1
    assert plotted() == "posterior"


def test_point_deleted_while_it_is_placed_ends_placing(host, panel, mouse):
    import slicer

    host.click(panel.ui.inspectButton)
    mouse.moveTo(world_of(ANTERIOR))
    slicer.mrmlScene.RemoveNode(points()[0])
    host.processEvents()
    assert not is_placing()
    assert not panel.ui.inspectButton.checked


def test_model_chosen_later_is_that_of_the_next_plot(host, panel, mouse):
    inspect(host, panel, mouse, ANTERIOR)
    choose_model(panel, "slow")
    drag(host, mouse, ANTERIOR, POSTERIOR)
    tables = {
        chart.GetAttribute("MedNCA.Model"): chart.GetNodeReference("MedNCA.Table").GetNumberOfRows()
        for chart in charts()
    }
    assert tables == {"brightness": 4, "slow": 80}


def test_without_volume_there_is_nothing_to_inspect(host, panel, mouse):
    inspect(host, panel, mouse, ANTERIOR)
    host.click(panel.ui.inspectButton)
    panel.logic.getParameterNode().inputVolume = None
    host.processEvents()
    assert not is_placing()
    assert not panel.ui.inspectButton.enabled
    mouse.moveTo(world_of(ANTERIOR))
    drag(host, mouse, ANTERIOR, POSTERIOR)
    assert panel.ui.statusLabel.text == "No input volume: choose one."
    assert plotted() == "anterior"
    panel.ui.inputSelector.setCurrentNode(add_volume())
    drag(host, mouse, POSTERIOR, ANTERIOR)
    assert len(charts()) == 2


def test_run_ends_placing(host, panel, mouse):
    choose_model(panel, "slow")
    host.click(panel.ui.inspectButton)
    host.click(panel.ui.segmentButton)
    run_until_step(host, panel, 5)
    assert not is_placing()
    assert not panel.ui.inspectButton.enabled
    assert "step" in panel.ui.statusLabel.text
    host.click(panel.ui.segmentButton)
    assert not points()


@pytest.mark.parametrize("leave", ["closeModule", "closeScene", "reloadModule"])
def test_leaving_ends_placing(host, panel, mouse, leave):
    host.click(panel.ui.inspectButton)
    mouse.moveTo(world_of(ANTERIOR))
    getattr(host, leave)()
    host.processEvents()
    assert not is_placing()
    assert not charts()
    assert not host.activeTimers()


def test_point_of_a_saved_scene_goes_on(host, panel, mouse, tmp_path):
    import slicer

    inspect(host, panel, mouse, ANTERIOR)
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    host.closeScene()
    assert not points()
    slicer.util.loadScene(path)
    (point,) = points()
    np.testing.assert_allclose(point.GetNthControlPointPositionWorld(0), world_of(ANTERIOR), atol=0.5)
    mouse.moveTo(world_of(ANTERIOR))
    drag(host, mouse, ANTERIOR, POSTERIOR)
    assert plotted() == "posterior"
