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
    volume_node = add_volume()
    segmentation_node = new_segmentation(volume_node)
    drawn = add_hand_drawn_segment(segmentation_node, volume_node)
    before = content_of(segmentation_node, drawn)
    scene.write(labels_of(boxes_image()), model, volume_node, segmentation_node)
    assert content_of(segmentation_node, drawn) == before
    first = segmentation_node.GetSegmentation().GetSegmentIDs()

    moved = sitk.GetArrayFromImage(labels_of(boxes_image()))
    moved = sitk.GetImageFromArray(np.roll(moved, 1, axis=0))
    moved.CopyInformation(boxes_image())
    scene.write(moved, model, volume_node, segmentation_node)
    assert content_of(segmentation_node, drawn) == before
    assert segmentation_node.GetSegmentation().GetSegmentIDs() == first
    shifted = voxels_in_world(segmentation_node, scene.segmentsOfModel(model, segmentation_node)[1])
    np.testing.assert_allclose(shifted, anatomy_in_world(volume_node, 100) + np.array([0, 0, 2]), atol=1e-5)


def test_segment_of_the_same_name_that_somebody_else_made_is_not_touched(scene, model):
    volume_node = add_volume()
    segmentation_node = new_segmentation(volume_node)
    drawn = add_hand_drawn_segment(segmentation_node, volume_node, name="anterior hippocampus")
    before = content_of(segmentation_node, drawn)
    scene.write(labels_of(boxes_image()), model, volume_node, segmentation_node)
    scene.write(labels_of(boxes_image()), model, volume_node, segmentation_node)
    assert content_of(segmentation_node, drawn) == before
    assert segmentation_node.GetSegmentation().GetNumberOfSegments() == 3
    assert_on_the_anatomy(segmentation_node, model, volume_node)


def test_segments_of_another_model_are_not_touched(scene, model, tmp_path):
    other = brightness_model(tmp_path, name="other")
    volume_node = add_volume()
    segmentation_node = scene.write(labels_of(boxes_image()), other, volume_node)
    scene.write(labels_of(boxes_image()) * 0, model, volume_node, segmentation_node)
    assert segmentation_node.GetSegmentation().GetNumberOfSegments() == 4
    assert_on_the_anatomy(segmentation_node, other, volume_node)


def test_segments_that_share_a_labelmap_with_others_are_replaced_cleanly(scene, model):
    """Slicer may put several segments into one labelmap, for example when a segmentation is saved and opened."""
    import slicer

    volume_node = add_volume()
    segmentation_node = scene.write(labels_of(boxes_image()), model, volume_node)
    corner = np.zeros(truth_of(boxes_image()).shape, np.uint8)
    corner[0, :2, :2] = 1
    drawn = segmentation_node.GetSegmentation().AddEmptySegment("", "corner")
    slicer.util.updateSegmentBinaryLabelmapFromArray(corner, segmentation_node, drawn, volume_node)
    segmentation_node.GetSegmentation().CollapseBinaryLabelmaps(False)
    assert segmentation_node.GetSegmentation().GetNumberOfLayers() == 1
    before = content_of(segmentation_node, drawn)
    scene.write(labels_of(boxes_image()), model, volume_node, segmentation_node)
    assert content_of(segmentation_node, drawn) == before
    assert_on_the_anatomy(segmentation_node, model, volume_node)
    segmentation_node.GetSegmentation().CollapseBinaryLabelmaps(False)
    assert content_of(segmentation_node, drawn) == before
    assert_on_the_anatomy(segmentation_node, model, volume_node)


def test_label_that_the_model_no_longer_has_is_removed(scene, model, tmp_path):
    volume_node = add_volume()
    segmentation_node = scene.write(labels_of(boxes_image()), model, volume_node)

    class Newer:
        name, labels = model.name, model.labels[:1]

    scene.write(labels_of(boxes_image()), Newer, volume_node, segmentation_node)
    assert set(scene.segmentsOfModel(model, segmentation_node)) == {1}
    assert segmentation_node.GetSegmentation().GetNumberOfSegments() == 1


def test_segments_that_were_shown_in_3d_stay_shown_and_are_made_a_new(scene, model):
    from MedNCAScene.results.segments import isShownIn3D, showIn3D

    volume_node = add_volume()
    segmentation_node = scene.write(labels_of(boxes_image()), model, volume_node)
    showIn3D(segmentation_node, True)
    assert isShownIn3D(segmentation_node)
    moved = sitk.GetImageFromArray(np.roll(truth_of(boxes_image()), 4, axis=0))
    moved.CopyInformation(boxes_image())
    scene.write(moved, model, volume_node, segmentation_node)
    assert isShownIn3D(segmentation_node)
    surface = segmentation_node.GetClosedSurfaceInternalRepresentation(
        scene.segmentsOfModel(model, segmentation_node)[1]
    )
    middle = voxels_in_world(segmentation_node, scene.segmentsOfModel(model, segmentation_node)[1]).mean(axis=0)
    np.testing.assert_allclose(surface.GetCenter(), middle, atol=0.5)
    showIn3D(segmentation_node, False)
    assert not isShownIn3D(segmentation_node)


def test_segmentation_of_surfaces_is_refused_and_left_alone(scene, model):
    import slicer
    import vtk

    volume_node = add_volume()
    segmentation_node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "printed")
    segmentation_node.SetSourceRepresentationToClosedSurface()
    sphere = vtk.vtkSphereSource()
    sphere.Update()
    segmentation_node.AddSegmentFromClosedSurfaceRepresentation(sphere.GetOutput(), "ball", (1, 0, 0))
    with pytest.raises(ImageError, match="The segments of printed are stored as surfaces"):
        scene.write(labels_of(boxes_image()), model, volume_node, segmentation_node)
    assert segmentation_node.GetSegmentation().GetNumberOfSegments() == 1


def test_empty_segmentation_node_of_the_user_is_filled_and_keeps_its_name(scene, model):
    import slicer

    volume_node = add_volume()
    volume_node.SetAndObserveTransformNodeID(add_transform(rotation()).GetID())
    segmentation_node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    assert scene.write(labels_of(boxes_image()), model, volume_node, segmentation_node) is segmentation_node
    assert segmentation_node.GetName() == "mine"
    assert_on_the_anatomy(segmentation_node, model, volume_node)


@pytest.mark.parametrize("mine", ["none", "moved"])
def test_segments_lie_on_the_anatomy_also_beside_others_under_another_transform(scene, model, mine):
    """A node that holds segments of the user cannot be moved under the volume's transform."""
    volume_node = add_volume()
    segmentation_node = new_segmentation(volume_node)
    if mine == "moved":
        segmentation_node.SetAndObserveTransformNodeID(add_transform(rotation((0, 0, 30)), (0, 7, 0)).GetID())
    drawn = add_hand_drawn_segment(segmentation_node, volume_node)
    before = content_of(segmentation_node, drawn), segmentation_node.GetTransformNodeID()
    volume_node.SetAndObserveTransformNodeID(add_transform(rotation(), (50, 0, 0)).GetID())
    scene.write(labels_of(boxes_image()), model, volume_node, segmentation_node)
    assert_on_the_anatomy(segmentation_node, model, volume_node)
    assert (content_of(segmentation_node, drawn), segmentation_node.GetTransformNodeID()) == before
