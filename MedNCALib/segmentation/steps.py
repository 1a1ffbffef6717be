"""What a run yields and returns, and the ways to drive it: to its end, with an onlooker, or with each step changed.

A run is a generator: each `next` does one step of the automaton and yields where it stands, and the generator's return
value is the result. Closing it cancels the run.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Callable, TypeVar

import numpy as np
import SimpleITK as sitk

from ..automaton.architecture import Architecture
from ..automaton.stage_cells import StageCells
from ..imaging.labels import Label
from ..imaging.laterality import without_sides
from ..imaging.slice_space import SliceSpace
from .found_structures import FoundStructure
from .quality import Quality

StepT = TypeVar("StepT")
ChangedT = TypeVar("ChangedT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Step:
    """State of a run after one step of the automaton. Stages, steps and passes count from 1.

    Attributes:
        fraction: share of all work that is done, 0 to 1.
        stage, stages: number of the stage, and how many there are.
        step, steps: number of the step within the stage, and how many it has.
        run, runs: number of the pass, and how many there are; pass 0 is that in which the cells vote on the protocol.
        slices: (first, one past the last, total) slices of the model's grid in this group.
        cells: the cells now.
        space: the grid of the slices.
        architecture: says what the channels mean.
        label_table: what each of the probabilities is of: the finder's labels, or the model's on the side that is
            segmented.
        is_finding: whether the finder runs, over the whole image on its coarse grid.
        found: what the finder has found; none while it runs, and without one.
        structure: the one of `found` that is segmented; None while the finder runs, and without one.
    """

    fraction: float
    stage: int
    stages: int
    step: int
    steps: int
    run: int
    runs: int
    slices: tuple[int, int, int]
    cells: StageCells
    space: SliceSpace
    architecture: Architecture
    label_table: tuple[Label, ...] = ()
    is_finding: bool = False
    found: tuple[FoundStructure, ...] = ()
    structure: FoundStructure | None = None

    @property
    def state(self) -> np.ndarray:
        """The cells now, shape (n, h, w, C) at the stage's scale: a view, copy it to keep it.

        Cells that do not run have the state that was handed over from the stage before.
        """
        return self.cells.state

    @property
    def scale(self) -> int:
        """How many times smaller the stage is along rows and columns."""
        return self.architecture.stages[self.stage - 1].scale

    def probabilities(self) -> np.ndarray:
        """Each label's probability now: float32, shape (n, h, w, K)."""
        return self.architecture.probabilities(self.state)

    def full_size(self, cells: np.ndarray) -> np.ndarray:
        """Values of the cells, shape (n, h, w, ...), as blocks on the grid of `space.inside_shape`."""
        if self.scale > 1:
            cells = cells.repeat(self.scale, axis=1).repeat(self.scale, axis=2)
        return cells[self.space.inside]


@dataclass(frozen=True)
class Result:
    """What a segmentation gives; all images have the input's geometry.

    Attributes:
        labels: uint8, 0 for background, else a value of `label_table`.
        probabilities: on request, float32, mean over the passes, by label name.
        uncertainty: on request, float32, standard deviation of the probability over the passes (of the label that
            varies most).
        quality: the scores that say how far the result can be trusted.
        protocol: name of the segmentation protocol whose border is drawn; None for a model that knows only one.
        label_table: the labels, as the model names them or, if the side is known, on their side: "left anterior
            hippocampus" with the value 11.
        found: what the finder has found; none without a finder.
        brain_ml: see `Finding`; None without a finder.
        notes: what a user has to know of the result, a sentence each.
        pass_slices: for two passes or more and one part of the image, mL of each label in each pass and each slice of
            the input (across the axis that the model takes slices along, by the input's own index), counted on the
            model's grid: shape (passes, labels, slices).
    """

    labels: sitk.Image
    probabilities: dict[str, sitk.Image]
    uncertainty: sitk.Image | None
    quality: Quality
    protocol: str | None = None
    label_table: tuple[Label, ...] = ()
    found: tuple[FoundStructure, ...] = ()
    brain_ml: float | None = None
    notes: tuple[str, ...] = ()
    pass_slices: np.ndarray | None = None

    @property
    def labels_without_sides(self) -> sitk.Image:
        """The labels with the values of the model, which knows no side."""
        return without_sides(self.labels) if any(structure.side for structure in self.found) else self.labels


def map_steps(
    steps: Generator[StepT, None, ResultT],
    change: Callable[[StepT], ChangedT],
    on_resumed: Callable[[], object] | None = None,
) -> Generator[ChangedT, None, ResultT]:
    """Pass the steps of a run on, each of them changed.

    Args:
        steps: the run, or any generator; it is closed when this one is closed or fails.
        change: gives the step to yield.
        on_resumed: is called when the next step is asked for, before the run goes on.

    Returns:
        What `steps` returns.
    """
    try:
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            yield change(step)
            if on_resumed is not None:
                on_resumed()
    finally:
        steps.close()


def part_of_run(
    steps: Generator[Step, None, ResultT], begin: float, end: float, **changes: Any
) -> Generator[Step, None, ResultT]:
    """Pass the steps of a part of a run on, with the share of the whole that is done.

    Args:
        steps: of the part.
        begin, end: the share that is done before and after it.
        changes: other attributes that its steps have.
    """
    if (begin, end) == (0, 1) and not changes:
        return steps
    return map_steps(steps, lambda step: _with(step, fraction=begin + (end - begin) * step.fraction, **changes))


def _with(step: Step, **changes: Any) -> Step:
    """`dataclasses.replace` for a step, whose attributes depend on each other in no way: many times as fast."""
    other = object.__new__(type(step))
    other.__dict__.update(step.__dict__, **changes)
    return other


def tap(
    steps: Generator[StepT, None, ResultT],
    on_step: Callable[[StepT], object],
    on_resumed: Callable[[], object] | None = None,
) -> Generator[StepT, None, ResultT]:
    """Pass the steps of a run on and call `on_step` with each of them first; otherwise as `map_steps`."""

    def look(step: StepT) -> StepT:
        on_step(step)
        return step

    return map_steps(steps, look, on_resumed)


def run_to_end(steps: Generator[StepT, None, ResultT], on_step: Callable[[StepT], object] | None = None) -> ResultT:
    """Drive a run to its end.

    Args:
        steps: the run, or any generator; it is closed if `on_step` raises an error.
        on_step: is called with each step.

    Returns:
        What `steps` returns.
    """
    try:
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value
            if on_step is not None:
                on_step(step)
    finally:
        steps.close()
