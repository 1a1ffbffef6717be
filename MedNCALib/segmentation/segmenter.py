"""A volume and a model in, a stream of steps out, and in the end the result in the volume's own geometry."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ..automaton.architecture import Architecture
from ..automaton.kernels import choose_kernel
from ..errors import MedNCAError
from ..imaging.connected_components import keep_largest
from ..imaging.slice_space import SliceSpace
from ..model.model import Model
from .quality import Quality, QualityMeter

# Slices go through in groups whose states, with the working copies of a step, fit into this. It bounds the memory
# whatever the size of the volume, and the time of one step: a slice of 256 x 256 at 16 channels takes some ten
# milliseconds. More is no faster, and 8 MB are a tenth slower.
GROUP_BYTES = 12 << 20


@dataclass(frozen=True)
class Step:
    """Where a run stands after one step of the automaton. Stages, steps and runs count from 1.

    Attributes:
        fraction: share of all work that is done, 0 to 1.
        stage, stages: number of the stage, and how many there are.
        step, steps: number of the step within the stage, and how many it has.
        run, runs: number of the run, and how many there are.
        slices: (first, one past the last, total) slices of the model's grid that are worked on.
        state: the cells now, shape (n, h, w, C) at the stage's scale: a view, copy it to keep it.
        space: the grid of the slices.
        architecture: what the channels mean.
    """

    fraction: float
    stage: int
    stages: int
    step: int
    steps: int
    run: int
    runs: int
    slices: tuple[int, int, int]
    state: np.ndarray
    space: SliceSpace
    architecture: Architecture

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
        labels: uint8, 0 for background.
        probabilities: on request, float32, mean over the runs, by label name.
        uncertainty: on request, float32, standard deviation of the probability over the runs (of the label that varies
            most).
        quality: how far it can be trusted.
    """

    labels: sitk.Image
    probabilities: dict[str, sitk.Image]
    uncertainty: sitk.Image | None
    quality: Quality


def segment(image: sitk.Image, model: Model, **options) -> Result:
    """Segment a volume; blocks until done. Options and errors are those of `segment_steps`."""
    steps = segment_steps(image, model, **options)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def segment_steps(
    image: sitk.Image,
    model: Model,
    region: Sequence[float] | None = None,
    runs: int = 1,
    seed: int = 0,
    engine: str = "auto",
    threads: int | None = None,
    probabilities: bool = False,
    uncertainty: bool = False,
    largest_only: bool = False,
) -> Generator[Step, None, Result]:
    """Segment a volume step by step.

    Args:
        image: three-dimensional scalar volume (or one slice), any axis order, spacing and voxel type.
        model: from `load_model`.
        region: (R0, R1, A0, A1, S0, S1) in mm along right, anterior and superior: only this box is looked at.
        runs: how often to run; the results are averaged. Two or more give the quality scores.
        seed: of the fire draws.
        engine: "auto", "numpy" or "torch".
        threads: how many processors to use; None takes as many as NumPy's or PyTorch's own products would.
        probabilities: whether the result holds probability images.
        uncertainty: whether the result holds the standard deviation over the runs (needs at least two).
        largest_only: whether only the largest connected piece of each label stays.

    Yields:
        A `Step` after each step of the automaton.

    Returns:
        The `Result`.

    Raises:
        MedNCAError: before the first step, where the image, the region or a setting cannot be used.
    """
    _check_settings(runs, seed, threads, uncertainty)
    engine = choose_kernel(engine)
    cascade, architecture = model.cascade, model.cascade.architecture
    space = SliceSpace(image, model.slice_format, architecture.stages[0].scale, region)
    limits = model.normalisation.limits(space.voxels)
    output = _Output(space, model, runs, probabilities, uncertainty, largest_only)
    work = np.cumsum([0, *(1 / stage.scale**2 for stage in architecture.stages for _ in range(stage.steps))])
    total = work[-1] * runs * space.count
    done = 0.0
    size = _group_size(space, architecture)
    for start in range(0, space.count, size):
        group = range(start, min(start + size, space.count))
        slices = stack_neighbouring_slices(space, model, limits, group)
        finished = []
        for run in range(runs):
            draws = architecture.fire_draws(seed, run)
            for count, now in enumerate(cascade.run(slices, group, draws, engine, threads), 1):
                yield Step(
                    (done + work[count] * len(group)) / total,
                    now.stage + 1,
                    len(architecture.stages),
                    now.step + 1,
                    architecture.stages[now.stage].steps,
                    run + 1,
                    runs,
                    (group.start, group.stop, space.count),
                    now.state,
                    space,
                    architecture,
                )
            finished.append(architecture.probabilities(now.state))
            done += work[-1] * len(group)
        output.add(finished)
    return output.result()


def _check_settings(runs: int, seed: int, threads: int | None, uncertainty: bool) -> None:
    if not runs >= 1:
        raise MedNCAError(f"The number of runs must be at least 1, not {runs}.")
    if not 0 <= seed < 1 << 64:
        raise MedNCAError(f"The seed must be from 0 to 2**64 - 1, not {seed}.")
    if threads is not None and threads < 1:
        raise MedNCAError(f"The number of threads must be at least 1, not {threads}.")
    if uncertainty and runs < 2:
        raise MedNCAError("The uncertainty is the spread over several runs: choose at least 2 runs.")


def _group_size(space: SliceSpace, architecture: Architecture) -> int:
    # State, seed of the next stage and next states of firing cells, in float32; index tables of three 64-bit numbers.
    cell_bytes = 3 * 4 * architecture.channels + 3 * 8
    return max(1, GROUP_BYTES // (space.height * space.width * cell_bytes))


def stack_neighbouring_slices(space: SliceSpace, model: Model, limits: tuple[float, float], group: range) -> np.ndarray:
    """Normalised slices with their neighbours as channels, (n, H, W, image_channels); the outermost slice goes on."""
    reach = model.cascade.architecture.image_channels // 2
    first, last = max(0, group.start - reach), min(space.count, group.stop + reach)
    slices = model.normalisation.apply(space.read(first, last), limits)
    wanted = np.arange(group.start, group.stop)[:, None] + np.arange(-reach, reach + 1)
    return np.moveaxis(slices[np.clip(wanted, 0, space.count - 1) - first], 1, -1)


def argmax_labels(probabilities: np.ndarray) -> np.ndarray:
    """Which label wins: (..., K) -> uint8 (...), 0 where the background is likelier than every label."""
    background = 1 - probabilities.sum(axis=-1)
    return np.where(probabilities.max(axis=-1) > background, probabilities.argmax(axis=-1) + 1, 0).astype(np.uint8)


class _Output:
    """Collects finished groups of slices into the result."""

    def __init__(
        self,
        space: SliceSpace,
        model: Model,
        runs: int,
        probabilities: bool,
        uncertainty: bool,
        largest_only: bool,
    ):
        self._space, self._model, self._largest_only = space, model, largest_only
        count = len(model.labels)
        self._values = np.array([0, *(label.value for label in model.labels)], np.uint8)
        self._counts = np.zeros(count + 1, np.int64)  # voxels of the background and of each label
        self._meter = QualityMeter(runs, count)
        self._writer = space.writer(count)
        self._labels, self._labels_view = space.empty_image(np.uint8)
        self._probabilities = [space.empty_image(np.float32) for _ in model.labels] if probabilities else []
        self._spread_writer = space.writer(1) if uncertainty else None
        self._spread, self._spread_view = space.empty_image(np.float32) if uncertainty else (None, None)

    def add(self, finished: Sequence[np.ndarray]) -> None:
        """Add the next group: each run's probabilities, shape (n, H, W, K)."""
        mean = np.mean(finished, axis=0)
        inside = [run[self._space.inside] for run in finished]
        self._meter.add([argmax_labels(run) for run in inside], inside)
        ready, values = self._writer.add(mean)
        ready = slice(ready.start, ready.stop)
        found = argmax_labels(values)
        self._labels_view[ready] = self._values[found]
        self._counts += np.bincount(found.reshape(-1), minlength=len(self._counts))
        for label, (_, view) in enumerate(self._probabilities):
            view[ready] = values[..., label]
        if self._spread_writer:
            deviation = np.std(finished, axis=0)
            ready, values = self._spread_writer.add(deviation.max(axis=-1, keepdims=True))
            self._spread_view[ready.start : ready.stop] = values[..., 0]

    def result(self) -> Result:
        space, model = self._space, self._model
        if self._largest_only:
            keep_largest(self._labels, self._values[1:])
            self._counts[:] = [np.count_nonzero(self._labels == value) for value in self._values]
        voxel_ml = float(np.prod(space.image.GetSpacing())) / 1000
        return Result(
            space.to_image(self._labels),
            {label.name: space.to_image(array) for label, (array, _) in zip(model.labels, self._probabilities)},
            None if self._spread is None else space.to_image(self._spread),
            self._meter.quality(
                [label.name for label in model.labels],
                (self._counts[1:] * voxel_ml).tolist(),
                space.voxel_ml,
                model.card.get("quality"),
            ),
        )
