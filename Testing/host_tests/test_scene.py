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
def volumeNode(host):
    import slicer

    voxels = np.zeros((4, 6, 8), np.int16)
    voxels[1:3, 2:4, 3:6] = 100
    node = slicer.util.addVolumeFromArray(voxels, ijkToRAS=np.diag([-2.0, -1.0, 3.0, 1.0]), name="brain")
    node.CreateDefaultDisplayNodes()
    return node


@pytest.fixture
def segmentationNode(volumeNode):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segments")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    node.GetSegmentation().AddEmptySegment("nucleus", "Nucleus", [0.2, 0.4, 0.6])
    mask = (slicer.util.arrayFromVolume(volumeNode) > 0).astype(np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, "nucleus", volumeNode)
    return node


def addNode(className="vtkMRMLScalarVolumeNode", name="volume"):
    import slicer

    return slicer.mrmlScene.AddNewNodeByClass(className, name)


def itemsOf(selector):
    import qt

    box = selector.findChild(qt.QComboBox)
    return [box.itemText(index) for index in range(box.count)]


def test_selectorListsTheNodesOfItsTypes(selector):
    selector.addEnabled = selector.removeEnabled = False
    addNode(name="first")
    addNode("vtkMRMLSegmentationNode", "other")
    addNode("vtkMRMLLabelMapVolumeNode", "labels")
    assert itemsOf(selector) == ["None", "first", "labels"]
    selector.showChildNodeTypes = False
    assert itemsOf(selector) == ["None", "first"]


def test_selectorLeavesHiddenNodesOut(selector):
    import slicer

    hidden = slicer.vtkMRMLScalarVolumeNode()
    hidden.SetHideFromEditors(True)
    slicer.mrmlScene.AddNode(hidden)
    assert selector.nodeCount() == 0
    selector.showHidden = True
    assert selector.nodeCount() == 1


def test_selectorFollowsRenamingAndRemoval(selector):
    import slicer

    node = addNode(name="before")
    selector.setCurrentNode(node)
    node.SetName("after")
    assert "after" in itemsOf(selector)
    changes = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", changes.append)
    slicer.mrmlScene.RemoveNode(node)
    assert changes == [None]
    assert selector.currentNode() is None
    assert selector.currentNodeID == ""


@pytest.fixture
def selectorWithoutNone(selector):
    """A selector that lists nodes only: neither "None" nor an action."""
    selector.noneEnabled = selector.addEnabled = selector.removeEnabled = False
    return selector


def test_selector_without_none_chooses_a_new_node_only_if_the_list_was_empty(selectorWithoutNone):
    first, second = addNode(), addNode()
    assert selectorWithoutNone.currentNode() is first
    selectorWithoutNone.setCurrentNode(None)
    addNode()
    assert selectorWithoutNone.currentNode() is None
    assert second in selectorWithoutNone.nodes()


def test_selector_whose_list_has_an_action_does_not_choose_a_new_node(selectorWithoutNone):
    selectorWithoutNone.addEnabled = True
    addNode()
    assert selectorWithoutNone.currentNode() is None


def test_selector_without_none_shows_nothing_for_none_and_for_a_node_that_it_does_not_list(selectorWithoutNone):
    import qt

    node = addNode()
    box = selectorWithoutNone.findChild(qt.QComboBox)
    for nothing in (None, addNode("vtkMRMLSegmentationNode"), "vtkMRMLScalarVolumeNode99"):
        selectorWithoutNone.setCurrentNode(node)
        assert box.currentIndex == 0
        selectorWithoutNone.setCurrentNode(nothing)
        assert selectorWithoutNone.currentNode() is None
        assert box.currentIndex == -1


@pytest.mark.parametrize(("removed", "chosen"), [(0, None), (1, 0), (2, 1)])
def test_selector_moves_to_the_row_above_when_its_node_is_removed(selectorWithoutNone, removed, chosen):
    import slicer

    nodes = [addNode(name=name) for name in "abc"]
    selectorWithoutNone.setCurrentNode(nodes[removed])
    changes = []
    selectorWithoutNone.connect("currentNodeChanged(vtkMRMLNode*)", changes.append)
    slicer.mrmlScene.RemoveNode(nodes[removed])
    assert changes == [None if chosen is None else nodes[chosen]]


def test_selector_that_gets_its_scene_late_chooses_what_it_was_asked_for_or_the_first_node(host):
    import slicer

    first, second = addNode(), addNode()
    for requested, expected in ((None, first), (second, second)):
        selector = slicer.qMRMLNodeComboBox()
        selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
        selector.setCurrentNode(requested)
        selector.setMRMLScene(slicer.mrmlScene)
        assert selector.currentNode() is expected


def test_selectorRefusesNodesOfOtherTypes(selector):
    selector.setCurrentNode(addNode("vtkMRMLSegmentationNode"))
    assert selector.currentNode() is None
    with pytest.raises(ValueError, match="takes a node"):
        selector.setCurrentNode(3)


def test_selectorWithoutASceneIsDisabled(host):
    import qt
    import slicer

    selector = slicer.qMRMLNodeComboBox()
    assert not selector.findChild(qt.QComboBox).enabled
    selector.setMRMLScene(slicer.mrmlScene)
    assert selector.findChild(qt.QComboBox).enabled


def test_selectorCreatesANodeWithItsBaseName(selector):
    selector.baseName = "Output"
    node = selector.addNode()
    assert node.GetName() == "Output"
    assert selector.currentNode() is node


def test_selectorFollowsClosingAndLoadingAScene(host, selector, volumeNode, tmp_path):
    import slicer

    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    selector.setCurrentNode(volumeNode)
    host.closeScene()
    assert selector.currentNode() is None
    assert selector.nodeCount() == 0
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert [node.GetName() for node in selector.nodes()] == ["brain"]


def test_deletedSelectorNoLongerFollowsTheScene(host, selector):
    before = host.counts()["sceneObservers"]
    selector.delete()
    assert host.counts()["sceneObservers"] < before
    addNode()
    assert host.errors == []


@pytest.mark.parametrize("name", ["scene.mrb", "folder"])
def test_savedSceneIsLoadedWithVolumeAndSegmentation(host, segmentationNode, volumeNode, tmp_path, name):
    import slicer

    geometry = slicer.util.arrayFromVTKMatrix(ijkToRas(volumeNode))
    voxels = slicer.util.arrayFromVolume(volumeNode).copy()
    assert slicer.util.saveScene(str(tmp_path / name))
    host.closeScene()
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode") == []
    saved = tmp_path / name
    slicer.util.loadScene(str(saved if saved.is_file() else next(saved.glob("*.mrml"))))
    loadedVolume, loaded = slicer.util.getNode("brain"), slicer.util.getNode("segments")
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(loadedVolume), voxels)
    np.testing.assert_allclose(slicer.util.arrayFromVTKMatrix(ijkToRas(loadedVolume)), geometry)
    segment = loaded.GetSegmentation().GetSegment("nucleus")
    assert segment.GetName() == "Nucleus"
    np.testing.assert_allclose(segment.GetColor(), [0.2, 0.4, 0.6], atol=1e-3)
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(loaded, "nucleus", loadedVolume)
    np.testing.assert_array_equal(mask, voxels > 0)


def ijkToRas(volumeNode):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    return matrix


def test_segmentationFileIsLoadedWithItsSegments(host, segmentationNode, tmp_path):
    import slicer

    assert slicer.util.saveNode(segmentationNode, str(tmp_path / "parts.seg.nrrd"))
    host.closeScene()
    loaded = slicer.util.loadSegmentation(str(tmp_path / "parts.seg.nrrd"))
    assert loaded.GetSegmentation().GetSegment("nucleus").GetName() == "Nucleus"


def test_volumeFileIsLoadedShownAndNamed(host, volumeNode, tmp_path):
    import slicer

    assert slicer.util.saveNode(volumeNode, str(tmp_path / "brain.nrrd"))
    host.closeScene()
    loaded = slicer.util.loadVolume(str(tmp_path / "brain.nrrd"), {"name": "again"})
    assert loaded.GetName() == "again"
    composite = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    assert composite.GetBackgroundVolumeID() == loaded.GetID()


def test_sequenceFileIsLoadedWithABrowser(host, volumeNode, tmp_path):
    import slicer

    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "growth")
    for step in range(3):
        slicer.util.updateVolumeFromArray(volumeNode, np.full((4, 6, 8), step, np.int16))
        sequence.SetDataNodeAtValue(volumeNode, str(step))
    assert slicer.util.saveNode(sequence, str(tmp_path / "growth.seq.nrrd"))
    host.closeScene()
    loaded = slicer.util.loadSequence(str(tmp_path / "growth.seq.nrrd"))
    assert loaded.GetNumberOfDataNodes() == 3
    browser = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSequenceBrowserNode")
    browser.SetSelectedItemNumber(2)
    assert slicer.util.arrayFromVolume(browser.GetProxyNode(loaded)).max() == 2


@pytest.fixture
def tableView(host):
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


def cellsOf(tableView):
    model = tableView.model()
    indexes = [[model.index(row, column) for column in range(model.columnCount())] for row in range(model.rowCount())]
    return [[index.data() for index in row] for row in indexes]


def typeInto(host, tableView, row, column, text):
    """Double-click a cell, type and press Enter; nothing happens if the cell cannot be edited."""
    import qt
    from PySide6 import QtTest

    tableView.show()
    index = tableView.model().index(row, column)
    tableView.setCurrentIndex(index)
    position = tableView.visualRect(index).center()
    QtTest.QTest.mouseClick(tableView.viewport(), qt.Qt.LeftButton, qt.Qt.NoModifier, position)
    QtTest.QTest.mouseDClick(tableView.viewport(), qt.Qt.LeftButton, qt.Qt.NoModifier, position)
    editor = tableView.viewport().findChild(qt.QLineEdit)
    if editor is not None:
        editor.selectAll()
        QtTest.QTest.keyClicks(editor, text)
        QtTest.QTest.keyClick(editor, qt.Qt.Key_Return)
    host.processEvents()  # deletes the editor


def test_typing_into_a_table_changes_its_node(host, tableView):
    node = tableView.mrmlTableNode()
    typeInto(host, tableView, 0, 0, "head")
    typeInto(host, tableView, 1, 1, "7")
    assert [node.GetCellText(0, 0), node.GetCellText(1, 1)] == ["head", "7"]


def test_table_puts_back_what_a_column_of_numbers_cannot_hold(host, tableView):
    typeInto(host, tableView, 0, 1, "much")
    assert tableView.mrmlTableNode().GetCellText(0, 1) == "1.5"
    assert cellsOf(tableView)[0][1] == "1.5"


def test_locked_table_cannot_be_typed_into_but_follows_its_node(host, tableView):
    node = tableView.mrmlTableNode()
    node.SetLocked(True)
    typeInto(host, tableView, 0, 0, "head")
    assert node.GetCellText(0, 0) == "a"
    node.SetCellText(0, 0, "tail")
    assert cellsOf(tableView) == [["tail", "1.5"], ["b", "2.5"]]


@pytest.mark.parametrize("locked", [False, True])
def test_pasting_into_a_table_does_not_ask_whether_it_is_locked(tableView, locked):
    import qt
    import slicer
    from PySide6 import QtTest

    tableView.mrmlTableNode().SetLocked(locked)
    slicer.app.clipboard().setText("x\t9\ny\t8\nz\t7")
    tableView.setCurrentIndex(tableView.model().index(0, 0))
    QtTest.QTest.keyClick(tableView, qt.Qt.Key_V, qt.Qt.ControlModifier)
    assert [tableView.mrmlTableNode().GetCellText(row, 0) for row in range(2)] == ["x", "y"]
    assert cellsOf(tableView) == [["x", "9"], ["y", "8"]]


def test_selected_cells_of_a_table_are_copied_with_tabs(tableView):
    import qt
    import slicer
    from PySide6 import QtTest

    tableView.selectAll()
    QtTest.QTest.keyClick(tableView, qt.Qt.Key_C, qt.Qt.ControlModifier)
    assert slicer.app.clipboard().text() == "a\t1.5\nb\t2.5"


def test_titles_of_a_table_that_are_no_headers_are_its_first_row(host, tableView):
    tableView.mrmlTableNode().SetUseColumnTitleAsColumnHeader(False)
    assert cellsOf(tableView)[0] == ["label", "mL"]
    typeInto(host, tableView, 0, 1, "cm3")
    assert tableView.mrmlTableNode().GetColumnName(1) == "cm3"


def test_tableFileIsLoadedWithItsCells(host, tmp_path):
    import slicer

    (tmp_path / "scores.csv").write_text("label,dice\nhead,0.9\n")
    table = slicer.util.loadTable(str(tmp_path / "scores.csv"))
    assert table.GetCellText(0, 1) == "0.9"


def test_fileThatDoesNotExistIsRefused(host, tmp_path):
    import slicer

    with pytest.raises(RuntimeError, match="Failed to load node from file"):
        slicer.util.loadVolume(str(tmp_path / "nowhere.nrrd"))


def test_savingIntoAFolderThatIsNotThereFails(host, volumeNode, tmp_path):
    import slicer

    assert not slicer.util.saveNode(volumeNode, str(tmp_path / "nowhere" / "brain.nrrd"))


def test_dataNodesHaveSubjectHierarchyItemsOfTheirPlugins(host, segmentationNode, volumeNode):
    import slicer

    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(segmentationNode)
    assert hierarchy.GetItemOwnerPluginName(item) == "Segmentations"
    assert hierarchy.GetItemOwnerPluginName(hierarchy.GetItemByDataNode(volumeNode)) == "Volumes"
    slicer.mrmlScene.RemoveNode(segmentationNode)
    assert hierarchy.GetNumberOfItems() == 1
    host.closeScene()
    assert slicer.mrmlScene.GetSubjectHierarchyNode() is not None


def test_imageGoesThroughSitkUtilsUnchanged(volumeNode):
    import sitkUtils
    import slicer

    image = sitkUtils.PullVolumeFromSlicer(volumeNode)
    # In LPS the first two axes of the volume, which point left and posterior, are positive.
    assert image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    assert image.GetSpacing() == (2, 1, 3)
    pushed = sitkUtils.PushVolumeToSlicer(image, name="pushed")
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(pushed), slicer.util.arrayFromVolume(volumeNode))
    np.testing.assert_allclose(
        slicer.util.arrayFromVTKMatrix(ijkToRas(pushed)), slicer.util.arrayFromVTKMatrix(ijkToRas(volumeNode))
    )


def test_sampleOfAModuleIsMadeByTheModule(host):
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


def test_sampleFromAFileIsLoadedUnderItsName(host, volumeNode, tmp_path):
    import SampleData
    import slicer

    slicer.util.saveNode(volumeNode, str(tmp_path / "brain.nrrd"))
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


def test_sampleOnTheNetworkIsRefused(host):
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="Tests", sampleName="far", uris="https://example.org/a.nrrd", fileNames="a.nrrd", nodeNames="a"
    )
    with pytest.raises(ValueError, match="nothing from the network"):
        SampleData.downloadSample("far")


def test_resetLeavesAnEmptySceneWithItsViews(host, segmentationNode):
    import slicer

    before = host.counts()["nodes"]
    host.reset()
    assert host.counts()["nodes"] < before
    assert slicer.util.getNodesByClass("vtkMRMLVolumeNode") == []
    assert slicer.app.layoutManager().sliceWidget("Green").mrmlSliceNode().GetOrientation() == "Coronal"
