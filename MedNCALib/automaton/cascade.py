"""The stages from coarse to fine, each with its own rule, and the hand-over between them.

Med-NCA has two stages: the first spreads knowledge of the whole image at a quarter of its size, the second draws the
detail at full size. A cascade has any number of stages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..checks import require
from .architecture import Architecture
from .firing import FireDraws
from .hints import at_scale
from .kernels import KernelName, make_kernel
from .rule import Rule
from .stage_cells import StageCells
from .wanted_cells import SkipRule


@dataclass(frozen=True)
class CascadeStep:
    """Where a run stands after one step.

    Attributes:
        stage, step: indices of the stage, and of the step within it, from 0.
        cells: the cells now; the next step changes them.
    """

    stage: int
    step: int
    cells: StageCells

    @property
    def state(self) -> np.ndarray:
        """State of all cells, float32, shape (N, h, w, C): a view that the next step changes."""
        return self.cells.state


@dataclass(frozen=True)
class Cascade:
    """An architecture and one rule for each of its stages.

    Raises:
        ValueError: rules that do not fit the architecture.
    """

    architecture: Architecture
    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        stages = len(self.architecture.stages)
        require(len(self.rules) == stages, f"{stages} stages need as many rules, not {len(self.rules)}")
        for number, rule in enumerate(self.rules, 1):
            try:
                rule.require_shapes(self.architecture.rule_shapes)
            except ValueError as error:
                raise ValueError(f"stage {number}: {error}") from error

    @property
    def parameter_count(self) -> int:
        """Number of learned numbers of all stages."""
        return sum(rule.parameter_count for rule in self.rules)

    @cached_property
    def without_hints(self) -> Cascade:
        """What computes the same if nothing is said and nothing is present, without the channels of the hints."""
        architecture = self.architecture
        if architecture.hints is None:
            return self
        hints = range(architecture.image_channels, architecture.fixed_channels)
        return Cascade(architecture.without_hints, tuple(rule.without_channels(hints) for rule in self.rules))

    def run(
        self,
        image: np.ndarray,
        slices: range,
        draws: FireDraws,
        kernel: KernelName = "numpy",
        threads: int | None = None,
        skip: SkipRule | None = None,
        protocol: float = 0.0,
        hints: np.ndarray | None = None,
        beside: int = 1,
    ) -> Iterator[CascadeStep]:
        """Run all stages on a group of slices, one step of the automaton for each `next`.

        Args:
            image: float32, shape (N, H, W, image_channels), H and W multiples of the coarsest scale.
            slices: number of each slice in the volume, which keys its fire draws.
            draws: which cells fire.
            kernel: "numpy" or "torch".
            threads: how many processors to use, see `FiringCellsKernel`.
            skip: which cells matter; None runs all.
            protocol: value of the segmentation protocol, 0 if none is named, see `Architecture.initial_state`.
            hints: what is said and what is present, see `Architecture.initial_state`.
            beside: how many groups run at the same time, this one among them.

        Yields:
            Where the run stands after each step, those in which no cell runs among them.
        """
        architecture = self.architecture
        cells = target = None
        for index, (stage, rule) in enumerate(zip(architecture.stages, self.rules)):
            if cells is not None and skip is not None:
                ratio = architecture.stages[index - 1].scale // stage.scale
                said = None
                if hints is not None:  # of a label
                    said = at_scale(hints[..., 1 : architecture.hint_outputs], architecture.stages[index - 1].scale)
                target = skip.next_target(cells.probabilities(), target, ratio, said)
            cells = StageCells(architecture, index, image, cells, target, protocol, hints)
            if cells.any_runs:
                running = make_kernel(kernel, rule, architecture.fixed_channels, architecture.padding, threads, beside)
                cells.load(running)
            for step in range(stage.steps):
                if cells.any_runs:
                    running.step(cells.fire(draws, step, slices))
                yield CascadeStep(index, step, cells)
