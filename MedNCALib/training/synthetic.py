"""Images drawn from label maps: every tissue gets a random intensity (SynthSeg, doi 10.1016/j.media.2023.102789).

A model that sees such images learns shapes and neighbourhoods, and not one scanner's grey values. The maps have
FreeSurfer's values for the brain (its FreeSurferColorLUT.txt; 17 and 53 are the left and the right hippocampus), and
SynthSeg's values from 502 for what is around the brain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .scanner import blurred, smooth_field

VALUES = 1024  # label values are below this
_OUTSIDE_BRAIN = 502

# The same structure on the other side, and structures of about one tissue: they share an intensity.
_SAME_TISSUE = {
    41: 2, 42: 3, 43: 4, 44: 5, 46: 7, 47: 8, 49: 10, 50: 11, 51: 12, 52: 13, 53: 17, 54: 18, 57: 26, 58: 26,
    60: 28, 62: 30, 63: 31, 137: 136, 164: 163,
}  # fmt: skip

# Rough means in T1-weighted images, 0 to 255. They need not be right: each draw moves them.
_T1 = {
    0: 2, 2: 190, 3: 120, 4: 40, 5: 40, 7: 175, 8: 115, 10: 150, 11: 125, 12: 140, 13: 160, 14: 40, 15: 40, 16: 165,
    17: 118, 18: 118, 24: 35, 25: 35, 26: 135, 28: 150, 30: 100, 31: 75, 72: 40, 85: 150, 136: 60, 163: 60, 502: 45,
    506: 60, 507: 20, 508: 60, 509: 40, 511: 40, 512: 30, 514: 220, 515: 170, 516: 110, 530: 120,
}  # fmt: skip
_OTHER_TISSUE = 100


@dataclass(frozen=True)
class Contrast:
    """Mean and standard deviation of the intensity for each label value, as tables of `VALUES` numbers."""

    mean: np.ndarray
    deviation: np.ndarray


def random_contrast(choices: np.random.Generator, t1_share: float, stripped_share: float) -> Contrast:
    """A T1-like contrast in `t1_share` of the draws and any other in the rest; skull-stripped in `stripped_share`."""
    mean, deviation = np.zeros(VALUES, np.float32), np.zeros(VALUES, np.float32)
    if choices.random() < t1_share:
        # One draw moves all tissues together (weaker or stronger weighting), another each alone.
        strength, base = choices.uniform(0.6, 1.25), choices.normal(0, 12)
        for value in range(VALUES):
            rough = _T1.get(value, _OTHER_TISSUE)
            mean[value] = 118 + strength * (rough - 118) + base + choices.normal(0, 8)
            deviation[value] = choices.uniform(2, 12)
        grey = choices.normal(0, 6)  # by intensity alone hippocampus, amygdala and cortex hardly differ
        for value in (3, 17, 18):
            mean[value] = mean[17] * 0.5 + 0.5 * mean[value] + grey
    else:
        mean[:] = choices.uniform(15, 235, VALUES)
        deviation[:] = choices.uniform(2, 16, VALUES)
        mean[0], deviation[0] = choices.uniform(0, 30), choices.uniform(0, 8)  # air has no signal in any sequence
    for value, same in _SAME_TISSUE.items():
        mean[value], deviation[value] = mean[same], deviation[same]
    if choices.random() < stripped_share:
        mean[_OUTSIDE_BRAIN:], deviation[_OUTSIDE_BRAIN:] = 0, 0
        mean[0] = deviation[0] = 0
        if choices.random() < 0.5:
            mean[24] = deviation[24] = 0
    return Contrast(np.clip(mean, 0, 255) / 255, deviation / 255)


def draw_image(labels: Tensor, contrast: Contrast, choices: np.random.Generator, generator: torch.Generator) -> Tensor:
    """An image of a label block.

    Args:
        labels: long, (D, H, W).
        contrast: of the tissues.
        choices, generator: of blur and texture.

    Returns:
        float32, (D, H, W), about 0 to 1: tissue means with white noise and a texture that is smooth over a few
        voxels, then the blur of a point spread function.
    """
    mean = torch.from_numpy(contrast.mean)[labels]
    deviation = torch.from_numpy(contrast.deviation)[labels]
    coarse = choices.uniform(0, 1)
    texture = (1 - coarse) * torch.randn(labels.shape, generator=generator)
    if coarse > 0.2:
        texture = texture + 2 * coarse * smooth_field(labels.shape, generator, knots=int(choices.integers(8, 16)))
    return blurred(mean + deviation * texture, choices.uniform(0.35, 0.85)).clamp(min=0)
