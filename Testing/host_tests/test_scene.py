"""The scene of the stand-in application is followed by its widgets and survives being saved and loaded."""

import numpy as np
import pytest


@pytest.fixture
def selector(host):
    import slicer

    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.noneEnabled = True
    selector.setMRMLScene(slicer.mrmlScene)
    return selector


@pytest.fixture
def volume_node(host):
    import slicer

    voxels = np.zeros((4, 6, 8), np.int16)
    voxels[1:3, 2:4, 3:6] = 100
    node = slicer.util.addVolumeFromArray(voxels, ijkToRAS=np.diag([-2.0, -1.0, 3.0, 1.0]), name="brain")
    node.CreateDefaultDisplayNodes()
    return node


@pytest.fixture
def segmentation_node(volume_node):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segments")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    node.GetSegmentation().AddEmptySegment("nucleus", "Nucleus", [0.2, 0.4, 0.6])
    mask = (slicer.util.arrayFromVolume(volume_node) > 0).astype(np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, "nucleus", volume_node)
    return node


def add_node(class_name="vtkMRMLScalarVolumeNode", name="volume"):
    import slicer

    return slicer.mrmlScene.AddNewNodeByClass(class_name, name)


def items_of(selector):
    import qt

    box = selector.findChild(qt.QComboBox)
    return [box.itemText(index) for index in range(box.count)]


def test_selector_lists_the_nodes_of_its_types(selector):
    selector.addEnabled = selector.removeEnabled = False
    add_node(name="first")
    add_node("vtkMRMLSegmentationNode", "other")
    add_node("vtkMRMLLabelMapVolumeNode", "labels")
    assert items_of(selector) == ["None", "first", "labels"]
    selector.showChildNodeTypes = False
    assert items_of(selector) == ["None", "first"]


def test_selector_leaves_hidden_nodes_out(selector):
    import slicer

    hidden = slicer.vtkMRMLScalarVolumeNode()
    hidden.SetHideFromEditors(True)
    slicer.mrmlScene.AddNode(hidden)
    assert selector.nodeCount() == 0
    selector.showHidden = True
    assert selector.nodeCount() == 1


def test_selector_follows_renaming_and_removal(selector):
    import slicer

    node = add_node(name="before")
    selector.setCurrentNode(node)
    node.SetName("after")
    assert "after" in items_of(selector)
    changes = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", changes.append)
    slicer.mrmlScene.RemoveNode(node)
    assert changes == [None]
    assert selector.currentNode() is None
    assert selector.currentNodeID == ""


@pytest.fixture
def selector_without_none(selector):
    """A selector that lists nodes only: neither "None" nor an action."""
    selector.noneEnabled = selector.addEnabled = selector.removeEnabled = False
    return selector


def test_selector_without_none_chooses_a_new_node_only_if_the_list_was_empty(selector_without_none):
    first, second = add_node(), add_node()
    assert selector_without_none.currentNode() is first
    selector_without_none.setCurrentNode(None)
    add_node()
    assert selector_without_none.currentNode() is None
    assert second in selector_without_none.nodes()


def test_selector_whose_list_has_an_action_does_not_choose_a_new_node(selector_without_none):
    selector_without_none.addEnabled = True
    add_node()
    assert selector_without_none.currentNode() is None


def test_selector_without_none_shows_nothing_for_none_and_for_a_node_that_it_does_not_list(selector_without_none):
    import qt

    node = add_node()
    box = selector_without_none.findChild(qt.QComboBox)
    for nothing in (None, add_node("vtkMRMLSegmentationNode"), "vtkMRMLScalarVolumeNode99"):
        selector_without_none.setCurrentNode(node)
        assert box.currentIndex == 0
        selector_without_none.setCurrentNode(nothing)
        assert selector_without_none.currentNode() is None
        assert box.currentIndex == -1


@pytest.mark.parametrize(("removed", "chosen"), [(0, None), (1, 0), (2, 1)])
def test_selector_moves_to_the_row_above_when_its_node_is_removed(selector_without_none, removed, chosen):
    import slicer

    nodes = [add_node(name=name) for name in "abc"]
    selector_without_none.setCurrentNode(nodes[removed])
    changes = []
    selector_without_none.connect("currentNodeChanged(vtkMRMLNode*)", changes.append)
    slicer.mrmlScene.RemoveNode(nodes[removed])
    assert changes == [None if chosen is None else nodes[chosen]]


def test_selector_that_gets_its_scene_late_chooses_what_it_was_asked_for_or_the_first_node(host):
    import slicer

    first, second = add_node(), add_node()
    for requested, expected in ((None, first), (second, second)):
        selector = slicer.qMRMLNodeComboBox()
        selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
        selector.setCurrentNode(requested)
        selector.setMRMLScene(slicer.mrmlScene)
        assert selector.currentNode() is expected


def test_selector_refuses_nodes_of_other_types(selector):
    selector.setCurrentNode(add_node("vtkMRMLSegmentationNode"))
    assert selector.currentNode() is None
    with pytest.raises(ValueError, match="takes a node"):
        selector.setCurrentNode(3)


def test_selector_without_a_scene_is_disabled(host):
    import qt
    import slicer

    selector = slicer.qMRMLNodeComboBox()
    assert not selector.findChild(qt.QComboBox).enabled
    selector.setMRMLScene(slicer.mrmlScene)
    assert selector.findChild(qt.QComboBox).enabled


def test_selector_creates_a_node_with_its_base_name(selector):
    selector.baseName = "Output"
    node = selector.addNode()
    assert node.GetName() == "Output"
    assert selector.currentNode() is node


def test_selector_follows_closing_and_loading_a_scene(host, selector, volume_node, tmp_path):
    import slicer

    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    selector.setCurrentNode(volume_node)
    host.closeScene()
    assert selector.currentNode() is None
    assert selector.nodeCount() == 0
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert [node.GetName() for node in selector.nodes()] == ["brain"]


def test_deleted_selector_no_longer_follows_the_scene(host, selector):
    before = host.counts()["sceneObservers"]
    selector.delete()
    assert host.counts()["sceneObservers"] < before
    add_node()
    assert host.errors == []


@pytest.mark.parametrize("name", ["scene.mrb", "folder"])
def test_saved_scene_is_loaded_with_volume_and_segmentation(host, segmentation_node, volume_node, tmp_path, name):
    import slicer

    geometry = slicer.util.arrayFromVTKMatrix(ijk_to_ras(volume_node))
    voxels = slicer.util.arrayFromVolume(volume_node).copy()
    assert slicer.util.saveScene(str(tmp_path / name))
    host.closeScene()
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode") == []
    saved = tmp_path / name
    slicer.util.loadScene(str(saved if saved.is_file() else next(saved.glob("*.mrml"))))
    loaded_volume, loaded = slicer.util.getNode("brain"), slicer.util.getNode("segments")
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(loaded_volume), voxels)
    np.testing.assert_allclose(slicer.util.arrayFromVTKMatrix(ijk_to_ras(loaded_volume)), geometry)
    segment = loaded.GetSegmentation().GetSegment("nucleus")
    assert segment.GetName() == "Nucleus"
    np.testing.assert_allclose(segment.GetColor(), [0.2, 0.4, 0.6], atol=1e-3)
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(loaded, "nucleus", loaded_volume)
    np.testing.assert_array_equal(mask, voxels > 0)


def ijk_to_ras(volume_node):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    return matrix


def test_segmentation_file_is_loaded_with_its_segments(host, segmentation_node, tmp_path):
    import slicer

    assert slicer.util.saveNode(segmentation_node, str(tmp_path / "parts.seg.nrrd"))
    host.closeScene()
    loaded = slicer.util.loadSegmentation(str(tmp_path / "parts.seg.nrrd"))
    assert loaded.GetSegmentation().GetSegment("nucleus").GetName() == "Nucleus"


def test_volume_file_is_loaded_shown_and_named(host, volume_node, tmp_path):
    import slicer

    assert slicer.util.saveNode(volume_node, str(tmp_path / "brain.nrrd"))
    host.closeScene()
    loaded = slicer.util.loadVolume(str(tmp_path / "brain.nrrd"), {"name": "again"})
    assert loaded.GetName() == "again"
    composite = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    assert composite.GetBackgroundVolumeID() == loaded.GetID()


def test_sequence_file_is_loaded_with_a_browser(host, volume_node, tmp_path):
    import slicer

    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "growth")
    for step in range(3):
        slicer.util.updateVolumeFromArray(volume_node, np.full((4, 6, 8), step, np.int16))
        sequence.SetDataNodeAtValue(volume_node, str(step))
    assert slicer.util.saveNode(sequence, str(tmp_path / "growth.seq.nrrd"))
    host.closeScene()
    loaded = slicer.util.loadSequence(str(tmp_path / "growth.seq.nrrd"))
    assert loaded.GetNumberOfDataNodes() == 3
    browser = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSequenceBrowserNode")
    browser.SetSelectedItemNumber(2)
    assert slicer.util.arrayFromVolume(browser.GetProxyNode(loaded)).max() == 2


@pytest.fixture
def table_view(host):
    """A view of a table with a column of names and one of numbers; their titles are the headers."""
    import slicer
    import vtk

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "scores")
    node.SetUseColumnTitleAsColumnHeader(True)
    for column, title, values in ((vtk.vtkStringArray(), "label", "ab"), (vtk.vtkDoubleArray(), "mL", (1.5, 2.5))):
        column.SetName(title)
        for value in values:
            column.InsertNextValue(value)
        node.AddColumn(column)
    view = slicer.qMRMLTableView()
    view.setMRMLTableNode(node)
    return view


def cells_of(table_view):
    model = table_view.model()
    indexes = [[model.index(row, column) for column in range(model.columnCount())] for row in range(model.rowCount())]
    return [[index.data() for index in row] for row in indexes]


def type_into(host, table_view, row, column, text):
    """Double-click a cell, type and press Enter; nothing happens if the cell cannot be edited."""
    import qt
    from PySide6 import QtTest

    table_view.show()
    index = table_view.model().index(row, column)
    table_view.setCurrentIndex(index)
    position = table_view.visualRect(index).center()
    QtTest.QTest.mouseClick(table_view.viewport(), qt.Qt.LeftButton, qt.Qt.NoModifier, position)
    QtTest.QTest.mouseDClick(table_view.viewport(), qt.Qt.LeftButton, qt.Qt.NoModifier, position)
    editor = table_view.viewport().findChild(qt.QLineEdit)
    if editor is not None:
        editor.selectAll()
        QtTest.QTest.keyClicks(editor, text)
        QtTest.QTest.keyClick(editor, qt.Qt.Key_Return)
    host.processEvents()  # deletes the editor


def test_typing_into_a_table_changes_its_node(host, table_view):
    node = table_view.mrmlTableNode()
    type_into(host, table_view, 0, 0, "head")
    type_into(host, table_view, 1, 1, "7")
    assert [node.GetCellText(0, 0), node.GetCellText(1, 1)] == ["head", "7"]


def test_table_puts_back_what_a_column_of_numbers_cannot_hold(host, table_view):
    type_into(host, table_view, 0, 1, "much")
    assert table_view.mrmlTableNode().GetCellText(0, 1) == "1.5"
    assert cells_of(table_view)[0][1] == "1.5"


def test_locked_table_cannot_be_typed_into_but_follows_its_node(host, table_view):
    node = table_view.mrmlTableNode()
    node.SetLocked(True)
    type_into(host, table_view, 0, 0, "head")
    assert node.GetCellText(0, 0) == "a"
    node.SetCellText(0, 0, "tail")
    assert cells_of(table_view) == [["tail", "1.5"], ["b", "2.5"]]


@pytest.mark.parametrize("locked", [False, True])
def test_pasting_into_a_table_does_not_ask_whether_it_is_locked(table_view, locked):
    import qt
    import slicer
    from PySide6 import QtTest

    table_view.mrmlTableNode().SetLocked(locked)
    slicer.app.clipboard().setText("x\t9\ny\t8\nz\t7")
    table_view.setCurrentIndex(table_view.model().index(0, 0))
    QtTest.QTest.keyClick(table_view, qt.Qt.Key_V, qt.Qt.ControlModifier)
    assert [table_view.mrmlTableNode().GetCellText(row, 0) for row in range(2)] == ["x", "y"]
    assert cells_of(table_view) == [["x", "9"], ["y", "8"]]


def test_selected_cells_of_a_table_are_copied_with_tabs(table_view):
    import qt
    import slicer
    from PySide6 import QtTest

    table_view.selectAll()
    QtTest.QTest.keyClick(table_view, qt.Qt.Key_C, qt.Qt.ControlModifier)
    assert slicer.app.clipboard().text() == "a\t1.5\nb\t2.5"


def test_titles_of_a_table_that_are_no_headers_are_its_first_row(host, table_view):
    table_view.mrmlTableNode().SetUseColumnTitleAsColumnHeader(False)
    assert cells_of(table_view)[0] == ["label", "mL"]
    type_into(host, table_view, 0, 1, "cm3")
    assert table_view.mrmlTableNode().GetColumnName(1) == "cm3"


def test_table_file_is_loaded_with_its_cells(host, tmp_path):
    import slicer

    (tmp_path / "scores.csv").write_text("label,dice\nhead,0.9\n")
    table = slicer.util.loadTable(str(tmp_path / "scores.csv"))
    assert table.GetCellText(0, 1) == "0.9"


def test_file_that_does_not_exist_is_refused(host, tmp_path):
    import slicer

    with pytest.raises(RuntimeError, match="Failed to load node from file"):
        slicer.util.loadVolume(str(tmp_path / "nowhere.nrrd"))


def test_saving_into_a_folder_that_is_not_there_fails(host, volume_node, tmp_path):
    import slicer

    assert not slicer.util.saveNode(volume_node, str(tmp_path / "nowhere" / "brain.nrrd"))


def test_data_nodes_have_subject_hierarchy_items_of_their_plugins(host, segmentation_node, volume_node):
    import slicer

    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(segmentation_node)
    assert hierarchy.GetItemOwnerPluginName(item) == "Segmentations"
    assert hierarchy.GetItemOwnerPluginName(hierarchy.GetItemByDataNode(volume_node)) == "Volumes"
    slicer.mrmlScene.RemoveNode(segmentation_node)
    assert hierarchy.GetNumberOfItems() == 1
    host.closeScene()
    assert slicer.mrmlScene.GetSubjectHierarchyNode() is not None


def test_image_goes_through_sitk_utils_unchanged(volume_node):
    import sitkUtils
    import slicer

    image = sitkUtils.PullVolumeFromSlicer(volume_node)
    # In LPS the first two axes of the volume, which point left and posterior, are positive.
    assert image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    assert image.GetSpacing() == (2, 1, 3)
    pushed = sitkUtils.PushVolumeToSlicer(image, name="pushed")
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(pushed), slicer.util.arrayFromVolume(volume_node))
    np.testing.assert_allclose(
        slicer.util.arrayFromVTKMatrix(ijk_to_ras(pushed)), slicer.util.arrayFromVTKMatrix(ijk_to_ras(volume_node))
    )


def test_sample_of_a_module_is_made_by_the_module(host):
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="Tests", sampleName="made up", uris="", customDownloader=lambda source: source.sampleName
    )
    assert host.clickSample("made up") == "made up"


def test_sample_that_a_module_makes_cannot_be_loaded_by_its_name(host):
    import SampleData

    made = []
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="Tests", sampleName="made up", uris="", fileNames="x", nodeNames="x", customDownloader=made.append
    )
    with pytest.raises(ValueError, match="Failed to download"):
        SampleData.downloadSample("made up")
    assert made == []


def test_sample_from_a_file_is_loaded_under_its_name(host, volume_node, tmp_path):
    import SampleData
    import slicer

    slicer.util.saveNode(volume_node, str(tmp_path / "brain.nrrd"))
    for _ in range(2):
        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category="Tests",
            sampleName="file",
            uris=str(tmp_path / "brain.nrrd"),
            fileNames="brain.nrrd",
            nodeNames="Sample",
            loadFileType="VolumeFile",
        )
    assert len(SampleData.SampleDataLogic.sampleDataSourcesByCategory("Tests")) == 1
    assert SampleData.downloadSample("file").GetName() == "Sample"


def test_sample_on_the_network_is_refused(host):
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="Tests", sampleName="far", uris="https://example.org/a.nrrd", fileNames="a.nrrd", nodeNames="a"
    )
    with pytest.raises(ValueError, match="nothing from the network"):
        SampleData.downloadSample("far")


def test_reset_leaves_an_empty_scene_with_its_views(host, segmentation_node):
    import slicer

    before = host.counts()["nodes"]
    host.reset()
    assert host.counts()["nodes"] < before
    assert slicer.util.getNodesByClass("vtkMRMLVolumeNode") == []
    assert slicer.app.layoutManager().sliceWidget("Green").mrmlSliceNode().GetOrientation() == "Coronal"
