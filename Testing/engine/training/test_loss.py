"""What training minimises is lowest for the truth."""

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training.loss import dice_and_cross_entropy


def shares(target, labels):
    """What training wants of pixels that are wholly one label: int64 (N, H, W) -> float32 (N, labels, H, W)."""
    return torch.nn.functional.one_hot(target, labels + 1)[..., 1:].movedim(-1, 1).float()


def test_the_loss_is_lowest_for_the_truth_and_counts_each_label_alike():
    target = torch.zeros(2, 8, 8, dtype=torch.long)
    target[:, 2:5, 2:5] = 1
    target[0, 6, 6] = 2

    def loss(prediction, activation="softmax"):
        logits = 20 * torch.nn.functional.one_hot(prediction, 3).movedim(-1, 1).float()
        if activation == "sigmoid":
            logits = logits[:, 1:] - 10
        return dice_and_cross_entropy(logits, shares(target, 2), activation, 1.0, "batch").item()

    missed = target.clone()
    missed[missed == 2] = 0
    for activation in ("softmax", "sigmoid"):
        assert loss(target, activation) < 0.01
        assert 0.2 < loss(missed, activation) < 1.0  # half of a Dice of two labels, and a single pixel's entropy


def test_over_slices_a_small_label_counts_like_a_large_one():
    large, small, none = torch.zeros(3, 1, 32, 32, dtype=torch.long)
    large[:, 4:28, 4:28], small[:, 10:14, 10:14] = 1, 1

    def loss(found, target, over):
        logits = 20 * torch.nn.functional.one_hot(torch.cat(found), 2).movedim(-1, 1).float()
        return dice_and_cross_entropy(logits, shares(torch.cat(target), 1), "softmax", 100.0, over).item()

    target = [large, small, none]
    for over, missed in (("batch", (0, 5)), ("slice", (45, 55))):
        assert missed[0] < loss([large, none, none], target, over) < missed[1]
        assert loss(target, target, over) < 0.01
        assert loss([none], [none], over) < 0.01


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("over", ["batch", "slice"])
@pytest.mark.parametrize("dice_weight", [0.0, 100.0])
def test_where_a_label_covers_part_of_a_pixel_the_loss_is_lowest_for_that_share(activation, over, dice_weight):
    target = torch.full((1, 1, 8, 8), 0.3)
    losses = {}
    for share in (0.1, 0.2, 0.3, 0.4, 0.5, 0.9):
        logit = torch.full((1, 1, 8, 8), share).logit()
        logits = torch.cat([0 * logit, logit], dim=1) if activation == "softmax" else logit
        losses[share] = dice_and_cross_entropy(logits, target, activation, dice_weight, over).item()
    assert min(losses, key=losses.get) == 0.3
