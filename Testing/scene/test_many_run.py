"""MedNCALogic.processMany: nodes and files in, a segmentation each and one table; what fails stops nobody else."""

import csv

import numpy as np
import pytest
import SimpleITK as sitk
from support.brightness_model import MODULE, boxes_image, brightness_model, truth_of
from support.command_line import mednca
from support.scene_assertions import add_volume, scene_content

from MedNCALib import MedNCAError
from MedNCALib.segmentation.steps import run_to_end


@pytest.fixture
def model(tmp_path):
    """Path of the folder of a model that needs no training."""
    return str(brightness_model(tmp_path / "models").folder)


@pytest.fixture
def logic(host):
    host.loadModule(MODULE)
    import MedNCA

    return MedNCA.MedNCALogic()


@pytest.fixture
def files(tmp_path):
    """A folder with two volumes and a broken one."""
    (tmp_path / "in").mkdir()
    for name in ("a", "c"):
        sitk.WriteImage(boxes_image(), str(tmp_path / "in" / f"{name}.nrrd"))
    (tmp_path / "in" / "b.nrrd").write_bytes(b"broken")
    return tmp_path / "in"


def flat_volume(name):
    return add_volume(boxes_image() * 0, name)


def rows(table):
    names = [table.GetColumnName(column) for column in range(table.GetNumberOfColumns())]
    return [
        {name: table.GetCellText(row, column) for column, name in enumerate(names)}
        for row in range(table.GetNumberOfRows())
    ]


def volume_count():
    import slicer

    return len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"))


def assert_found(segmentation_node, volume_node):
    import slicer

    for value, segment_id in enumerate(segmentation_node.GetSegmentation().GetSegmentIDs(), 1):
        found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation_node, segment_id, volume_node)
        np.testing.assert_array_equal(found > 0, truth_of(boxes_image()) == value)


def test_each_volume_gets_a_segmentation_and_a_row(logic, model):
    nodes = [add_volume(name="one"), flat_volume("flat"), add_volume(name="two")]
    table = logic.processMany(nodes, model, runs=2)
    assert [row["Case"] for row in rows(table)] == ["one", "flat", "two"]
    assert [row["Verdict"] for row in rows(table)] == ["", "failed", ""]
    assert [row["Agreement (%)"] for row in rows(table)] == ["100.0", "", "100.0"]
    assert rows(table)[0]["anterior hippocampus (mL)"] == "0.525"
    assert "contrast" in rows(table)[1]["Note"]
    one, flat, two = logic.manyOutcome.cases
    assert_found(one.segmentationNode, nodes[0])
    assert_found(two.segmentationNode, nodes[2])
    assert flat.segmentationNode is None
    assert logic.manyOutcome.failures == [flat]


def test_a_second_run_replaces_segments_and_table(logic, model):
    import slicer

    node = add_volume()
    table = logic.processMany([node], model)
    before = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    assert logic.processMany([node], model) is table
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode") == before
    assert table.GetNumberOfRows() == 1


def test_segmentations_of_volumes_that_are_not_shown_are_hidden(logic, model):
    import slicer

    nodes = [add_volume(name="shown"), add_volume(name="other")]
    slicer.util.setSliceViewerLayers(background=nodes[0])
    logic.processMany(nodes, model)
    shown = [case.segmentationNode.GetDisplayVisibility() for case in logic.manyOutcome.cases]
    assert shown == [1, 0]


def test_files_go_through_without_being_loaded(logic, model, files, tmp_path):
    before = scene_content()
    table = logic.processMany([files], model, output=tmp_path / "out")
    assert volume_count() == 0
    assert set(scene_content()) - set(before) == {table.GetID()}
    assert [(row["Case"], row["Verdict"]) for row in rows(table)] == [("a", ""), ("b", "failed"), ("c", "")]
    labels = sitk.GetArrayFromImage(sitk.ReadImage(rows(table)[0]["Segmentation"]))
    np.testing.assert_array_equal(labels, truth_of(boxes_image()))


def test_nodes_and_files_go_together_and_no_two_have_one_name(logic, model, files, tmp_path):
    node = add_volume(name="a")
    table = logic.processMany([node, files / "a.nrrd"], model, output=tmp_path / "out")
    assert [row["Case"] for row in rows(table)] == ["a", "a (2)"]
    assert [bool(row["Image"]) for row in rows(table)] == [False, True]


def test_files_that_are_done_are_not_done_again_here_or_on_the_command_line(logic, model, files, tmp_path):
    out = tmp_path / "out"
    logic.processMany([files], model, output=out)
    written = {path: path.stat().st_mtime_ns for path in out.glob("*.seg.nrrd")}
    assert len(written) == 2
    logic.processMany([files], model, output=out)
    done = mednca("segment", files, "-m", model, "-o", out, "--table", tmp_path / "table.tsv")
    assert "2 done, 2 of them before, 1 failed" in done.stdout, done.stderr
    assert {path: path.stat().st_mtime_ns for path in out.glob("*.seg.nrrd")} == written
    with (tmp_path / "table.tsv").open(encoding="utf-8") as file:
        assert [row["case"] for row in csv.DictReader(file, delimiter="\t")] == ["a", "b", "c"]


def test_the_share_that_is_done_counts_all_volumes(logic, model):
    nodes = [add_volume(name="one"), add_volume(name="two")]
    steps = []
    run_to_end(logic.processManySteps(nodes, model), steps.append)
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    assert [step.name for step in steps if step.fraction < 0.49] == ["one"] * sum(each < 0.49 for each in fractions)
    assert {step.count for step in steps} == {2}


def test_what_is_finished_stays_if_the_run_is_closed(logic, model):
    nodes = [add_volume(name="one"), add_volume(name="two")]
    steps = logic.processManySteps(nodes, model)
    next(step for step in steps if step.number == 2)
    steps.close()
    from MedNCAScene.results.case_table import caseTableOf

    (row,) = rows(caseTableOf("brightness"))
    assert row["Case"] == "one"
    import slicer

    (segmentation,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    assert_found(segmentation, nodes[0])


def test_a_volume_that_is_deleted_before_its_turn_is_a_failure(logic, model):
    import slicer

    nodes = [add_volume(name="one"), add_volume(name="two"), add_volume(name="three")]
    steps = logic.processManySteps(nodes, model)
    next(steps)
    slicer.mrmlScene.RemoveNode(nodes[1])
    table = run_to_end(steps)
    assert [row["Verdict"] for row in rows(table)] == ["", "failed", ""]
    assert "two was deleted" in rows(table)[1]["Note"]


@pytest.mark.parametrize(
    ("volumes", "options", "message"),
    [
        ([], {}, "There are no volumes to segment"),
        (["a.nrrd"], {}, "choose a folder for the results"),
        ([], {"runs": 0}, "There are no volumes|number of runs"),
    ],
)
def test_what_cannot_be_run_is_refused_and_the_scene_stays(logic, model, volumes, options, message):
    before = scene_content()
    with pytest.raises(MedNCAError, match=message):
        logic.processMany(volumes, model, **options)
    assert scene_content() == before


def test_a_region_is_refused_for_files(logic, model, files, tmp_path):
    import slicer

    region = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    with pytest.raises(MedNCAError, match="A region is for volumes of the scene"):
        logic.processMany([files], model, output=tmp_path / "out", region=region)


def test_the_table_finds_its_cases_after_the_scene_was_saved(logic, model, tmp_path):
    import slicer

    logic.processMany([add_volume(name="one"), add_volume(name="two")], model)
    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    from MedNCAScene.display.case_view import showCase
    from MedNCAScene.results.case_table import caseTableOf

    case = showCase(caseTableOf("brightness"), "two")
    assert case.volumeNode.GetName() == "two"
    assert case.segmentationNode.GetDisplayVisibility()
