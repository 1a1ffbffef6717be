"""The same kernel with PyTorch's products, for users who have PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from ..rule import Padding, Rule
from .base import FiringCellsKernel, Scratch


class TorchKernel(FiringCellsKernel):
    """Computes blocks with PyTorch's products on the CPU, in the memory of NumPy's arrays."""

    largest_block = 4096  # chosen by timing, see Resources/Documentation/decisions

    def __init__(
        self, rule: Rule, image_channels: int, padding: Padding, threads: int | None = None, beside: int = 1
    ) -> None:
        super().__init__(rule, image_channels, padding, threads, beside)
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
        # The number of threads is kept for each thread and initialised from the global one at the first
        # get_num_threads(). That has to happen before 1 is set, or the global number is read later.
        torch.get_num_threads()
        torch.set_num_threads(1)

    @torch.inference_mode()
    def advance(self, neighbours: np.ndarray, after: np.ndarray, scratch: Scratch) -> None:
        perception, hidden_weights, update = self._weights
        count, channels = after.shape
        scratch.seen[:count, :channels] = neighbours[self.centre]
        seen, hidden = torch.from_numpy(scratch.seen[:count]), torch.from_numpy(scratch.hidden[:count])
        torch.mm(torch.from_numpy(neighbours), perception, out=seen[:, channels:-1])
        torch.mm(seen, hidden_weights, out=hidden).relu_()
        torch.addmm(seen[:, :channels], hidden, update, out=torch.from_numpy(after))
