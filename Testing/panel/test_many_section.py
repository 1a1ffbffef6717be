"""The section Many volumes: chosen, run and cancelled by clicks, a double click on a row shows the case."""

import pytest
import SimpleITK as sitk
from support.brightness_model import boxes_image
from support.panel_driver import assert_idle, choose_model, segmentation_nodes
from support.scene_assertions import add_volume
from support.slice_view_probe import layers


@pytest.fixture
def many(host, panel):
    """The panel with the section open."""
    panel.ui.manyCollapsibleButton.collapsed = False
    host.processEvents()
    return panel


@pytest.fixture
def files(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a", "c"):
        sitk.WriteImage(boxes_image(), str(tmp_path / "in" / f"{name}.nrrd"))
    (tmp_path / "in" / "b.nrrd").write_bytes(b"broken")
    return tmp_path / "in"


def choose(panel, text):
    box = panel.ui.manySourceComboBox
    texts = [box.itemText(index) for index in range(box.count)]
    box.setCurrentIndex(next(index for index, each in enumerate(texts) if text in each))


def run(host, panel):
    host.click(panel.ui.manyButton)
    host.waitUntil(lambda: not panel.isRunning, 60)


def double_click(host, panel, row):
    """Where the row is, as a person does."""
    from PySide6 import QtCore, QtTest

    view = panel.ui.manyTableView
    place = view.visualRect(view.model().index(row, 0)).center()
    for click in (QtTest.QTest.mouseClick, QtTest.QTest.mouseDClick):
        click(view.viewport(), QtCore.Qt.LeftButton, QtCore.Qt.NoModifier, place)
    host.processEvents()


def shown_in_views():
    return {background for *_, background in layers()}


def texts(panel):
    table = panel.ui.manyTableView.mrmlTableNode()
    return [[table.GetCellText(row, column) for column in (0, 1)] for row in range(table.GetNumberOfRows())]


def test_all_volumes_of_the_scene_go_through(host, many):
    for name in ("one", "two"):
        add_volume(name=name)
    add_volume(boxes_image() * 0, "flat")
    host.processEvents()
    assert many.ui.manySourceComboBox.currentText == "All of the scene (3)"
    run(host, many)
    assert texts(many) == [["one", ""], ["two", ""], ["flat", "failed"]]
    assert many.ui.statusLabel.text.startswith("2 volumes done in ")
    assert many.ui.statusLabel.text.endswith("1 failed: see the table.")
    assert len(segmentation_nodes()) == 2
    assert_idle(many)
    assert many.ui.manyCollapsibleButton.enabled


def test_a_double_click_shows_the_case_and_chooses_it(host, many):
    nodes = [add_volume(name=name) for name in ("one", "two")]
    run(host, many)
    for row in (1, 0):
        double_click(host, many, row)
        assert many.ui.inputSelector.currentNode() is nodes[row]
        chosen = many.ui.outputSelector.currentNode()
        assert chosen is many.logic.manyOutcome.cases[row].segmentationNode
        assert [node for node in segmentation_nodes() if node.GetDisplayVisibility()] == [chosen]
        assert shown_in_views() == {nodes[row].GetID()}
    assert many.ui.statusLabel.text == "The slice views show one."


def test_a_folder_of_the_scene_goes_through_alone(host, many):
    import slicer

    inside, _outside = add_volume(name="inside"), add_volume(name="outside")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.CreateItem(folder, inside)
    host.processEvents()
    choose(many, "study (1)")
    run(host, many)
    assert texts(many) == [["inside", ""]]


def test_a_folder_on_disk_goes_through_without_being_loaded(host, many, files):
    import slicer

    choose(many, "A folder on disk")
    host.processEvents()
    many.ui.manyFolderPathLineEdit.setCurrentPath(str(files))
    assert many.ui.manyOutputPathLineEdit.currentPath == str(files / "mednca")
    run(host, many)
    assert texts(many) == [["a", ""], ["b", "failed"], ["c", ""]]
    assert slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") == []
    assert len(list((files / "mednca").glob("*.seg.nrrd"))) == 2
    double_click(host, many, 2)
    (volume,) = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    assert volume.GetName() == "c"
    assert shown_in_views() == {volume.GetID()}
    (segmentation,) = segmentation_nodes()
    assert segmentation.GetSegmentation().GetNthSegment(0).GetName() == "anterior hippocampus"
    double_click(host, many, 2)
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == len(segmentation_nodes()) == 1


def test_a_double_click_on_a_file_that_cannot_be_read_says_so(host, many, files):
    choose(many, "A folder on disk")
    many.ui.manyFolderPathLineEdit.setCurrentPath(str(files))
    run(host, many)
    double_click(host, many, 1)
    assert "b.nrrd" in many.ui.statusLabel.text


def test_without_a_folder_the_panel_asks_for_one(host, many):
    choose(many, "A folder on disk")
    host.click(many.ui.manyButton)
    assert many.ui.statusLabel.text == "Choose the folder with the volumes first."
    assert_idle(many)


def test_without_a_volume_the_panel_says_so(host, many):
    run(host, many)
    assert many.ui.statusLabel.text.startswith("There are no volumes to segment")
    assert not many.ui.manyTableView.visible


def test_cancel_keeps_what_is_finished(host, many):
    for name in ("one", "two", "three"):
        add_volume(name=name)
    choose_model(many, "slow")
    host.click(many.ui.manyButton)
    host.waitUntil(lambda: "Volume 2 of 3: two" in many.ui.statusLabel.text, 60)
    assert 33 <= many.ui.progressBar.value < 67
    assert many.ui.segmentButton.text == "&Cancel"
    host.click(many.ui.segmentButton)
    assert many.ui.statusLabel.text == "Cancelled; the volumes that were finished keep their segmentations."
    assert texts(many) == [["one", ""]]
    assert len(segmentation_nodes()) == 1
    assert_idle(many)


def test_a_scene_that_is_closed_meanwhile_ends_the_run(host, many):
    import slicer

    for name in ("one", "two"):
        add_volume(name=name)
    choose_model(many, "slow")
    host.click(many.ui.manyButton)
    host.waitUntil(lambda: "Volume 1 of 2" in many.ui.statusLabel.text, 60)
    slicer.mrmlScene.Clear()
    host.processEvents()
    assert not many.isRunning
    assert segmentation_nodes() == []
