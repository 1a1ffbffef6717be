"""How scanners differ: random changes to a whole block of an image, before slices are drawn from it.

`Augmentation` changes single slices and knows nothing of the third dimension. Here are the changes that need it: voxels
that are thick in any direction, a bias field and ghosts that run through all slices, contrast by tissue, noise as it is
in magnitude images. All on tensors (D, H, W) in the model's axes and at the model's spacing, intensities 0 to about 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ..checks import require, require_keys, require_number, require_whole_number
from ..numerics.resampling import sampling_matrix

_CURVE_KNOTS = 6  # of a random curve from intensity to intensity
_FIELD_KNOTS = 4  # of a smooth field, along each axis
_SAME_SIZE = 1.05  # a voxel below it counts as the block's own


@dataclass(frozen=True)
class ScannerChange:
    """How strong the changes are. Each happens to a block with probability `chance`.

    Attributes:
        chance: see above.
        curve: standard deviation of the knots of a random curve from intensity to intensity. It
            moves grey matter, white matter and fluid apart or together, as other sequences do.
        rising: share of these curves that rise; the others have any form, as bright tissue may be dark in another
            sequence.
        resolution: largest voxel, as a multiple of the model's spacing; each axis has a size of its own from 1 up.
        thick: largest thickness of slices in one random direction, as such a multiple.
        bias: largest amplitude of a smooth field: 0.5 is a factor from 1/1.5 to 1.5.
        blur: largest standard deviation of Gaussian blur, in voxels.
        sharpen: largest weight of what a blurred image lacks, added.
        ghosting: largest intensity of ghosts along one random axis.
        noise: largest standard deviation of Rician noise.
        outliers: largest number of bright or dark spots, as vessels and artefacts are.

    Raises:
        ValueError: values that are no numbers, or too small.
    """

    chance: float = 0.5
    curve: float = 0.12
    rising: float = 0.9
    resolution: float = 2.0
    thick: float = 4.0
    bias: float = 0.6
    blur: float = 0.8
    sharpen: float = 1.5
    ghosting: float = 0.2
    noise: float = 0.08
    outliers: int = 6

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            require_number(value, field.name)
            least = 1 if field.name in ("resolution", "thick", "outliers") else 0
            require(value >= least, f"{field.name} must be at least {least}, not {value}")
        require_whole_number(self.outliers, "outliers")

    @classmethod
    def from_json(cls, settings: Any) -> ScannerChange:
        """From an object with some of the attributes."""
        require_keys(settings, "changes", (), [field.name for field in fields(cls)])
        return replace(cls(), **settings)

    def apply(self, block: Tensor, choices: np.random.Generator, generator: torch.Generator) -> Tensor:
        """A changed copy of a block.

        Args:
            block: intensities, 0 to about 1, shape (D, H, W).
            choices: of what happens, and how much.
            generator: of fields and noise.
        """
        block = self._with_other_intensities(block, choices, generator)
        block = self._with_other_sharpness(block, choices)
        if self._happens(choices, 0.5):
            block = ghosted(block, choices, choices.uniform(0.02, self.ghosting))
        # Noise belongs to the acquired voxels, so it is coarse where they are; thin voxels have it as it comes.
        noise = choices.uniform(0, self.noise) if self._happens(choices) else 0.0
        before = bool(choices.random() < 0.5)
        if noise and before:
            block = rician(block, noise, generator)
        block = coarsened(block, self._voxel_sizes(choices), choices)
        return rician(block, noise, generator) if noise and not before else block

    def _happens(self, choices: np.random.Generator, share: float = 1.0) -> bool:
        return bool(choices.random() < self.chance * share)

    def _with_other_intensities(
        self, block: Tensor, choices: np.random.Generator, generator: torch.Generator
    ) -> Tensor:
        if self._happens(choices):
            block = curved(block, choices, self.curve, self.rising)
        if self._happens(choices, 0.5):
            block = with_spots(block, choices, int(choices.integers(1, self.outliers + 1)))
        if self._happens(choices):
            amplitude = choices.uniform(0, math.log(1 + self.bias))
            block = block * torch.exp(amplitude * smooth_field(block.shape, generator))
        return block

    def _with_other_sharpness(self, block: Tensor, choices: np.random.Generator) -> Tensor:
        drawn = choices.random()
        if drawn < self.chance / 2:
            return blurred(block, choices.uniform(0.3, self.blur))
        if drawn < self.chance:
            details = block - blurred(block, choices.uniform(0.6, 1.2))
            return block + choices.uniform(0.2, self.sharpen) * details
        return block

    def _voxel_sizes(self, choices: np.random.Generator) -> np.ndarray:
        """Of the acquired voxels along D, H and W, in the block's own: alike, or each its own, or one thick."""
        sizes = np.ones(3)
        if self._happens(choices):
            alike = choices.random() < 0.5
            sizes = sizes * choices.uniform(1, self.resolution, 1 if alike else 3)
        if self._happens(choices, 0.5):
            sizes[choices.integers(3)] = choices.uniform(1.5, self.thick)
        return sizes


def smooth_field(shape: Sequence[int], generator: torch.Generator, knots: int = _FIELD_KNOTS) -> Tensor:
    """A smooth random field, about -1 to 1."""
    values = 2 * torch.rand(1, 1, knots, knots, knots, generator=generator) - 1
    return F.interpolate(values, tuple(shape), mode="trilinear", align_corners=True)[0, 0]


def curved(block: Tensor, choices: np.random.Generator, deviation: float, rising: float) -> Tensor:
    """Intensities through a random curve, which rises in this share of the draws."""
    knots = np.linspace(0, 1, _CURVE_KNOTS) + choices.normal(0, deviation, _CURVE_KNOTS)
    if choices.random() < rising:
        knots = np.sort(knots)
    values = torch.from_numpy(np.append(knots, knots[-1]).astype(np.float32))
    places = block.clamp(0, 1) * (_CURVE_KNOTS - 1)
    below = places.long()
    low = values[below]
    return low + (places - below) * (values[below + 1] - low)


def with_spots(block: Tensor, choices: np.random.Generator, count: int) -> Tensor:
    """Some round spots of other intensity, of one to four voxels' radius."""
    block = block.clone()
    for _ in range(count):
        radius = choices.uniform(1, 4)
        centre = [choices.uniform(0, length) for length in block.shape]
        window = tuple(slice(max(0, int(at - radius)), max(1, int(at + radius) + 1)) for at in centre)
        part = block[window]
        grids = np.ogrid[tuple(slice(0, length) for length in part.shape)]
        distance = sum((grid + cut.start - at) ** 2 for grid, cut, at in zip(grids, window, centre))
        inside = torch.from_numpy(np.asarray(distance <= radius**2, np.float32))
        part += inside * (choices.uniform(-0.3, 1.5) - part) * choices.uniform(0.3, 1)
    return block


def blurred(block: Tensor, sd: float) -> Tensor:
    """Gaussian blur; beyond the block its border goes on."""
    radius = max(1, math.ceil(2.5 * sd))
    gaussian = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sd) ** 2)
    weights = (gaussian / gaussian.sum()).numpy()
    for axis, length in enumerate(block.shape):
        matrix = np.zeros((length, length), np.float32)
        rows = np.arange(length)
        for offset, weight in zip(range(-radius, radius + 1), weights):
            np.add.at(matrix, (rows, np.clip(rows + offset, 0, length - 1)), weight)
        block = _along(block, matrix, axis)
    return block


def _along(block: Tensor, matrix: np.ndarray, axis: int) -> Tensor:
    """A matrix applied along one axis of (D, H, W)."""
    weights = torch.from_numpy(matrix)
    if axis == 2:
        return block @ weights.T
    if axis == 1:
        return weights @ block
    return (weights @ block.flatten(1)).view(len(weights), *block.shape[1:])


def ghosted(block: Tensor, choices: np.random.Generator, intensity: float) -> Tensor:
    """With two ghosts along one axis, as motion leaves them."""
    axis = int(choices.integers(3))
    by = max(1, round(block.shape[axis] / choices.uniform(1.5, 6)))
    ghosts = block.roll(by, axis) + block.roll(-by, axis)
    return (block + intensity * ghosts) / (1 + intensity)


def coarsened(block: Tensor, sizes: Sequence[float] | np.ndarray, choices: np.random.Generator) -> Tensor:
    """Acquired with voxels of these sizes (in the block's own) that begin anywhere, and read again linearly."""
    for axis, size in enumerate(sizes):
        if size < _SAME_SIZE:
            continue
        length = block.shape[axis]
        start = choices.uniform(-size / 2, size / 2)
        samples = int((length - 1 - start) // size) + 2
        down = sampling_matrix(length, samples, "area", size, start)
        up = sampling_matrix(samples, length, "linear", 1 / size, -start / size)
        block = _along(block, up @ down, axis)
    return block


def rician(block: Tensor, sd: float, generator: torch.Generator) -> Tensor:
    """The magnitude of the image with Gaussian noise in both parts of its complex numbers (doi 10.1002/mrm.1910340618).

    Args:
        block: (D, H, W), not negative.
        sd: standard deviation of the noise in each part, in the block's intensities.
        generator: of the noise.
    """
    real = block + sd * torch.randn(block.shape, generator=generator)
    return torch.sqrt(real * real + (sd * torch.randn(block.shape, generator=generator)) ** 2)
