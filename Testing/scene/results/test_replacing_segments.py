"""What is in the segmentation node already: a model replaces its own segments and leaves all others alone."""

import numpy as np
import pytest
import SimpleITK as sitk
from support.brightness_model import boxesImage, brightnessModel, rotation, truthOf
from support.scene_assertions import (
    addHandDrawnSegment,
    addTransform,
    addVolume,
    anatomyInWorld,
    assertOnTheAnatomy,
    contentOf,
    labelsOf,
    newSegmentation,
    voxelsInWorld,
)

from MedNCALib import ImageError


@pytest.fixture
def model(tmp_path):
    return brightnessModel(tmp_path)


def test_secondRunReplacesOnlyItsOwnSegments(scene, model):
    volumeNode = addVolume()
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
    volumeNode = addVolume()
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
    volumeNode = addVolume()
    segmentationNode = scene.write(labelsOf(boxesImage()), other, volumeNode)
    scene.write(labelsOf(boxesImage()) * 0, model, volumeNode, segmentationNode)
    assert segmentationNode.GetSegmentation().GetNumberOfSegments() == 4
    assertOnTheAnatomy(segmentationNode, other, volumeNode)


def test_segmentsThatShareALabelmapWithOthersAreReplacedCleanly(scene, model):
    """Slicer may put several segments into one labelmap, for example when a segmentation is saved and opened."""
    import slicer

    volumeNode = addVolume()
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
    volumeNode = addVolume()
    segmentationNode = scene.write(labelsOf(boxesImage()), model, volumeNode)

    class Newer:
        name, labels = model.name, model.labels[:1]

    scene.write(labelsOf(boxesImage()), Newer, volumeNode, segmentationNode)
    assert set(scene.segmentsOfModel(model, segmentationNode)) == {1}
    assert segmentationNode.GetSegmentation().GetNumberOfSegments() == 1


def test_segmentsThatWereShownIn3DStayShownAndAreMadeAnew(scene, model):
    from MedNCAScene.results.segments import isShownIn3D, showIn3D

    volumeNode = addVolume()
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

    volumeNode = addVolume()
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

    volumeNode = addVolume()
    volumeNode.SetAndObserveTransformNodeID(addTransform(rotation()).GetID())
    segmentationNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    assert scene.write(labelsOf(boxesImage()), model, volumeNode, segmentationNode) is segmentationNode
    assert segmentationNode.GetName() == "mine"
    assertOnTheAnatomy(segmentationNode, model, volumeNode)


@pytest.mark.parametrize("mine", ["none", "moved"])
def test_segmentsLieOnTheAnatomyAlsoBesideOthersUnderAnotherTransform(scene, model, mine):
    """A node that holds segments of the user cannot be moved under the volume's transform."""
    volumeNode = addVolume()
    segmentationNode = newSegmentation(volumeNode)
    if mine == "moved":
        segmentationNode.SetAndObserveTransformNodeID(addTransform(rotation((0, 0, 30)), (0, 7, 0)).GetID())
    drawn = addHandDrawnSegment(segmentationNode, volumeNode)
    before = contentOf(segmentationNode, drawn), segmentationNode.GetTransformNodeID()
    volumeNode.SetAndObserveTransformNodeID(addTransform(rotation(), (50, 0, 0)).GetID())
    scene.write(labelsOf(boxesImage()), model, volumeNode, segmentationNode)
    assertOnTheAnatomy(segmentationNode, model, volumeNode)
    assert (contentOf(segmentationNode, drawn), segmentationNode.GetTransformNodeID()) == before
