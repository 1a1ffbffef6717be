"""The same kernel with PyTorch's products, for where PyTorch is already installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from ..rule import Rule
from .base import FiringCellsKernel, Scratch


class TorchKernel(FiringCellsKernel):
    """Works on the CPU, on NumPy's own memory."""

    largest_block = 4096  # slower with 1024 and 2048 in `mednca bench`, little faster with 8192

    def __init__(self, rule: Rule, image_channels: int, padding: str, threads: int | None = None):
        super().__init__(rule, image_channels, padding, threads)
        self._weights = [torch.from_numpy(array) for array in (self.perception, self.hidden, self.update)]

    def library_threads(self) -> int:
        return torch.get_num_threads()

    @contextmanager
    def one_library_thread(self) -> Iterator[None]:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    @staticmethod
    def begin_thread() -> None:
        # PyTorch keeps the number for each thread. A new thread takes over the others' when it first looks, so it has
        # to look before it is told its own; the others' comes back with the end of `one_library_thread`.
        torch.get_num_threads()
        torch.set_num_threads(1)

    @torch.inference_mode()
    def advance(self, neighbours: np.ndarray, after: np.ndarray, scratch: Scratch) -> None:
        perception, hidden_weights, update = self._weights
        count, channels = after.shape
        scratch.seen[:count, :channels] = neighbours[self.centre]
        arrays = (neighbours, after, scratch.seen[:count], scratch.hidden[:count])
        neighbours, after, seen, hidden = map(torch.from_numpy, arrays)
        torch.mm(neighbours, perception, out=seen[:, channels:-1])
        torch.mm(seen, hidden_weights, out=hidden).relu_()
        torch.addmm(seen[:, :channels], hidden, update, out=after)
