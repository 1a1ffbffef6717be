"""The inspected cell: click the button, click into a slice view, drag the point, and the plot follows."""

import numpy as np
import pytest
from support.brightness_model import boxesImage
from support.panel_driver import chooseModel, runUntilStep
from support.scene_assertions import addVolume

ANTERIOR, POSTERIOR, OUTSIDE = (5, 6, 4), (5, 15, 4), (-9, 6, 4)


def worldOf(index):
    x, y, z = boxesImage().TransformContinuousIndexToPhysicalPoint([float(i) for i in index])
    return -x, -y, z


@pytest.fixture
def mouse(host, panel, volumeNode):
    """The mouse over the red slice view, which shows the slice with both structures."""
    import slicer

    slicer.app.layoutManager().sliceWidget("Red").sliceLogic().SetSliceOffset(worldOf(ANTERIOR)[2])
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


def isPlacing():
    import slicer

    interaction = slicer.app.applicationLogic().GetInteractionNode()
    return interaction.GetCurrentInteractionMode() == interaction.Place


def inspect(host, panel, mouse, index):
    host.click(panel.ui.inspectButton)
    mouse.click(worldOf(index))
    host.processEvents()


def drag(host, mouse, start, end):
    mouse.drag(worldOf(start), worldOf(end))
    host.processEvents()


def test_clickIntoASliceViewPlotsTheCellThere(host, panel, mouse):
    host.click(panel.ui.inspectButton)
    assert panel.ui.inspectButton.checked
    assert isPlacing()
    mouse.click(worldOf(ANTERIOR))
    host.processEvents()
    (point,) = points()
    assert point.GetNumberOfControlPoints() == 1
    assert point.GetNthControlPointLabel(0) == "Inspected cell"
    assert point.GetNthControlPointPositionWorld(0) == pytest.approx(worldOf(ANTERIOR), abs=0.5)
    assert plotted() == "anterior"
    assert not panel.ui.inspectButton.checked
    assert not isPlacing()
    assert panel.ui.statusLabel.text.startswith("The plot shows the cell at the point.")


def test_plotIsShownInALayoutWithAPlotView(host, panel, mouse):
    import slicer

    before = slicer.app.layoutManager().layout
    inspect(host, panel, mouse, ANTERIOR)
    layout = slicer.app.layoutManager().layout
    assert layout != before
    assert layout == slicer.modules.plots.logic().GetLayoutWithPlot(before)
    assert slicer.app.applicationLogic().GetSelectionNode().GetActivePlotChartID() == charts()[0].GetID()


def test_plotFollowsThePointAtTheEndOfADrag(host, panel, mouse):
    inspect(host, panel, mouse, ANTERIOR)
    (chart,) = charts()
    title = chart.GetTitle()
    drag(host, mouse, ANTERIOR, POSTERIOR)
    assert plotted() == "posterior"
    assert chart.GetTitle() != title


def test_nothingIsPlottedBeforeTheDragEnds(host, panel, mouse):
    inspect(host, panel, mouse, ANTERIOR)
    mouse._send("LeftButtonPressEvent", worldOf(ANTERIOR))
    mouse.moveTo(worldOf(POSTERIOR))
    host.processEvents()
    assert plotted() == "anterior"
    mouse._send("LeftButtonReleaseEvent", worldOf(POSTERIOR))
    host.processEvents()
    assert plotted() == "posterior"


def test_secondClickOnTheButtonMovesTheSamePoint(host, panel, mouse):
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
def test_placingCanBeLeft(host, panel, mouse, way):
    import slicer

    before = slicer.mrmlScene.GetNumberOfNodes()
    host.click(panel.ui.inspectButton)
    mouse.moveTo(worldOf(POSTERIOR))
    if way == "button":
        host.click(panel.ui.inspectButton)
    else:
        mouse.click(worldOf(POSTERIOR), "Right")
        host.processEvents()
    assert not panel.ui.inspectButton.checked
    assert panel.ui.inspectButton.text == "Ins&pect a cell"
    assert not isPlacing()
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_placingThatIsLeftKeepsThePointWhereItWas(host, panel, mouse):
    inspect(host, panel, mouse, ANTERIOR)
    host.click(panel.ui.inspectButton)
    mouse.click(worldOf(POSTERIOR), "Right")
    host.processEvents()
    (point,) = points()
    assert point.GetNthControlPointPositionWorld(0) == pytest.approx(worldOf(ANTERIOR), abs=0.5)
    assert plotted() == "anterior"


def test_nextPointsOfTheUserGoWhereTheyWentBefore(host, panel, mouse):
    import slicer

    landmarks = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "landmarks")
    selection = slicer.app.applicationLogic().GetSelectionNode()
    selection.SetReferenceActivePlaceNodeID(landmarks.GetID())
    inspect(host, panel, mouse, ANTERIOR)
    assert selection.GetActivePlaceNodeID() == landmarks.GetID()
    slicer.modules.markups.logic().StartPlaceMode(False)
    mouse.click(worldOf(POSTERIOR))
    host.processEvents()
    assert landmarks.GetNumberOfControlPoints() == 1
    assert plotted() == "anterior"


def test_otherMarkupChosenForPlacingTakesTheMouse(host, panel, mouse):
    import slicer

    host.click(panel.ui.inspectButton)
    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "line")
    host.processEvents()
    assert not panel.ui.inspectButton.checked
    assert isPlacing()
    assert slicer.app.applicationLogic().GetSelectionNode().GetActivePlaceNodeID() == line.GetID()
    assert not points()


def test_pointOutsideIsSaid(host, panel, mouse):
    inspect(host, panel, mouse, OUTSIDE)
    assert "outside" in panel.ui.statusLabel.text
    assert not charts()
    drag(host, mouse, OUTSIDE, ANTERIOR)
    assert plotted() == "anterior"


def test_deletedPointIsPlacedAnew(host, panel, mouse):
    import slicer

    inspect(host, panel, mouse, ANTERIOR)
    slicer.mrmlScene.RemoveNode(points()[0])
    host.processEvents()
    inspect(host, panel, mouse, POSTERIOR)
    assert len(points()) == 1
    assert plotted() == "posterior"


def test_pointDeletedWhileItIsPlacedEndsPlacing(host, panel, mouse):
    import slicer

    host.click(panel.ui.inspectButton)
    mouse.moveTo(worldOf(ANTERIOR))
    slicer.mrmlScene.RemoveNode(points()[0])
    host.processEvents()
    assert not isPlacing()
    assert not panel.ui.inspectButton.checked


def test_modelChosenLaterIsThatOfTheNextPlot(host, panel, mouse):
    inspect(host, panel, mouse, ANTERIOR)
    chooseModel(panel, "slow")
    drag(host, mouse, ANTERIOR, POSTERIOR)
    tables = {
        chart.GetAttribute("MedNCA.Model"): chart.GetNodeReference("MedNCA.Table").GetNumberOfRows()
        for chart in charts()
    }
    assert tables == {"brightness": 4, "slow": 80}


def test_withoutVolumeThereIsNothingToInspect(host, panel, mouse):
    inspect(host, panel, mouse, ANTERIOR)
    host.click(panel.ui.inspectButton)
    panel.logic.getParameterNode().inputVolume = None
    host.processEvents()
    assert not isPlacing()
    assert not panel.ui.inspectButton.enabled
    mouse.moveTo(worldOf(ANTERIOR))
    drag(host, mouse, ANTERIOR, POSTERIOR)
    assert panel.ui.statusLabel.text == "No input volume: choose one."
    assert plotted() == "anterior"
    panel.ui.inputSelector.setCurrentNode(addVolume())
    drag(host, mouse, POSTERIOR, ANTERIOR)
    assert len(charts()) == 2


def test_runEndsPlacing(host, panel, mouse):
    chooseModel(panel, "slow")
    host.click(panel.ui.inspectButton)
    host.click(panel.ui.segmentButton)
    runUntilStep(host, panel, 5)
    assert not isPlacing()
    assert not panel.ui.inspectButton.enabled
    assert "step" in panel.ui.statusLabel.text
    host.click(panel.ui.segmentButton)
    assert not points()


@pytest.mark.parametrize("leave", ["closeModule", "closeScene", "reloadModule"])
def test_leavingEndsPlacing(host, panel, mouse, leave):
    host.click(panel.ui.inspectButton)
    mouse.moveTo(worldOf(ANTERIOR))
    getattr(host, leave)()
    host.processEvents()
    assert not isPlacing()
    assert not charts()
    assert not host.activeTimers()


def test_pointOfASavedSceneGoesOn(host, panel, mouse, tmp_path):
    import slicer

    inspect(host, panel, mouse, ANTERIOR)
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    host.closeScene()
    assert not points()
    slicer.util.loadScene(path)
    (point,) = points()
    np.testing.assert_allclose(point.GetNthControlPointPositionWorld(0), worldOf(ANTERIOR), atol=0.5)
    mouse.moveTo(worldOf(ANTERIOR))
    drag(host, mouse, ANTERIOR, POSTERIOR)
    assert plotted() == "posterior"
