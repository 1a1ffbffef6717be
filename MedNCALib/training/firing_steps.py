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
        filters: from a cell's neighbourhood to what it perceives, (k * k * C, F).
        hidden: from the cell itself and what it perceives to the hidden layer, (C + F, H).
        bias: of the hidden layer, with what the bias of the perception adds to it, (H,).
        update: (H, C).
    """

    filters: Tensor
    hidden: Tensor
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
    """What the gradients of one step need. Neighbourhoods, k * k times the state of what fires, are gathered again.

    Attributes:
        rows: cells that fire, and after them the first of them again.
        fired: how many cells fire.
        state: before the step, in the precision of the change, (cells, C).
        known: what cells know, themselves and what they perceive, (rows, C + F).
        hidden: (rows, H).
    """

    rows: Tensor
    fired: int
    state: Tensor
    known: Tensor
    hidden: Tensor


class _Steps(torch.autograd.Function):
    """The steps of all samples, in groups."""

    @staticmethod
    def forward(ctx: Any, state: Tensor, fires: Tensor, neighbours: _Neighbours, *values: Tensor) -> Tensor:
        weights, keep = Weights(*values), any(ctx.needs_input_grad)
        groups = group_count(len(state), state[..., 0].numel(), state.device)
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
    channels, filters = state.shape[-1], weights.filters.shape[1]
    steps, gathered = [], _Gathered(around, state, weights.filters.dtype)
    values = state.flatten(0, 2).clone()
    all_fires = fires.flatten(1)
    for cells in all_fires.nonzero()[:, 1].split(all_fires.sum(dim=1).tolist()):
        fired = cells.shape[0]
        rows = F.pad(cells, (0, _ROWS - fired % _ROWS))  # the first cell again, as often as that needs
        before = values.to(weights.filters.dtype, copy=True)
        near = gathered.near(before, rows)
        known = near.new_empty(near.shape[0], channels + filters)
        known[:, :channels] = _centre(near, channels)
        torch.mm(near, weights.filters, out=known[:, channels:])
        hidden = torch.addmm(weights.bias, known, weights.hidden).relu_()
        change = hidden @ weights.update
        values.index_add_(0, cells, change[:fired].float())
        if keep:
            steps.append(_Step(rows, fired, before, known, hidden))
    return values.view(state.shape), steps


@torch.no_grad()
def _backward(
    gradient: Tensor, neighbours: _Neighbours, weights: Weights, steps: list[_Step]
) -> tuple[Tensor, Weights]:
    """Gradients of some samples' initial state, and of the weights in float32."""
    around, by, place = neighbours.of(gradient.shape, gradient.device)
    channels, places = gradient.shape[-1], around.shape[1]
    gathered = _Gathered(around, gradient, weights.filters.dtype)
    of_state = gradient.flatten(0, 2).clone()
    total = Weights(*(torch.zeros(each.shape, device=each.device) for each in weights))
    back = Weights(*(each.T.contiguous() if each.dim() == 2 else each for each in weights))
    of_near = weights.filters.new_empty(1 + len(of_state) + _ROWS, places * channels)
    of_near[0] = 0  # of a cell that does not fire
    first = torch.empty(len(of_state) + 1, dtype=torch.int32, device=gradient.device)
    numbers = torch.arange(1, len(of_state) + 1, dtype=torch.int32, device=gradient.device) * places
    push = _push_of_silent(steps[-1].hidden)
    while steps:
        rows, fired, before, known, hidden = steps.pop()  # frees what it held
        near = gathered.near(before, rows)
        change = of_state.index_select(0, rows).to(near.dtype)
        change[fired:] = 0
        of_hidden = torch.ops.aten.threshold_backward(change @ back.update, hidden, 0)
        if push is not None:
            of_hidden -= push
        of_known = of_hidden @ back.hidden
        of_perceived = of_known[:, channels:]
        total.update.add_(hidden.T @ change)
        total.bias.add_(of_hidden.sum(dim=0))
        total.hidden.add_(known.T @ of_hidden)
        total.filters.add_(near.T @ of_perceived)
        of_fired = of_near[1 : near.shape[0] + 1]
        torch.mm(of_perceived, back.filters, out=of_fired)
        _centre(of_fired, channels).add_(of_known[:, :channels])
        first.zero_()
        first[rows[:fired]] = numbers[:fired]
        sources = first.index_select(0, by.view(-1)).view(by.shape).add_(place)
        of_state.add_(F.embedding_bag(sources, of_near.view(-1, channels), mode="sum"))
    return of_state.view(gradient.shape), total


class _Gathered:
    """Gathers neighbourhoods, each time into the same memory, which is quicker than into new memory."""

    def __init__(self, around: Tensor, state: Tensor, dtype: torch.dtype) -> None:
        self._around = around
        rows = len(around) + _ROWS
        self._near = torch.empty(rows * around.shape[1], state.shape[-1], dtype=dtype, device=state.device)

    def near(self, state: Tensor, rows: Tensor) -> Tensor:
        """Neighbourhoods of cells, (rows, k * k * C)."""
        cells = self._around.index_select(0, rows).view(-1)
        return torch.index_select(state, 0, cells, out=self._near[: cells.shape[0]]).view(rows.shape[0], -1)


def _centre(near: Tensor, channels: int) -> Tensor:
    """The cells themselves in their neighbourhoods, (rows, C), as a view."""
    return near.narrow(1, (near.shape[1] // channels // 2) * channels, channels)


def _push_of_silent(hidden: Tensor) -> Tensor | None:
    """A remedy for units of the hidden layer that die (Lu et al., arXiv 1903.06733).

    A unit that is silent in every cell has no gradient and would stay silent, here it gets a small one that pushes it
    up. In a long training a whole stage can die, and the result still looks plausible, since the stages before it are
    in the loss. An optimiser that scales gradients to their own size follows the push if there is no other gradient.

    Args:
        hidden: the layer in the last step, (rows, H). A unit that is dead is silent in all steps.

    Returns:
        What is taken off the gradient before the relu, (H,); None if no unit is silent.
    """
    silent = hidden.sum(dim=0) == 0
    return silent.to(hidden.dtype) * (_PUSH / len(hidden)) if silent.any() else None
