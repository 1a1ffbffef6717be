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


def test_selectorWithoutNoneTakesTheFirstNode(selector):
    selector.noneEnabled = False
    node = addNode()
    addNode()
    assert selector.currentNode() is node


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
