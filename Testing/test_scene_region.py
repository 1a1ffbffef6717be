"""A region of interest, placed in the world, becomes a box in the volume's own space."""

import numpy as np
import pytest
from scene_samples import boxesImage, rotation

from MedNCALib import ImageError


@pytest.fixture
def scene(host):
    """Functions that make nodes, and the one under test."""
    import slicer
    from MedNCAScene import region, volumes

    class Scene:
        regionInVolume = staticmethod(region.regionInVolume)

        @staticmethod
        def volume():
            return volumes.volumeFromImage(boxesImage(), "volume")

        @staticmethod
        def roi(center=(1, 2, 3), size=(10, 20, 30)):
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "region")
            node.SetCenter(*center)
            node.SetSize(*size)
            return node

        @staticmethod
        def transform(linear=None, translation=(0, 0, 0)):
            matrix = np.eye(4)
            matrix[:3, :3] = np.eye(3) if linear is None else linear
            matrix[:3, 3] = translation
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
            node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
            return node

    return Scene


def test_regionWithoutTransformsIsTheBoxOfTheRoi(scene):
    assert scene.regionInVolume(scene.roi(), scene.volume()) == pytest.approx((-4, 6, -8, 12, -12, 18))


def test_regionFollowsTheVolumesTransform(scene):
    volume = scene.volume()
    volume.SetAndObserveTransformNodeID(scene.transform(translation=(50, 0, -5)).GetID())
    assert scene.regionInVolume(scene.roi(), volume) == pytest.approx((-54, -44, -8, 12, -7, 23))


def test_regionFollowsTheRoisTransform(scene):
    roi = scene.roi()
    roi.SetAndObserveTransformNodeID(scene.transform(translation=(0, 100, 0)).GetID())
    assert scene.regionInVolume(roi, scene.volume()) == pytest.approx((-4, 6, 92, 112, -12, 18))


def test_regionUnderTheVolumesOwnRotationIsTheRoisBox(scene):
    transform = scene.transform(rotation(), (3, 4, 5))
    volume, roi = scene.volume(), scene.roi()
    volume.SetAndObserveTransformNodeID(transform.GetID())
    roi.SetAndObserveTransformNodeID(transform.GetID())
    assert scene.regionInVolume(roi, volume) == pytest.approx((-4, 6, -8, 12, -12, 18))


def test_obliqueRegionIsHeldWholly(scene):
    volume = scene.volume()
    volume.SetAndObserveTransformNodeID(scene.transform(rotation()).GetID())
    box = np.reshape(scene.regionInVolume(scene.roi(center=(0, 0, 0)), volume), (3, 2))
    halfWidths = np.abs(rotation().T) @ (5, 10, 15)  # of the box around a turned box
    np.testing.assert_allclose(box, np.stack([-halfWidths, halfWidths], axis=1), atol=1e-9)


def test_regionThatIsNotPlacedIsRefusedByName(scene, host):
    import slicer

    roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "my box")
    with pytest.raises(ImageError, match="The region my box is not placed yet"):
        scene.regionInVolume(roi, scene.volume())
