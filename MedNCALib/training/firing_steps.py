"""The steps of one rule with gradients: those of the firing cells alone, written out by hand.

A firing cell gathers its neighbourhood, and the gradients of the neighbourhoods are gathered back: each cell takes what
its neighbours have for it. Autograd would fill and scatter large arrays for the same. Groups of samples are computed
side by side, see `workers.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ..automaton.rule import Padding
from .workers import group_count, side_by_side

# The number of rows in a product is a multiple of this, a little more than cells fire, since oneDNN compiles a product
# in bfloat16 anew for every shape that it has not seen.
_ROWS = 128

# Gradient that a silent unit gets in one step, all cells together: well below that of units that fire.
_PUSH = 1e-6


class Weights(NamedTuple):
    """One rule's weights in the form of the products; k is the kernel's size.

    Attributes:
        filters, filters_bias: from a cell's neighbourhood to what it perceives: (k * k * C, F) and (F,).
        own, perceived, bias: from the cell itself and from what it perceives to the hidden layer: (C, H), (F, H), (H,).
        update: (H, C).
    """

    filters: Tensor
    filters_bias: Tensor
    own: Tensor
    perceived: Tensor
    bias: Tensor
    update: Tensor


def fired_steps(state: Tensor, weights: Weights, fires: Tensor, kernel_size: int, padding: Padding) -> Tensor:
    """Apply a rule.

    Args:
        state: float32, contiguous, shape (N, h, w, C).
        weights: in the precision of the change; the state stays float32.
        fires: bool, which cells fire in each step, shape (steps, N, h, w).
        kernel_size: of the perception.
        padding: what lies beyond the border.
    """
    after: Tensor = _Steps.apply(state, fires, _Neighbours(kernel_size, padding), *weights)
    return after


@dataclass(frozen=True)
class _Neighbours:
    """Which cells a cell perceives."""

    kernel_size: int
    padding: Padding

    def of(self, shape: Sequence[int], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        count, height, width = shape[:3]
        return _neighbour_tables(count, height, width, self.kernel_size, self.padding, device)


@lru_cache(maxsize=32)
def _neighbour_tables(
    count: int, height: int, width: int, kernel_size: int, padding: Padding, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Who perceives whom, for all cells of so many samples.

    Returns:
        The cells that each cell perceives, (cells, k * k); and the cells that perceive it, and at which place of their
        neighbourhood, (cells, most) both. A cell that fewer perceive has the number of cells for one that is not there.
    """
    cells, places, radius = count * height * width, kernel_size**2, kernel_size // 2
    numbers = np.arange(cells).reshape(count, height, width)
    framed = np.pad(numbers, ((0, 0), (radius, radius), (radius, radius)), mode=padding)
    windows = np.lib.stride_tricks.sliding_window_view(framed, (kernel_size, kernel_size), axis=(1, 2))
    perceived = windows.reshape(cells, places)
    order = np.argsort(perceived, axis=None, kind="stable")
    counts = np.bincount(perceived.ravel(), minlength=cells)
    column = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    by, place = np.full((cells, counts.max()), cells), np.zeros((cells, counts.max()), int)
    by[perceived.ravel()[order], column], place[perceived.ravel()[order], column] = np.divmod(order, places)
    tables = (torch.from_numpy(each.astype(np.int32)).to(device) for each in (perceived, by, place))
    return next(tables), next(tables), next(tables)


class _Step(NamedTuple):
    """What the gradients of one step need.

    Attributes:
        cells: that fire.
        near: their neighbourhoods, (rows, k * k * C); the rows after those of the cells are copies of the first.
        perceived, hidden: (rows, F) and (rows, H).
    """

    cells: Tensor
    near: Tensor
    perceived: Tensor
    hidden: Tensor


class _Steps(torch.autograd.Function):
    """The steps of all samples, in groups."""

    @staticmethod
    def forward(ctx: Any, state: Tensor, fires: Tensor, neighbours: _Neighbours, *values: Tensor) -> Tensor:
        weights, keep = Weights(*values), any(ctx.needs_input_grad)
        groups = group_count(len(state), state.device)
        done = side_by_side(
            _forward,
            [
                (part, part_fires, neighbours, weights, keep)
                for part, part_fires in zip(state.chunk(groups), fires.chunk(groups, dim=1))
            ],
        )
        ctx.steps, ctx.neighbours = [steps for _, steps in done], neighbours
        ctx.save_for_backward(*weights)
        return torch.cat([after for after, _ in done])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        weights = Weights(*ctx.saved_tensors)
        parts = gradient.contiguous().chunk(len(ctx.steps))
        done = side_by_side(
            _backward, [(part, ctx.neighbours, weights, steps) for part, steps in zip(parts, ctx.steps)]
        )
        of_state = torch.cat([part for part, _ in done])
        of_weights = (torch.stack(each).sum(dim=0).to(of.dtype) for of, *each in zip(weights, *(w for _, w in done)))
        return (of_state, None, None, *of_weights)


@torch.no_grad()
def _forward(
    state: Tensor, fires: Tensor, neighbours: _Neighbours, weights: Weights, keep: bool
) -> tuple[Tensor, list[_Step]]:
    """The state of some samples after all steps, and if the gradients are wanted what they need."""
    around, _, _ = neighbours.of(state.shape, state.device)
    steps = []
    values = state.flatten(0, 2)
    for fire in fires:
        cells = fire.reshape(-1).nonzero()[:, 0]
        rows = F.pad(cells, (0, _ROWS - len(cells) % _ROWS))  # the first cell again, as often as that needs
        near = values.to(weights.filters.dtype).index_select(0, around.index_select(0, rows).view(-1))
        near = near.view(len(rows), -1)
        perceived = torch.addmm(weights.filters_bias, near, weights.filters)
        hidden = torch.addmm(weights.bias, perceived, weights.perceived)
        hidden = hidden.addmm_(_centre(near, state.shape[-1]), weights.own).relu_()
        change = hidden @ weights.update
        values = values.index_add(0, cells, change[: len(cells)].float())
        if keep:
            steps.append(_Step(cells, near, perceived, hidden))
    return values.view(state.shape), steps


@torch.no_grad()
def _backward(
    gradient: Tensor, neighbours: _Neighbours, weights: Weights, steps: list[_Step]
) -> tuple[Tensor, Weights]:
    """Gradients of some samples' initial state, and of the weights in float32."""
    around, by, place = neighbours.of(gradient.shape, gradient.device)
    channels, places = gradient.shape[-1], around.shape[1]
    of_state = gradient.flatten(0, 2)
    total = Weights(*(torch.zeros(each.shape, device=each.device) for each in weights))
    back = Weights(*(each.T.contiguous() if each.dim() == 2 else each for each in weights))
    first = torch.empty(len(of_state) + 1, dtype=torch.int32, device=gradient.device)
    while steps:
        cells, near, perceived, hidden = steps.pop()  # frees what it held
        count, rows = len(cells), len(near)
        change = F.pad(of_state.index_select(0, cells), (0, 0, 0, rows - count)).to(near.dtype)
        of_hidden = _through_relu(change @ back.update, hidden)
        of_perceived = of_hidden @ back.perceived
        total.update.add_(hidden.T @ change)
        total.bias.add_(of_hidden.sum(dim=0))
        total.perceived.add_(perceived.T @ of_hidden)
        total.own.add_(_centre(near, channels).T @ of_hidden)
        total.filters_bias.add_(of_perceived.sum(dim=0))
        total.filters.add_(near.T @ of_perceived)
        of_near = near.new_empty(rows + 1, places * channels)
        torch.mm(of_perceived, back.filters, out=of_near[:rows])
        _centre(of_near[:rows], channels).addmm_(of_hidden, back.own)
        of_near[rows:] = 0  # the row of a cell that does not fire
        first.fill_(rows * places)
        first[cells] = torch.arange(0, count * places, places, dtype=torch.int32, device=gradient.device)
        sources = first.index_select(0, by.view(-1)).view(by.shape).add_(place)
        of_state = of_state + F.embedding_bag(sources, of_near.view(-1, channels), mode="sum").float()
    return of_state.view(gradient.shape), total


def _centre(near: Tensor, channels: int) -> Tensor:
    """The cells themselves in their neighbourhoods, (rows, C), as a view."""
    return near.narrow(1, (near.shape[1] // channels // 2) * channels, channels)


def _through_relu(gradient: Tensor, hidden: Tensor) -> Tensor:
    """The gradient before the hidden layer's relu, with a remedy for dying units (Lu et al., arXiv 1903.06733).

    A unit that is silent in every cell has no gradient and would stay silent, here it gets a small one that pushes it
    up. In a long training a whole stage can die, and the result still looks plausible, since the stages before it are
    in the loss. An optimiser that scales gradients to their own size follows the push if there is no other gradient.
    """
    gradient = torch.ops.aten.threshold_backward(gradient, hidden, 0)
    silent = hidden.amax(dim=0) == 0
    if silent.any():
        gradient = gradient - silent.to(gradient.dtype) * (_PUSH / len(gradient))
    return gradient
