"""The choice of the segmentation protocol in the panel: there only for models that know several."""

import numpy as np
import pytest
from support.panel_driver import choose_model, make_models, open_panel, segment
from support.protocol_model import TIGHT, WIDE, border_of, protocol_model, rimmed_image
from support.scene_assertions import add_volume

from MedNCALib.model.card import Protocol


@pytest.fixture
def panel(host, tmp_path, monkeypatch):
    make_models(tmp_path, monkeypatch)
    protocol_model().save(tmp_path / "two-protocols")
    protocol_model(name="others", protocols=(WIDE, Protocol("snug", "", -3.0))).save(tmp_path / "others")
    widget = open_panel(host)
    widget.ui.inputSelector.setCurrentNode(add_volume(rimmed_image()))
    widget.ui.advancedCollapsibleButton.collapsed = False
    choose_model(widget, "two-protocols")
    return widget


def choices(panel):
    box = panel.ui.protocolComboBox
    return [box.itemText(index) for index in range(box.count)]


def choose(host, panel, name):
    """Choose a protocol with the arrow keys."""
    from PySide6 import QtCore, QtTest

    box = panel.ui.protocolComboBox
    assert box.visible
    assert box.enabled
    while box.currentText != name:
        before = box.currentIndex
        way = QtCore.Qt.Key_Down if before < choices(panel).index(name) else QtCore.Qt.Key_Up
        QtTest.QTest.keyClick(box, way)
        assert box.currentIndex != before
    host.processEvents()


def labels_of(panel):
    import slicer

    node, volume_node = panel.ui.outputSelector.currentNode(), panel.ui.inputSelector.currentNode()
    segment_id = node.GetSegmentation().GetNthSegmentID(0)
    return slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume_node)


def test_only_a_model_with_protocols_shows_the_choice(panel):
    assert panel.ui.protocolComboBox.visible
    assert panel.ui.protocolLabel.visible
    assert choices(panel) == ["As the image looks", "wide", "tight"]
    choose_model(panel, "brightness")
    assert not panel.ui.protocolComboBox.visible
    assert not panel.ui.protocolLabel.visible


def test_each_choice_says_what_it_is(host, panel):
    from PySide6 import QtCore

    box = panel.ui.protocolComboBox
    assert "looks like" in box.toolTip
    assert [box.itemData(index, QtCore.Qt.ToolTipRole) for index in (1, 2)] == [WIDE.description, TIGHT.description]
    choose(host, panel, "wide")
    assert box.toolTip == WIDE.description


def test_the_chosen_protocol_is_drawn_and_said(host, panel):
    segment(host, panel)
    np.testing.assert_array_equal(labels_of(panel), border_of(rimmed_image(), TIGHT))
    assert "The border is drawn by the protocol tight." in panel.ui.verdictLabel.text
    choose(host, panel, "wide")
    segment(host, panel)
    np.testing.assert_array_equal(labels_of(panel), border_of(rimmed_image(), WIDE))
    assert "The border is drawn by the protocol wide." in panel.ui.verdictLabel.text


def test_the_verdict_of_a_model_without_protocols_names_none(host, panel):
    choose_model(panel, "brightness")
    segment(host, panel)
    assert "protocol" not in panel.ui.verdictLabel.text


def test_the_choice_is_kept_in_the_scene_and_given_up_with_a_model_that_does_not_have_it(host, panel):
    choose(host, panel, "tight")
    parameters = panel.logic.getParameterNode()
    assert parameters.protocol == "tight"
    host.closeModule()
    widget = host.openModule("MedNCA")
    assert widget.ui.protocolComboBox.currentText == "tight"
    choose_model(widget, "others")
    assert parameters.protocol == "auto"
    choose(host, widget, "wide")
    choose_model(widget, "two-protocols")
    assert parameters.protocol == "wide"  # which both have
    choose_model(widget, "brightness")
    assert parameters.protocol == "auto"


def test_restore_defaults_leaves_it_to_the_cells(host, panel):
    choose(host, panel, "wide")
    host.click(panel.ui.defaultsButton)
    assert panel.ui.protocolComboBox.currentText == "As the image looks"
    assert panel.logic.getParameterNode().protocol == "auto"


def test_the_stress_test_takes_the_chosen_protocol(host, panel):
    choose(host, panel, "wide")
    host.click(panel.ui.stressButton)
    host.waitUntil(lambda: not panel.isRunning)
    assert panel.logic.stressOutcome.test.result.protocol == "wide"


def test_an_inspected_cell_goes_through_the_run_with_the_chosen_protocol(host, panel):
    import slicer

    choose(host, panel, "wide")
    slicer.util.setSliceViewerLayers(background=panel.ui.inputSelector.currentNode(), fit=True)
    x, y, z = rimmed_image().TransformIndexToPhysicalPoint((9, 9, 5))
    slicer.app.layoutManager().sliceWidget("Red").sliceLogic().SetSliceOffset(z)
    with host.mouse("Red") as mouse:
        host.click(panel.ui.inspectButton)
        mouse.click((-x, -y, z))
        host.processEvents()
    (chart,) = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    table = chart.GetNodeReference("MedNCA.Table")
    column = [table.GetColumnName(index) for index in range(table.GetNumberOfColumns())].index("Hidden channel 1")
    assert float(table.GetCellText(0, column)) == pytest.approx(WIDE.value, abs=0.2)
