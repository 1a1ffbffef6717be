"""What a model sees of an image, and that all who look at a run see the same grid."""

import numpy as np
import pytest
import SimpleITK as sitk
from support.images import image_of, noise_image, rotated
from support.random_models import random_model

from MedNCALib import ImageError, ModelError, segment_steps
from MedNCALib.imaging.oblique_slice_space import ObliqueSliceSpace
from MedNCALib.segmentation.cell_history import cell_history
from MedNCALib.segmentation.growth_animation import largest_slice
from MedNCALib.segmentation.model_input import ModelInput, model_space
from MedNCALib.segmentation.recording import step_number
from MedNCALib.segmentation.steps import run_to_end


def test_each_slice_comes_with_its_neighbours_and_the_outermost_goes_on():
    image = noise_image((8, 8, 6))
    model_input = ModelInput(image, random_model(axes="LPS", image_channels=5))
    slices = model_input.slices(range(6))
    assert slices.shape == (6, 8, 8, 5)
    alone = slices[..., 2]
    for offset in range(-2, 3):
        expected = alone[np.clip(np.arange(6) + offset, 0, 5)]
        np.testing.assert_array_equal(slices[..., 2 + offset], expected)
    np.testing.assert_array_equal(model_input.slices(range(3, 5)), slices[3:5])
    np.testing.assert_array_equal(model_input.plane(4), alone[4])
    assert alone.min() == 0
    assert alone.max() == 1


def test_intensities_are_scaled_by_the_region_alone():
    voxels = np.zeros((10, 10, 10), np.float32)
    voxels[:5] = np.random.default_rng(0).random((5, 10, 10))
    voxels[5:] = 1000
    image = image_of(voxels, origin=(0.0, 0.0, 0.0))
    model_input = ModelInput(image, random_model(), region=(-9.4, 0.4, -9.4, 0.4, -0.4, 4.4))
    assert model_input.limits[1] <= 1


def test_the_grid_does_not_depend_on_intensities_and_what_is_no_image_or_model_is_refused():
    flat = sitk.Image([9, 8, 7], sitk.sitkUInt8)
    assert model_space(flat, random_model()).inside_shape == (9, 7, 8)
    with pytest.raises(ImageError, match="no contrast"):
        ModelInput(flat, random_model())
    with pytest.raises(ModelError, match="load_model"):
        model_space(flat, "random")


def test_the_history_of_a_cell_is_that_of_the_upright_slices_of_an_oblique_image():
    image, model = rotated(noise_image(), 0, 30), random_model()
    point = image.TransformIndexToPhysicalPoint((9, 10, 7))
    history = cell_history(image, model, point)

    def compare(step):
        assert isinstance(step.space, ObliqueSliceSpace)
        column, row, number = np.rint(np.linalg.solve(step.space.index_to_physical(), [*point, 1])[:3]).astype(int)
        first, stop, _ = step.slices
        if first <= number < stop:
            found = step.full_size(step.state)[number - first, row, column]
            np.testing.assert_allclose(found, history.channels[step_number(step) - 1], atol=1e-5)

    run_to_end(segment_steps(image, model), compare)


@pytest.mark.parametrize("degrees", [0, 35])
def test_the_largest_slice_is_the_one_with_the_most_labelled_pixels(degrees):
    voxels = np.zeros((16, 16, 16), np.uint8)
    voxels[4:12, 4:12, 7] = 1  # one sagittal slice, which a pitch leaves where it is
    labels = rotated(image_of(voxels), 0, degrees)
    assert largest_slice(labels, random_model(), None) == 7
