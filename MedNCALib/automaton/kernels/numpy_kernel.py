"""The kernel that always works: NumPy alone."""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np

from ...numerics import blas_threads
from ..rule import Padding, Rule
from .base import FiringCellsKernel, Scratch


class NumpyKernel(FiringCellsKernel):
    """Computes blocks with NumPy's products.

    If NumPy's linear algebra library is not OpenBLAS, its number of threads can be neither read nor set: it shares out
    products by itself, and the kernel starts threads only if `threads` asks for them.
    """

    largest_block = 2048  # chosen by timing, see Resources/Documentation/decisions

    def __init__(
        self, rule: Rule, image_channels: int, padding: Padding, threads: int | None = None, beside: int = 1
    ) -> None:
        super().__init__(rule, image_channels, padding, threads, beside)
        # NumPy's maximum is faster with an array than with a number.
        self._zeros = np.zeros((self.largest_block, self.hidden.shape[1]), np.float32)

    def library_threads(self) -> int:
        return blas_threads.threads()

    def one_library_thread(self) -> AbstractContextManager[None]:
        return blas_threads.one_thread()

    def advance(self, neighbours: np.ndarray, after: np.ndarray, scratch: Scratch) -> None:
        count, channels = after.shape
        seen, hidden = scratch.seen[:count], scratch.hidden[:count]
        seen[:, :channels] = neighbours[self.centre]
        np.matmul(neighbours, self.perception, out=seen[:, channels:-1])
        np.matmul(seen, self.hidden, out=hidden)
        np.maximum(hidden, self._zeros[:count], out=hidden)
        np.matmul(hidden, self.update, out=after)
        after += seen[:, :channels]
