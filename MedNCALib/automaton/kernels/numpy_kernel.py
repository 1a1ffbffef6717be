"""The kernel that always works: NumPy alone."""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np

from ...numerics import blas_threads
from ..rule import Rule
from .base import FiringCellsKernel, Scratch


class NumpyKernel(FiringCellsKernel):
    """Where NumPy's linear algebra library is not OpenBLAS, its threads cannot be told; it then shares out products by
    itself, and the kernel has a thread of its own only where `threads` asks for more.
    """

    largest_block = 2048  # slower with 1024 in `mednca bench`, no faster with 4096 or 8192

    def __init__(self, rule: Rule, image_channels: int, padding: str, threads: int | None = None):
        super().__init__(rule, image_channels, padding, threads)
        # NumPy compares with an array faster than with a number.
        self._zeros = np.zeros((self.largest_block, self.hidden.shape[1]), np.float32)

    def library_threads(self) -> int:
        return blas_threads.threads()

    def one_library_thread(self) -> AbstractContextManager:
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
