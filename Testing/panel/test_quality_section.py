"""Quality in the panel: verdict in words, table, and the way to where the model is unsure."""

import numpy as np
import pytest
from support.panel_driver import cancel_at_step, choose_model, node_ids, run_until_step, segment, tick
from support.scene_assertions import add_transform, add_volume
from support.slice_view_probe import layers

from MedNCALib.segmentation.quality import Quality, VolumeEstimate


def quality(verdict, agreement=0.912):
    volumes = {"head": VolumeEstimate(1.2345, 0.1), "tail": VolumeEstimate(2.0, 0.05)}
    return Quality(4, 0.1, agreement, {"head": 0.9, "tail": 0.924}, volumes, verdict)


def texts(table_node):
    columns = range(table_node.GetNumberOfColumns())
    rows = range(table_node.GetNumberOfRows())
    header = [table_node.GetColumnName(column) for column in columns]
    return [header] + [[table_node.GetCellText(row, column) for column in columns] for row in rows]


def shown(table_view):
    """The rows of a table as the user reads them."""
    from PySide6 import QtCore

    model, rows = table_view.model(), []
    for row in range(model.rowCount()):
        indices = [model.index(row, column) for column in range(model.columnCount())]
        rows.append([table_view.itemDelegateForIndex(i).displayText(i.data(), QtCore.QLocale()) for i in indices])
    return rows


def test_before_the_first_run_there_is_no_verdict(panel, volume_node):
    assert panel.ui.verdictLabel.text.endswith("No result yet.")
    assert not panel.ui.qualityTableView.visible
    assert not panel.ui.jumpButton.enabled
    assert "Set Runs to 2 or more" in panel.ui.jumpButton.toolTip


def test_single_run_is_called_unchecked(host, panel, volume_node):
    segment(host, panel)
    assert "Not checked" in panel.ui.verdictLabel.text
    table = panel.ui.qualityTableView.mrmlTableNode()
    assert table.GetName() == "head quality"
    assert texts(table) == [
        ["Structure", "Volume (mL)"],
        ["anterior hippocampus", "0.525"],
        ["posterior hippocampus", "0.6"],
    ]


def test_the_measurements_are_a_table_below(host, panel, volume_node):
    assert not panel.ui.measurementTableView.visible
    segment(host, panel)
    table = panel.ui.measurementTableView.mrmlTableNode()
    assert panel.ui.measurementTableView.visible
    assert table is panel.logic.outcome.measurementNode
    assert table.GetName() == "head measurements"
    assert shown(panel.ui.measurementTableView) == [
        ["hippocampus", "Volume (mL)", "1.125"],
        ["hippocampus", "Anterior/posterior", "0.875"],
    ]
    panel.ui.inputSelector.setCurrentNode(add_volume(name="next patient"))
    assert not panel.ui.measurementTableView.visible


def test_several_runs_give_the_spread_of_the_measurements(host, panel, volume_node):
    panel.ui.runsSpinBox.setValue(3)
    segment(host, panel)
    assert shown(panel.ui.measurementTableView)[1] == ["hippocampus", "Anterior/posterior", "0.875", "0.000"]


def test_the_measurements_are_those_of_the_result_that_is_shown(host, panel, volume_node, tmp_path):
    import slicer

    segment(host, panel)
    said = shown(panel.ui.measurementTableView)
    choose_model(panel, "slow")
    assert shown(panel.ui.measurementTableView) == said
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.closeScene()
    assert not panel.ui.measurementTableView.visible
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.closeModule()
    assert shown(host.openModule("MedNCA").ui.measurementTableView) == said


def test_several_runs_give_spread_and_agreement(host, panel, volume_node):
    panel.ui.runsSpinBox.setValue(3)
    segment(host, panel)
    assert texts(panel.ui.qualityTableView.mrmlTableNode()) == [
        ["Structure", "Volume (mL)", "SD (mL)", "Agreement (%)"],
        ["anterior hippocampus", "0.525", "0", "100"],
        ["posterior hippocampus", "0.6", "0", "100"],
    ]
    assert "The runs agree to 100.0 %" in panel.ui.verdictLabel.text


@pytest.mark.parametrize(
    ("verdict", "color", "words"),
    [
        ("pass", "#2ea043", "The model is confident: its runs agree to 91.2 %."),
        ("review", "#d9822b", "Check this result slice by slice"),
        (None, "#8a8a8a", "No calibrated thresholds"),
    ],
)
def test_verdict_is_a_colour_and_a_sentence(panel, volume_node, verdict, color, words):
    import slicer
    from MedNCAScene.results.quality_table import verdictOf, writeQuality

    import MedNCALib

    table = writeQuality(quality(verdict), MedNCALib.load_model("brightness"), volume_node)
    assert verdictOf(table).verdict == verdict
    panel.logic.getParameterNode().qualityTable = table
    assert color in panel.ui.verdictLabel.text
    assert words in panel.ui.verdictLabel.text
    assert shown(panel.ui.qualityTableView)[1] == ["tail", "2.000", "0.050", "92.4"]
    np.testing.assert_array_equal(slicer.util.arrayFromTableColumn(table, "Volume (mL)"), [1.234, 2.0])


def test_next_run_fills_the_same_table(host, panel, volume_node):
    segment(host, panel)
    before = node_ids()
    segment(host, panel)
    assert node_ids() == before


def test_verdict_is_kept_in_the_scene(host, panel, volume_node, tmp_path):
    import slicer

    panel.ui.runsSpinBox.setValue(2)
    segment(host, panel)
    said = panel.ui.verdictLabel.text
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.closeScene()
    assert "No result yet" in panel.ui.verdictLabel.text
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.closeModule()
    assert host.openModule("MedNCA").ui.verdictLabel.text == said


def uncertain(panel, volume_node, index=(3, 15, 8)):
    """An uncertainty volume that is highest in one voxel (k, j, i)."""
    import slicer

    panel.logic.process(volume_node, model="brightness", runs=2, uncertainty=True)
    node = panel.logic.outcome.uncertaintyNode
    slicer.util.arrayFromVolume(node)[index] = 0.4
    slicer.util.arrayFromVolumeModified(node)
    panel.onParametersModified()
    return node


def test_overlay_of_the_uncertainty_is_shown_and_taken_away(host, panel, volume_node):
    node = uncertain(panel, volume_node)
    before = layers()
    tick(host, panel.ui.uncertaintyOverlayCheckBox)
    assert {foreground for _, foreground, *_ in layers()} == {node.GetID()}
    tick(host, panel.ui.uncertaintyOverlayCheckBox)
    assert layers() == before


def test_one_overlay_replaces_the_other(host, panel, volume_node):
    before = layers()
    tick(host, panel.ui.keepGrowthCheckBox)
    segment(host, panel)
    uncertain(panel, volume_node)
    tick(host, panel.ui.growthOverlayCheckBox)
    tick(host, panel.ui.uncertaintyOverlayCheckBox)
    assert not panel.ui.growthOverlayCheckBox.checked
    panel.ui.stepSlider.setValue(0)
    assert panel.ui.growthOverlayCheckBox.checked
    assert not panel.ui.uncertaintyOverlayCheckBox.checked
    tick(host, panel.ui.growthOverlayCheckBox)
    assert layers() == before


def test_jump_moves_the_slices_to_the_highest_uncertainty(host, panel, volume_node):
    import slicer
    import vtk

    volume_node.SetAndObserveTransformNodeID(add_transform(np.eye(3), (50, 0, 0)).GetID())
    uncertain(panel, volume_node)
    host.click(panel.ui.jumpButton)
    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    place = np.add(matrix.MultiplyPoint((8, 15, 3, 1))[:3], (50, 0, 0))
    for axis, name in enumerate(("Yellow", "Green", "Red")):
        to_ras = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{name}").GetSliceToRAS()
        assert to_ras.GetElement(axis, 3) == pytest.approx(place[axis], abs=0.01)


def test_jump_without_uncertainty_says_so(host, panel, volume_node):
    panel.logic.process(volume_node, model="brightness", runs=2, uncertainty=True)
    panel.onParametersModified()
    host.click(panel.ui.jumpButton)
    assert "runs agree everywhere" in panel.ui.statusLabel.text


def test_bundled_model_on_the_phantom_says_how_sure_it_is(host, panel):
    from MedNCAScene.application.sample_data import loadPhantom

    panel.ui.inputSelector.setCurrentNode(loadPhantom())
    choose_model(panel, "hippocampus-mr")
    panel.ui.runsSpinBox.setValue(2)
    tick(host, panel.ui.uncertaintyCheckBox)
    host.click(panel.ui.segmentButton)
    host.waitUntil(lambda: not panel.isRunning, 120)
    assert "agree to" in panel.ui.verdictLabel.text
    assert panel.ui.uncertaintyOverlayCheckBox.enabled


def test_verdict_on_another_volume_is_not_shown(host, panel, volume_node):
    tick(host, panel.ui.keepGrowthCheckBox)
    segment(host, panel)
    panel.ui.inputSelector.setCurrentNode(add_volume(name="next patient"))
    assert panel.ui.verdictLabel.text.endswith("No result yet.")
    assert not panel.ui.qualityTableView.visible
    assert not panel.ui.playButton.enabled


@pytest.mark.parametrize("way", ["typed", "pasted"])
def test_scores_cannot_be_overwritten(host, panel, volume_node, way):
    import slicer
    from PySide6 import QtCore, QtTest, QtWidgets

    segment(host, panel)
    view = panel.ui.qualityTableView
    before = texts(view.mrmlTableNode())
    cell = view.model().index(0, 1)
    view.setFocus()
    view.setCurrentIndex(cell)
    if way == "pasted":
        slicer.app.clipboard().setText("99")
        QtTest.QTest.keyClick(view, QtCore.Qt.Key_V, QtCore.Qt.ControlModifier)
    else:
        place = view.visualRect(cell).center()
        QtTest.QTest.mouseClick(view.viewport(), QtCore.Qt.LeftButton, QtCore.Qt.NoModifier, place)
        QtTest.QTest.mouseDClick(view.viewport(), QtCore.Qt.LeftButton, QtCore.Qt.NoModifier, place)
        QtTest.QTest.keyClicks(view, "99")
        for editor in view.viewport().findChildren(QtWidgets.QLineEdit):
            QtTest.QTest.keyClick(editor, QtCore.Qt.Key_Return)
    host.processEvents()
    assert texts(view.mrmlTableNode()) == before
    assert view.mrmlTableNode().GetLocked()


def is_greyed(panel):
    ui = panel.ui
    is_off = not any(view.enabled for view in (ui.verdictLabel, ui.qualityTableView, ui.measurementTableView))
    assert is_off == ("#8a8a8a" in ui.verdictLabel.text and "earlier" in ui.verdictLabel.text)
    return is_off


def good_verdict(host, panel, volume_node):
    """The panel shows a green verdict on its volume."""
    from MedNCAScene.results.quality_table import writeQuality

    import MedNCALib

    segment(host, panel)
    writeQuality(quality("pass"), MedNCALib.load_model("brightness"), volume_node)
    panel.onParametersModified()
    assert "#2ea043" in panel.ui.verdictLabel.text
    assert not is_greyed(panel)


def fail(host, panel, volume_node):
    import slicer

    slicer.util.arrayFromVolume(volume_node)[:] = 0
    segment(host, panel)
    assert "no contrast" in panel.ui.statusLabel.text


def cancel(host, panel, volume_node):
    choose_model(panel, "slow")
    cancel_at_step(host, panel, 5)


@pytest.mark.parametrize("end_a_run", [fail, cancel])
def test_scores_of_an_earlier_run_are_greyed(host, panel, volume_node, end_a_run):
    good_verdict(host, panel, volume_node)
    end_a_run(host, panel, volume_node)
    assert is_greyed(panel)
    host.closeModule()
    host.openModule("MedNCA")
    assert is_greyed(panel)
    panel.ui.inputSelector.setCurrentNode(add_volume(name="next patient"))
    assert panel.ui.verdictLabel.text.endswith("No result yet.")
    assert panel.ui.verdictLabel.enabled


def test_scores_of_the_next_result_are_not_greyed(host, panel, volume_node):
    good_verdict(host, panel, volume_node)
    cancel(host, panel, volume_node)
    choose_model(panel, "brightness")
    segment(host, panel)
    assert not is_greyed(panel)
    assert "Not checked" in panel.ui.verdictLabel.text


def test_a_run_that_goes_on_does_not_change_the_verdict(host, panel, volume_node):
    good_verdict(host, panel, volume_node)
    before = panel.ui.verdictLabel.text
    choose_model(panel, "slow")
    host.click(panel.ui.segmentButton)
    run_until_step(host, panel, 5)
    assert panel.ui.verdictLabel.text == before
    host.click(panel.ui.segmentButton)


def test_a_failure_without_earlier_scores_greys_nothing(host, panel, volume_node):
    fail(host, panel, volume_node)
    assert panel.ui.verdictLabel.text.endswith("No result yet.")
    assert panel.ui.verdictLabel.enabled
