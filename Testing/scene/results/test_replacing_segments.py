"""What is in the segmentation node already: a model replaces its own segments and leaves all others alone."""

import numpy as np
import pytest
import SimpleITK as sitk
from support.brightness_model import boxes_image, brightness_model, rotation, truth_of
from support.scene_assertions import (
    add_hand_drawn_segment,
    add_transform,
    add_volume,
    anatomy_in_world,
    assert_on_the_anatomy,
    content_of,
    labels_of,
    new_segmentation,
    voxels_in_world,
)

from MedNCALib import ImageError


@pytest.fixture
def model(tmp_path):
    return brightness_model(tmp_path)


def test_second_run_replaces_only_its_own_segments(scene, model):
    volumeNode = add_volume()
    segmentationNode = new_segmentation(volumeNode)
    drawn = add_hand_drawn_segment(segmentationNode, volumeNode)
    before = content_of(segmentationNode, drawn)
    scene.write(labels_of(boxes_image()), model, volumeNode, segmentationNode)
    assert content_of(segmentationNode, drawn) == before
    first = segmentationNode.GetSegmentation().GetSegmentIDs()

    moved = sitk.GetArrayFromImage(labels_of(boxes_image()))
    moved = sitk.GetImageFromArray(np.roll(moved, 1, axis=0))
    moved.CopyInformation(boxes_image())
    scene.write(moved, model, volumeNode, segmentationNode)
    assert content_of(segmentationNode, drawn) == before
    assert segmentationNode.GetSegmentation().GetSegmentIDs() == first
    shifted = voxels_in_world(segmentationNode, scene.segmentsOfModel(model, segmentationNode)[1])
    np.testing.assert_allclose(shifted, anatomy_in_world(volumeNode, 100) + np.array([0, 0, 2]), atol=1e-5)


def test_segment_of_the_same_name_that_somebody_else_made_is_not_touched(scene, model):
    volumeNode = add_volume()
    segmentationNode = new_segmentation(volumeNode)
    drawn = add_hand_drawn_segment(segmentationNode, volumeNode, name="anterior hippocampus")
    before = content_of(segmentationNode, drawn)
    scene.write(labels_of(boxes_image()), model, volumeNode, segmentationNode)
    scene.write(labels_of(boxes_image()), model, volumeNode, segmentationNode)
    assert content_of(segmentationNode, drawn) == before
    assert segmentationNode.GetSegmentation().GetNumberOfSegments() == 3
    assert_on_the_anatomy(segmentationNode, model, volumeNode)


def test_segments_of_another_model_are_not_touched(scene, model, tmp_path):
    other = brightness_model(tmp_path, name="other")
    volumeNode = add_volume()
    segmentationNode = scene.write(labels_of(boxes_image()), other, volumeNode)
    scene.write(labels_of(boxes_image()) * 0, model, volumeNode, segmentationNode)
    assert segmentationNode.GetSegmentation().GetNumberOfSegments() == 4
    assert_on_the_anatomy(segmentationNode, other, volumeNode)


def test_segments_that_share_a_labelmap_with_others_are_replaced_cleanly(scene, model):
    """Slicer may put several segments into one labelmap, for example when a segmentation is saved and opened."""
    import slicer

    volumeNode = add_volume()
    segmentationNode = scene.write(labels_of(boxes_image()), model, volumeNode)
    corner = np.zeros(truth_of(boxes_image()).shape, np.uint8)
    corner[0, :2, :2] = 1
    drawn = segmentationNode.GetSegmentation().AddEmptySegment("", "corner")
    slicer.util.updateSegmentBinaryLabelmapFromArray(corner, segmentationNode, drawn, volumeNode)
    segmentationNode.GetSegmentation().CollapseBinaryLabelmaps(False)
    assert segmentationNode.GetSegmentation().GetNumberOfLayers() == 1
    before = content_of(segmentationNode, drawn)
    scene.write(labels_of(boxes_image()), model, volumeNode, segmentationNode)
    assert content_of(segmentationNode, drawn) == before
    assert_on_the_anatomy(segmentationNode, model, volumeNode)
    segmentationNode.GetSegmentation().CollapseBinaryLabelmaps(False)
    assert content_of(segmentationNode, drawn) == before
    assert_on_the_anatomy(segmentationNode, model, volumeNode)


def test_label_that_the_model_no_longer_has_is_removed(scene, model, tmp_path):
    volumeNode = add_volume()
    segmentationNode = scene.write(labels_of(boxes_image()), model, volumeNode)

    class Newer:
        name, labels = model.name, model.labels[:1]

    scene.write(labels_of(boxes_image()), Newer, volumeNode, segmentationNode)
    assert set(scene.segmentsOfModel(model, segmentationNode)) == {1}
    assert segmentationNode.GetSegmentation().GetNumberOfSegments() == 1


def test_segments_that_were_shown_in3d_stay_shown_and_are_made_anew(scene, model):
    from MedNCAScene.results.segments import isShownIn3D, showIn3D

    volumeNode = add_volume()
    segmentationNode = scene.write(labels_of(boxes_image()), model, volumeNode)
    showIn3D(segmentationNode, True)
    assert isShownIn3D(segmentationNode)
    moved = sitk.GetImageFromArray(np.roll(truth_of(boxes_image()), 4, axis=0))
    moved.CopyInformation(boxes_image())
    scene.write(moved, model, volumeNode, segmentationNode)
    assert isShownIn3D(segmentationNode)
    surface = segmentationNode.GetClosedSurfaceInternalRepresentation(scene.segmentsOfModel(model, segmentationNode)[1])
    middle = voxels_in_world(segmentationNode, scene.segmentsOfModel(model, segmentationNode)[1]).mean(axis=0)
    np.testing.assert_allclose(surface.GetCenter(), middle, atol=0.5)
    showIn3D(segmentationNode, False)
    assert not isShownIn3D(segmentationNode)


def test_segmentation_of_surfaces_is_refused_and_left_alone(scene, model):
    import slicer
    import vtk

    volumeNode = add_volume()
    segmentationNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "printed")
    segmentationNode.SetSourceRepresentationToClosedSurface()
    sphere = vtk.vtkSphereSource()
    sphere.Update()
    segmentationNode.AddSegmentFromClosedSurfaceRepresentation(sphere.GetOutput(), "ball", (1, 0, 0))
    with pytest.raises(ImageError, match="The segments of printed are stored as surfaces"):
        scene.write(labels_of(boxes_image()), model, volumeNode, segmentationNode)
    assert segmentationNode.GetSegmentation().GetNumberOfSegments() == 1


def test_empty_segmentation_node_of_the_user_is_filled_and_keeps_its_name(scene, model):
    import slicer

    volumeNode = add_volume()
    volumeNode.SetAndObserveTransformNodeID(add_transform(rotation()).GetID())
    segmentationNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    assert scene.write(labels_of(boxes_image()), model, volumeNode, segmentationNode) is segmentationNode
    assert segmentationNode.GetName() == "mine"
    assert_on_the_anatomy(segmentationNode, model, volumeNode)


@pytest.mark.parametrize("mine", ["none", "moved"])
def test_segments_lie_on_the_anatomy_also_beside_others_under_another_transform(scene, model, mine):
    """A node that holds segments of the user cannot be moved under the volume's transform."""
    volumeNode = add_volume()
    segmentationNode = new_segmentation(volumeNode)
    if mine == "moved":
        segmentationNode.SetAndObserveTransformNodeID(add_transform(rotation((0, 0, 30)), (0, 7, 0)).GetID())
    drawn = add_hand_drawn_segment(segmentationNode, volumeNode)
    before = content_of(segmentationNode, drawn), segmentationNode.GetTransformNodeID()
    volumeNode.SetAndObserveTransformNodeID(add_transform(rotation(), (50, 0, 0)).GetID())
    scene.write(labels_of(boxes_image()), model, volumeNode, segmentationNode)
    assert_on_the_anatomy(segmentationNode, model, volumeNode)
    assert (content_of(segmentationNode, drawn), segmentationNode.GetTransformNodeID()) == before
