"""What the cells of a run went through: a picture of them after each step, or the step at which each came to rest."""

from __future__ import annotations

from collections.abc import Callable, Generator

import numpy as np
from numpy.typing import DTypeLike

from ..automaton.architecture import Architecture
from ..imaging.slice_space import SliceSpace
from .segmenter import argmax_labels
from .steps import Step, tap


def step_number(step: Step) -> int:
    """Number of a step among those of all stages, from 1."""
    return sum(stage.steps for stage in step.architecture.stages[: step.stage - 1]) + step.step


def kept_steps(architecture: Architecture, frame_bytes: int, cap_bytes: int) -> list[int]:
    """Numbers of the steps of which frames fit into the cap, evenly spread with the last among them; at least one."""
    total = sum(stage.steps for stage in architecture.stages)
    count = min(total, max(1, cap_bytes // frame_bytes))
    if count == 1:
        return [total]
    return sorted({int(number) for number in np.rint(np.linspace(1, total, count))})


class Recorder:
    """Keeps a frame of the whole model's grid for each of some steps, of the first run.

    Args:
        view: what is kept of a step: an array (n, h, w) at the step's scale.
        kind: of the frames' values, a numpy type.
        cap_bytes: what the frames may take together.

    Attributes:
        frames: step number -> array of `space.inside_shape`, from the first step on.
        space: the grid of the frames; None before the first step.
    """

    def __init__(self, view: Callable[[Step], np.ndarray], kind: DTypeLike, cap_bytes: int) -> None:
        self._view, self._kind, self._cap = view, np.dtype(kind), cap_bytes
        self.frames: dict[int, np.ndarray] = {}
        self.space: SliceSpace | None = None

    def follow(self, steps: Generator) -> Generator:
        """Pass the steps of a run on and keep what is asked for; a generator with the same return value."""
        return tap(steps, self._add)

    def _add(self, step: Step) -> None:
        if step.run > 1:
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
    """Finds for each cell of the model's grid the step after which its label no longer changed, in the first run.

    Attributes:
        settled: step number, uint16, of `space.inside_shape`: 0 where the cell was background all the time.
        space: the grid; None before the first step.
    """

    def __init__(self) -> None:
        self.settled = np.zeros(0, np.uint16)
        self.space: SliceSpace | None = None
        self._labels = np.zeros(0, np.uint8)

    def follow(self, steps: Generator) -> Generator:
        """Pass the steps of a run on; a generator with the same return value."""
        return tap(steps, self._add)

    def _add(self, step: Step) -> None:
        if step.run > 1:
            return
        if self.space is None:
            self.space = step.space
            self.settled = np.zeros(step.space.inside_shape, np.uint16)
            self._labels = np.zeros(step.space.inside_shape, np.uint8)
        group = slice(*step.slices[:2])
        probabilities = step.probabilities()
        # A cell that nothing has reached yet gives background and labels equal shares, up to rounding.
        undecided = probabilities.max(axis=-1) < 1 / (probabilities.shape[-1] + 1) + 1e-6
        labels = step.full_size(np.where(undecided, 0, argmax_labels(probabilities)))
        self.settled[group][labels != self._labels[group]] = step_number(step)
        self._labels[group] = labels
