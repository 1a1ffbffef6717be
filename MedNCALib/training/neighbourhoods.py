"""The neighbourhoods of chosen cells, with a gradient: a convolution at the cells that fire, and at no other."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (PyTorch's own convention)
from torch import Tensor


class Neighbourhoods(torch.autograd.Function):
    """Gathers square neighbourhoods; its gradient adds up, for each cell, what its neighbourhoods were given.

    Args:
        framed: states with a frame as wide as the neighbourhood's radius, contiguous, (N, H, W, C).
        first: number, counting through N, H and W, of each neighbourhood's first cell, int64, (M,); no two are equal.
        size: rows, and columns, of a neighbourhood.

    Returns:
        (M, size * size * C): rows of the neighbourhood, in them columns, in them channels.
    """

    @staticmethod
    def forward(ctx, framed: Tensor, first: Tensor, size: int) -> Tensor:
        count, height, width, channels = framed.shape
        ctx.save_for_backward(first)
        ctx.shape, ctx.size = framed.shape, size
        # A row of the neighbourhood is one run of memory.
        runs = framed.view(-1).as_strided((count * height * width - size + 1, size * channels), (channels, 1))
        rows = first[:, None] + width * torch.arange(size)
        return runs.index_select(0, rows.view(-1)).view(len(first), -1)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        (first,) = ctx.saved_tensors
        (count, height, width, channels), size = ctx.shape, ctx.size
        none, cells = len(first), count * height * width
        gradient = torch.cat([gradient, gradient.new_zeros(1, gradient.shape[1])])
        # Which neighbourhood begins at a cell; a margin stands for those that would begin before the first cell.
        margin = (size - 1) * (width + 1)
        begins = torch.full((margin + cells,), none, dtype=torch.int32)
        begins[margin + first] = torch.arange(none, dtype=torch.int32)
        # Of the neighbourhoods that a cell is in, the one that begins furthest before it has it as its last.
        begins = begins.as_strided((cells, size, size), (1, width, 1))
        part = torch.arange(size * size - 1, -1, -1, dtype=torch.int32).view(size, size)
        parts = torch.add(part, begins, alpha=size * size).reshape(cells, -1)
        return F.embedding_bag(parts, gradient.view(-1, channels), mode="sum").view(ctx.shape), None, None
