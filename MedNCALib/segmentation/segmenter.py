"""Segmentation: from a volume and a model, step by step, to a result in the volume's own geometry."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..automaton.kernels import KernelName
from ..errors import MedNCAError
from ..imaging.connected_components import keep_largest
from ..imaging.slice_space import SliceSpace
from ..model.card import AUTO, Protocol
from ..model.model import Model
from ..process_memory import machine_bytes
from .model_input import ModelInput
from .options import RunOptions
from .protocol import is_voted, protocol_steps, value_of, vote_share
from .quality import QualityMeter
from .slice_groups import cell_bytes, group_size, slice_groups
from .slice_volumes import slice_numbers
from .steps import Result, Step, part_of_run, run_to_end

# Normalised intensities of a slice that differ by less are rounding.
_NO_CONTRAST = 1e-5


def segment(image: sitk.Image, model: Model, **options: Any) -> Result:
    """Segment a volume; blocks until done.

    Args:
        image, model: as for `segment_steps`.
        options: keyword arguments of `segment_steps`.

    Returns:
        The result.

    Raises:
        MedNCAError: the image, the region or a setting cannot be used.
    """
    return run_to_end(segment_steps(image, model, **options))


def segment_steps(
    image: sitk.Image,
    model: Model,
    region: Sequence[float] | None = None,
    runs: int = 1,
    seed: int = 0,
    engine: KernelName = "auto",
    threads: int | None = None,
    probabilities: bool = False,
    uncertainty: bool = False,
    largest_only: bool = False,
    all_cells: bool = False,
    protocol: str = AUTO,
) -> Generator[Step, None, Result]:
    """Segment a volume step by step.

    Args:
        image: three-dimensional scalar volume (or one slice), any axis order, spacing and voxel type. Of one whose axes
            are more than about ten degrees off the body's, a model with anatomical axes sees upright slices.
        model: from `load_model`.
        region: (R0, R1, A0, A1, S0, S1) in mm along right, anterior and superior: only this box is segmented.
        runs, seed, engine, threads, all_cells, protocol: see `RunOptions`.
        probabilities: whether the result holds probability images.
        uncertainty: whether the result holds the standard deviation over the passes (needs at least two).
        largest_only: whether only the largest connected piece of each label stays.

    Yields:
        A `Step` after each step of the automaton. If the cells decide on the protocol, the steps of that come first.

    Returns:
        The `Result`.

    Raises:
        MedNCAError: before the first step, if the image, the region or a setting cannot be used.
    """
    options = RunOptions(runs, seed, engine, threads, all_cells, protocol)
    if uncertainty and runs < 2:
        raise MedNCAError("The uncertainty is the spread over several runs: choose at least 2 runs.")
    try:
        model_input = ModelInput(image, model, region)
        float_images = len(model.labels) * bool(probabilities) + bool(uncertainty)
        _require_memory(model_input.space, model, runs, float_images)
        output = _Output(model_input.space, model, runs, probabilities, uncertainty, largest_only)
        share = vote_share(model.cascade.architecture, runs) if is_voted(model, options) else 0.0
        drawn = yield from part_of_run(protocol_steps(model_input, model, options), 0, share)
        return (yield from part_of_run(_passes(model_input, model, options, drawn, output), share, 1))
    except MemoryError as error:
        raise MedNCAError(
            "There is not enough free memory for this run. Close other programs, or choose a region of the volume."
        ) from error


def _passes(
    model_input: ModelInput, model: Model, options: RunOptions, protocol: Protocol | None, output: _Output
) -> Generator[Step, None, Result]:
    """All passes over each group of slices in turn."""
    cascade, architecture, space = model.cascade, model.cascade.architecture, model_input.space
    work = np.cumsum([0, *(1 / stage.scale**2 for stage in architecture.stages for _ in range(stage.steps))])
    total = work[-1] * options.runs * space.count
    done = 0.0
    skip = None if options.all_cells else model.skip_rule
    for group in slice_groups(space, architecture):
        slices = model_input.slices(group)
        empty = _without_contrast(slices, model)
        finished = []
        for run in range(options.runs):
            draws = architecture.fire_draws(options.seed, run)
            steps = cascade.run(slices, group, draws, options.kernel, options.threads, skip, value_of(protocol))
            for count, now in enumerate(steps, 1):
                yield Step(
                    fraction=(done + work[count] * len(group)) / total,
                    stage=now.stage + 1,
                    stages=len(architecture.stages),
                    step=now.step + 1,
                    steps=architecture.stages[now.stage].steps,
                    run=run + 1,
                    runs=options.runs,
                    slices=(group.start, group.stop, space.count),
                    cells=now.cells,
                    space=space,
                    architecture=architecture,
                )
            found = now.cells.probabilities()
            found[empty] = 0
            finished.append(found)
            done += work[-1] * len(group)
        output.add(finished)
    return output.result(protocol)


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


def _require_memory(space: SliceSpace, model: Model, runs: int, float_images: int) -> None:
    """Refuse a run that needs more memory than there is.

    Args:
        space, model: of the run.
        runs: number of passes.
        float_images: number of images besides the labels that the result will hold.
    """
    labels, architecture = len(model.labels), model.cascade.architecture
    cells = min(group_size(space, architecture), space.count) * space.height * space.width
    group_bytes = cells * (cell_bytes(architecture) + 4 * labels * (runs + 3))
    score_bytes = 8 * runs**2 * labels
    result_bytes = space.image.GetNumberOfPixels() * (1 + 4 * float_images)
    needed, available = group_bytes + score_bytes + result_bytes, machine_bytes()
    if needed > available:
        raise MedNCAError(
            f"This run needs about {needed / 1e9:.3g} GB of memory, and there are {available / 1e9:.3g} GB. Choose a "
            "region of the volume, larger voxels or fewer runs."
        )


def argmax_labels(probabilities: np.ndarray) -> np.ndarray:
    """The likeliest label of each cell.

    Args:
        probabilities: of the labels, shape (..., K).

    Returns:
        uint8, shape (...): 1 to K, or 0 if the background is likelier than every label.
    """
    if not probabilities.any():  # as where no cell matters
        return np.zeros(probabilities.shape[:-1], np.uint8)
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
    ) -> None:
        self._space, self._model, self._largest_only = space, model, largest_only
        count = len(model.labels)
        self._values = np.array([0, *(label.value for label in model.labels)], np.uint8)
        self._counts = np.zeros(count + 1, np.int64)  # voxels of the background and of each label
        self._meter = QualityMeter(runs, count)
        self._pass_cells: list[np.ndarray] = []  # of each group, shape (runs, K, slices); for two passes or more
        self._writer, self._spread_writer = space.writer(count), space.writer(1)
        self._labels, self._labels_view = space.empty_image(np.uint8)
        self._probabilities = [space.empty_image(np.float32) for _ in model.labels] if probabilities else []
        self._spread = space.empty_image(np.float32) if uncertainty else None

    def add(self, finished: Sequence[np.ndarray]) -> None:
        """Add the next group of slices: the probabilities of each pass, shape (n, H, W, K)."""
        mean = np.mean(finished, axis=0)
        inside = [run[self._space.inside] for run in finished]
        winners = [argmax_labels(run) for run in inside]
        self._meter.add(winners, inside)
        if len(winners) > 1:
            of_labels = [
                [(run == 1 + label).sum(axis=(1, 2)) for label in range(inside[0].shape[-1])] for run in winners
            ]
            self._pass_cells.append(np.array(of_labels))
        ready, values = self._writer.add(mean)
        found = argmax_labels(values)
        self._labels_view[ready] = self._values[found]
        self._counts += np.bincount(found.reshape(-1), minlength=len(self._counts))
        for label, (_, view) in enumerate(self._probabilities):
            view[ready] = values[..., label]
        if self._spread is not None:
            deviation = np.std(finished, axis=0)
            ready, values = self._spread_writer.add(deviation.max(axis=-1, keepdims=True))
            self._spread[1][ready] = values[..., 0]

    def result(self, protocol: Protocol | None) -> Result:
        """The result, once all groups are added, of passes with this protocol."""
        space, model = self._space, self._model
        if self._largest_only:
            keep_largest(self._labels, self._values[1:])
            self._counts[:] = [np.count_nonzero(self._labels == value) for value in self._values]
        voxel_ml = float(np.prod(space.image.GetSpacing())) / 1000
        return Result(
            space.to_image(self._labels),
            {label.name: space.to_image(array) for label, (array, _) in zip(model.labels, self._probabilities)},
            None if self._spread is None else space.to_image(self._spread[0]),
            self._meter.quality(
                [label.name for label in model.labels],
                (self._counts[1:] * voxel_ml).tolist(),
                space.voxel_ml,
                model.card.thresholds,
            ),
            None if protocol is None else protocol.name,
            self._pass_slices(),
        )

    def _pass_slices(self) -> np.ndarray | None:
        """See `Result.pass_slices`."""
        if not self._pass_cells:
            return None
        cells = np.concatenate(self._pass_cells, axis=-1)
        numbers, count = slice_numbers(self._space, self._model.slice_format.axes)
        slices = np.zeros((*cells.shape[:2], count))
        for number, of_slice in zip(numbers, np.moveaxis(cells, -1, 0)):
            slices[..., number] += of_slice * self._space.voxel_ml
        return slices
