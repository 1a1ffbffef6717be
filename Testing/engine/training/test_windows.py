"""Random windows of a batch."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training.windows import crop, drawn_length


def test_a_window_is_the_same_place_in_image_target_and_state():
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(48), indexing="ij")
    places = (100 * rows + columns).repeat(4, 1, 1)
    target = ((rows == 20) & (columns == 9)).float().repeat(4, 1, 1, 1)
    image, state = places[:, None].float(), places[:, None, ::4, ::4].float()
    image, cropped, state = crop(image, target, state, (16, 24), 4, 1.0, np.random.default_rng(0))
    assert image.shape == (4, 1, 16, 24)
    np.testing.assert_array_equal(state, image[:, :, ::4, ::4])
    assert (cropped.sum(dim=(1, 2, 3)) == 1).all()  # the labelled pixel is in each window
    assert (image[cropped == 1] == 2009).all()
    assert len({tuple(window[0, 0].tolist()) for window in image}) > 1


def test_a_length_is_as_given_or_any_multiple_from_a_range():
    random = np.random.default_rng(0)
    assert drawn_length(24, 4, random) == 24
    assert {drawn_length((8, 20), 4, random) for _ in range(60)} == {8, 12, 16, 20}
