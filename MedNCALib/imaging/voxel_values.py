"""Intensities of any number type, for a model that computes in single precision.

Single precision holds seven digits and numbers up to 3e38. Most images fit as they are. Integers of 32 and 64 bits with
a large offset and outliers of double precision do not: they lose their digits, or overflow.
"""

from __future__ import annotations

import math
from typing import Union

import numpy as np

from ..errors import ImageError

Number = Union[int, float]

# Percentiles of more voxels than this are taken from every n-th voxel along each axis: a small share of so many voxels
# is still thousands of them, and more would only cost memory.
_SAMPLE = 1 << 22

# Integers up to this are exact in single precision.
_EXACT = 1 << 24

# Numbers beyond these overflow, or vanish, when they are weighted, added and scaled.
_LARGEST, _SMALLEST = 1e30, 1e-30

# Intensities lose the digits that tell them apart if they differ by less than this share of their size.
_LEAST_SPREAD = 1e-3

# Nearly all intensities lie between these percentiles. What is further outside than this many times the distance
# between the two is an outlier.
_BULK, _BEYOND = (0.5, 99.5), 100


def extremes(voxels: np.ndarray) -> tuple[Number, Number]:
    """Smallest and largest intensity, found one plane of the memory at a time so that nothing large is copied.

    Args:
        voxels: shape (slices, rows, columns).

    Raises:
        ImageError: NaN or infinite voxels.
    """
    in_memory = voxels.transpose(np.argsort(np.abs(voxels.strides))[::-1])
    planes = [(plane.min().item(), plane.max().item()) for plane in in_memory]  # either is NaN if any voxel is
    if not all(math.isfinite(low) and math.isfinite(high) for low, high in planes):
        raise ImageError(
            "The image has voxels that are not numbers (NaN or infinite). Replace them, for example with the lowest "
            "intensity, or choose a region without them."
        )
    return min(low for low, _ in planes), max(high for _, high in planes)


def sample(voxels: np.ndarray) -> np.ndarray:
    """Voxels evenly spread over the image: few enough for percentiles, or all if there are no more."""
    stride = max(1, math.ceil((voxels.size / _SAMPLE) ** (1 / 3)))
    return voxels[::stride, ::stride, ::stride]


def in_single_precision(voxels: np.ndarray) -> np.ndarray:
    """Intensities that keep their digits in single precision.

    Args:
        voxels: shape (slices, rows, columns), any type of real numbers.

    Returns:
        The same array if its numbers fit. Otherwise a copy, float32, scaled linearly, with outliers clipped.

    Raises:
        ImageError: NaN or infinite voxels.
    """
    if voxels.dtype.kind == "f":
        low, high = extremes(voxels)
        size = max(abs(low), abs(high))
        if voxels.dtype.itemsize <= 4:
            fits = size <= _LARGEST and high - low >= _SMALLEST
        else:
            below, above = _bulk(voxels, low, high)
            least = max(_SMALLEST, _LEAST_SPREAD * max(abs(below), abs(above)))
            fits = size <= _LARGEST and above - below >= least
    elif voxels.dtype.itemsize >= 4:
        low, high = extremes(voxels)
        fits = max(abs(low), abs(high)) <= _EXACT
    else:
        fits = True
    if fits or low == high:
        return voxels
    below, above = _bulk(voxels, low, high)
    spread = above - below
    low, high = max(low, below - _BEYOND * spread), min(high, above + _BEYOND * spread)
    clipped = np.clip(voxels, voxels.dtype.type(low), voxels.dtype.type(high))
    if voxels.dtype.kind == "f":
        return (clipped / spread - low / spread).astype(np.float32)
    # The difference of two integers may need one bit more than they have: it is exact without a sign.
    unsigned = np.dtype(f"u{voxels.dtype.itemsize}")
    return np.subtract(clipped, voxels.dtype.type(low)).view(unsigned).astype(np.float32)


def _bulk(voxels: np.ndarray, low: Number, high: Number) -> tuple[Number, Number]:
    """Two intensities of the image that nearly all others lie between; the extremes if these are equal."""
    few = sample(voxels)
    below = np.percentile(few, _BULK[0], method="lower").item()
    above = np.percentile(few, _BULK[1], method="higher").item()
    return (below, above) if below < above else (low, high)
