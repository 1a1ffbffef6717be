"""Reductions over channels, which are few and come last."""

from __future__ import annotations

from functools import reduce

import numpy as np


def over_channels(operation: np.ufunc, array: np.ndarray) -> np.ndarray:
    """What `operation.reduce(array, axis=-1)` gives, for a short last axis many times as fast.

    NumPy goes along the reduced axis in its innermost loop, which costs more to begin than a few elements take.

    Args:
        operation: as `np.add` or `np.maximum`.
        array: shape (..., channels).

    Returns:
        Shape (...); a view if there is one channel.
    """
    return reduce(operation, np.moveaxis(array, -1, 0))
