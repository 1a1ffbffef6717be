"""Recorders of a run: the cells after each step, or the step at which each cell came to rest.

A run whose every cell shall be recorded is one with `all_cells`: in others some cells keep the state that was handed
over from the stage before.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

import numpy as np
from numpy.typing import DTypeLike

from ..automaton.architecture import Architecture
from .common_grid import CommonGrid
from .found_structures import FoundStructure
from .output import argmax_labels
from .steps import ResultT, Step, tap


def step_number(step: Step) -> int:
    """Number of a step among those of all stages, from 1."""
    return sum(stage.steps for stage in step.architecture.stages[: step.stage - 1]) + step.step


def kept_steps(architecture: Architecture, frame_bytes: int, cap_bytes: int) -> list[int]:
    """Numbers of the steps whose frames fit into the cap: evenly spread, the last among them, at least one."""
    total = sum(stage.steps for stage in architecture.stages)
    count = min(total, max(1, cap_bytes // frame_bytes))
    if count == 1:
        return [total]
    return sorted({int(number) for number in np.rint(np.linspace(1, total, count))})


def _is_shown(step: Step) -> bool:
    """Whether a step is recorded: those of the first pass are, in each place that a finder has found."""
    return step.run == 1 and not step.is_finding


class Recorder:
    """Keeps frames of the first pass: the whole model's grid after each of some steps.

    Where boxes of what was found overlap, a value of 0 leaves what is there.

    Args:
        view: gives what to keep of a step: an array (n, h, w) at the step's scale.
        kind: NumPy type of the frames' values.
        cap_bytes: most memory that all frames may take together.

    Attributes:
        frames: step number -> array of the grid's shape, from the first step on.
        grid: of the frames; None before the first step.
    """

    def __init__(self, view: Callable[[Step], np.ndarray], kind: DTypeLike, cap_bytes: int) -> None:
        self._view, self._kind, self._cap = view, np.dtype(kind), cap_bytes
        self.frames: dict[int, np.ndarray] = {}
        self.grid: CommonGrid | None = None

    def follow(self, steps: Generator[Step, None, ResultT]) -> Generator[Step, None, ResultT]:
        """Pass the steps of a run on and keep frames of them; a generator with the same return value."""
        return tap(steps, self._add)

    def _add(self, step: Step) -> None:
        if not _is_shown(step):
            return
        if self.grid is None:
            self.grid = CommonGrid(step)
            shape = self.grid.shape
            numbers = kept_steps(step.architecture, int(np.prod(shape)) * self._kind.itemsize, self._cap)
            self.frames = {number: np.zeros(shape, self._kind) for number in numbers}
        frame = self.frames.get(step_number(step))
        if frame is not None:
            here, there = self.grid.places(step)
            values = step.full_size(self._view(step))[there]
            frame[here] = np.where(values != 0, values, frame[here])


class SettlingRecorder:
    """Finds for each cell of the model's grid the last step of the first pass that changed its label.

    Attributes:
        settled: step number, uint16, of the grid's shape: 0 for a cell that was background all the time.
        grid: of the cells; None before the first step.
    """

    def __init__(self) -> None:
        self.settled = np.zeros(0, np.uint16)
        self.grid: CommonGrid | None = None
        self._labels: dict[FoundStructure | None, np.ndarray] = {}

    def follow(self, steps: Generator[Step, None, ResultT]) -> Generator[Step, None, ResultT]:
        """Pass the steps of a run on; a generator with the same return value."""
        return tap(steps, self._add)

    def _add(self, step: Step) -> None:
        if not _is_shown(step):
            return
        if self.grid is None:
            self.grid = CommonGrid(step)
            self.settled = np.zeros(self.grid.shape, np.uint16)
        if step.structure not in self._labels:
            self._labels[step.structure] = np.zeros(step.space.inside_shape, np.uint8)
        before = self._labels[step.structure][slice(*step.slices[:2])]
        probabilities = step.probabilities()
        # The probabilities of a cell that nothing has reached yet are equal, up to rounding.
        undecided = probabilities.max(axis=-1) < 1 / (probabilities.shape[-1] + 1) + 1e-6
        labels = step.full_size(np.where(undecided, 0, argmax_labels(probabilities)))
        here, there = self.grid.places(step)
        self.settled[here][(labels != before)[there]] = step_number(step)
        before[...] = labels
