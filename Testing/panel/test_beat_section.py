"""The section Heart: shown for a beat, with its figures, its table, the slices that count, and the plot."""

import pytest
import slicer
from support.beating_heart import BEAT_MS, add_cine, discs, heart_model, multi_volume, volumes_ml
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
    node, _browser = add_cine(discs(FRAMES))
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


def test_a_correction_is_measured_by_a_button(host, panel, volume_node):
    tick(host, panel.ui.allFramesCheckBox)
    segment(host, panel)
    (segmentation_node,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    (segment_id,) = segmentation_node.GetSegmentation().GetSegmentIDs()[1:]
    nothing = 0 * slicer.util.arrayFromVolume(volume_node).astype("uint8")
    slicer.util.updateSegmentBinaryLabelmapFromArray(nothing, segmentation_node, segment_id, volume_node)
    host.click(panel.ui.beatMeasureButton)
    assert "end-systole 0.0 mL (frame 1)" in panel.ui.beatLabel.text
    assert slicer.util.arrayFromTableColumn(panel.ui.beatTableView.mrmlTableNode(), "Volume (mL)")[0] == 0
    slicer.mrmlScene.RemoveNode(segmentation_node)
    host.click(panel.ui.beatMeasureButton)
    assert "segments of the frames are gone" in panel.ui.statusLabel.text


def test_a_multi_volume_is_offered_and_the_volume_that_plays_its_frames_is_chosen_afterwards(host, panel):
    node = multi_volume(discs(FRAMES))
    panel.ui.inputSelector.setCurrentNode(node)
    assert panel.ui.inputSelector.currentNode() is node
    panel.exit()
    panel.enter()
    assert panel.ui.inputSelector.currentNode() is node
    segment(host, panel)
    assert "tick All frames" in panel.ui.statusLabel.text
    tick(host, panel.ui.allFramesCheckBox)
    segment(host, panel)
    assert panel.ui.inputSelector.currentNode() is panel.logic.outcome.volumeNode
    assert panel.ui.outputSelector.currentNode() is panel.logic.outcome.segmentationNode
    assert panel.ui.beatCollapsibleButton.visible
    assert "ejection fraction" in panel.ui.beatLabel.text
    before = slicer.mrmlScene.GetNumberOfNodes()
    segment(host, panel)
    assert slicer.mrmlScene.GetNumberOfNodes() == before
