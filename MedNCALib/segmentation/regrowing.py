"""Corrections that steer the cells: what a person has said stays, and the rest grows again around it.

The cells see what is said and what is present (`automaton.hints`) and take all their steps anew, in the slices that a
correction comes in to. All others stay as they are, whatever they were made by.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..automaton.kernels import KernelName
from ..errors import ImageError, MedNCAError, ModelError
from ..imaging.anatomical_axes import image_on_grid_of
from ..imaging.labels import Label
from ..model.card import AUTO, Protocol
from ..model.model import Model
from .found_structures import Finding, FoundStructure
from .hint_input import BACKGROUND, HintInput, as_labels
from .model_input import require_model
from .options import Find, RunOptions
from .output import argmax_labels
from .passes import pass_steps
from .protocol import is_voted, named_protocol, protocol_of_votes, vote_steps
from .segmenter import Part, find_parts, require_memory, segment_steps
from .slice_groups import slice_groups
from .steps import Step, part_of_run, run_to_end

# Share of the work of a run without labels that the segmentation before the regrowing takes.
_SEGMENTATION = 0.8


@dataclass(frozen=True)
class Regrown:
    """What regrowing gives; all images have the input's geometry.

    Attributes:
        labels: uint8, the labels after it: corrections as they were made, the rest as it has grown, and what no
            correction has come in to as it was.
        regrown: uint8, 1 in the voxels whose cells have taken their steps anew, 0 elsewhere and in what was corrected.
        kept: uint8, 1 in the voxels that no correction has come in to, 0 elsewhere.
        changed: how many voxels that nobody corrected have another label than before.
        uncertainty: on request, as of `Result`; 0 where nothing has grown anew, and where a person has decided.
        protocol, label_table, found: as of `Result`.
    """

    labels: sitk.Image
    regrown: sitk.Image
    kept: sitk.Image
    changed: int
    uncertainty: sitk.Image | None
    protocol: str | None
    label_table: tuple[Label, ...]
    found: tuple[FoundStructure, ...]


def regrow(
    image: sitk.Image, model: Model, labels: sitk.Image | None, corrections: sitk.Image, **options: Any
) -> Regrown:
    """Regrow a segmentation around corrections; blocks until done.

    Args:
        image, model, labels, corrections: as for `regrow_steps`.
        options: its keyword arguments.

    Returns:
        The result.

    Raises:
        MedNCAError: as `regrow_steps`.
    """
    return run_to_end(regrow_steps(image, model, labels, corrections, **options))


def regrow_steps(
    image: sitk.Image,
    model: Model,
    labels: sitk.Image | None,
    corrections: sitk.Image,
    corrections_before: sitk.Image | None = None,
    region: Sequence[float] | None = None,
    runs: int = 1,
    seed: int = 0,
    engine: KernelName = "auto",
    threads: int | None = None,
    uncertainty: bool = False,
    all_cells: bool = False,
    protocol: str = AUTO,
    find: Find = "auto",
    found: Finding | Sequence[FoundStructure] | None = None,
) -> Generator[Step, None, Regrown]:
    """Regrow a segmentation around corrections, step by step.

    Args:
        image: as for `segment_steps`.
        model: one that takes hints, see `Model.can_regrow`.
        labels: the segmentation as it is, whatever made it, edits among it: a label image with the model's values, on
            any side or none. Voxels with other values stay. On another grid than the image's, voxels take the nearest
            value. None segments first.
        corrections: all that a person has said so far, a label image on the image's grid or any other: 0 nothing, a
            label's value "this is it", 255 "this is background".
        corrections_before: what the labels have grown from already. Only slices that a difference from it comes in to
            grow again, also where something is no longer said; None takes all of the corrections as new.
        region, runs, seed, engine, threads, all_cells, protocol, find, found: as for `segment_steps`; a result's own
            protocol and structures spare the vote and the search.
        uncertainty: whether the result holds the standard deviation over the passes (needs at least two).

    Yields:
        A `Step` after each step of the automaton: those of the finder, if it runs; of the segmentation, without labels;
        of the vote on the protocol; then those of the slices that grow again.

    Returns:
        The `Regrown`.

    Raises:
        MedNCAError: before the first step, if the model cannot regrow, the corrections say nothing or something that
            the model does not know, or as `segment_steps`.
    """
    options = RunOptions(runs, seed, engine, threads, all_cells, protocol, find)
    require_can_regrow(model)
    chosen = named_protocol(model, protocol)
    if uncertainty and runs < 2:
        raise MedNCAError("The uncertainty is the spread over several runs: choose at least 2 runs.")
    try:
        parts, finding, begin = yield from find_parts(image, model, region, options, found)
        volume = parts[0].model_input.space.image
        said = as_labels(corrections, volume, "corrections")
        _check_corrections(said, model, parts)
        changed = said > 0
        if corrections_before is not None:
            changed = said != as_labels(corrections_before, volume, "corrections before")
        structures = finding.structures if finding else ()
        if labels is None:
            place: dict[str, Any] = {"found": finding} if finding else {"region": region, "find": "never"}
            growing = segment_steps(
                image, model, **place, seed=seed, engine=engine, threads=threads, all_cells=all_cells, protocol=protocol
            )
            end = begin + _SEGMENTATION * (1 - begin)
            labels, begin = (yield from part_of_run(growing, begin, end)).labels, end
        require_memory(parts, model, runs, float_images=1 + bool(uncertainty))
        growth = _Growth(volume, as_labels(labels, volume, "labels"), said, parts)
        present = growth.corrected(growth.labels)
        inputs = [HintInput(volume, model, part.region, part.labels, present, said, changed) for part in parts]
        if chosen is None and is_voted(model, options):
            votes = []
            for part in parts:
                votes.append((yield from part_of_run(vote_steps(part.model_input, model, options), begin, begin)))
            chosen = protocol_of_votes(model, votes)
        total = max(1, sum(len(each) for hint_input in inputs for each in hint_input.ranges))
        done = 0
        for part, hint_input in zip(parts, inputs):
            count = sum(map(len, hint_input.ranges))
            if not count:
                continue
            first, last = (begin + (1 - begin) * share / total for share in (done, done + count))
            groups = slice_groups(part.model_input.space, model.cascade.architecture, hint_input.ranges)
            collected = _PartGrowth(growth, part, model, groups)
            steps = pass_steps(part.model_input, model, options, chosen, collected.add, groups, hint_input.slices)
            yield from part_of_run(steps, first, last, found=structures, **part.marks)
            collected.finish()
            done += count
        return growth.result(chosen, structures, uncertainty)
    except MemoryError as error:
        raise MedNCAError(
            "There is not enough free memory to regrow. Close other programs, or choose a region of the volume."
        ) from error


def require_can_regrow(model: Model) -> None:
    """Refuse a model that takes no hints.

    Raises:
        ModelError: it takes none, or is no model.
    """
    require_model(model)
    if not model.can_regrow:
        raise ModelError(
            f"The model {model.name} cannot regrow: it was not trained with corrections. Choose one that was, or "
            "correct the segmentation by hand alone."
        )


def _check_corrections(said: np.ndarray, model: Model, parts: Sequence[Part]) -> None:
    labels = (*model.all_labels, *(label for part in parts for label in part.labels))
    known = {label.value: label.name for label in labels}
    values = set(np.unique(said).tolist()) - {0, BACKGROUND}
    if values - known.keys():
        raise ImageError(
            f"The corrections hold the values {', '.join(map(str, sorted(values)))}, and the model {model.name} knows "
            f"{', '.join(f'{value} ({name})' for value, name in known.items())} and {BACKGROUND} (background). Change "
            "the values to these."
        )
    if not said.any():
        raise ImageError("The corrections say nothing in this image. Correct some voxels of it first.")


class _Growth:
    """The labels while they grow again.

    Args:
        image: the input.
        labels: as they are, on its grid (z, y, x).
        said: the corrections, likewise.
        parts: of the image.
    """

    def __init__(self, image: sitk.Image, labels: np.ndarray, said: np.ndarray, parts: Sequence[Part]) -> None:
        self._image, self.labels, self._said = image, labels, said
        self._label_table = tuple(label for part in parts for label in part.labels)
        self.grown, self.regrown = labels.copy(), np.zeros(labels.shape, np.uint8)
        self.spread = np.zeros(labels.shape, np.float32)

    def corrected(self, labels: np.ndarray) -> np.ndarray:
        """Labels with the corrections in their place."""
        corrected: np.ndarray = np.where(self._said > 0, np.where(self._said == BACKGROUND, 0, self._said), labels)
        return corrected

    def result(self, protocol: Protocol | None, structures: tuple[FoundStructure, ...], uncertainty: bool) -> Regrown:
        """The labels with the corrections in their place."""
        decided = self._said > 0
        labels = self.corrected(self.grown)
        return Regrown(
            labels=image_on_grid_of(self._image, labels),
            regrown=image_on_grid_of(self._image, np.where(decided, 0, self.regrown)),
            kept=image_on_grid_of(self._image, np.where(decided, 0, 1 - self.regrown).astype(np.uint8)),
            changed=int(np.count_nonzero((labels != self.labels) & ~decided)),
            uncertainty=image_on_grid_of(self._image, np.where(decided, 0, self.spread)) if uncertainty else None,
            protocol=None if protocol is None else protocol.name,
            label_table=self._label_table,
            found=structures,
        )


class _PartGrowth:
    """Takes over the slices of a part that grow again, in groups.

    Args:
        growth: of the image.
        part: whose slices they are.
        model: that segments it.
        groups: their numbers, in order.
    """

    def __init__(self, growth: _Growth, part: Part, model: Model, groups: Sequence[range]) -> None:
        space = self._space = part.model_input.space
        self._view, self._regrown, self._spread = map(space.view_of, (growth.grown, growth.regrown, growth.spread))
        self._values = np.array([0, *(label.value for label in part.labels)], np.uint8)
        # What may become another label: background, and the labels of this part, with their side or without.
        self._own = np.array([*self._values, *(label.value for label in model.labels)], np.uint8)
        self._channels = len(model.labels) + 2  # of the writer: probabilities, their spread, and whether cells ran
        self._writer, self._written = space.writer(self._channels), 0
        self._groups = iter(groups)

    def add(self, finished: Sequence[np.ndarray]) -> None:
        """Add the next group: the probabilities of each pass, shape (n, H, W, K)."""
        group = next(self._groups)
        self._skip_to(group.start)
        spread = np.std(finished, axis=0).max(axis=-1, keepdims=True)
        self._write(np.concatenate([np.mean(finished, axis=0), spread, np.ones_like(spread)], axis=-1))

    def finish(self) -> None:
        """Hand on what is left."""
        self._skip_to(self._space.count)

    def _skip_to(self, number: int) -> None:
        """Hand on slices that do not grow again."""
        count = number - self._written
        if count:
            self._write(np.zeros((count, self._space.height, self._space.width, self._channels), np.float32))

    def _write(self, planes: np.ndarray) -> None:
        self._written += len(planes)
        place, values = self._writer.add(planes)
        ran = values[..., -1]
        again = ran >= 0.5
        if not again.any():
            return
        # Of a voxel between slices that ran and others, what the former say.
        values = values[..., :-1] / np.where(again, ran, 1)[..., None]
        present = self._view[place]
        again &= np.isin(present, self._own)
        self._view[place] = np.where(again, self._values[argmax_labels(values[..., :-1])], present)
        self._regrown[place] |= again
        self._spread[place] = np.maximum(self._spread[place], np.where(again, values[..., -1], 0))
