"""What training minimises: Dice of the labels plus cross-entropy."""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ..automaton.architecture import Activation

DiceReduction = Literal["batch", "slice"]
DICE_REDUCTIONS: tuple[DiceReduction, ...] = get_args(DiceReduction)


def dice_and_cross_entropy(
    logits: Tensor, target: Tensor, activation: Activation, dice_weight: float, dice_reduction: DiceReduction
) -> Tensor:
    """Loss of one batch.

    Args:
        logits: (N, outputs, H, W).
        target: share of each pixel that is each label, 0 to 1, the rest being background; (N, K, H, W).
        activation: the architecture's.
        dice_weight: weight of the Dice loss; cross-entropy has weight 1.
        dice_reduction: "batch" counts each label's pixels over the whole batch, as a volume's Dice does, so that a
            slice with little of it weighs little; "slice" is the mean over the slices that show it, large or small.

    Returns:
        1 - soft Dice, mean over labels, plus the mean cross-entropy. Both are lowest where the probability is the
        share: of the Dice it is the form of Wang et al., "Dice Semimetric Losses" (MICCAI 2023), which for shares of
        0 and 1 is the usual one.
    """
    logits = logits.float()
    if activation == "softmax":
        background = (1 - target.sum(dim=1, keepdim=True)).clamp(min=0)
        entropy = F.cross_entropy(logits, torch.cat([background, target], dim=1))
        probability = logits.softmax(dim=1)[:, 1:]
    else:
        entropy = F.binary_cross_entropy_with_logits(logits, target)
        probability = logits.sigmoid()
    dimensions = (0, 2, 3) if dice_reduction == "batch" else (2, 3)
    overlap, size = torch.minimum(probability, target).sum(dimensions), target.sum(dimensions)
    # One pixel in numerator and denominator: a label that is neither there nor found has no loss.
    loss = 1 - (2 * overlap + 1) / (probability.sum(dimensions) + size + 1)
    if dice_reduction == "batch":
        return dice_weight * loss.mean() + entropy
    shown = size.clamp(max=1)  # less than a pixel counts as much less
    return dice_weight * (loss * shown).sum() / shown.sum().clamp(min=1) + entropy
