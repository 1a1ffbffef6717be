"""Intensities: what may go in, and how they become numbers from 0 to 1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ImageError
from ..numerics.resampling import resample_planes

# Percentiles of more voxels than this are taken from every n-th voxel along each axis. The 0.5th percentile of four
# million voxels still stands on twenty thousand of them, and more would only cost memory.
_SAMPLE = 1 << 22

# Pixels of about one intensity, such as air with its noise, are not spread out further than by one over this.
_LEAST_DEVIATION = 0.03

# Local contrast that becomes 0 and 1, in standard deviations from the local mean. On cine and T2 slices nearly all
# pixels (99 %) lie between.
_DARKEST, _BRIGHTEST = -1.5, 3.0


@dataclass(frozen=True)
class Normalisation:
    """Linear scaling that brings two percentiles to 0 and 1, and clips; contrast may then be made alike everywhere.

    Attributes:
        scope: "volume" (one scaling for all slices) or "slice" (one for each slice, after resampling).
        percentiles: the two percentiles, 0 to 100.
        window: where given, each slice has about the same mean and contrast within any window of it: the standard
            deviation, in pixels of the model's grid, of the Gaussian that weights the window. Anatomy far from the
            coil, or beside bright fat, is then as visible as any.
    """

    scope: str
    percentiles: tuple[float, float]
    window: float | None = None

    def __post_init__(self):
        if self.scope not in ("volume", "slice"):
            raise ValueError(f"normalisation scope {self.scope!r} is not known")
        low, high = self.percentiles
        if not 0 <= low < high <= 100:
            raise ValueError(f"percentiles must rise from 0 to 100, not {self.percentiles}")
        if self.window is not None and not self.window > 0:
            raise ValueError(f"window must be a positive number of pixels or null, not {self.window}")

    @classmethod
    def from_json(cls, settings: dict[str, Any]) -> Normalisation:
        """From the keywords as a card or a preset holds them."""
        return cls(**{**settings, "percentiles": tuple(settings["percentiles"])})

    def limits(self, voxels: np.ndarray) -> tuple[float, float]:
        """The intensities that become 0 and 1.

        Raises:
            ImageError: NaN or infinite voxels, or all voxels alike.
        """
        low, high = _range(voxels)
        if not low < high:
            raise ImageError(
                f"The image has no contrast: every voxel is {low:g}. Choose another volume, or a region with anatomy."
            )
        stride = max(1, math.ceil((voxels.size / _SAMPLE) ** (1 / 3)))
        below, above = np.percentile(voxels[::stride, ::stride, ::stride], self.percentiles)
        # Nearly all voxels alike, such as a small object in an empty field: the percentiles say nothing.
        return (float(below), float(above)) if below < above else (low, high)

    def apply(self, slices: np.ndarray, limits: tuple[float, float] | None) -> np.ndarray:
        """(N, H, W) to 0..1, float32; `limits` are the volume's, and not used where the scope is a slice."""
        return self.normalise_local_contrast(self.scale(slices, limits))

    def scale(self, slices: np.ndarray, limits: tuple[float, float] | None) -> np.ndarray:
        """The linear scaling alone."""
        if self.scope == "volume":
            low, high = limits
            return np.clip((slices - np.float32(low)) / np.float32(high - low), 0, 1)
        low, high = np.percentile(slices, self.percentiles, axis=(1, 2), keepdims=True).astype(np.float32)
        contrast = np.where(high > low, high - low, 1)  # an empty slice becomes 0
        return np.clip((slices - low) / contrast, 0, 1)

    def normalise_local_contrast(self, planes, as_array=lambda matrix: matrix):
        """Make contrast alike within the window: each pixel's distance from the local mean, in standard deviations.

        Args:
            planes: scaled, (..., H, W), an array or a tensor.
            as_array: makes of a matrix what multiplies `planes`.
        """
        if self.window is None:
            return planes
        rows, columns = (as_array(_gaussian(length, self.window)) for length in planes.shape[-2:])
        mean = resample_planes(planes, rows, columns)
        variance = resample_planes(planes * planes, rows, columns) - mean * mean
        contrast = (planes - mean) / (variance.clip(0) ** 0.5 + _LEAST_DEVIATION)
        return ((contrast - _DARKEST) / (_BRIGHTEST - _DARKEST)).clip(0, 1)


def _gaussian(length: int, deviation: float) -> np.ndarray:
    """Matrix of weighted means along a line of pixels; beyond its ends there is nothing. float32, (length, length)."""
    places = np.arange(length)
    weights = np.exp(-0.5 * ((places[:, None] - places) / deviation) ** 2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _range(voxels: np.ndarray) -> tuple[float, float]:
    """Smallest and largest intensity, one slice at a time so that nothing large is copied."""
    low, high = np.inf, -np.inf
    for plane in voxels:
        smallest, largest = plane.min(), plane.max()  # either is NaN where any voxel is
        if not (np.isfinite(smallest) and np.isfinite(largest)):
            raise ImageError(
                "The image has voxels that are not numbers (NaN or infinite). Replace them, for example with the "
                "lowest intensity, or choose a region without them."
            )
        low, high = min(low, smallest), max(high, largest)
    return float(low), float(high)
