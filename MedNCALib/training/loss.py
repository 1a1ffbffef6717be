"""What training minimises: Dice of the labels plus cross-entropy."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def dice_and_cross_entropy(
    logits: Tensor, target: Tensor, activation: str, dice_weight: float, dice_over: str
) -> Tensor:
    """Loss of one batch.

    Args:
        logits: (N, outputs, H, W).
        target: which label each pixel is, 0 for background, else 1 to K; int64, (N, H, W).
        activation: the architecture's.
        dice_weight: weight of the Dice loss; cross-entropy has weight 1.
        dice_over: "batch" counts each label's pixels over the whole batch, as a volume's Dice does, so that a slice
            with little of it weighs little; "slice" is the mean over the slices that show it, large or small.

    Returns:
        1 - soft Dice (Milletari et al., "V-Net", 3DV 2016, with sums instead of squares), mean over labels; plus the
        mean cross-entropy.
    """
    logits = logits.float()
    if activation == "softmax":
        entropy = F.cross_entropy(logits, target)
        probability = logits.softmax(dim=1)[:, 1:]
    else:
        one_hot = F.one_hot(target, logits.shape[1] + 1)[..., 1:].movedim(-1, 1).to(logits.dtype)
        entropy = F.binary_cross_entropy_with_logits(logits, one_hot)
        probability = logits.sigmoid()
    truth = torch.stack([target == label for label in range(1, probability.shape[1] + 1)], dim=1).to(logits.dtype)
    dimensions = (0, 2, 3) if dice_over == "batch" else (2, 3)
    overlap, size = (probability * truth).sum(dimensions), truth.sum(dimensions)
    # One pixel in numerator and denominator: a label that is neither there nor found has no loss.
    loss = 1 - (2 * overlap + 1) / (probability.sum(dimensions) + size + 1)
    if dice_over == "batch":
        return dice_weight * loss.mean() + entropy
    shown = (size > 0).to(loss.dtype)
    return dice_weight * (loss * shown).sum() / shown.sum().clamp(min=1) + entropy
