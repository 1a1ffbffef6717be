"""The kernel that always works: NumPy, in blocks that stay in the processor's cache."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .firing_cells import FiringCellsKernel


class NumpyKernel(FiringCellsKernel):
    """Blocks of cells are independent, and NumPy lets go of the interpreter inside each product: threads share them
    out.

    With `threads` None there is one, and the linear algebra library under NumPy decides by itself about its own.
    """

    def advance(self, flat: np.ndarray, cells: np.ndarray, after: np.ndarray) -> None:
        starts = range(0, len(cells), self.block)
        threads = min(self.threads or 1, len(starts))
        if threads <= 1:
            for start in starts:
                self._advance_block(flat, cells, after, start)
            return
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda start: self._advance_block(flat, cells, after, start), starts))

    def _advance_block(self, flat: np.ndarray, cells: np.ndarray, after: np.ndarray, start: int) -> None:
        cells, after = cells[start : start + self.block], after[start : start + self.block]
        # mode="clip" lets numpy write without a second copy; the frame keeps every index inside.
        neighbours = np.take(flat, cells[:, None] + self.layout.offsets, axis=0, mode="clip").reshape(len(cells), -1)
        channels = flat.shape[1]
        seen = np.empty((len(cells), len(self.hidden)), np.float32)
        seen[:, :channels] = neighbours[self.centre]
        np.matmul(neighbours, self.perception, out=seen[:, channels:])
        seen[:, channels:] += self.perception_bias
        hidden = seen @ self.hidden
        hidden += self.hidden_bias
        np.maximum(hidden, 0, out=hidden)
        np.matmul(hidden, self.update, out=after)
        after += seen[:, :channels]
