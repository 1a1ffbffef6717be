"""Where cells lie in memory: slices side by side, each inside a frame as wide as a cell can see.

With the frame, the neighbours of every cell are at constant distances from it, also at the border. The frame repeats
the cells that the padding names and is refreshed after every step.
"""

from __future__ import annotations

import numpy as np


class Layout:
    """Index tables for N slices of H x W cells that see `radius` cells far.

    Attributes:
        shape: (N, H + 2 radius, W + 2 radius), the framed shape.
        interior: index expression that takes the frame away from an array of `shape`.
        cells: int, shape (N * H * W,): place of each cell in the flattened array.
        rows: int, shape (k,): distances from a cell to where each row of its neighbourhood begins.
    """

    def __init__(self, slices: int, height: int, width: int, radius: int, padding: str):
        self.radius = radius
        self.shape = (slices, height + 2 * radius, width + 2 * radius)
        self.interior = np.s_[:, radius : radius + height, radius : radius + width]
        self.cells = np.arange(np.prod(self.shape)).reshape(self.shape)[self.interior].ravel()
        self.rows = np.arange(-radius, radius + 1) * self.shape[2] - radius
        self._rows = self._sources(height, padding)
        self._columns = self._sources(width, padding)

    def _sources(self, length: int, padding: str) -> np.ndarray:
        """Which framed line each framed line is a copy of."""
        inside = np.arange(self.radius, self.radius + length)
        # A single line has nothing to reflect: it can only repeat itself.
        mode = "edge" if length <= self.radius else padding
        return np.pad(inside, self.radius, mode=mode)

    def refresh_frame(self, framed: np.ndarray) -> None:
        """Renew the frame of `framed`, an array of shape `shape` + (C,), in place."""
        for line in (*range(self.radius), *range(len(self._rows) - self.radius, len(self._rows))):
            framed[:, line] = framed[:, self._rows[line]]
        for line in (*range(self.radius), *range(len(self._columns) - self.radius, len(self._columns))):
            framed[:, :, line] = framed[:, :, self._columns[line]]
