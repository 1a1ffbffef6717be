"""Stages from coarse to fine and the hand-over between them.

Med-NCA has two stages: the first spreads global knowledge over the image at a quarter of its size, the second draws the
detail at full size. Any number of stages works; each has a rule of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..checks import require
from .architecture import Architecture
from .firing import FireDraws
from .kernels import make_kernel
from .rule import Rule


@dataclass(frozen=True)
class CascadeStep:
    """Where a run of the cascade stands: indices from 0, and the state after this step, shape (N, h, w, C), a view."""

    stage: int
    step: int
    state: np.ndarray


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
        return sum(rule.parameter_count for rule in self.rules)

    def run(
        self, image: np.ndarray, slices: range, draws: FireDraws, engine: str = "numpy", threads: int | None = None
    ) -> Iterator[CascadeStep]:
        """Run all stages on a group of slices, one step of the automaton for each `next`.

        Args:
            image: float32, shape (N, H, W, image_channels), H and W multiples of the coarsest scale.
            slices: number of each slice in the volume, which keys its fire draws.
            draws: who fires.
            engine: "numpy" or "torch".
            threads: see the kernels.
        """
        architecture = self.architecture
        state = None
        for index, (stage, rule) in enumerate(zip(architecture.stages, self.rules)):
            state = architecture.initial_state(image, index, state)
            kernel = make_kernel(engine, rule, architecture.image_channels, architecture.padding, threads)
            kernel.load(state)
            for step in range(stage.steps):
                kernel.step(draws.draw(index, step, slices, *state.shape[1:3]))
                yield CascadeStep(index, step, kernel.state)
            state = kernel.state
