"""All frames of a beating heart: the table and the plot of its volumes, and the slices that count."""

import json

import numpy as np
import pytest
import slicer
from support.beating_heart import (
    BEAT_MS,
    add_cine,
    discs,
    heart_model,
    image_of,
    importer_attributes,
    multi_volume,
    volumes_ml,
)
from support.brightness_model import rotation
from support.panel_driver import node_ids
from support.scene_assertions import add_transform, scene_content

from MedNCALib import MedNCAError

FRAMES = 8
SPACING = (1.5, 1.5, 8.0)
TRUTH = volumes_ml(discs(FRAMES), SPACING)


@pytest.fixture
def logic(panel, tmp_path):
    heart_model().save(tmp_path / "heart")
    return panel.logic


def column(table, name):
    return slicer.util.arrayFromTableColumn(table, name)


def mark(table, name):
    marks = slicer.util.getNode(f"{table.GetName()} marks")
    return column(marks, f"{name} x")[0], column(marks, name)[0]


@pytest.mark.parametrize("direction", [None, rotation()], ids=["straight", "oblique"])
def test_the_console_has_the_figures_of_the_beat(logic, direction):
    volume_node, _ = add_cine(discs(FRAMES), direction=direction)
    assert logic.measurements is None
    logic.process(volume_node, model="heart", allFrames=True)
    found = logic.measurements
    assert [frame["volume_ml"] for frame in found["frames"]] == pytest.approx(TRUTH)
    assert [frame["time_ms"] for frame in found["frames"]] == pytest.approx(BEAT_MS / FRAMES * np.arange(FRAMES))
    assert (found["ed_frame"], found["es_frame"]) == (0, 4)
    assert found["ejection_fraction"] == pytest.approx(100 * (TRUTH[0] - TRUTH[4]) / TRUTH[0])
    assert found["heart_rate_bpm"] == pytest.approx(75)
    json.dumps(found)


def test_there_is_a_table_and_a_plot_with_marks(logic):
    volume_node, browser = add_cine(discs(FRAMES))
    browser.SetSelectedItemNumber(3)
    logic.process(volume_node, model="heart", allFrames=True)
    table = logic.outcome.beatNode
    assert column(table, "Volume (mL)") == pytest.approx(TRUTH, abs=0.06)
    assert list(column(table, "Frame")) == list(range(1, FRAMES + 1))
    assert mark(table, "End-diastole") == (0, pytest.approx(TRUTH[0]))
    assert mark(table, "End-systole") == (400, pytest.approx(TRUTH[4]))
    assert mark(table, "Shown frame") == (300, pytest.approx(TRUTH[3]))
    (chart,) = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    assert chart.GetNumberOfPlotSeriesNodes() == 4
    for number in range(4):
        series = chart.GetNthPlotSeriesNode(number)
        names = [
            series.GetTableNode().GetTable().GetColumn(i).GetName()
            for i in range(series.GetTableNode().GetNumberOfColumns())
        ]
        assert {series.GetXColumnName(), series.GetYColumnName()} <= set(names)


def test_several_runs_have_a_spread(logic):
    volume_node, _ = add_cine(discs(FRAMES))
    logic.process(volume_node, model="heart", allFrames=True, runs=2)
    assert list(column(logic.outcome.beatNode, "SD (mL)")) == [0] * FRAMES
    assert logic.measurements["spread"]["ejection_fraction"] == pytest.approx(0, abs=1e-9)


def test_frames_without_a_time_are_numbered(logic):
    volume_node, _ = add_cine(discs(FRAMES), unit="")
    logic.process(volume_node, model="heart", allFrames=True)
    assert logic.measurements["frames"][1]["time_ms"] is None
    assert logic.measurements["heart_rate_bpm"] is None
    assert mark(logic.outcome.beatNode, "End-systole") == (5, pytest.approx(TRUTH[4]))


def test_chosen_slices_count_in_all_frames_and_stay_chosen(logic):
    volume_node, _ = add_cine(discs(FRAMES))
    logic.process(volume_node, model="heart", allFrames=True)
    logic.setCountedSlices(3, 4)
    counted = volumes_ml(discs(FRAMES)[:, 2:4], SPACING)
    assert [frame["volume_ml"] for frame in logic.measurements["frames"]] == pytest.approx(counted)
    assert column(logic.outcome.beatNode, "Volume (mL)") == pytest.approx(counted, abs=0.06)
    assert mark(logic.outcome.beatNode, "End-systole")[1] == pytest.approx(counted[4])
    before = node_ids()
    logic.process(volume_node, logic.outcome.segmentationNode, model="heart", allFrames=True)
    assert node_ids() - before == {logic_sequence(volume_node, logic)}
    assert logic.measurements["slices"] == {"first": 3, "last": 4, "count": 5}
    with pytest.raises(MedNCAError, match="choose from 1 to 5"):
        logic.setCountedSlices(3, 9)
    assert logic.measurements["slices"]["last"] == 4


def logic_sequence(volume_node, logic):
    from MedNCAScene.inputs.sequence import browserOf

    return browserOf(volume_node).GetSequenceNode(logic.outcome.segmentationNode).GetID()


def test_slices_cannot_be_chosen_before_a_run(logic):
    with pytest.raises(MedNCAError, match="segment all frames of a heart first"):
        logic.setCountedSlices(1, 2)


def test_a_model_without_a_ventricle_measures_no_beat(logic):
    volume_node, _ = add_cine(discs(FRAMES))
    logic.process(volume_node, model="brightness", allFrames=True)
    assert logic.outcome.beatNode is None
    assert {each["quantity"] for each in logic.measurements} == {"volume", "anterior/posterior ratio"}


def test_a_run_whose_beat_cannot_be_written_leaves_the_scene_as_it_was(logic, monkeypatch):
    from MedNCAScene import sequence_run

    volume_node, browser = add_cine(discs(FRAMES))
    logic.process(volume_node, model="heart", allFrames=True)
    sequence = browser.GetSequenceNode(volume_node)
    slicer.util.arrayFromVolume(sequence.GetNthDataNode(4))[:] = slicer.util.arrayFromVolume(sequence.GetNthDataNode(0))
    before, figures, marked = scene_content(), logic.measurements, mark(logic.outcome.beatNode, "End-systole")

    def failing(*_arguments):
        raise MemoryError("for the test")

    monkeypatch.setattr(sequence_run, "_writeFrames", failing)
    with pytest.raises(MemoryError):
        logic.process(volume_node, logic.outcome.segmentationNode, model="heart", allFrames=True, seed=3)
    monkeypatch.undo()
    assert scene_content() == before
    assert logic.measurements == figures
    assert mark(logic.outcome.beatNode, "End-systole") == marked


def test_slicer_plays_the_labels_that_the_command_line_writes(host, tmp_path):
    import SimpleITK as sitk

    from MedNCALib.io.frame_times import FrameTimes
    from MedNCALib.io.label_sequence import write_label_sequence

    voxels = discs(3)
    labels = [sitk.Cast(image_of((volume == 1100).astype(np.uint8)), sitk.sitkUInt8) for volume in voxels]
    write_label_sequence(tmp_path / "labels.nii.gz", labels, FrameTimes((0, 30, 60)))
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "labels")
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVolumeSequenceStorageNode")
    storage.SetFileName(str(tmp_path / "labels.nii.gz"))
    assert storage.ReadData(sequence)
    assert [float(sequence.GetNthIndexValue(index)) for index in range(3)] == pytest.approx([0, 30, 60])
    assert sequence.GetIndexUnit() == "ms"
    for index, volume in enumerate(voxels):
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(sequence.GetNthDataNode(index)), volume == 1100)


def test_a_sequence_that_was_loaded_from_dicom_has_the_trigger_times_that_the_importer_notes(logic):
    volume_node, browser = add_cine(discs(FRAMES), unit="", indices=[str(number) for number in range(FRAMES)])
    times = [BEAT_MS / FRAMES * number for number in range(FRAMES)]
    sequence = browser.GetSequenceNode(volume_node)
    for name, value in importer_attributes(times).items():
        sequence.SetAttribute(name, value)
    logic.process(volume_node, model="heart", allFrames=True)
    assert [frame["time_ms"] for frame in logic.measurements["frames"]] == pytest.approx(times)
    assert logic.measurements["heart_rate_bpm"] == pytest.approx(75)


@pytest.mark.parametrize(("unit", "tag"), [("ms", "EchoTime"), ("count", "TemporalPositionIdentifier")])
def test_what_the_importer_notes_is_a_time_only_if_it_is_the_trigger_time(logic, unit, tag):
    logic.process(multi_volume(discs(FRAMES), unit, tag), model="heart", allFrames=True)
    assert logic.measurements["frames"][1]["time_ms"] is None


@pytest.mark.parametrize("direction", [None, rotation()], ids=["straight", "oblique"])
def test_a_multi_volume_is_segmented_like_a_sequence_and_stays_as_it_is(logic, direction):
    from MedNCAScene.inputs.sequence import browserOf

    node = multi_volume(discs(FRAMES), direction=direction)
    node.SetAndObserveTransformNodeID(add_transform(translation=(5, 0, 0)).GetID())
    before = slicer.util.arrayFromVolume(node).copy()
    segmentation_node = logic.process(node, model="heart", allFrames=True)
    found = logic.measurements
    assert [frame["volume_ml"] for frame in found["frames"]] == pytest.approx(TRUTH)
    assert [frame["time_ms"] for frame in found["frames"]] == pytest.approx(BEAT_MS / FRAMES * np.arange(FRAMES))
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), before)
    played = logic.outcome.volumeNode
    assert played.GetTransformNodeID() == node.GetTransformNodeID()
    (segment_id,) = segmentation_node.GetSegmentation().GetSegmentIDs()[1:]
    for index in (0, 5, 4):
        browserOf(played).SetSelectedItemNumber(index)
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(played), discs(FRAMES)[index])
        shown = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation_node, segment_id, played)
        np.testing.assert_array_equal(shown > 0, discs(FRAMES)[index] == 1100)


def test_a_failed_or_single_run_of_a_multi_volume_leaves_the_scene_as_it_was(logic, monkeypatch):
    from MedNCAScene import sequence_run

    node = multi_volume(discs(FRAMES))
    before = node_ids()
    with pytest.raises(MedNCAError, match="holds 8 frames: tick All frames"):
        logic.process(node, model="heart")

    def failing(*_arguments):
        raise MemoryError("for the test")

    monkeypatch.setattr(sequence_run, "_writeFrames", failing)
    with pytest.raises(MemoryError):
        logic.process(node, model="heart", allFrames=True)
    assert node_ids() == before


@pytest.mark.parametrize("moved", [False, True], ids=["", "under a transform"])
def test_corrected_segments_are_measured_as_they_are_when_that_is_asked_for(logic, moved):
    volume_node, browser = add_cine(discs(FRAMES), direction=rotation())
    if moved:
        volume_node.SetAndObserveTransformNodeID(add_transform(rotation(), (5, -3, 9)).GetID())
    segmentation_node = logic.process(volume_node, model="heart", allFrames=True, runs=2)
    (segment_id,) = segmentation_node.GetSegmentation().GetSegmentIDs()[1:]
    logic.setCountedSlices(2, 4)
    expected = discs(FRAMES)
    for index in (4, 2):  # the second one is shown when it is measured
        browser.SetSelectedItemNumber(index)
        expected[index, 2] = 100
        corrected = (expected[index] == 1100).astype(np.uint8)
        slicer.util.updateSegmentBinaryLabelmapFromArray(corrected, segmentation_node, segment_id, volume_node)
    assert [frame["volume_ml"] for frame in logic.measurements["frames"]] == pytest.approx(TRUTH)
    logic.updateMeasurements()
    truth = volumes_ml(expected, SPACING)
    assert [frame["volume_ml"] for frame in logic.measurements["frames"]] == pytest.approx(truth)
    assert column(logic.outcome.beatNode, "Volume (mL)") == pytest.approx(truth, abs=0.06)
    assert mark(logic.outcome.beatNode, "End-systole")[1] == pytest.approx(truth.min())
    assert logic.measurements["spread"]["edv_ml"] is None
    assert logic.measurements["slices"] == {"first": 2, "last": 4, "count": 5}


def test_segments_that_are_gone_cannot_be_measured_again(logic):
    with pytest.raises(MedNCAError, match="segment all frames of a heart first"):
        logic.updateMeasurements()
    volume_node, browser = add_cine(discs(FRAMES))
    segmentation_node = logic.process(volume_node, model="heart", allFrames=True)
    before = logic.measurements
    slicer.mrmlScene.RemoveNode(browser.GetSequenceNode(segmentation_node))
    with pytest.raises(MedNCAError, match="segments of the frames are gone"):
        logic.updateMeasurements()
    assert logic.measurements == before
