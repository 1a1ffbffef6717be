"""Resampling along one axis as a matrix: for images, probabilities and cell states, for NumPy and PyTorch.

Output sample i lies at x(i) = start + i * step in input index coordinates (pixel centres at integers). Outside the
input the border pixel goes on. Every row sums to one. Slices are at most some hundred pixels wide, so a dense product
is cheap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeVar, get_args

import numpy as np

Method = Literal["nearest", "linear", "cubic", "area"]
METHODS: tuple[Method, ...] = get_args(Method)

ArrayT = TypeVar("ArrayT", bound=Any)  # arrays of NumPy or tensors of PyTorch


def sampling_matrix(
    length: int, samples: int, method: Method, step: float | None = None, start: float | None = None
) -> np.ndarray:
    """Matrix that resamples a line of `length` pixels to `samples` pixels.

    Args:
        length: pixels in.
        samples: pixels out.
        method: "nearest"; "linear"; "cubic" (convolution of Keys, IEEE TASSP 1981, with a = -0.75); or "area" (mean
            over the output pixel's width: no aliasing when pixels get larger).
        step: distance of output samples in input pixels; default: both lines cover the same extent.
        start: input coordinate of output sample 0; default: both lines begin at the same edge.

    Returns:
        float32, shape (samples, length).
    """
    step = length / samples if step is None else step
    start = (step - 1) / 2 if start is None else start
    positions = start + step * np.arange(samples)
    if method == "area":
        return _area(positions, step, length)
    matrix = np.zeros((samples, length))
    for index, weight in _taps(positions, method):
        np.add.at(matrix, (np.arange(samples), np.clip(index, 0, length - 1)), weight)
    return matrix.astype(np.float32)


def _taps(positions: np.ndarray, method: Method) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Indices and weights of the input samples that each output sample is the sum of."""
    if method == "nearest":
        yield np.floor(positions + 0.5).astype(int), np.ones(len(positions))
        return
    below = np.floor(positions).astype(int)
    offset = positions - below
    if method == "linear":
        yield below, 1 - offset
        yield below + 1, offset
        return
    for tap in (-1, 0, 1, 2):
        yield below + tap, _keys(np.abs(offset - tap))


def _keys(distance: np.ndarray, a: float = -0.75) -> np.ndarray:
    """Keys's cubic kernel, for distances of at most 2."""
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, near, far)


def _area(positions: np.ndarray, step: float, length: int) -> np.ndarray:
    """Share of each input pixel in the mean over `step` pixels around each position."""
    edges = np.arange(length + 1) - 0.5
    edges[0], edges[-1] = -np.inf, np.inf  # the border pixel goes on
    low, high = (positions - step / 2)[:, None], (positions + step / 2)[:, None]
    overlap = np.minimum(high, edges[1:]) - np.maximum(low, edges[:-1])
    return (np.clip(overlap, 0, None) / step).astype(np.float32)


def resample_planes(planes: ArrayT, rows: ArrayT | None, columns: ArrayT | None) -> ArrayT:
    """Resample planes, shape (..., H, W).

    Args:
        planes: the planes.
        rows: matrix (H', H) along the axis of the rows; None leaves it as it is.
        columns: matrix (W', W) along the axis of the columns; None leaves it as it is.

    Returns:
        Planes of the shape (..., H', W').
    """
    if rows is not None:
        planes = rows @ planes
    if columns is not None:
        planes = planes @ columns.T
    return planes
