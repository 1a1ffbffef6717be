"""A region of interest, placed in the world, becomes a box in the volume's own space."""

import numpy as np
import pytest
from support.brightness_model import rotation
from support.scene_assertions import addTransform, addVolume

from MedNCALib import ImageError


@pytest.fixture
def regionInVolume(host):
    from MedNCAScene.inputs.region import regionInVolume

    return regionInVolume


def addRoi(center=(1, 2, 3), size=(10, 20, 30)):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "region")
    node.SetCenter(*center)
    node.SetSize(*size)
    return node


def test_regionWithoutTransformsIsTheBoxOfTheRoi(regionInVolume):
    assert regionInVolume(addRoi(), addVolume()) == pytest.approx((-4, 6, -8, 12, -12, 18))


def test_regionFollowsTheVolumesTransform(regionInVolume):
    volume = addVolume()
    volume.SetAndObserveTransformNodeID(addTransform(translation=(50, 0, -5)).GetID())
    assert regionInVolume(addRoi(), volume) == pytest.approx((-54, -44, -8, 12, -7, 23))


def test_regionFollowsTheRoisTransform(regionInVolume):
    roi = addRoi()
    roi.SetAndObserveTransformNodeID(addTransform(translation=(0, 100, 0)).GetID())
    assert regionInVolume(roi, addVolume()) == pytest.approx((-4, 6, 92, 112, -12, 18))


def test_regionUnderTheVolumesOwnRotationIsTheRoisBox(regionInVolume):
    transform = addTransform(rotation(), (3, 4, 5))
    volume, roi = addVolume(), addRoi()
    volume.SetAndObserveTransformNodeID(transform.GetID())
    roi.SetAndObserveTransformNodeID(transform.GetID())
    assert regionInVolume(roi, volume) == pytest.approx((-4, 6, -8, 12, -12, 18))


def test_obliqueRegionIsHeldWholly(regionInVolume):
    volume = addVolume()
    volume.SetAndObserveTransformNodeID(addTransform(rotation()).GetID())
    box = np.reshape(regionInVolume(addRoi(center=(0, 0, 0)), volume), (3, 2))
    halfWidths = np.abs(rotation().T) @ (5, 10, 15)  # of the box around a turned box
    np.testing.assert_allclose(box, np.stack([-halfWidths, halfWidths], axis=1), atol=1e-9)


def test_regionThatIsNotPlacedIsRefusedByName(regionInVolume):
    import slicer

    roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "my box")
    with pytest.raises(ImageError, match="The region my box is not placed yet"):
        regionInVolume(roi, addVolume())
