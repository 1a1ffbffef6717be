"""Intensities: what may go in, and how they become numbers from 0 to 1."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Callable, Literal, get_args

import numpy as np

from ..checks import require, require_choice, require_keys, require_list, require_number
from ..errors import ImageError
from ..numerics import blas_threads
from ..numerics.resampling import ArrayT, resample_planes
from .voxel_values import extremes, sample

# Least standard deviation, in scaled intensities, that contrast is divided by, so that air with its noise, which is of
# about one intensity, stays flat.
_LEAST_DEVIATION = 0.03

# Local contrast that becomes 0 and 1, in standard deviations from the local mean.
_DARKEST, _BRIGHTEST = -1.5, 3.0

Scope = Literal["volume", "slice"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True)
class Normalisation:
    """Linear scaling that brings two percentiles to 0 and 1, and clips; then, on request, local contrast normalisation.

    Attributes:
        scope: "volume" (one scaling for all slices) or "slice" (one for each slice, after resampling).
        percentiles: the two percentiles, 0 to 100.
        contrast_window_sd: if given, each slice has about the same mean and contrast within any window of it (local
            contrast normalisation: Jarrett et al., "What is the best multi-stage architecture for object
            recognition?", ICCV 2009): the standard deviation, in pixels of the model's grid, of the Gaussian that
            weights the window. Anatomy far from the coil, or beside bright fat, is then as visible as any.

    Raises:
        ValueError: values that describe no scaling.
    """

    scope: Scope
    percentiles: tuple[float, float]
    contrast_window_sd: float | None = None

    def __post_init__(self) -> None:
        require_choice(self.scope, "the normalisation's scope", SCOPES)
        require_list(self.percentiles, "percentiles", 2)
        low, high = self.percentiles
        require_number(low, "the lower percentile")
        require_number(high, "the upper percentile")
        require(0 <= low < high <= 100, f"percentiles must rise from 0 to 100, not {self.percentiles}")
        if self.contrast_window_sd is not None:
            require_number(self.contrast_window_sd, "contrast_window_sd")
            is_positive = self.contrast_window_sd > 0
            require(
                is_positive, f"contrast_window_sd must be a positive number of pixels, not {self.contrast_window_sd}"
            )

    @classmethod
    def from_json(cls, settings: Any) -> Normalisation:
        """From the object `normalisation` of a card or a preset, in which `contrast_window_sd` was called `window`.

        Raises:
            ValueError: keys that are missing or not known, or values that describe no scaling.
        """
        require_keys(settings, "normalisation", ("scope", "percentiles"), ("contrast_window_sd", "window"))
        require_list(settings["percentiles"], "percentiles", 2)
        window = settings.get("contrast_window_sd", settings.get("window"))
        return cls(settings["scope"], tuple(settings["percentiles"]), window)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return asdict(self)

    def limits(self, voxels: np.ndarray) -> tuple[float, float]:
        """The intensities that become 0 and 1.

        Raises:
            ImageError: NaN or infinite voxels, or all voxels alike.
        """
        low, high = extremes(voxels)
        if not low < high:
            raise ImageError(
                f"The image has no contrast: every voxel is {low:g}. Choose another volume, or a region with anatomy."
            )
        below, above = np.percentile(sample(voxels), self.percentiles)
        # The percentiles of a small object in an empty field are equal.
        return (float(below), float(above)) if below < above else (float(low), float(high))

    @blas_threads.one_thread()
    def apply(self, slices: np.ndarray, limits: tuple[float, float] | None) -> np.ndarray:
        """Bring slices to 0..1.

        Args:
            slices: float32, shape (N, H, W).
            limits: what `limits` gives for the volume; None is enough if the scope is "slice".

        Returns:
            float32, the same shape.
        """
        return self.normalise_local_contrast(self.scale(slices, limits), np.asarray)

    def scale(self, slices: np.ndarray, limits: tuple[float, float] | None) -> np.ndarray:
        """The linear scaling alone; for the arguments see `apply`."""
        if self.scope == "slice":
            lows, highs = np.percentile(slices, self.percentiles, axis=(1, 2), keepdims=True).astype(np.float32)
            contrast = np.where(highs > lows, highs - lows, 1)  # an empty slice becomes 0
            return np.clip((slices - lows) / contrast, 0, 1)
        if limits is None:
            raise ValueError("a scaling of the volume needs the volume's limits")
        low, high = limits
        return np.clip((slices - np.float32(low)) / np.float32(high - low), 0, 1)

    def normalise_local_contrast(self, planes: ArrayT, as_array: Callable[[np.ndarray], ArrayT]) -> ArrayT:
        """Each pixel's distance from the local mean, in local standard deviations; unchanged without a window.

        Args:
            planes: scaled, (..., H, W), an array of NumPy or a tensor of PyTorch.
            as_array: makes an array of the kind of `planes` from one of NumPy.
        """
        if self.contrast_window_sd is None:
            return planes
        height, width = planes.shape[-2:]
        rows, columns = (as_array(_gaussian(length, self.contrast_window_sd)) for length in (height, width))
        mean = resample_planes(planes, rows, columns)
        variance = resample_planes(planes * planes, rows, columns) - mean * mean
        contrast = (planes - mean) / (variance.clip(0) ** 0.5 + _LEAST_DEVIATION)
        return ((contrast - _DARKEST) / (_BRIGHTEST - _DARKEST)).clip(0, 1)


def _gaussian(length: int, deviation: float) -> np.ndarray:
    """Matrix of weighted means along a line of pixels; beyond its ends there is nothing. float32, (length, length)."""
    places = np.arange(length)
    weights = np.exp(-0.5 * ((places[:, None] - places) / deviation) ** 2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
