"""Random changes of training slices: image and labels move together, intensities stay in their range."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training.augmentation import Augmentation


def warped(image, target, axis="slices", seed=0, **changes):
    still = {"rotation": 0.0, "scale": 1.0, "shear": 0.0, "shift": 0.0, "mirror": False}
    augmentation = Augmentation(**{**still, **changes})
    size = tuple(image.shape[2:])
    return augmentation.warp(image, target, size, axis, torch.Generator().manual_seed(seed))


def blob(shift=0):
    image = torch.zeros(6, 3, 20, 24)
    image[:, :, 5:11, 6 + shift : 15 + shift] = 1
    image[:, 0] *= 0.25
    return image, (image[:, 1:2] > 0.5).float()


def test_no_change_leaves_slices_and_labels_as_they_are():
    image, target = blob()
    after, labels = warped(image, target)
    np.testing.assert_allclose(after, image, atol=1e-4)
    np.testing.assert_allclose(labels, target, atol=1e-4)


@pytest.mark.parametrize("mirror", ["rows", "columns", "slices"])
def test_mirroring_flips_the_axis_from_left_to_right_in_about_half_of_the_samples(mirror):
    image, target = blob()
    after, labels = warped(image, target, mirror, mirror=True)
    axis = {"slices": 1, "rows": 2, "columns": 3}[mirror]
    kept = [bool(torch.allclose(a, b, atol=1e-4)) for a, b in zip(after, image)]
    flipped = [bool(torch.allclose(a, b, atol=1e-4)) for a, b in zip(after, image.flip(axis))]
    assert all(one != other for one, other in zip(kept, flipped))
    assert 0 < sum(flipped) < 6
    expected = (
        target
        if mirror == "slices"
        else torch.where(torch.tensor(flipped)[:, None, None, None], target.flip(axis), target)
    )
    np.testing.assert_allclose(labels, expected, atol=1e-4)


def test_mirroring_exchanges_the_labels_of_the_two_sides():
    image, blobs = blob()
    target = torch.cat([blobs, torch.zeros_like(blobs), blobs], dim=1)
    target[:, 0, :8], target[:, 2, 8:] = 0, 0  # the lower half, nothing, the upper half
    augmentation = Augmentation(rotation=0, scale=1, shear=0, shift=0)
    generator = torch.Generator().manual_seed(0)
    after, labels = augmentation.warp(image, target, (20, 24), "columns", generator, (1, 0, 2))
    flipped = torch.tensor([not torch.allclose(one, other, atol=1e-4) for one, other in zip(after, image)])
    assert 0 < flipped.sum() < 6
    torch.testing.assert_close(labels[~flipped], target[~flipped], atol=1e-4, rtol=0)
    torch.testing.assert_close(labels[flipped], target[flipped].flip(3)[:, [1, 0, 2]], atol=1e-4, rtol=0)


def test_labels_move_with_the_image():
    image, target = blob()
    after, labels = warped(image, target, rotation=20.0, scale=1.2, shift=0.1, shear=0.1)
    assert ((labels > 0.5) != (target > 0.5)).any()
    np.testing.assert_allclose(labels, after[:, 1:2], atol=1e-5)  # the slices' blob is as bright as it is labelled


def test_a_smooth_deformation_bends_image_and_labels_alike_and_no_further_than_asked():
    rows = torch.linspace(0, 1, 64)[:, None].expand(64, 64)
    image = rows.expand(8, 3, 64, 64).clone()
    after, labels = warped(image, (image[:, 1:2] > 0.5).float(), elastic=0.05)
    moved = 63 * (after - image)[:, 1, 8:-8, 8:-8].abs().amax(dim=(1, 2))  # in pixels; away from the border
    assert moved.max() > 1
    assert (moved <= 1.2 * 0.05 * 64).all()  # between its knots a bicubic surface overshoots
    assert ((after[:, 1] > 0.5) == (labels[:, 0] > 0.5)).float().mean() > 0.98
    assert (after[:, 1].std(dim=-1).amax(dim=-1) > 0.005).any()  # not one shift for all


def test_intensity_changes_stay_between_0_and_1_and_leave_some_samples_alone():
    image = torch.rand(40, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    after = Augmentation().change_intensities(image, torch.Generator().manual_seed(2))
    assert after.min() >= 0
    assert after.max() <= 1
    changed = (after - image).abs().amax(dim=(1, 2, 3)) > 1e-3
    assert 0.5 < changed.float().mean() <= 1
    none = Augmentation(chance=0.0).change_intensities(image, torch.Generator().manual_seed(2))
    np.testing.assert_array_equal(none, image)


def test_ghosts_appear_to_either_side_along_one_axis():
    image = torch.zeros(8, 1, 24, 24)
    image[:, :, 11, 11] = 1.0
    still = {"bias": 0.0, "gamma": 1.0, "contrast": 0.0, "blur": 1e-3, "low_resolution": 1.0, "noise": 0.0}
    ghosted = Augmentation(chance=1.0, ghosting=0.5, **still)
    after = ghosted.change_intensities(image, torch.Generator().manual_seed(2))
    for sample in after[:, 0]:
        bright = (sample > 0.01).nonzero() - 11
        assert len(bright) == 3
        assert (bright.sum(dim=0) == 0).all()
        assert (bright.abs().amax(dim=0) >= 4).sum() == 1


def test_a_coil_brightens_one_place_and_leaves_the_range_as_it_is():
    image = torch.full((16, 3, 40, 40), 0.5)
    only = Augmentation(chance=1, noise=0, bias=0, gamma=1, contrast=0, blur=0.1, low_resolution=1, ghosting=0, coil=5)
    after = only.change_intensities(image, torch.Generator().manual_seed(0))
    assert after.amax(dim=(1, 2, 3)).min() > 0.98
    dark = after.amin(dim=(1, 2, 3))
    assert dark.min() < 0.35  # far from a strong coil
    assert dark.unique().numel() == 16  # each sample has a coil of its own


def discs(radius=6.0, size=48):
    """Slices of random pixels with a bright labelled disc, away from the middle; the last sample has none."""
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    inside = ((rows - 20) ** 2 + (columns - 26) ** 2 <= radius**2).float().expand(8, 1, size, size).clone()
    inside[-1] = 0
    image = 0.2 + 0.1 * torch.rand(8, 1, size, size, generator=torch.Generator().manual_seed(3))
    return torch.maximum(image, inside), inside


def test_a_contraction_makes_structures_smaller_in_their_place_and_leaves_the_rest_of_the_slice():
    image, target = discs()
    after, labels = warped(image, target, contraction=2.5)
    areas, before = labels.sum(dim=(1, 2, 3))[:-1], target[0].sum()
    smaller = areas < 0.95 * before
    assert 0 < smaller.sum() < 7  # about half of the samples
    assert before / 2.5**2 < areas.min() < 0.7 * before
    for label in labels[:-1, 0]:
        rows, columns = (label > 0.5).nonzero().float().mean(dim=0)
        assert abs(rows - 20) < 1
        assert abs(columns - 26) < 1
    assert ((after > 0.62) == (labels > 0.5)).float().mean() > 0.999  # halfway from the rest to the disc
    np.testing.assert_allclose(after[:, :, -8:], image[:, :, -8:], atol=0.02)
    np.testing.assert_allclose(after[-1], image[-1], atol=1e-4)  # nothing is labelled in it


@pytest.mark.parametrize("contraction", [0.5, 4])
def test_a_contraction_that_would_enlarge_or_fold_the_slice_is_refused(contraction):
    with pytest.raises(ValueError, match="contraction must be from 1 to 3"):
        Augmentation(contraction=contraction)


def test_emptied_slices_show_and_label_no_structure_and_are_the_same_elsewhere():
    image, target = discs()
    after, labels = Augmentation(emptied=1.0).empty(image, target, torch.Generator().manual_seed(4))
    assert not labels.any()
    assert after[:, :, 15:26, 21:32].max() < 0.9  # before 1
    np.testing.assert_array_equal(after[:-1, :, :4], image[:-1, :, :4])
    np.testing.assert_array_equal(after[-1], image[-1])
    changed = (after != image).sum(dim=(1, 2, 3))[:-1]
    assert changed.min() >= target[0].sum()
    assert changed.unique().numel() == 7  # each sample has a margin of its own


def test_as_many_slices_are_emptied_as_asked_and_the_others_stay():
    image, target = discs()
    image, target = image[:1].repeat(200, 1, 1, 1), target[:1].repeat(200, 1, 1, 1)
    after, labels = Augmentation(emptied=0.3).empty(image, target, torch.Generator().manual_seed(5))
    kept = labels.flatten(1).any(dim=1)
    assert 0.2 < 1 - kept.float().mean() < 0.4
    np.testing.assert_array_equal(after[kept], image[kept])
    np.testing.assert_array_equal(labels[kept], target[kept])
    generator = torch.Generator().manual_seed(6)
    state = generator.get_state()
    for same, given in zip(Augmentation().empty(image, target, generator), (image, target)):
        assert same is given
    assert torch.equal(generator.get_state(), state)  # no draw, so that trainings without it stay as they are
