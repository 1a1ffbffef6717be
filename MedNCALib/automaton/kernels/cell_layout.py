"""Where cells lie in memory: slices side by side, each inside a frame as wide as a cell can see.

With the frame, the neighbours of every cell are at constant distances from it, at the border too. The frame repeats the
cells that the padding names and is refreshed after every step.
"""

from __future__ import annotations

import numpy as np

from ..rule import Padding


class Layout:
    """Index tables for N slices of H x W cells that see `radius` cells far.

    Attributes:
        shape: (N, H + 2 radius, W + 2 radius), the framed shape.
        interior: index expression that takes the frame away from an array of `shape`.
        cells: int, shape (N * H * W,): place of each cell in the flattened array.
        rows: int, shape (k,): distances from a cell to the first cell of each row of its neighbourhood.
    """

    def __init__(self, slices: int, height: int, width: int, radius: int, padding: Padding) -> None:
        self.radius = radius
        self.shape = (slices, height + 2 * radius, width + 2 * radius)
        self.interior = np.s_[:, radius : radius + height, radius : radius + width]
        self.cells = np.arange(np.prod(self.shape)).reshape(self.shape)[self.interior].ravel()
        self.rows = np.arange(-radius, radius + 1) * self.shape[2] - radius
        self._row_sources = self._sources(height, padding)
        self._column_sources = self._sources(width, padding)

    def _sources(self, length: int, padding: Padding) -> np.ndarray:
        """The framed line that each framed line is a copy of."""
        inside = np.arange(self.radius, self.radius + length)
        # Too few lines to reflect: the outermost ones are repeated.
        mode: Padding = "edge" if length <= self.radius else padding
        return np.pad(inside, self.radius, mode=mode)

    def refresh_frame(self, framed: np.ndarray) -> None:
        """Renew the frame of `framed`, an array of shape `shape` + (C,), in place."""
        rows, columns = self._row_sources, self._column_sources
        for line in (*range(self.radius), *range(len(rows) - self.radius, len(rows))):
            framed[:, line] = framed[:, rows[line]]
        for line in (*range(self.radius), *range(len(columns) - self.radius, len(columns))):
            framed[:, :, line] = framed[:, :, columns[line]]
