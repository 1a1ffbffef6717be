"""The cells of one stage: those in a box run, the others keep the state that was handed over."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from .architecture import WHOLE, Architecture
from .firing import FireDraws
from .kernels.base import FiringCellsKernel
from .wanted_cells import Box, Target, box_around, grown, reaches


class StageCells:
    """The cells of one stage for a group of slices.

    Args:
        architecture: what the stage is part of.
        stage: index of the stage.
        image: shape (N, H, W, image_channels).
        before: the cells of the stage before; None for the first stage.
        target: the cells whose result is wanted, see `wanted_cells`; they lie in the target of the stage before.
        protocol, hints: see `Architecture.initial_state`.

    Attributes:
        target: as given.
        box: slices, rows and columns in which cells run; it is empty if none does.
    """

    def __init__(
        self,
        architecture: Architecture,
        stage: int,
        image: np.ndarray,
        before: StageCells | None,
        target: Target,
        protocol: float = 0.0,
        hints: np.ndarray | None = None,
    ) -> None:
        self.target = target
        self._protocol, self._hints = protocol, hints
        self._architecture, self._stage, self._image, self._before = architecture, stage, image, before
        scale, self._steps = architecture.stages[stage].scale, architecture.stages[stage].steps
        self._radius, self._reach = architecture.kernel_size // 2, reaches(architecture)[stage]
        self._shape = len(image), image.shape[1] // scale, image.shape[2] // scale
        whole: Box = (slice(0, self._shape[0]), slice(0, self._shape[1]), slice(0, self._shape[2]))
        # The cells that run in the first step, and what they see.
        self.box = whole if target is None else box_around(target, self._reach + self._radius * self._steps)
        self._all_run = self.box == whole
        self._in_box = np.empty((0, 0, 0, architecture.channels), np.float32)

    @property
    def any_runs(self) -> bool:
        """Whether there is a cell that runs."""
        return self.box[0] != slice(0, 0)

    def load(self, kernel: FiringCellsKernel) -> None:
        """Let a kernel run the box."""
        numbers, rows, columns = self.box
        before, before_window = None, WHOLE
        if self._before is not None:
            before_numbers, *window = self._before.box
            before_window = window[0], window[1]
            first = before_numbers.start
            before = self._before._in_box[numbers.start - first : numbers.stop - first]
        kernel.load(
            self._architecture.initial_state(
                self._image[numbers],
                self._stage,
                before,
                (rows, columns),
                before_window,
                self._protocol,
                None if self._hints is None else self._hints[numbers],
            )
        )
        self._in_box = kernel.state

    def fire(self, draws: FireDraws, step: int, slices: range) -> np.ndarray:
        """Which cells of the box fire in a step.

        Args:
            draws: which cells would fire if all ran.
            step: index of the step.
            slices: number of each slice in the volume.

        Returns:
            Boolean, of the box's shape.
        """
        numbers, rows, columns = self.box
        fire = draws.draw(self._stage, step, slices[numbers], *self._shape[1:])[:, rows, columns]
        return fire if self.target is None else fire & self._cones[step]

    @property
    def state(self) -> np.ndarray:
        """All cells, float32, shape (N, h, w, C): a view that the next step changes."""
        if self._all_run:
            return self._in_box
        self._handed_over[self.box] = self._in_box
        return self._handed_over

    def probabilities(self) -> np.ndarray:
        """Each label's probability, float32, shape (N, h, w, K): 0 outside of the target."""
        if self.target is None:
            return self._architecture.probabilities(self.state)
        found = np.zeros((*self._shape, self._architecture.label_count), np.float32)
        found[self.target] = self._architecture.probabilities(self._in_box[self.target[self.box]])
        return found

    @cached_property
    def _cones(self) -> list[np.ndarray]:
        """For each step the cells of the box that must run in it."""
        target = np.zeros(self._shape, bool) if self.target is None else self.target
        cones = [grown(target[self.box], self._reach)]
        for _ in range(self._steps - 1):
            cones.append(grown(cones[-1], self._radius))
        return cones[::-1]

    @cached_property
    def _handed_over(self) -> np.ndarray:
        """The state of all cells when the stage began, computed only if somebody looks beyond the box."""
        before = None if self._before is None else self._before.state
        return self._architecture.initial_state(
            self._image, self._stage, before, protocol=self._protocol, hints=self._hints
        )
