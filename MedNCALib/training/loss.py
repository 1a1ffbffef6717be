"""What training minimises: Dice plus cross-entropy, of each label or, if no more is known, of their sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ..automaton.architecture import Activation

DiceReduction = Literal["batch", "slice"]
DICE_REDUCTIONS: tuple[DiceReduction, ...] = get_args(DiceReduction)

# Share of a slice without a label that is drawn when the loss for it is half of the largest.
_FALSELY_DRAWN = 1 / 32


def dice_and_cross_entropy(
    logits: Tensor,
    target: Tensor,
    activation: Activation,
    dice_weight: float,
    dice_reduction: DiceReduction,
    false_weight: float = 0.0,
    scored: Tensor | None = None,
    known: Tensor | None = None,
    wholes: Sequence[Sequence[int]] = (),
) -> Tensor:
    """Loss of one batch.

    Args:
        logits: (N, outputs, H, W).
        target: share of each pixel that is each label, 0 to 1, the rest being background; (N, K, H, W).
        activation: the architecture's.
        dice_weight: weight of the Dice loss; cross-entropy has weight 1.
        dice_reduction: "batch" counts each label's pixels over the whole batch, as a volume's Dice does, so that a
            slice with little of it weighs little; "slice" is the mean over the slices that show it, large or small.
        false_weight: with "slice": weight of what is drawn in slices that do not show it, 0 for nothing and up to 1
            for all of the slice, mean over all slices.
        scored: share of each pixel that counts, 0 to 1, (N, 1, H, W); None if all do.
        known: bool, (N, K), labels that a sample knows. What is not labelled may also be one of the others, whose
            probabilities count as the background's (marginal loss: Shi et al., doi 10.1016/j.media.2021.101979). None
            if all are known. With `wholes` target and `known` have one channel more for each: where one of its
            labels is, whichever.
        wholes: numbers of labels, from 0, of which some samples know the sum alone.

    Returns:
        1 - soft Dice, mean over labels, plus the mean cross-entropy. Both are lowest where the probability is the
        share: of the Dice it is the form of Wang et al., "Dice Semimetric Losses" (MICCAI 2023), which for shares of
        0 and 1 is the usual one.
    """
    logits = logits.float()
    if known is not None:
        return _loss_of_known(logits, target, activation, dice_weight, known, scored, wholes)
    reduction = "mean" if scored is None else "none"
    if activation == "softmax":
        background = (1 - target.sum(dim=1, keepdim=True)).clamp(min=0)
        entropy = F.cross_entropy(logits, torch.cat([background, target], dim=1), reduction=reduction)
        probability = logits.softmax(dim=1)[:, 1:]
    else:
        entropy = F.binary_cross_entropy_with_logits(logits, target, reduction=reduction)
        probability = logits.sigmoid()
    if scored is not None:
        losses = entropy.view(len(logits), -1, *scored.shape[2:])
        entropy = (losses * scored).sum() / (scored.sum() * losses.shape[1]).clamp(min=1)
        probability, target = probability * scored, target * scored
    dimensions = (0, 2, 3) if dice_reduction == "batch" else (2, 3)
    overlap, size = torch.minimum(probability, target).sum(dimensions), target.sum(dimensions)
    # One pixel in numerator and denominator: a label that is neither there nor found has no loss.
    loss = 1 - (2 * overlap + 1) / (probability.sum(dimensions) + size + 1)
    if dice_reduction == "batch":
        return dice_weight * loss.mean() + entropy
    shown = size.clamp(max=1)  # less than a pixel counts as much less
    total = dice_weight * (loss * shown).sum() / shown.sum().clamp(min=1) + entropy
    if false_weight:
        drawn = probability.mean(dimensions)
        total = total + false_weight * (drawn / (drawn + _FALSELY_DRAWN) * (1 - shown)).mean()
    return total


def _loss_of_known(
    logits: Tensor,
    target: Tensor,
    activation: Activation,
    dice_weight: float,
    known: Tensor,
    scored: Tensor | None,
    wholes: Sequence[Sequence[int]],
) -> Tensor:
    """`dice_and_cross_entropy` over the batch, of samples that do not all know each label."""
    counts = known[:, :, None, None].to(target)
    target = target * counts
    if activation == "softmax":
        log = logits.log_softmax(dim=1)
        covered = known[:, : log.shape[1] - 1].clone()
        for number, parts in enumerate(wholes, log.shape[1] - 1):
            covered[:, list(parts)] |= known[:, number, None]
        # Of the background and the labels of which nothing is known.
        rest = log.masked_fill(F.pad(covered, (1, 0), value=False)[:, :, None, None], -torch.inf).logsumexp(dim=1)
        sums = [log[:, [1 + part for part in parts]].logsumexp(dim=1, keepdim=True) for parts in wholes]
        log = torch.cat([log[:, 1:], *sums], dim=1)
        background = (1 - target.sum(dim=1)).clamp(min=0)
        each = -((target * log).sum(dim=1) + background * rest)[:, None]
        counted = torch.ones_like(each)
        probability = log.exp()
    else:
        each = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        counted = counts.expand_as(each)
        probability = logits.sigmoid()
    if scored is not None:
        counts, counted = counts * scored, counted * scored
    entropy = (each * counted).sum() / counted.sum().clamp(min=1)
    dice = _dice_over_batch(probability * counts, target, counts)  # 0 of what no sample knows
    count = len(dice) - len(wholes) + int(known[:, len(dice) - len(wholes) :].any(dim=0).sum())
    return dice_weight * dice.sum() / count + entropy


def partly_known_loss(
    logits: Tensor,
    target: Tensor,
    unscored: Tensor,
    whole_only: Tensor,
    dice_weight: float,
    label_weights: Sequence[float] = (),
    parts_weight: float = 0.5,
) -> Tensor:
    """Loss of a batch in which some samples know each label, and others only the sum of all labels.

    All samples teach the sum of the probabilities; those that know the labels teach these too. Soft Dice is over the
    batch, as in `dice_and_cross_entropy`, and apart for both groups, since their borders follow different protocols.

    Args:
        logits: (N, 1 + K, H, W), of a softmax; the first is the background.
        target: (N, K, H, W), shares of the labels; if only the sum is known, their sum is what counts.
        unscored: (N, H, W), share of each pixel that is not scored, 0 to 1.
        whole_only: bool, (N,), samples that know only the sum.
        dice_weight: weight of the Dice loss; cross-entropy has weight 1.
        label_weights: weight of each label's pixels in the cross-entropy of samples that know the labels; 1 each if
            none are given.
        parts_weight: share of the labels' Dice in the Dice loss of the samples that know them; the sum's has the rest.
    """
    log = logits.float().log_softmax(dim=1)
    probability, scored = log[:, 1:].exp(), 1 - unscored
    known = (~whole_only).float()[:, None, None]
    whole, found = target.sum(dim=1).clamp(max=1), probability.sum(dim=1)
    by_label = target * log[:, 1:]
    if label_weights:
        by_label = by_label * by_label.new_tensor(label_weights)[:, None, None]
    of_parts = -by_label.sum(dim=1)
    of_sum = -whole * log[:, 1:].logsumexp(dim=1)
    entropy = known * of_parts + (1 - known) * of_sum - (1 - whole) * log[:, 0]
    total = (entropy * scored).sum() / scored.sum().clamp(min=1)
    for group, share in ((known, known.mean()), (1 - known, 1 - known.mean())):
        if not share:
            continue
        loss = _dice_over_batch(found, whole, group * scored)
        if group is known:
            parts = _dice_over_batch(probability, target, (group * scored)[:, None]).mean()
            loss = parts_weight * parts + (1 - parts_weight) * loss
        total = total + dice_weight * share * loss
    return total


def _dice_over_batch(found: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """1 - soft Dice of the pixels in a mask, see `dice_and_cross_entropy`: (N, ..., H, W) -> (...)."""
    overlap = (torch.minimum(found, truth) * mask).sum((0, -2, -1))
    return 1 - (2 * overlap + 1) / (((found + truth) * mask).sum((0, -2, -1)) + 1)
