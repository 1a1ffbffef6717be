"""Volume nodes become images in the volume's own space, and what cannot be segmented is refused in words."""

import itertools

import numpy as np
import pytest
import SimpleITK as sitk
from support.brightness_model import boxesImage, rotation
from support.scene_assertions import addTransform

from MedNCALib import ImageError


@pytest.fixture
def volumes(host):
    from MedNCAScene.inputs import volumes

    return volumes


def assertSameImage(found, expected):
    assert found.GetSize() == expected.GetSize()
    np.testing.assert_allclose(found.GetSpacing(), expected.GetSpacing(), atol=1e-12)
    np.testing.assert_allclose(found.GetOrigin(), expected.GetOrigin(), atol=1e-9)
    np.testing.assert_allclose(found.GetDirection(), expected.GetDirection(), atol=1e-12)
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(found), sitk.GetArrayViewFromImage(expected))


def allAxisOrders():
    """The 48 direction matrices that only reorder and flip axes."""
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            yield np.eye(3)[:, order] * signs


@pytest.mark.parametrize("direction", [*allAxisOrders(), rotation()])
def test_imageOfAVolumeHasTheImagesVoxelsAndGeometryInEveryAxisOrder(volumes, direction):
    image = boxesImage(size=(12, 22, 10), direction=direction)
    node = volumes.volumeFromImage(image, "volume")
    assertSameImage(volumes.imageFromVolume(node), image)


@pytest.mark.parametrize("scalarType", ["uint8", "int8", "uint16", "int16", "int32", "float32", "float64"])
def test_imageOfAVolumeHasItsVoxelType(volumes, scalarType):
    voxels = np.arange(60).reshape(3, 4, 5).astype(scalarType)
    image = sitk.GetImageFromArray(voxels)
    assertSameImage(volumes.imageFromVolume(volumes.volumeFromImage(image, "volume")), image)
    assert volumes.imageFromVolume(volumes.volumeFromImage(image, "volume")).GetPixelID() == image.GetPixelID()


def test_imageAndVolumeShareNoMemory(volumes):
    import slicer

    node = volumes.volumeFromImage(boxesImage(), "volume")
    image = volumes.imageFromVolume(node)
    slicer.util.arrayFromVolume(node)[:] = 7
    assertSameImage(image, boxesImage())


def test_volumeSavedAndReadBySimpleItkIsTheSameImage(volumes, tmp_path):
    """The convention of SimpleITK, RAS against LPS, is the one of the files that Slicer writes."""
    import slicer

    node = volumes.volumeFromImage(boxesImage(direction=rotation()), "volume")
    storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
    storage.SetFileName(str(tmp_path / "volume.nrrd"))
    assert storage.WriteData(node)
    saved = sitk.ReadImage(str(tmp_path / "volume.nrrd"))
    assert saved.GetSize() == boxesImage().GetSize()
    np.testing.assert_allclose(saved.GetDirection(), volumes.imageFromVolume(node).GetDirection(), atol=1e-6)
    np.testing.assert_allclose(saved.GetOrigin(), volumes.imageFromVolume(node).GetOrigin(), atol=1e-4)


def test_volumeUnderALinearTransformKeepsItsOwnSpace(volumes):
    node = volumes.volumeFromImage(boxesImage(), "volume")
    node.SetAndObserveTransformNodeID(addTransform(np.diag([2, 1, 1])).GetID())
    assertSameImage(volumes.imageFromVolume(node), boxesImage())


def test_noVolumeIsRefused(volumes):
    with pytest.raises(ImageError, match="No input volume"):
        volumes.imageFromVolume(None)


def test_nodeThatIsNoVolumeIsRefusedByName(volumes):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode", "a surface")
    with pytest.raises(ImageError, match="a surface is not a volume"):
        volumes.imageFromVolume(node)


def test_emptyVolumeIsRefusedByName(volumes):
    import slicer
    import vtk

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "nothing")
    with pytest.raises(ImageError, match="nothing has no voxels"):
        volumes.imageFromVolume(node)
    node.SetAndObserveImageData(vtk.vtkImageData())
    with pytest.raises(ImageError, match="nothing has no voxels"):
        volumes.imageFromVolume(node)


def test_labelMapIsRefused(volumes):
    import slicer

    node = slicer.util.addVolumeFromArray(np.ones((3, 4, 5), np.uint8), nodeClassName="vtkMRMLLabelMapVolumeNode")
    with pytest.raises(ImageError, match="is a label map"):
        volumes.imageFromVolume(node)


def test_colourVolumeIsRefused(volumes):
    import slicer

    voxels = np.ones((3, 4, 5, 3), np.uint8)
    node = slicer.util.addVolumeFromArray(voxels, name="photograph", nodeClassName="vtkMRMLVectorVolumeNode")
    with pytest.raises(ImageError, match="photograph has 3 values in each voxel"):
        volumes.imageFromVolume(node)


def test_shearedVolumeIsRefused(volumes):
    import slicer

    sheared = np.eye(4)
    sheared[0, 1] = 0.2
    node = slicer.util.addVolumeFromArray(np.ones((3, 4, 5)), ijkToRAS=sheared, name="tilted gantry")
    with pytest.raises(ImageError, match="The axes of tilted gantry are not perpendicular"):
        volumes.imageFromVolume(node)


def test_roundingInAHeaderIsNotTakenForShear(volumes):
    import slicer

    ijkToRas = np.eye(4)
    ijkToRas[:3, :3] = (rotation() * [0.7, 0.8, 1.2]).astype(np.float16)
    node = slicer.util.addVolumeFromArray(np.ones((3, 4, 5)), ijkToRAS=ijkToRas)
    assert volumes.imageFromVolume(node).GetSize() == (5, 4, 3)


def test_nonLinearTransformIsRefusedWithWhatToDo(volumes):
    import slicer

    node = volumes.volumeFromImage(boxesImage(), "head")
    warp = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "warp")
    node.SetAndObserveTransformNodeID(warp.GetID())
    with pytest.raises(ImageError, match="head is under the non-linear transform warp: harden"):
        volumes.imageFromVolume(node)


def test_linearTransformUnderANonLinearOneIsRefusedToo(volumes):
    import slicer

    node = volumes.volumeFromImage(boxesImage(), "head")
    linear = addTransform()
    warp = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "warp")
    linear.SetAndObserveTransformNodeID(warp.GetID())
    node.SetAndObserveTransformNodeID(linear.GetID())
    with pytest.raises(ImageError, match="non-linear"):
        volumes.imageFromVolume(node)
