"""Random changes to a batch of slices, so that a model sees more kinds of images than the training data has.

All on tensors and for the whole batch at once, so the same code runs on a CPU and on a GPU. Intensities are 0 to 1
before and after.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ..checks import require, require_keys, require_number

_KNOTS = 6  # of a smooth deformation, along rows and columns
_COIL_REACH = 0.2, 0.8  # standard deviation of a coil's gain, in halves of the slice
_BRIGHT = 0.995  # share of the pixels that are at most 1, as after the normalisation
_AROUND = 1.0, 2.0  # standard deviation of what a contraction draws together, in radii of the structure
_MARGIN = 0.01, 0.2  # around a structure that is taken out, as a share of the slice's size
_FEATHER = 0.02  # width of the hole's border, likewise
_SURROUNDINGS = 0.03  # standard deviation of the Gaussian that fills the hole from around it, likewise


@dataclass(frozen=True)
class Augmentation:
    """How strong the changes are. Each intensity change is applied to a sample with probability `chance`.

    Attributes:
        rotation: largest angle in degrees.
        scale: largest factor of enlarging and of shrinking.
        shear: largest shear.
        shift: largest shift, as a share of the slice's size.
        elastic: largest displacement by a smooth deformation, as a share of the canvas's size.
        contraction: largest factor by which the labelled structure and what lies close around it are drawn together,
            in half of the samples; the rest of the slice stays. At most 3, since a larger one would fold the slice.
        emptied: share of the samples from which the labelled structure and a random margin around it are taken out. A
            small hole is filled from around it, and the larger it is the more it shows another part of the slice.
            Nothing is labelled then, as in slices that lie beyond the structure.
        mirror: mirror left and right in half of the samples.
        chance: see above.
        noise: largest standard deviation of Gaussian noise.
        bias: largest amplitude of a smooth bias field: 0.5 is a factor from 1/1.5 to 1.5.
        coil: largest gain of a receive coil at one place, which falls off around it, such as an endorectal coil's. The
            intensities are scaled anew by what is then bright.
        gamma: largest exponent on the intensities, and one over it the smallest.
        contrast: largest relative change of the intensities' range at either end.
        blur: largest standard deviation of Gaussian blur, in pixels.
        low_resolution: largest factor by which a slice is made coarser and back.
        ghosting: largest intensity of two ghosts, to either side along rows or columns, as motion leaves them.
    """

    rotation: float = 15.0
    scale: float = 1.25
    shear: float = 0.1
    shift: float = 0.1
    elastic: float = 0.0
    contraction: float = 1.0
    emptied: float = 0.0
    mirror: bool = True
    chance: float = 0.4
    noise: float = 0.12
    bias: float = 0.5
    coil: float = 0.0
    gamma: float = 1.5
    contrast: float = 0.2
    blur: float = 1.0
    low_resolution: float = 2.0
    ghosting: float = 0.25

    def __post_init__(self) -> None:
        require(isinstance(self.mirror, bool), f"mirror must be true or false, not {self.mirror!r}")
        for field in fields(self):
            if field.name != "mirror":
                require_number(getattr(self, field.name), field.name)
        require(1 <= self.contraction <= 3, f"contraction must be from 1 to 3, not {self.contraction}")
        require(0 <= self.emptied <= 1, f"emptied must be from 0 to 1, not {self.emptied}")

    @classmethod
    def from_json(cls, settings: Any) -> Augmentation:
        """From an object with some of the attributes.

        Raises:
            ValueError: keys that are not known, or values that are no numbers.
        """
        return cls().changed(settings)

    def changed(self, settings: Any) -> Augmentation:
        """The same but for the attributes in a JSON object; raises as `from_json`."""
        require_keys(settings, "augmentation", (), [field.name for field in fields(self)])
        return replace(self, **settings)

    def warp(
        self,
        image: Tensor,
        target: Tensor,
        size: tuple[int, int],
        mirror: str,
        generator: torch.Generator,
        mirrored_target: Sequence[int] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Random map from slices to a canvas of `size`, centred; beyond the slice its border goes on.

        Args:
            image: (N, image_channels, H, W).
            target: share of each pixel that is each label, (N, K, H, W).
            size: rows and columns of the canvas.
            mirror: which way is left to right: "slices", "rows" or "columns".
            generator: of random numbers.
            mirrored_target: which channel of the target takes the place of each in samples that are mirrored; None if
                labels know no sides.
        """
        count, _, height, width = image.shape

        def between(largest: float) -> Tensor:
            return (2 * torch.rand(count, device=image.device, generator=generator) - 1) * largest

        angle = between(math.radians(self.rotation))
        zoom = torch.exp(between(math.log(self.scale)))
        stretch = torch.exp(between(math.log(self.scale) / 3))
        shear = between(self.shear)
        cosine, sine = torch.cos(angle), torch.sin(angle)
        # Rows of the matrix give, in input pixels, where a canvas pixel comes from: along columns (x), then along rows
        # (y).
        xx, xy = zoom * stretch * cosine, zoom * (shear * cosine - sine)
        yx, yy = zoom * sine, zoom / stretch * (shear * sine + cosine)
        if self.mirror:
            flip = torch.rand(count, device=image.device, generator=generator) < 0.5
            sign = torch.where(flip, -1.0, 1.0)
            if mirrored_target is not None:
                target = torch.where(flip[:, None, None, None], target[:, list(mirrored_target)], target)
            if mirror == "slices":
                image = torch.where(flip[:, None, None, None], image.flip(1), image)
            elif mirror == "columns":
                xx, xy = xx * sign, xy * sign
            else:
                yx, yy = yx * sign, yy * sign
        shift_x, shift_y = between(2 * self.shift), between(2 * self.shift)
        rows, columns = size
        matrix = torch.stack(
            [
                torch.stack([xx * columns / width, xy * rows / width, shift_x], dim=1),
                torch.stack([yx * columns / height, yy * rows / height, shift_y], dim=1),
            ],
            dim=1,
        )
        grid = F.affine_grid(matrix, [count, 1, rows, columns], align_corners=False)
        knots = 2 * torch.rand(count, 2, _KNOTS, _KNOTS, device=image.device, generator=generator) - 1
        knots = knots * between(2 * self.elastic)[:, None, None, None]  # the canvas is 2 wide
        bent = F.interpolate(knots, (rows, columns), mode="bicubic", align_corners=True)
        grid = grid + bent.permute(0, 2, 3, 1)
        if self.contraction > 1:
            factor = torch.exp(between(math.log(self.contraction)).clamp(min=0))
            low, high = _AROUND
            around = (low + high) / 2 + between((high - low) / 2)
            grid = _drawn_together(grid, target, factor, around)
        both = F.grid_sample(torch.cat([image, target], dim=1), grid, padding_mode="border", align_corners=False)
        channels = image.shape[1]
        return both[:, :channels], both[:, channels:]

    def empty(self, image: Tensor, target: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Take the structure out of some samples; the arguments are as of `warp`, and so is what is returned."""
        if not self.emptied:
            return image, target
        count, _, height, width = image.shape

        def uniform() -> Tensor:
            return torch.rand(count, 1, 1, 1, device=image.device, generator=generator)

        signs, shares = torch.rand(2, 2, device=image.device, generator=generator).tolist()
        lengths = zip((height, width), signs, shares)
        by = [round(length * (0.25 + 0.15 * share)) * (1 if sign < 0.5 else -1) for length, sign, share in lengths]
        offset, radius = _from_structure(target, _pixels(height, width, image.device))
        radius = radius[:, None, None, None]
        margin, size = uniform(), max(height, width)
        low, high = _MARGIN
        edge = radius + size * (low + margin * (high - low))
        hole = ((edge - offset.norm(dim=-1)[:, None]) / (size * _FEATHER) + 0.5).clamp(0, 1)
        rest, reach = 1 - hole, size * _SURROUNDINGS
        around = _smooth(image * rest, reach) / _smooth(rest, reach).clamp(min=1e-30)
        filling = around + margin * (image.roll(by, (2, 3)) - around)
        taken = (uniform() < self.emptied) & (radius > 0)
        return torch.where(taken, image + hole * (filling - image), image), torch.where(taken, 0, target)

    def change_intensities(self, image: Tensor, generator: torch.Generator) -> Tensor:
        """Bias field, coil, gamma, blur, low resolution, ghosts, noise and contrast on (N, image_channels, H, W)."""
        count, device = len(image), image.device

        def uniform(low: float, high: float, *shape: int) -> Tensor:
            draws = torch.rand(count, *(shape or (1, 1, 1)), device=device, generator=generator)
            return low + draws * (high - low)

        def some() -> Tensor:
            return torch.rand(count, device=device, generator=generator) < self.chance

        knots = uniform(-1, 1, 1, 3, 3) * uniform(0, math.log(1 + self.bias))
        image = _changed(image, some(), _biased, knots)
        if self.coil:
            gain, place, reach = uniform(0, self.coil), uniform(-1, 1, 2), uniform(*_COIL_REACH)
            image = _changed(image, some(), _near_coil, gain, place, reach)
        exponent = torch.exp(uniform(-math.log(self.gamma), math.log(self.gamma)))
        image = _changed(image, some(), lambda planes, exponents: planes.clamp(min=0) ** exponents, exponent)
        image = _changed(image, some(), _blur, uniform(0.1, self.blur))
        image = _changed(image, some(), partial(self._coarsen, generator=generator))
        image = _changed(image, some(), partial(self._ghosted, generator=generator), uniform(0, self.ghosting))
        noise = torch.randn(image.shape, device=device, generator=generator), uniform(0, self.noise)
        image = _changed(image, some(), torch.addcmul, *noise)
        ends = uniform(-self.contrast, self.contrast), uniform(1 - self.contrast, 1 + self.contrast)
        image = _changed(image, some(), lambda planes, low, high: (planes - low) / (high - low), *ends)
        return image.clamp(0, 1)

    def _ghosted(self, image: Tensor, intensity: Tensor, generator: torch.Generator) -> Tensor:
        """The whole batch with its ghosts at one random distance, a half to a sixth of the slice, along one axis."""
        axis = 2 + int(torch.randint(2, (1,), device=image.device, generator=generator))
        times = 2 + 4 * torch.rand(1, device=image.device, generator=generator).item()
        by = round(image.shape[axis] / times)
        ghosts = image.roll(by, axis) + image.roll(-by, axis)
        return (image + intensity * ghosts) / (1 + intensity)

    def _coarsen(self, image: Tensor, generator: torch.Generator) -> Tensor:
        """The whole batch at one random resolution: which samples use it is drawn by the caller."""
        height, width = image.shape[2:]
        draw = torch.rand(1, device=image.device, generator=generator).item()
        factor = 1 + draw * (self.low_resolution - 1)
        small = F.interpolate(
            image, (round(height / factor), round(width / factor)), mode="bilinear", antialias=True, align_corners=False
        )
        return F.interpolate(small, (height, width), mode="bilinear", align_corners=False)


def _changed(image: Tensor, chosen: Tensor, change: Callable[..., Tensor], *values: Tensor) -> Tensor:
    """A batch with some of its samples changed; the others cost nothing.

    Args:
        image: (N, image_channels, H, W).
        chosen: which samples, bool, (N,).
        change: takes these samples and their values, and gives the changed samples.
        values: one for each sample of the batch, (N, ...).
    """
    numbers = chosen.nonzero()[:, 0]
    if not len(numbers):
        return image
    return image.index_copy(0, numbers, change(image[numbers], *(each[numbers] for each in values)))


def _biased(image: Tensor, knots: Tensor) -> Tensor:
    """Times a smooth field, given by the logarithms at its knots, (N, 1, rows, columns)."""
    return image * torch.exp(F.interpolate(knots, image.shape[2:], mode="bicubic", align_corners=True))


def _pixels(rows: int, columns: int, device: torch.device) -> Tensor:
    """Column and row of each pixel, shape (1, rows, columns, 2)."""
    row, column = (torch.arange(length, device=device, dtype=torch.float32) for length in (rows, columns))
    return torch.stack(torch.meshgrid(column, row, indexing="xy"), dim=-1)[None]


def _from_structure(target: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """How far places lie from the centre of what is labelled, and the radius of a disc that spreads as far.

    Args:
        target: (N, K, H, W).
        places: column and row, shape (N or 1, h, w, 2).

    Returns:
        Columns and rows from the centre, shape (N, h, w, 2), and the radius in pixels, shape (N,), 0 without a label.
    """
    share = target.sum(dim=1)[..., None]
    rows, columns = target.shape[2:]
    pixels = _pixels(rows, columns, target.device)
    area = share.sum((1, 2)).clamp(min=1)
    centre = ((share * pixels).sum((1, 2)) / area)[:, None, None]
    spread = (share * (pixels - centre) ** 2).sum((1, 2, 3)) / area[:, 0]
    return places - centre, (2 * spread).sqrt()


def _smooth(planes: Tensor, deviation: float) -> Tensor:
    """Sums under a Gaussian, shape (N, C, H, W)."""
    rows, columns = (torch.arange(length, device=planes.device) for length in planes.shape[2:])
    down, across = (torch.exp(-0.5 * ((at[:, None] - at) / deviation) ** 2) for at in (rows, columns))
    return down @ planes @ across


def _drawn_together(grid: Tensor, target: Tensor, factor: Tensor, around: Tensor) -> Tensor:
    """A grid of `grid_sample` in which the structure is smaller by a factor, (N,).

    Args:
        grid: (N, h, w, 2).
        target: what is labelled before, (N, K, H, W).
        factor: by which it becomes smaller.
        around: how far this reaches, as a standard deviation in radii of the structure, (N,).
    """
    size = torch.tensor([target.shape[3], target.shape[2]], device=grid.device)
    offset, radius = _from_structure(target, ((grid + 1) * size - 1) / 2)
    deviation = (around * radius / factor).clamp(min=1e-3)[:, None, None, None]
    near = torch.exp(-offset.pow(2).sum(dim=-1, keepdim=True) / (2 * deviation**2))
    return grid + 2 / size * offset * (factor - 1)[:, None, None, None] * near


def _near_coil(image: Tensor, gain: Tensor, place: Tensor, reach: Tensor) -> Tensor:
    """Brighter near a place, (N, 2) from -1 to 1 along rows and columns, and scaled so that few pixels are above 1."""
    rows, columns = (torch.linspace(-1, 1, length, device=image.device) for length in image.shape[2:])
    distance = (rows - place[:, :1])[:, None, :, None] ** 2 + (columns - place[:, 1:])[:, None, None, :] ** 2
    image = image * (1 + gain * torch.exp(-distance / (2 * reach**2)))
    bright = image.flatten(1).quantile(_BRIGHT, dim=1)[:, None, None, None]
    return image / bright.clamp(min=1e-3)


def _blur(image: Tensor, sd: Tensor) -> Tensor:
    """Gaussian blur with one standard deviation (in pixels) for each sample, shape (N, 1, 1, 1)."""
    count, channels, height, width = image.shape
    radius = 3
    offsets = torch.arange(-radius, radius + 1, device=image.device, dtype=image.dtype)
    weights = torch.exp(-0.5 * (offsets / sd.view(count, 1)) ** 2)
    weights = (weights / weights.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)[:, None, None]
    planes = F.pad(image, (radius,) * 4, mode="replicate").reshape(1, count * channels, height + 6, width + 6)
    planes = F.conv2d(planes, weights, groups=count * channels)
    planes = F.conv2d(planes, weights.transpose(2, 3), groups=count * channels)
    return planes.view(count, channels, height, width)
