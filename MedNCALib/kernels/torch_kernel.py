"""The same kernel with PyTorch's products, for where PyTorch is already installed."""

from __future__ import annotations

import numpy as np
import torch

from ..rule import Rule
from .firing_cells import FiringCellsKernel


class TorchKernel(FiringCellsKernel):
    """Works on the CPU, on NumPy's own memory; PyTorch shares each product out among threads."""

    def __init__(self, rule: Rule, image_channels: int, padding: str, threads: int | None = None):
        super().__init__(rule, image_channels, padding, threads)
        self._weights = [
            torch.from_numpy(array)
            for array in (self.perception, self.perception_bias, self.hidden, self.hidden_bias, self.update)
        ]

    @torch.no_grad()
    def advance(self, flat: np.ndarray, cells: np.ndarray, after: np.ndarray) -> None:
        perception, perception_bias, hidden, hidden_bias, update = self._weights
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads or before)
        try:
            flat, after = torch.from_numpy(flat), torch.from_numpy(after)
            offsets = torch.from_numpy(self.layout.offsets)
            for block, out in zip(torch.from_numpy(cells).split(self.block), after.split(self.block)):
                places = (block[:, None] + offsets).view(-1)
                neighbours = flat.index_select(0, places).view(len(block), -1)
                centre = neighbours[self.centre]
                seen = torch.cat([centre, torch.addmm(perception_bias, neighbours, perception)], dim=1)
                out.copy_(torch.addmm(centre, torch.addmm(hidden_bias, seen, hidden).relu_(), update))
        finally:
            torch.set_num_threads(before)
