"""What training minimises is lowest for the truth."""

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training.loss import dice_and_cross_entropy, partly_known_loss


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


def test_over_slices_what_is_drawn_in_a_slice_without_a_label_costs_the_more_the_more_it_is():
    def loss(drawn, false_weight=100.0):
        logits = torch.tensor([20.0, 0.0]).reshape(1, 2, 1, 1).repeat(2, 1, 32, 32)
        logits[0, 1, :drawn, :drawn] = 40.0
        return dice_and_cross_entropy(logits, torch.zeros(2, 1, 32, 32), "softmax", 1.0, "slice", false_weight).item()

    nothing, little, much, everything = map(loss, (0, 4, 12, 32))
    assert nothing < 0.01
    assert 10 < little < much < everything - 5
    assert everything < 50 + 10  # half of the slices, and their entropy
    assert loss(32, false_weight=0.0) == pytest.approx(10, abs=0.1)  # the entropy alone


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


@pytest.fixture
def partial():
    """Logits, shares of two labels and what is not scored, of four samples."""
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(4, 3, 6, 6, generator=generator)
    target = torch.rand(4, 3, 6, 6, generator=generator).softmax(dim=1)[:, 1:]
    return logits.requires_grad_(), target, torch.zeros(4, 6, 6)


def test_if_all_is_known_and_scored_the_loss_is_the_one_of_the_labels(partial):
    logits, target, unscored = partial
    known = torch.zeros(4, dtype=torch.bool)
    found = partly_known_loss(logits, target, unscored, known, 0.7, parts_weight=1.0)
    expected = dice_and_cross_entropy(logits, target, "softmax", 0.7, "batch")
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_samples_that_know_the_whole_alone_do_not_move_the_ratio_of_the_parts(partial):
    logits, target, unscored = partial
    whole_only = torch.tensor([False, True, True, False])
    partly_known_loss(logits, target, unscored, whole_only, 1.0).backward()
    share = logits.detach()[:, 1:].softmax(dim=1)
    # By the sum alone both logits are pulled in proportion to their share of it.
    pulled = logits.grad[:, 1:] / share
    torch.testing.assert_close(pulled[1:3, 0], pulled[1:3, 1], rtol=1e-3, atol=1e-6)
    assert (pulled[0, 0] - pulled[0, 1]).abs().max() > 1e-3


def test_how_a_known_sum_is_split_does_not_matter(partial):
    logits, target, unscored = partial
    other = torch.stack([target.sum(dim=1), torch.zeros(4, 6, 6)], dim=1)
    whole_only = torch.ones(4, dtype=torch.bool)
    losses = [partly_known_loss(logits, each, unscored, whole_only, 1.0).item() for each in (target, other)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_what_is_not_scored_has_no_gradient(partial):
    logits, target, unscored = partial
    unscored[:, 2] = 1
    whole_only = torch.tensor([False, True, True, False])
    partly_known_loss(logits, target, unscored, whole_only, 1.0).backward()
    assert not logits.grad[:, :, 2].any()
    assert logits.grad[:, :, 3].abs().min() > 0


def test_a_weight_scales_the_cross_entropy_of_its_label_alone(partial):
    logits, target, unscored = partial
    known = torch.zeros(4, dtype=torch.bool)
    plain, same, heavy = (
        partly_known_loss(logits, target, unscored, known, 0.0, weights) for weights in ((), (1, 1), (3, 1))
    )
    assert plain.item() == pytest.approx(same.item(), rel=1e-6)
    first = -(target[:, 0] * logits.log_softmax(dim=1)[:, 1]).mean()
    assert (heavy - plain).item() == pytest.approx(2 * first.item(), rel=1e-4)
