"""The section Heart: shown for a beat, with its figures, its table, the slices that count, and the plot."""

import pytest
import slicer
from support.beating_heart import BEAT_MS, discs, heart_model, image_of, volumes_ml
from support.panel_driver import choose_model, segment, tick
from support.scene_assertions import add_volume

FRAMES = 8
TRUTH = volumes_ml(discs(FRAMES), (1.5, 1.5, 8.0))


@pytest.fixture
def panel(panel, tmp_path):
    heart_model().save(tmp_path / "heart")
    panel._panel.fillModels()
    choose_model(panel, "heart")
    return panel


@pytest.fixture
def volume_node(panel):
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "cine")
    sequence.SetIndexUnit("ms")
    for number, volume in enumerate(discs(FRAMES)):
        frame = add_volume(image_of(volume), "frame")
        sequence.SetDataNodeAtValue(frame, f"{BEAT_MS / FRAMES * number:g}")
        slicer.mrmlScene.RemoveNode(frame.GetDisplayNode())
        slicer.mrmlScene.RemoveNode(frame)
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    node = browser.GetProxyNode(sequence)
    panel.ui.inputSelector.setCurrentNode(node)
    return node


def shown_frame():
    (marks,) = [n for n in slicer.util.getNodesByClass("vtkMRMLTableNode") if n.GetName().endswith("marks")]
    return slicer.util.arrayFromTableColumn(marks, "Shown frame x")[0]


def test_the_section_is_hidden_until_there_is_a_beat(host, panel, volume_node):
    assert not panel.ui.beatCollapsibleButton.visible
    segment(host, panel)  # the shown frame alone
    assert not panel.ui.beatCollapsibleButton.visible


def test_a_run_of_all_frames_shows_figures_table_and_plot_that_follows_the_browser(host, panel, volume_node):
    tick(host, panel.ui.allFramesCheckBox)
    segment(host, panel)
    ui = panel.ui
    assert ui.beatCollapsibleButton.visible
    assert ui.beatLabel.text.startswith(f"End-diastole {TRUTH[0]:.1f} mL (frame 1), end-systole {TRUTH[4]:.1f} mL (fr")
    assert f"ejection fraction {100 * (TRUTH[0] - TRUTH[4]) / TRUTH[0]:.1f} %, 75 beats" in ui.beatLabel.text
    table = ui.beatTableView.mrmlTableNode()
    assert slicer.util.arrayFromTableColumn(table, "Volume (mL)") == pytest.approx(TRUTH, abs=0.06)
    assert (ui.firstSliceSlider.value, ui.lastSliceSlider.value, ui.lastSliceSlider.maximum) == (2, 4, 5)
    host.click(ui.beatPlotButton)
    (chart,) = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    assert chart.GetTitle() == "left ventricle cavity"
    from MedNCAScene.inputs.sequence import browserOf

    for index in (3, 6):
        browserOf(volume_node).SetSelectedItemNumber(index)
        host.processEvents()
        assert shown_frame() == BEAT_MS / FRAMES * index

    # Two sliders choose the slices.
    ui.firstSliceSlider.value = 3
    counted = volumes_ml(discs(FRAMES)[:, 2:4], (1.5, 1.5, 8.0))
    assert ui.beatLabel.text.startswith(f"End-diastole {counted[0]:.1f} mL")
    assert slicer.util.arrayFromTableColumn(table, "Volume (mL)") == pytest.approx(counted, abs=0.06)
    ui.lastSliceSlider.value = 1
    assert (ui.firstSliceSlider.value, ui.lastSliceSlider.value) == (1, 1)
    assert "Nothing was found" in ui.beatLabel.text
    assert shown_frame() == BEAT_MS / FRAMES * 6

    panel.ui.inputSelector.setCurrentNode(add_volume())
    assert not ui.beatCollapsibleButton.visible
    panel.ui.inputSelector.setCurrentNode(volume_node)
    assert ui.beatCollapsibleButton.visible
    assert ui.lastSliceSlider.value == 1
