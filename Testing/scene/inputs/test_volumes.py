"""Volume nodes become images in the volume's own space, and what cannot be segmented is refused in words."""

import itertools

import numpy as np
import pytest
import SimpleITK as sitk
from support.brightness_model import boxes_image, rotation
from support.scene_assertions import add_transform

from MedNCALib import ImageError


@pytest.fixture
def volumes(host):
    from MedNCAScene.inputs import volumes

    return volumes


def assert_same_image(found, expected):
    assert found.GetSize() == expected.GetSize()
    np.testing.assert_allclose(found.GetSpacing(), expected.GetSpacing(), atol=1e-12)
    np.testing.assert_allclose(found.GetOrigin(), expected.GetOrigin(), atol=1e-9)
    np.testing.assert_allclose(found.GetDirection(), expected.GetDirection(), atol=1e-12)
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(found), sitk.GetArrayViewFromImage(expected))


def all_axis_orders():
    """The 48 direction matrices that only reorder and flip axes."""
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            yield np.eye(3)[:, order] * signs


@pytest.mark.parametrize("direction", [*all_axis_orders(), rotation()])
def test_image_of_a_volume_has_the_images_voxels_and_geometry_in_every_axis_order(volumes, direction):
    image = boxes_image(size=(12, 22, 10), direction=direction)
    node = volumes.volumeFromImage(image, "volume")
    assert_same_image(volumes.imageFromVolume(node), image)


@pytest.mark.parametrize("scalar_type", ["uint8", "int8", "uint16", "int16", "int32", "float32", "float64"])
def test_image_of_a_volume_has_its_voxel_type(volumes, scalar_type):
    voxels = np.arange(60).reshape(3, 4, 5).astype(scalar_type)
    image = sitk.GetImageFromArray(voxels)
    assert_same_image(volumes.imageFromVolume(volumes.volumeFromImage(image, "volume")), image)
    assert volumes.imageFromVolume(volumes.volumeFromImage(image, "volume")).GetPixelID() == image.GetPixelID()


def test_image_and_volume_share_no_memory(volumes):
    import slicer

    node = volumes.volumeFromImage(boxes_image(), "volume")
    image = volumes.imageFromVolume(node)
    slicer.util.arrayFromVolume(node)[:] = 7
    assert_same_image(image, boxes_image())


def test_volume_saved_and_read_by_simple_itk_is_the_same_image(volumes, tmp_path):
    """The convention of SimpleITK, RAS against LPS, is the one of the files that Slicer writes."""
    import slicer

    node = volumes.volumeFromImage(boxes_image(direction=rotation()), "volume")
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(tmp_path / "volume.nrrd"))
    assert storage.WriteData(node)
    saved = sitk.ReadImage(str(tmp_path / "volume.nrrd"))
    assert saved.GetSize() == boxes_image().GetSize()
    np.testing.assert_allclose(saved.GetDirection(), volumes.imageFromVolume(node).GetDirection(), atol=1e-6)
    np.testing.assert_allclose(saved.GetOrigin(), volumes.imageFromVolume(node).GetOrigin(), atol=1e-4)


def test_volume_under_a_linear_transform_keeps_its_own_space(volumes):
    node = volumes.volumeFromImage(boxes_image(), "volume")
    node.SetAndObserveTransformNodeID(add_transform(np.diag([2, 1, 1])).GetID())
    assert_same_image(volumes.imageFromVolume(node), boxes_image())


def test_no_volume_is_refused(volumes):
    with pytest.raises(ImageError, match="No input volume"):
        volumes.imageFromVolume(None)


def test_node_that_is_no_volume_is_refused_by_name(volumes):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode", "a surface")
    with pytest.raises(ImageError, match="a surface is not a volume"):
        volumes.imageFromVolume(node)


def test_empty_volume_is_refused_by_name(volumes):
    import slicer
    import vtk

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "nothing")
    with pytest.raises(ImageError, match="nothing has no voxels"):
        volumes.imageFromVolume(node)
    node.SetAndObserveImageData(vtk.vtkImageData())
    with pytest.raises(ImageError, match="nothing has no voxels"):
        volumes.imageFromVolume(node)


def test_label_map_is_refused(volumes):
    import slicer

    node = slicer.util.addVolumeFromArray(np.ones((3, 4, 5), np.uint8), nodeClassName="vtkMRMLLabelMapVolumeNode")
    with pytest.raises(ImageError, match="is a label map"):
        volumes.imageFromVolume(node)


def test_colour_volume_is_refused(volumes):
    import slicer

    voxels = np.ones((3, 4, 5, 3), np.uint8)
    node = slicer.util.addVolumeFromArray(voxels, name="photograph", nodeClassName="vtkMRMLVectorVolumeNode")
    with pytest.raises(ImageError, match="photograph has 3 values in each voxel"):
        volumes.imageFromVolume(node)


def test_sheared_volume_is_refused(volumes):
    import slicer

    sheared = np.eye(4)
    sheared[0, 1] = 0.2
    node = slicer.util.addVolumeFromArray(np.ones((3, 4, 5)), ijkToRAS=sheared, name="tilted gantry")
    with pytest.raises(ImageError, match="The axes of tilted gantry are not perpendicular"):
        volumes.imageFromVolume(node)


def test_rounding_in_a_header_is_not_taken_for_shear(volumes):
    import slicer

    ijk_to_ras = np.eye(4)
    ijk_to_ras[:3, :3] = (rotation() * [0.7, 0.8, 1.2]).astype(np.float16)
    node = slicer.util.addVolumeFromArray(np.ones((3, 4, 5)), ijkToRAS=ijk_to_ras)
    assert volumes.imageFromVolume(node).GetSize() == (5, 4, 3)


def test_non_linear_transform_is_refused_with_what_to_do(volumes):
    import slicer

    node = volumes.volumeFromImage(boxes_image(), "head")
    warp = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "warp")
    node.SetAndObserveTransformNodeID(warp.GetID())
    with pytest.raises(ImageError, match="head is under the non-linear transform warp: harden"):
        volumes.imageFromVolume(node)


def test_linear_transform_under_a_non_linear_one_is_refused_too(volumes):
    import slicer

    node = volumes.volumeFromImage(boxes_image(), "head")
    linear = add_transform()
    warp = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "warp")
    linear.SetAndObserveTransformNodeID(warp.GetID())
    node.SetAndObserveTransformNodeID(linear.GetID())
    with pytest.raises(ImageError, match="non-linear"):
        volumes.imageFromVolume(node)
