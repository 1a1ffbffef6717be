"""A region of interest, placed in the world, becomes a box in the volume's own space."""

import numpy as np
import pytest
from support.brightness_model import rotation
from support.scene_assertions import add_transform, add_volume

from MedNCALib import ImageError


@pytest.fixture
def region_in_volume(host):
    from MedNCAScene.inputs.region import regionInVolume

    return regionInVolume


def add_roi(center=(1, 2, 3), size=(10, 20, 30)):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "region")
    node.SetCenter(*center)
    node.SetSize(*size)
    return node


def test_region_without_transforms_is_the_box_of_the_roi(region_in_volume):
    assert region_in_volume(add_roi(), add_volume()) == pytest.approx((-4, 6, -8, 12, -12, 18))


def test_region_follows_the_volumes_transform(region_in_volume):
    volume = add_volume()
    volume.SetAndObserveTransformNodeID(add_transform(translation=(50, 0, -5)).GetID())
    assert region_in_volume(add_roi(), volume) == pytest.approx((-54, -44, -8, 12, -7, 23))


def test_region_follows_the_rois_transform(region_in_volume):
    roi = add_roi()
    roi.SetAndObserveTransformNodeID(add_transform(translation=(0, 100, 0)).GetID())
    assert region_in_volume(roi, add_volume()) == pytest.approx((-4, 6, 92, 112, -12, 18))


def test_region_under_the_volumes_own_rotation_is_the_rois_box(region_in_volume):
    transform = add_transform(rotation(), (3, 4, 5))
    volume, roi = add_volume(), add_roi()
    volume.SetAndObserveTransformNodeID(transform.GetID())
    roi.SetAndObserveTransformNodeID(transform.GetID())
    assert region_in_volume(roi, volume) == pytest.approx((-4, 6, -8, 12, -12, 18))


def test_oblique_region_is_held_wholly(region_in_volume):
    volume = add_volume()
    volume.SetAndObserveTransformNodeID(add_transform(rotation()).GetID())
    box = np.reshape(region_in_volume(add_roi(center=(0, 0, 0)), volume), (3, 2))
    half_widths = np.abs(rotation().T) @ (5, 10, 15)  # of the box around a turned box
    np.testing.assert_allclose(box, np.stack([-half_widths, half_widths], axis=1), atol=1e-9)


def test_region_that_is_not_placed_is_refused_by_name(region_in_volume):
    import slicer

    roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "my box")
    with pytest.raises(ImageError, match="The region my box is not placed yet"):
        region_in_volume(roi, add_volume())
