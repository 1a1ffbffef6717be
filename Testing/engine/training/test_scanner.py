"""Changes as other scanners make them: what they leave as it is, and that each does something."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training.scanner import ScannerChange, blurred, coarsened, curved, rician
from MedNCALib.training.synthetic import draw_image, random_contrast


@pytest.fixture
def block():
    return torch.rand(12, 14, 16, generator=torch.Generator().manual_seed(0))


def generators():
    return np.random.default_rng(1), torch.Generator().manual_seed(1)


def test_voxels_of_the_blocks_own_size_change_nothing(block):
    assert torch.equal(coarsened(block, [1, 1, 1], np.random.default_rng(0)), block)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_thick_voxels_blur_along_their_axis_alone(block, axis):
    lines = block.mean(dim=axis, keepdim=True).expand(block.shape)  # the same all along the axis
    sizes = [3.0 if each == axis else 1.0 for each in range(3)]
    torch.testing.assert_close(coarsened(lines, sizes, np.random.default_rng(0)), lines)
    assert coarsened(block, sizes, np.random.default_rng(0)).var() < 0.5 * block.var()


def test_no_noise_changes_nothing_and_noise_keeps_magnitudes_above_zero(block):
    torch.testing.assert_close(rician(block, 0.0, generators()[1]), block)
    noisy = rician(torch.zeros_like(block), 0.1, generators()[1])
    assert noisy.min() >= 0
    assert noisy.mean().item() == pytest.approx(0.1 * (np.pi / 2) ** 0.5, rel=0.05)  # of Rayleigh's distribution


def test_blur_keeps_the_mean_of_what_is_the_same_everywhere(block):
    torch.testing.assert_close(blurred(torch.ones_like(block), 0.7), torch.ones_like(block))
    assert blurred(block, 0.7).var() < 0.5 * block.var()


def test_a_curve_keeps_the_order_of_intensities_unless_it_may_have_any_form():
    ramp, choices = torch.linspace(0, 1, 64).view(4, 4, 4), np.random.default_rng(0)

    def rises(share):
        return bool((curved(ramp, choices, 0.5, share).flatten().diff() >= -1e-6).all())

    assert all(rises(1.0) for _ in range(20))
    assert not any(rises(0.0) for _ in range(20))


def test_without_a_chance_nothing_happens(block):
    assert torch.equal(ScannerChange(chance=0).apply(block, *generators()), block)


def test_the_same_draws_change_a_block_in_the_same_way(block):
    first, second = (ScannerChange(chance=1).apply(block, *generators()) for _ in range(2))
    assert torch.equal(first, second)
    assert first.shape == block.shape
    assert torch.isfinite(first).all()
    assert not torch.equal(first, block)


def test_air_is_dark_in_any_contrast():
    choices = np.random.default_rng(0)
    assert max(random_contrast(choices, t1_share=0.0, stripped_share=0.0).mean[0] for _ in range(20)) < 0.13


def test_both_sides_have_one_intensity_and_the_skull_can_be_missing():
    contrast = random_contrast(np.random.default_rng(0), t1_share=0.0, stripped_share=1.0)
    assert contrast.mean[17] == contrast.mean[53] > 0
    assert not contrast.mean[502:].any()


def test_in_t1_like_images_white_matter_is_brighter_than_grey_and_fluid_is_dark():
    labels = torch.tensor([2, 3, 4]).repeat_interleave(512).view(3, 16, 32)
    means = []
    for seed in range(20):
        choices, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        contrast = random_contrast(choices, t1_share=1.0, stripped_share=0.0)
        means.append(draw_image(labels, contrast, choices, generator).mean(dim=(1, 2)))
    white, grey, fluid = torch.stack(means).mean(dim=0)
    assert white > grey + 0.1 > fluid + 0.2
