"""Recorders of a run: the cells after each step, or the step at which each cell came to rest.

A run whose every cell shall be recorded is one with `all_cells`: in others some cells keep the state that was handed
over from the stage before.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

import numpy as np
from numpy.typing import DTypeLike

from ..automaton.architecture import Architecture
from ..imaging.slice_space import SliceSpace
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


def _is_shown(step: Step, space: SliceSpace | None) -> bool:
    """Whether a step is recorded: those of the first pass on one grid are, the first besides that of a finder."""
    return step.run == 1 and not step.is_finding and space in (None, step.space)


class Recorder:
    """Keeps frames of the first pass: the whole model's grid after each of some steps.

    Args:
        view: gives what to keep of a step: an array (n, h, w) at the step's scale.
        kind: NumPy type of the frames' values.
        cap_bytes: most memory that all frames may take together.

    Attributes:
        frames: step number -> array of `space.inside_shape`, from the first step on.
        space: the grid of the frames; None before the first step.
    """

    def __init__(self, view: Callable[[Step], np.ndarray], kind: DTypeLike, cap_bytes: int) -> None:
        self._view, self._kind, self._cap = view, np.dtype(kind), cap_bytes
        self.frames: dict[int, np.ndarray] = {}
        self.space: SliceSpace | None = None

    def follow(self, steps: Generator[Step, None, ResultT]) -> Generator[Step, None, ResultT]:
        """Pass the steps of a run on and keep frames of them; a generator with the same return value."""
        return tap(steps, self._add)

    def _add(self, step: Step) -> None:
        if not _is_shown(step, self.space):
            return
        if self.space is None:
            self.space = step.space
            shape = step.space.inside_shape
            numbers = kept_steps(step.architecture, int(np.prod(shape)) * self._kind.itemsize, self._cap)
            self.frames = {number: np.zeros(shape, self._kind) for number in numbers}
        frame = self.frames.get(step_number(step))
        if frame is not None:
            frame[step.slices[0] : step.slices[1]] = step.full_size(self._view(step))


class SettlingRecorder:
    """Finds for each cell of the model's grid the last step of the first pass that changed its label.

    Attributes:
        settled: step number, uint16, of `space.inside_shape`: 0 for a cell that was background all the time.
        space: the grid; None before the first step.
    """

    def __init__(self) -> None:
        self.settled = np.zeros(0, np.uint16)
        self.space: SliceSpace | None = None
        self._labels = np.zeros(0, np.uint8)

    def follow(self, steps: Generator[Step, None, ResultT]) -> Generator[Step, None, ResultT]:
        """Pass the steps of a run on; a generator with the same return value."""
        return tap(steps, self._add)

    def _add(self, step: Step) -> None:
        if not _is_shown(step, self.space):
            return
        if self.space is None:
            self.space = step.space
            self.settled = np.zeros(step.space.inside_shape, np.uint16)
            self._labels = np.zeros(step.space.inside_shape, np.uint8)
        group = slice(*step.slices[:2])
        probabilities = step.probabilities()
        # The probabilities of a cell that nothing has reached yet are equal, up to rounding.
        undecided = probabilities.max(axis=-1) < 1 / (probabilities.shape[-1] + 1) + 1e-6
        labels = step.full_size(np.where(undecided, 0, argmax_labels(probabilities)))
        self.settled[group][labels != self._labels[group]] = step_number(step)
        self._labels[group] = labels
