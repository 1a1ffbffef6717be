"""The passes of a model over the slices of an image, group by group, and how much work that is."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Callable

import numpy as np

from ..automaton.architecture import Architecture
from ..imaging.slice_space import SliceSpace
from ..model.card import Protocol
from ..model.model import Model
from .group_steps import group_steps
from .model_input import ModelInput
from .options import RunOptions
from .protocol import value_of
from .side_by_side import side_by_side
from .slice_groups import slice_groups
from .steps import Step, part_of_run

# Normalised intensities of a slice that differ by less are rounding.
_NO_CONTRAST = 1e-5


def pass_steps(
    model_input: ModelInput,
    model: Model,
    options: RunOptions,
    protocol: Protocol | None,
    add: Callable[[Sequence[np.ndarray]], object],
    groups: Sequence[range] | None = None,
    hints: Callable[[range], np.ndarray] | None = None,
    at_once: int = 1,
) -> Generator[Step, None, None]:
    """All passes over each group of slices in turn.

    Args:
        model_input, model, options: of the run.
        protocol: the segmentation protocol whose border is drawn.
        add: is called with each group's probabilities, for each pass of shape (n, H, W, K), when it is finished.
        groups: the slices that run; None for all.
        hints: gives those of a group, see `Architecture.initial_state`; None if nobody has said anything.
        at_once: how many groups go on side by side, see `side_by_side`.

    Yields:
        The steps, with the share of all of them that is done.
    """
    cascade = model.cascade.without_hints if hints is None else model.cascade
    groups = slice_groups(model_input.space, cascade.architecture) if groups is None else groups
    at_once = min(at_once, len(groups))
    skip = None if options.all_cells else model.skip_rule

    def passes(group: range) -> Generator[Step, None, list[np.ndarray]]:
        slices = model_input.slices(group)
        said = None if hints is None else hints(group)
        empty = _without_contrast(slices, model)
        finished = []
        for run in range(options.runs):
            steps = group_steps(
                model_input, model, options, cascade, slices, group, run, at_once, skip, value_of(protocol), said
            )
            cells = yield from part_of_run(steps, run / options.runs, (run + 1) / options.runs)
            finished.append(cells.probabilities())
            finished[-1][empty] = 0
        return finished

    yield from side_by_side(map(passes, groups), [len(group) for group in groups], at_once, add, ahead=len(groups))


def _without_contrast(slices: np.ndarray, model: Model) -> np.ndarray:
    """Which slices show nothing at all, such as those that fill a stack up, for a model that looks at each by itself.

    Args:
        slices: as the model takes them, shape (n, H, W, image channels).
        model: the model.
    """
    if model.normalisation.scope != "slice":
        return np.zeros(len(slices), bool)
    middle = slices[..., slices.shape[-1] // 2]
    return np.ptp(middle, axis=(1, 2)) < _NO_CONTRAST


def cell_count(space: SliceSpace) -> int:
    """Number of cells of the model's grid."""
    return space.count * space.height * space.width


def work_of_cell(model: Model) -> float:
    """How much work a cell of the model's grid is in one pass: multiplications of the steps that it takes."""
    return model.cascade.parameter_count / len(model.cascade.rules) * _steps_of_cell(model.cascade.architecture)


def _steps_of_cell(architecture: Architecture) -> float:
    """Number of steps that a cell of the model's grid takes; a coarse one stands for several."""
    return sum(stage.steps / stage.scale**2 for stage in architecture.stages) * architecture.fire_rate
