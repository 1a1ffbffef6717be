"""One pass of a model over one group of slices, step by step."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from ..automaton.cascade import Cascade
from ..automaton.stage_cells import StageCells
from ..automaton.wanted_cells import SkipRule
from ..model.model import Model
from .model_input import ModelInput
from .options import RunOptions
from .steps import Step


def group_steps(
    model_input: ModelInput,
    model: Model,
    options: RunOptions,
    cascade: Cascade,
    slices: np.ndarray,
    group: range,
    run: int | None,
    beside: int = 1,
    skip: SkipRule | None = None,
    protocol: float = 0.0,
    hints: np.ndarray | None = None,
) -> Generator[Step, None, StageCells]:
    """Run a cascade over a group of slices.

    Args:
        model_input, model, options: of the run.
        cascade: of the model, with or without the channels of its hints.
        slices: those of the group, as `ModelInput.slices` gives them.
        group: their numbers.
        run: index of the pass, from 0; None for the vote on the protocol, which is the first stage alone.
        beside, skip, protocol, hints: see `Cascade.run`.

    Yields:
        The steps, with the share of the group's own steps that is done.

    Returns:
        The cells at the end.
    """
    architecture = cascade.architecture
    stages = architecture.stages[:1] if run is None else architecture.stages
    work = np.cumsum([1 / stage.scale**2 for stage in stages for _ in range(stage.steps)])
    draws = architecture.fire_draws(options.seed, run or 0)
    steps = cascade.run(slices, group, draws, options.kernel, options.threads, skip, protocol, hints, beside)
    for done, now in zip((work / work[-1]).tolist(), steps):
        yield Step(
            fraction=done,
            stage=now.stage + 1,
            stages=len(architecture.stages),
            step=now.step + 1,
            steps=stages[now.stage].steps,
            run=0 if run is None else run + 1,
            runs=options.runs,
            slices=(group.start, group.stop, model_input.space.count),
            cells=now.cells,
            space=model_input.space,
            architecture=architecture,
            label_table=model.labels,
        )
    return now.cells
