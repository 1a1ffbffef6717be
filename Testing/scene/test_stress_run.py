"""A stress test in the scene: its table, its worst case on the anatomy, and nothing at all if it does not end well."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
from support.brightness_model import boxes_image, truth_of
from support.panel_driver import node_ids
from support.scene_assertions import add_transform, add_volume, scene_content

import MedNCALib as mednca

UNCHANGED, LOST, NEW, OTHER = 1, 2, 3, 4


def larger_boxes():
    """Boxes that a shift leaves in the image."""
    image = boxes_image(size=(44, 48, 16))
    voxels = sitk.GetArrayFromImage(image)
    moved = sitk.GetImageFromArray(np.roll(voxels, (10, 14), axis=(1, 2)))
    moved.CopyInformation(image)
    return moved


def rows_of(table):
    columns = range(table.GetNumberOfColumns())
    return [[table.GetCellText(row, column) for column in columns] for row in range(table.GetNumberOfRows())]


def test_the_table_has_a_row_for_each_perturbation(panel):
    volume_node = add_volume(larger_boxes())
    table = panel.logic.stressTest(volume_node, model="brightness")
    test = panel.logic.stressOutcome.test
    assert table is panel.logic.stressOutcome.tableNode
    assert table.GetName() == "head stress test"
    assert [table.GetColumnName(n) for n in range(4)] == ["Perturbation", "Dice", "Change (mL)", "Change (%)"]
    rows = rows_of(table)
    assert [row[0] for row in rows][:4] == [
        "Noise, 10 %",
        "Noise, 20 %",
        "Bias field, 50 %",
        "Ghosts, 20 %",
    ]
    assert len(rows) == len(test.changes) >= 8
    assert [float(row[1]) for row in rows] == pytest.approx([change.dice for change in test.changes], abs=6e-4)
    assert [float(row[2]) for row in rows] == pytest.approx([change.volume_ml for change in test.changes], abs=6e-3)
    assert [float(row[3]) for row in rows] == pytest.approx(
        [change.volume_percent for change in test.changes], abs=0.06
    )


def test_the_figures_are_those_of_the_engine_in_the_region(panel):
    import slicer

    volume_node = add_volume(larger_boxes())
    roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    bounds = np.zeros(6)
    volume_node.GetRASBounds(bounds)
    roi.SetCenter(*(bounds[::2] + bounds[1::2]) / 2)
    roi.SetSize(*(bounds[1::2] - bounds[::2]) * 0.9)
    panel.logic.stressTest(volume_node, model="brightness", region=roi, runs=2, seed=3)
    from MedNCAScene.inputs.region import regionInVolume

    region = regionInVolume(roi, volume_node)
    expected = mednca.stress_test(larger_boxes(), panel._panel.model(), region=region, runs=2, seed=3)
    assert panel.logic.stressOutcome.test.changes == expected.changes


def test_the_worst_case_shows_what_changes_where_the_anatomy_is(panel):
    import slicer

    volume_node = add_volume(larger_boxes())
    volume_node.SetAndObserveTransformNodeID(add_transform(np.eye(3), (50, 0, 0)).GetID())
    panel.logic.stressTest(volume_node, model="brightness")
    outcome = panel.logic.stressOutcome
    voxels = slicer.util.arrayFromVolume(outcome.worstNode)
    before, after = truth_of(larger_boxes()), sitk.GetArrayFromImage(outcome.test.worst_labels)
    assert outcome.test.worst.dice < 0.9
    np.testing.assert_array_equal(voxels == UNCHANGED, (before > 0) & (before == after))
    np.testing.assert_array_equal(voxels == LOST, (before > 0) & (after == 0))
    np.testing.assert_array_equal(voxels == NEW, (before == 0) & (after > 0))
    np.testing.assert_array_equal(voxels == OTHER, (before > 0) & (after > 0) & (before != after))
    assert (voxels > UNCHANGED).any()
    assert outcome.worstNode.GetTransformNodeID() == volume_node.GetTransformNodeID()
    assert outcome.worstNode.GetDisplayNode().GetColorNode().GetColorName(LOST) == "lost"


def test_a_stress_test_leaves_the_segmentation_alone(panel):
    volume_node = add_volume(larger_boxes())
    panel.logic.process(volume_node, model="brightness", table=True)
    before = scene_content()
    panel.logic.stressTest(volume_node, model="brightness")
    after = scene_content()
    assert {node: after[node] for node in before} == before


def test_the_next_stress_test_fills_the_same_nodes(panel):
    volume_node = add_volume(larger_boxes())
    panel.logic.stressTest(volume_node, model="brightness")
    before, first = node_ids(), rows_of(panel.logic.stressOutcome.tableNode)
    panel.logic.stressTest(volume_node, model="brightness", seed=9)
    assert node_ids() == before
    assert rows_of(panel.logic.stressOutcome.tableNode) != first


def test_a_stress_test_that_is_stopped_leaves_the_scene_as_it_was(panel):
    volume_node = add_volume(larger_boxes())
    before = scene_content()
    steps = panel.logic.stressTestSteps(volume_node, model="brightness")
    for _ in range(10):
        step = next(steps)
    assert step.perturbation == "noise 0.2"
    steps.close()
    assert scene_content() == before
    assert panel.logic.stressOutcome is None


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize("write", ["writeWorstCase", "writeStressTable"])
def test_a_stress_test_that_cannot_be_written_leaves_the_scene_as_it_was(panel, monkeypatch, write, earlier):
    from MedNCAScene import stress_run

    volume_node = add_volume(larger_boxes())
    if earlier:
        panel.logic.stressTest(volume_node, model="brightness")
    before = scene_content()
    original = getattr(stress_run, write)

    def failing(*arguments):
        original(*arguments)
        raise MemoryError("for the test")

    monkeypatch.setattr(stress_run, write, failing)
    with pytest.raises(MemoryError):
        panel.logic.stressTest(volume_node, model="brightness", seed=5)
    assert scene_content() == before


def test_a_volume_that_is_changed_meanwhile_is_refused(panel):
    volume_node = add_volume(larger_boxes())
    steps = panel.logic.stressTestSteps(volume_node, model="brightness")
    next(steps)
    volume_node.SetSpacing(2, 2, 2)
    before = scene_content()
    with pytest.raises(mednca.ImageError, match="was changed during the run"):
        list(steps)
    assert scene_content() == before


def test_a_failure_is_shown_if_that_is_wanted(panel, host):
    volume_node = add_volume(boxes_image() * 0)
    with pytest.raises(mednca.ImageError, match="contrast"):
        panel.logic.stressTest(volume_node, model="brightness")


def test_the_verdict_is_kept_with_the_table(panel):
    from MedNCAScene.results.stress_table import stressSummaryOf, stressTableOf

    volume_node = add_volume(larger_boxes())
    assert stressTableOf(volume_node, "brightness") is None
    table = panel.logic.stressTest(volume_node, model="brightness")
    test = panel.logic.stressOutcome.test
    assert stressTableOf(volume_node, "brightness") is table
    assert stressTableOf(volume_node, "slow") is None
    summary = stressSummaryOf(table)
    assert json.loads(table.GetAttribute("MedNCA.StressTest"))["verdict"] == test.verdict == summary.verdict
    assert summary.kinds == test.depends_on
    assert (summary.worst, summary.dice) == (test.worst.perturbation, test.worst.dice)


def test_every_perturbation_has_a_name_for_the_user(panel):
    from MedNCAScene.results.stress_table import perturbationName

    from MedNCALib.evaluation.stress_test import NAMES

    names = [perturbationName(name) for name in NAMES]
    assert len(set(names)) == len(NAMES)
    assert not set(names) & set(NAMES)
