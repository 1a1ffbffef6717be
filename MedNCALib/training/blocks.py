"""Blocks around one structure, drawn from whole heads and label maps.

A block is what the model meets in use: a box of about the field of view, placed not quite right, on the model's grid
and scaled by its own percentiles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ..checks import require, require_keys, require_list, require_number, require_whole_number
from .scanner import ScannerChange
from .synthetic import draw_image, random_contrast

Range = tuple[int, int]
_KNOTS = (4, 5, 4)  # of a smooth deformation, along slices, rows and columns


@dataclass(frozen=True)
class Structure:
    """One structure in one subject, on the grid it was acquired with, in the model's axes.

    Attributes:
        name: of the image and the structure.
        image: float32 intensities, about 0 to 1, shape (1, D, H, W); None for a label map.
        labels: float32 label values for drawing an image, shape (1, D, H, W); None for an image.
        target: uint8 0 or 1, shape (K, D, H, W); one channel if only the whole is known.
        brain: uint8 0 or 1, shape (1, D, H, W), what skull-stripping leaves; None if it is not known.
        spacing: mm between slices, rows and columns.
        centre: of the structure, in voxels along D, H and W.
    """

    name: str
    image: Tensor | None
    labels: Tensor | None
    target: Tensor
    brain: Tensor | None
    spacing: tuple[float, float, float]
    centre: np.ndarray


@dataclass(frozen=True)
class Block:
    """A drawn block on the model's grid.

    Attributes:
        image: 0 to 255 between the block's own percentiles, uint8, shape (D, H, W).
        target: share of each label in 255ths, uint8, shape (D, K, H, W); one channel if only the whole is known.
        unscored: share that is not scored, in 255ths, uint8, shape (D, H, W); None if all is.
    """

    image: np.ndarray
    target: np.ndarray
    unscored: np.ndarray | None

    @property
    def whole_only(self) -> bool:
        """Whether only the sum of the labels is known."""
        return self.target.shape[1] == 1


@dataclass(frozen=True)
class Drawing:
    """How blocks are drawn.

    Attributes:
        size: smallest and largest number of slices, rows and columns of the model's grid; None takes all of the image.
        shift: largest distance of the block's centre from the structure's along each axis, in mm.
        cut: share of blocks that are shifted up to twice as far, so that the structure may be cut off.
        upright: share of blocks that are neither rotated nor deformed: they have the image's own axes.
        rotation: largest angle about each axis, in degrees.
        scale: largest factor of enlarging and of shrinking for all axes, and its square root for each axis alone.
        elastic: largest standard deviation of a smooth deformation's knots, in mm.
        changes: of the scanner.
        t1_share: share of the images drawn from label maps that look T1-weighted; the others have any contrast.
        stripped: share of blocks without skull.
        empty: share of blocks that are 0 beyond the image; in the others its border goes on.
        oversampling: images are drawn with voxels that are so many times thinner along each axis, and the block's
            voxels are their means, as those of a model whose grid is coarser than the image's.
        margin: voxels of the model's grid around the structure that are not scored.
        percentiles: that become 0 and 1.

    Raises:
        ValueError: values of the wrong type or out of range.
    """

    size: tuple[Range, Range, Range] | None = ((32, 44), (32, 48), (44, 64))
    shift: float = 6.0
    cut: float = 0.15
    upright: float = 0.3
    rotation: float = 15.0
    scale: float = 1.15
    elastic: float = 1.5
    changes: ScannerChange = field(default_factory=ScannerChange)
    t1_share: float = 0.75
    stripped: float = 0.15
    empty: float = 0.0
    oversampling: int = 1
    margin: int = 0
    percentiles: tuple[float, float] = (0.5, 99.5)

    def __post_init__(self) -> None:
        for name in ("shift", "rotation", "scale", "elastic"):
            require_number(getattr(self, name), name)
            require(getattr(self, name) >= 0, f"{name} must not be negative")
        require(self.scale >= 1, f"scale must be at least 1, not {self.scale}")
        for name in ("cut", "upright", "t1_share", "stripped", "empty"):
            require_number(getattr(self, name), name)
            require(0 <= getattr(self, name) <= 1, f"{name} must be from 0 to 1, not {getattr(self, name)}")
        require_whole_number(self.margin, "margin", 0)
        require_whole_number(self.oversampling, "oversampling")
        low, high = self.percentiles
        require(0 <= low < high <= 100, f"percentiles must rise from 0 to 100, not {self.percentiles}")
        for low, high in self.size or ():
            require(low <= high, f"a size must run from the smallest to the largest, not {low} to {high}")

    @classmethod
    def from_json(cls, settings: Any) -> Drawing:
        """From an object with some of the attributes.

        Raises:
            ValueError: keys that are not known, or values that describe no drawing.
        """
        require_keys(settings, "drawing", (), [each.name for each in fields(cls)])
        values = dict(settings)
        if "changes" in values:
            values["changes"] = ScannerChange.from_json(values["changes"])
        if "percentiles" in values:
            require_list(values["percentiles"], "percentiles", 2)
            values["percentiles"] = tuple(values["percentiles"])
        if values.get("size") is not None:
            require_list(values["size"], "size", 3)
            values["size"] = tuple(map(_range, values["size"]))
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return asdict(self)

    def draw(self, structure: Structure, spacing: Sequence[float], choices: np.random.Generator) -> Block:
        """A random block.

        Args:
            structure: what it lies around.
            spacing: mm between slices, rows and columns of the model's grid.
            choices: of all that is random.
        """
        generator = torch.Generator().manual_seed(int(choices.integers(1 << 62)))
        grid = self._grid(structure, np.array(spacing, float), choices, generator)
        layers = structure.target if structure.brain is None else torch.cat([structure.target, structure.brain])
        sampled = _sampled(layers, grid)
        target, brain = sampled[: len(structure.target)], None if structure.brain is None else sampled[-1]
        if structure.labels is not None:
            values = _sampled(structure.labels, grid, "nearest")[0].round().long()
            contrast = random_contrast(choices, self.t1_share, self.stripped)
            image = draw_image(values, contrast, choices, generator)
        else:
            assert structure.image is not None
            image = _sampled(structure.image, grid)[0]
            if brain is not None and choices.random() < self.stripped:
                image = image * (brain > 0.5)
            image = self._scaled(image)
        if self.empty and choices.random() < self.empty:
            image = image * (grid.abs() <= 1).all(dim=-1)[0]
        if self.oversampling > 1:
            image, target = (F.avg_pool3d(each, self.oversampling) for each in (image[None], target))
            image = image[0]
        image = self._scaled(self.changes.apply(image, choices, generator))
        unscored = None
        if self.margin:
            whole = target.sum(dim=0, keepdim=True)
            wide = F.max_pool3d(whole[None], 2 * self.margin + 1, 1, self.margin)[0]
            unscored = _bytes(wide - whole)[0]
        return Block(_bytes(image), _bytes(target).swapaxes(0, 1), unscored)

    def _grid(
        self, structure: Structure, spacing: np.ndarray, choices: np.random.Generator, generator: torch.Generator
    ) -> Tensor:
        """Where each voxel of the block comes from, as `grid_sample` wants it: (1, D, H, W, 3)."""
        extent, own_spacing = np.array(structure.target.shape[1:]), np.array(structure.spacing)
        if self.size is None:
            size, centre = np.rint(extent * own_spacing / spacing).astype(int), (extent - 1) / 2
        else:
            size = np.array([choices.integers(low, high + 1) for low, high in self.size])
            reach = self.shift * (2 if choices.random() < self.cut else 1)
            centre = structure.centre + choices.uniform(-reach, reach, 3) / own_spacing
        size, spacing = size * self.oversampling, spacing / self.oversampling
        axes = [
            step * (torch.arange(length, dtype=torch.float32) - (length - 1) / 2)
            for step, length in zip(spacing.tolist(), size.tolist())
        ]
        places = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)  # mm from the centre
        if choices.random() >= self.upright:
            matrix = _rotation(np.deg2rad(choices.uniform(-self.rotation, self.rotation, 3)))
            span = math.log(self.scale)
            matrix = matrix * np.exp(choices.uniform(-span, span) + choices.uniform(-span / 2, span / 2, 3))
            places = places @ torch.from_numpy(matrix.T.astype(np.float32))
            knots = torch.randn(1, 3, *_KNOTS, generator=generator) * choices.uniform(0, self.elastic)
            bent = F.interpolate(knots, tuple(size.tolist()), mode="trilinear", align_corners=True)
            places = places + bent[0].movedim(0, -1)
        voxels = places / torch.from_numpy(own_spacing.astype(np.float32))
        voxels = voxels + torch.from_numpy(centre.astype(np.float32))
        normal = 2 * voxels / torch.from_numpy((extent - 1).astype(np.float32)) - 1
        return normal.flip(-1)[None]

    def _scaled(self, image: Tensor) -> Tensor:
        """Between its percentiles, from 0 to 1."""
        low, high = np.percentile(image.numpy(), self.percentiles)
        return ((image - float(low)) / max(float(high - low), 1e-3)).clamp(0, 1)


def _sampled(layers: Tensor, grid: Tensor, mode: str = "bilinear") -> Tensor:
    """Values of (C, D, H, W) at the places of a grid; beyond the layers their border goes on."""
    return F.grid_sample(layers[None].float(), grid, mode=mode, padding_mode="border", align_corners=True)[0]


def _rotation(angles: np.ndarray) -> np.ndarray:
    """The product of the rotations about each axis, angles in radians; shape (3, 3)."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        first, second = (other for other in range(3) if other != axis)
        turn = np.eye(3)
        turn[first, first] = turn[second, second] = math.cos(angle)
        turn[first, second], turn[second, first] = -math.sin(angle), math.sin(angle)
        matrix = matrix @ turn
    return matrix


def _bytes(values: Tensor) -> np.ndarray:
    return (values.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def _range(value: Any) -> Range:
    require_list(value, "each of size", 2)
    for length in value:
        require_whole_number(length, "each end of size")
    return (value[0], value[1])
