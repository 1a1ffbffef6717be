"""The history of one cell is what it went through within the whole run."""

import numpy as np
import pytest
import SimpleITK as sitk
from support.brightness_model import boxes_image, brightness_model

from MedNCALib import ImageError, segment_steps
from MedNCALib.segmentation.cell_history import cell_history
from MedNCALib.segmentation.recording import step_number


@pytest.mark.parametrize("index", [(4, 5, 3), (0, 0, 0), (19, 23, 15)])
def test_the_history_is_that_of_the_cell_in_the_whole_run(tmp_path, index):
    model, image = brightness_model(tmp_path, steps=4), boxes_image()
    point = image.TransformIndexToPhysicalPoint(index)
    history = cell_history(image, model, point)
    assert history.channels.shape == (8, 4)
    for step in segment_steps(image, model):
        matrix = step.space.index_to_physical()
        column, row, number = np.rint(np.linalg.solve(matrix, [*point, 1])[:3]).astype(int)
        at = (number, row, column)
        np.testing.assert_allclose(step.full_size(step.state)[at], history.channels[step_number(step) - 1], atol=1e-6)
        np.testing.assert_allclose(
            step.full_size(step.probabilities())[at], history.probabilities[step_number(step) - 1], atol=1e-6
        )


def test_fire_draws_are_those_of_the_run():
    from support.threshold_model import case, threshold_model

    image, _ = case()
    model = threshold_model(fire_rate=0.4)
    history = cell_history(image, model, image.TransformIndexToPhysicalPoint((4, 4, 3)), seed=7)
    other = cell_history(image, model, image.TransformIndexToPhysicalPoint((4, 4, 3)), seed=8)
    assert not np.array_equal(history.channels, other.channels)
    for step in segment_steps(image, model, seed=7):
        last = step
    matrix = last.space.index_to_physical()
    point = image.TransformIndexToPhysicalPoint((4, 4, 3))
    column, row, number = np.rint(np.linalg.solve(matrix, [*point, 1])[:3]).astype(int)
    np.testing.assert_allclose(last.full_size(last.state)[number, row, column], history.channels[-1], atol=1e-6)


def test_a_point_outside_is_refused(tmp_path):
    model, image = brightness_model(tmp_path), sitk.Image(boxes_image())
    with pytest.raises(ImageError, match="outside"):
        cell_history(image, model, (500, 0, 0))
