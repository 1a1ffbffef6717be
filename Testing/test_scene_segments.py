"""A model's labels become segments that lie on the anatomy, tell what they are, and leave others alone."""

import numpy as np
import pytest
import SimpleITK as sitk
from scene_samples import BRIGHT, MIDDLE, boxesImage, brightnessModel, rotation, truthOf

from MedNCALib import ImageError
from MedNCALib.labels import Label


@pytest.fixture
def model(tmp_path):
    return brightnessModel(tmp_path)


@pytest.fixture
def scene(host):
    """Functions that make nodes, and those under test."""
    import slicer
    from MedNCAScene import segments, volumes

    class Scene:
        write = staticmethod(segments.writeSegments)
        segmentsOfModel = staticmethod(segments.segmentsOfModel)

        @staticmethod
        def volume(image=None, name="head"):
            return volumes.volumeFromImage(boxesImage() if image is None else image, name)

        @staticmethod
        def transform(linear=None, translation=(0, 0, 0)):
            matrix = np.eye(4)
            matrix[:3, :3] = np.eye(3) if linear is None else linear
            matrix[:3, 3] = translation
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
            node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
            return node

    return Scene


def labelsOf(image):
    labels = sitk.GetImageFromArray(truthOf(image))
    labels.CopyInformation(image)
    return labels


def voxelsInWorld(segmentationNode, segmentId):
    """World RAS of the centre of each voxel of a segment, sorted, shape (n, 3): read from the node alone."""
    import slicer
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    labelmap = slicer.vtkOrientedImageData()
    segmentationNode.GetBinaryLabelmapRepresentation(segmentId, labelmap)
    imageToWorld = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(imageToWorld)
    extent = labelmap.GetExtent()
    voxels = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(labelmap.GetDimensions()[::-1])
    indices = np.argwhere(voxels)[:, ::-1] + [extent[0], extent[2], extent[4]]
    parentToWorld = vtk.vtkMatrix4x4()
    if segmentationNode.GetParentTransformNode():
        segmentationNode.GetParentTransformNode().GetMatrixTransformToWorld(parentToWorld)
    vtk.vtkMatrix4x4.Multiply4x4(parentToWorld, imageToWorld, imageToWorld)
    return sortedPoints(indices, slicer.util.arrayFromVTKMatrix(imageToWorld))


def anatomyInWorld(volumeNode, value):
    """World RAS of the centre of each voxel of the volume that has this value, sorted: read from the node alone."""
    import slicer
    import vtk

    ijkToRas, parentToWorld = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(ijkToRas)
    if volumeNode.GetParentTransformNode():
        volumeNode.GetParentTransformNode().GetMatrixTransformToWorld(parentToWorld)
    indices = np.argwhere(slicer.util.arrayFromVolume(volumeNode) == value)[:, ::-1]
    return sortedPoints(
        indices, slicer.util.arrayFromVTKMatrix(parentToWorld) @ slicer.util.arrayFromVTKMatrix(ijkToRas)
    )


def sortedPoints(indices, matrix):
    points = np.round(indices @ matrix[:3, :3].T + matrix[:3, 3], 6)
    return points[np.lexsort(points.T)]


def assertOnTheAnatomy(segmentationNode, model, volumeNode):
    from MedNCAScene.segments import segmentsOfModel

    segmentIds = segmentsOfModel(model, segmentationNode)
    for label, value in ((1, BRIGHT), (2, MIDDLE)):
        expected = anatomyInWorld(volumeNode, value)
        assert len(expected)
        np.testing.assert_allclose(voxelsInWorld(segmentationNode, segmentIds[label]), expected, atol=1e-5)


def addHandDrawnSegment(segmentationNode, volumeNode, name="lesion"):
    """A segment as the user draws it: over the first slices of the volume, overlapping with what the model finds."""
    import slicer

    voxels = np.zeros(slicer.util.arrayFromVolume(volumeNode).shape, np.uint8)
    voxels[:5, 4:14] = 1
    segmentId = segmentationNode.GetSegmentation().AddEmptySegment("", name, (0.1, 0.2, 0.3))
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, segmentationNode, segmentId, volumeNode)
    return segmentId


def contentOf(segmentationNode, segmentId):
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    voxels = voxelsInWorld(segmentationNode, segmentId).tolist()
    return segment.GetName(), segment.GetColor(), segment.GetTerminology(), voxels


def newSegmentation(volumeNode, name="mine"):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    return node


#
# Where they lie
#


@pytest.mark.parametrize("direction", [np.eye(3), np.eye(3)[:, [2, 0, 1]] * [-1, 1, -1], rotation()])
def test_segmentsLieOnTheAnatomyInEveryOrientation(scene, model, direction):
    image = boxesImage(direction=direction)
    volumeNode = scene.volume(image)
    assertOnTheAnatomy(scene.write(labelsOf(image), model, volumeNode), model, volumeNode)


@pytest.mark.parametrize(
    ("linear", "translation"),
    [
        (np.eye(3), (50, 0, 0)),
        (rotation(), (0, 0, 0)),
        (rotation() @ np.diag([2, 0.5, 1]), (1, 2, 3)),
        (np.diag([-1, 1, 1]), (0, 0, 0)),
    ],
    ids=["50 mm", "rotated", "rotated and scaled", "mirrored"],
)
def test_segmentsLieOnTheAnatomyUnderAParentTransform(scene, model, linear, translation):
    image = boxesImage(direction=rotation((5, 6, 7)))
    volumeNode = scene.volume(image)
    volumeNode.SetAndObserveTransformNodeID(scene.transform(linear, translation).GetID())
    segmentationNode = scene.write(labelsOf(image), model, volumeNode)
    assertOnTheAnatomy(segmentationNode, model, volumeNode)
    assert segmentationNode.GetTransformNodeID() == volumeNode.GetTransformNodeID()


def test_segmentsFollowTheVolumesTransformAfterwards(scene, model):
    volumeNode = scene.volume()
    transform = scene.transform(translation=(50, 0, 0))
    volumeNode.SetAndObserveTransformNodeID(transform.GetID())
    segmentationNode = scene.write(labelsOf(boxesImage()), model, volumeNode)
    transform.SetMatrixTransformToParent(scene.transform(rotation(), (9, 9, 9)).GetMatrixTransformToParent())
    assertOnTheAnatomy(segmentationNode, model, volumeNode)


@pytest.mark.parametrize("mine", ["none", "moved"])
def test_segmentsLieOnTheAnatomyAlsoBesideOthersUnderAnotherTransform(scene, model, mine):
    """A node that holds segments of the user cannot be moved under the volume's transform."""
    volumeNode = scene.volume()
    segmentationNode = newSegmentation(volumeNode)
    if mine == "moved":
        segmentationNode.SetAndObserveTransformNodeID(scene.transform(rotation((0, 0, 30)), (0, 7, 0)).GetID())
    drawn = addHandDrawnSegment(segmentationNode, volumeNode)
    before = contentOf(segmentationNode, drawn), segmentationNode.GetTransformNodeID()
    volumeNode.SetAndObserveTransformNodeID(scene.transform(rotation(), (50, 0, 0)).GetID())
    scene.write(labelsOf(boxesImage()), model, volumeNode, segmentationNode)
    assertOnTheAnatomy(segmentationNode, model, volumeNode)
    assert (contentOf(segmentationNode, drawn), segmentationNode.GetTransformNodeID()) == before


def test_segmentComesBackAsItWentIn(scene, model):
    import slicer

    volumeNode = scene.volume()
    volumeNode.SetAndObserveTransformNodeID(scene.transform(rotation(), (50, 0, 0)).GetID())
    segmentationNode = scene.write(labelsOf(boxesImage()), model, volumeNode)
    for value, segmentId in scene.segmentsOfModel(model, segmentationNode).items():
        voxels = slicer.util.arrayFromSegmentBinaryLabelmap(segmentationNode, segmentId, volumeNode)
        np.testing.assert_array_equal(voxels > 0, truthOf(boxesImage()) == value)


def test_voxelsAtTheEdgeOfTheVolumeAreKept(scene, model):
    import slicer

    voxels = np.zeros((6, 7, 8), np.uint8)
    voxels[0, 0, 0] = voxels[-1, -1, -1] = 1
    labels = sitk.GetImageFromArray(voxels)
    volumeNode = scene.volume(labels)
    segmentationNode = scene.write(labels, model, volumeNode)
    first = scene.segmentsOfModel(model, segmentationNode)[1]
    found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentationNode, first, volumeNode)
    np.testing.assert_array_equal(found > 0, voxels == 1)


#
# What they say
#


def test_segmentsCarryNameColourAndTerminologyOfTheLabels(scene, model):
    segmentationNode = scene.write(labelsOf(boxesImage()), model, scene.volume())
    segmentation = segmentationNode.GetSegmentation()
    segments = [segmentation.GetSegment(segmentId) for segmentId in segmentation.GetSegmentIDs()]
    assert [segment.GetName() for segment in segments] == ["anterior hippocampus", "posterior hippocampus"]
    assert [tuple(round(c * 255) for c in s.GetColor()) for s in segments] == [(230, 159, 0), (86, 180, 233)]
    assert [segment.GetTerminology() for segment in segments] == [label.terminology_entry for label in model.labels]
    assert not any(segment.GetNameAutoGenerated() or segment.GetColorAutoGenerated() for segment in segments)


def test_slicerUnderstandsTheTerminology(scene, model):
    import slicer

    segmentationNode = scene.write(labelsOf(boxesImage()), model, scene.volume())
    segment = segmentationNode.GetSegmentation().GetSegment(scene.segmentsOfModel(model, segmentationNode)[1])
    entry = slicer.vtkSlicerTerminologyEntry()
    logic = slicer.modules.terminologies.logic()
    assert logic.DeserializeTerminologyEntry(segment.GetTerminology(), entry)
    category, kind = entry.GetCategoryObject(), entry.GetTypeObject()
    assert (category.GetCodingSchemeDesignator(), category.GetCodeValue()) == ("SCT", "123037004")
    assert (kind.GetCodingSchemeDesignator(), kind.GetCodeValue()) == ("99MEDNCA", "HIPP-ANT")
    assert logic.SerializeTerminologyEntry(entry) == segment.GetTerminology()


def test_newNodeIsNamedAfterVolumeAndModelAndStandsBesideTheVolume(scene, model):
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    volumeNode = scene.volume()
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.CreateItem(study, volumeNode)
    segmentationNode = scene.write(labelsOf(boxesImage()), model, volumeNode)
    assert segmentationNode.GetName() == "head_brightness"
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(segmentationNode)) == study
    assert scene.write(labelsOf(boxesImage()), model, volumeNode).GetName() != "head_brightness"


def test_newNodeHasTheReferenceGeometryAndADisplayNodeAndNoSurface(scene, model):
    volumeNode = scene.volume()
    segmentationNode = scene.write(labelsOf(boxesImage()), model, volumeNode)
    role = segmentationNode.GetReferenceImageGeometryReferenceRole()
    assert segmentationNode.GetNodeReference(role) is volumeNode
    geometry = segmentationNode.GetSegmentation().GetConversionParameter("Reference image geometry")
    assert geometry.endswith("0;19;0;23;0;15;")
    assert segmentationNode.GetDisplayNode() is not None
    assert not segmentationNode.GetSegmentation().ContainsRepresentation("Closed surface")


def test_structureThatIsNotFoundIsAnEmptySegment(scene, model):
    labels = labelsOf(boxesImage()) * 0
    volumeNode = scene.volume()
    segmentationNode = scene.write(labels, model, volumeNode)
    segmentIds = scene.segmentsOfModel(model, segmentationNode)
    assert set(segmentIds) == {1, 2}
    assert all(len(voxelsInWorld(segmentationNode, segmentId)) == 0 for segmentId in segmentIds.values())


def test_labelValuesNeedNotCountFromOne(scene, tmp_path):
    import slicer

    labels = (Label(7, "seven", (10, 20, 30)), Label(200, "two hundred", (30, 20, 10)))
    sparse = brightnessModel(tmp_path, name="sparse", labels=labels)
    voxels = np.select([truthOf(boxesImage()) == 1, truthOf(boxesImage()) == 2], [7, 200]).astype(np.uint8)
    image = sitk.GetImageFromArray(voxels)
    image.CopyInformation(boxesImage())
    volumeNode = scene.volume()
    segmentationNode = scene.write(image, sparse, volumeNode)
    for value, segmentId in scene.segmentsOfModel(sparse, segmentationNode).items():
        found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentationNode, segmentId, volumeNode)
        np.testing.assert_array_equal(found > 0, voxels == value)


def test_savedFileReopensWithVoxelsNamesColoursAndTerminology(scene, model, tmp_path):
    import slicer

    image = boxesImage(direction=rotation())
    volumeNode = scene.volume(image)
    segmentationNode = scene.write(labelsOf(image), model, volumeNode)
    storage = slicer.vtkMRMLSegmentationStorageNode()
    storage.SetFileName(str(tmp_path / "saved.seg.nrrd"))
    assert storage.WriteData(segmentationNode)

    reopened = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "reopened")
    reading = slicer.vtkMRMLSegmentationStorageNode()
    reading.SetFileName(str(tmp_path / "saved.seg.nrrd"))
    assert reading.ReadData(reopened)
    assert reopened.GetSegmentation().GetSegmentIDs() == segmentationNode.GetSegmentation().GetSegmentIDs()
    assertOnTheAnatomy(reopened, model, volumeNode)
    for segmentId in reopened.GetSegmentation().GetSegmentIDs():
        name, color, terminology, _ = contentOf(reopened, segmentId)
        savedName, savedColor, savedTerminology, _ = contentOf(segmentationNode, segmentId)
        assert (name, terminology) == (savedName, savedTerminology)
        np.testing.assert_allclose(color, savedColor, atol=1e-5)
    # Also after saving and opening it is known which segments are the model's.
    scene.write(labelsOf(image), model, volumeNode, reopened)
    assert reopened.GetSegmentation().GetNumberOfSegments() == 2


#
# What was there before
#


def test_secondRunReplacesOnlyItsOwnSegments(scene, model):
    volumeNode = scene.volume()
    segmentationNode = newSegmentation(volumeNode)
    drawn = addHandDrawnSegment(segmentationNode, volumeNode)
    before = contentOf(segmentationNode, drawn)
    scene.write(labelsOf(boxesImage()), model, volumeNode, segmentationNode)
    assert contentOf(segmentationNode, drawn) == before
    first = segmentationNode.GetSegmentation().GetSegmentIDs()

    moved = sitk.GetArrayFromImage(labelsOf(boxesImage()))
    moved = sitk.GetImageFromArray(np.roll(moved, 1, axis=0))
    moved.CopyInformation(boxesImage())
    scene.write(moved, model, volumeNode, segmentationNode)
    assert contentOf(segmentationNode, drawn) == before
    assert segmentationNode.GetSegmentation().GetSegmentIDs() == first
    shifted = voxelsInWorld(segmentationNode, scene.segmentsOfModel(model, segmentationNode)[1])
    np.testing.assert_allclose(shifted, anatomyInWorld(volumeNode, 100) + np.array([0, 0, 2]), atol=1e-5)


def test_segmentOfTheSameNameThatSomebodyElseMadeIsNotTouched(scene, model):
    volumeNode = scene.volume()
    segmentationNode = newSegmentation(volumeNode)
    drawn = addHandDrawnSegment(segmentationNode, volumeNode, name="anterior hippocampus")
    before = contentOf(segmentationNode, drawn)
    scene.write(labelsOf(boxesImage()), model, volumeNode, segmentationNode)
    scene.write(labelsOf(boxesImage()), model, volumeNode, segmentationNode)
    assert contentOf(segmentationNode, drawn) == before
    assert segmentationNode.GetSegmentation().GetNumberOfSegments() == 3
    assertOnTheAnatomy(segmentationNode, model, volumeNode)


def test_segmentsOfAnotherModelAreNotTouched(scene, model, tmp_path):
    other = brightnessModel(tmp_path, name="other")
    volumeNode = scene.volume()
    segmentationNode = scene.write(labelsOf(boxesImage()), other, volumeNode)
    scene.write(labelsOf(boxesImage()) * 0, model, volumeNode, segmentationNode)
    assert segmentationNode.GetSegmentation().GetNumberOfSegments() == 4
    assertOnTheAnatomy(segmentationNode, other, volumeNode)


def test_segmentsThatShareALabelmapWithOthersAreReplacedCleanly(scene, model):
    """Slicer may put several segments into one labelmap, for example when a segmentation is saved and opened."""
    import slicer

    volumeNode = scene.volume()
    segmentationNode = scene.write(labelsOf(boxesImage()), model, volumeNode)
    corner = np.zeros(truthOf(boxesImage()).shape, np.uint8)
    corner[0, :2, :2] = 1
    drawn = segmentationNode.GetSegmentation().AddEmptySegment("", "corner")
    slicer.util.updateSegmentBinaryLabelmapFromArray(corner, segmentationNode, drawn, volumeNode)
    segmentationNode.GetSegmentation().CollapseBinaryLabelmaps(False)
    assert segmentationNode.GetSegmentation().GetNumberOfLayers() == 1
    before = contentOf(segmentationNode, drawn)
    scene.write(labelsOf(boxesImage()), model, volumeNode, segmentationNode)
    assert contentOf(segmentationNode, drawn) == before
    assertOnTheAnatomy(segmentationNode, model, volumeNode)
    segmentationNode.GetSegmentation().CollapseBinaryLabelmaps(False)
    assert contentOf(segmentationNode, drawn) == before
    assertOnTheAnatomy(segmentationNode, model, volumeNode)


def test_labelThatTheModelNoLongerHasIsRemoved(scene, model, tmp_path):
    volumeNode = scene.volume()
    segmentationNode = scene.write(labelsOf(boxesImage()), model, volumeNode)

    class Newer:
        name, labels = model.name, model.labels[:1]

    scene.write(labelsOf(boxesImage()), Newer, volumeNode, segmentationNode)
    assert set(scene.segmentsOfModel(model, segmentationNode)) == {1}
    assert segmentationNode.GetSegmentation().GetNumberOfSegments() == 1


def test_segmentsThatWereShownIn3DStayShownAndAreMadeAnew(scene, model):
    from MedNCAScene.surface import isShownIn3D, showIn3D

    volumeNode = scene.volume()
    segmentationNode = scene.write(labelsOf(boxesImage()), model, volumeNode)
    showIn3D(segmentationNode, True)
    assert isShownIn3D(segmentationNode)
    moved = sitk.GetImageFromArray(np.roll(truthOf(boxesImage()), 4, axis=0))
    moved.CopyInformation(boxesImage())
    scene.write(moved, model, volumeNode, segmentationNode)
    assert isShownIn3D(segmentationNode)
    surface = segmentationNode.GetClosedSurfaceInternalRepresentation(scene.segmentsOfModel(model, segmentationNode)[1])
    middle = voxelsInWorld(segmentationNode, scene.segmentsOfModel(model, segmentationNode)[1]).mean(axis=0)
    np.testing.assert_allclose(surface.GetCenter(), middle, atol=0.5)
    showIn3D(segmentationNode, False)
    assert not isShownIn3D(segmentationNode)


def test_segmentationOfSurfacesIsRefusedAndLeftAlone(scene, model):
    import slicer
    import vtk

    volumeNode = scene.volume()
    segmentationNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "printed")
    segmentationNode.SetSourceRepresentationToClosedSurface()
    sphere = vtk.vtkSphereSource()
    sphere.Update()
    segmentationNode.AddSegmentFromClosedSurfaceRepresentation(sphere.GetOutput(), "ball", (1, 0, 0))
    with pytest.raises(ImageError, match="The segments of printed are stored as surfaces"):
        scene.write(labelsOf(boxesImage()), model, volumeNode, segmentationNode)
    assert segmentationNode.GetSegmentation().GetNumberOfSegments() == 1


def test_emptySegmentationNodeOfTheUserIsFilledAndKeepsItsName(scene, model):
    import slicer

    volumeNode = scene.volume()
    volumeNode.SetAndObserveTransformNodeID(scene.transform(rotation()).GetID())
    segmentationNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    assert scene.write(labelsOf(boxesImage()), model, volumeNode, segmentationNode) is segmentationNode
    assert segmentationNode.GetName() == "mine"
    assertOnTheAnatomy(segmentationNode, model, volumeNode)


def test_writingThatFailsLeavesNoNewNode(scene, model, monkeypatch):
    import slicer
    from MedNCAScene import segments

    volumeNode = scene.volume()
    before = slicer.mrmlScene.GetNumberOfNodes()

    def fail(*_):
        raise RuntimeError("for the test")

    monkeypatch.setattr(segments, "_replaceSegments", fail)
    with pytest.raises(RuntimeError, match="for the test"):
        scene.write(labelsOf(boxesImage()), model, volumeNode)
    assert slicer.mrmlScene.GetNumberOfNodes() == before
