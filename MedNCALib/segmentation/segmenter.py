"""Segmentation: from a volume and a model, step by step, to a result in the volume's own geometry."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator, Sequence
from math import inf
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..automaton.kernels import KernelName
from ..errors import ArgumentError, MedNCAError, MedNCAWarning
from ..model.card import AUTO, Protocol
from ..model.model import Model
from ..process_memory import machine_bytes
from .finder import Search, runs_finder
from .found_structures import Finding, FoundStructure
from .model_input import ModelInput, require_model
from .options import Find, RunOptions
from .output import Output
from .passes import cell_count, pass_steps
from .protocol import is_voted, named_protocol, protocol_of_votes, vote_share, vote_steps
from .side_by_side import threads_for_runs
from .slice_groups import cell_bytes, group_size
from .steps import Result, Step, part_of_run, run_to_end


def segment(image: sitk.Image, model: Model, **options: Any) -> Result:
    """Segment a volume; blocks until done.

    Args:
        image, model: as for `segment_steps`.
        options: keyword arguments of `segment_steps`.

    Returns:
        The result. A `MedNCAWarning` says each of its notes.

    Raises:
        MedNCAError: the image, the region or a setting cannot be used, or nothing is found.
    """
    result = run_to_end(segment_steps(image, model, **{"every_step": False, **options}))
    for note in result.notes:
        warnings.warn(note, MedNCAWarning, stacklevel=2)
    return result


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
    find: Find = "auto",
    found: Finding | Sequence[FoundStructure] | None = None,
    every_step: bool = True,
) -> Generator[Step, None, Result]:
    """Segment a volume step by step.

    Args:
        image: three-dimensional scalar volume (or one slice), any axis order, spacing and voxel type. Of one whose axes
            are more than about ten degrees off the body's, a model with anatomical axes sees upright slices.
        model: from `load_model`.
        region: (R0, R1, A0, A1, S0, S1) in mm along right, anterior and superior: only this box is segmented.
        runs, seed, engine, threads, all_cells, protocol, find: see `RunOptions`.
        probabilities: whether the result holds probability images.
        uncertainty: whether the result holds the standard deviation over the passes (needs at least two).
        largest_only: whether only the largest connected piece of each label stays. Without it the card's `least_pieces`
            says what does.
        found: what was found before, in place of the finder's work: one structure on each side, whose boxes may have
            been moved; or a `Finding`, which keeps the volume of the brain too. Empty or None: nothing was.
        every_step: whether each step is yielded. If not, groups of slices run side by side, which is faster, and only
            some steps are; the result is the same.

    Yields:
        A `Step` after each step of the automaton: those of the finder, if it runs; then, if the cells decide on the
        protocol, those of that; then those of each side that was found.

    Returns:
        The `Result`.

    Raises:
        MedNCAError: before the first step, if the image, the region or a setting cannot be used; after those of the
            finder, if nothing is found, or a structure in several places (`NotFoundError`).
    """
    options = RunOptions(runs, seed, engine, threads, all_cells, protocol, find)
    require_model(model)
    named_protocol(model, protocol)
    if uncertainty and runs < 2:
        raise MedNCAError("The uncertainty is the spread over several runs: choose at least 2 runs.")
    at_once = 1 if every_step else threads_for_runs(options.kernel, threads)
    try:
        parts, finding, begin = yield from find_parts(image, model, region, options, found, at_once)
        structures = finding.structures if finding else ()
        float_images = len(model.labels) * len(parts) * bool(probabilities) + bool(uncertainty)
        require_memory(parts, model, runs, float_images)
        volume = parts[0].model_input.space.image
        axes, thresholds = model.slice_format.axes, model.card.thresholds
        least_pieces = (inf,) * len(model.labels) if largest_only else model.card.least_pieces
        output = Output(volume, runs, axes, thresholds, probabilities, uncertainty, least_pieces)
        drawn = yield from part_of_run(_run_parts(parts, model, options, output, at_once), begin, 1, found=structures)
        return output.result(drawn, finding)
    except MemoryError as error:
        raise MedNCAError(
            "There is not enough free memory for this run. Close other programs, or choose a region of the volume."
        ) from error


class Part:
    """A part of an image that is segmented by itself.

    Args:
        image, model, region: see `segment_steps`.
        structure: what was found there; None without a finder.

    Attributes:
        region: as given.
        model_input: its slices.
        labels: of the model's outputs, on the side of the structure.
        marks: what its steps have besides: structure and labels.
    """

    def __init__(
        self,
        image: sitk.Image,
        model: Model,
        region: Sequence[float] | None,
        structure: FoundStructure | None = None,
    ) -> None:
        turn = structure.contrast_turn if structure else None
        self.region, self.model_input = region, ModelInput(image, model, region, turn)
        self.labels = model.labels_on(structure.side if structure else None)
        self.marks = {"structure": structure, "label_table": self.labels}


def find_parts(
    image: sitk.Image,
    model: Model,
    region: Sequence[float] | None,
    options: RunOptions,
    found: Finding | Sequence[FoundStructure] | None,
    at_once: int = 1,
) -> Generator[Step, None, tuple[list[Part], Finding | None, float]]:
    """The parts of an image that are segmented; for the arguments see `segment_steps` and `pass_steps`.

    Yields:
        The steps of the finder, if it runs, with the share of the whole run that is done.

    Returns:
        The parts, what they were found by, and the share of the run that is done.

    Raises:
        MedNCAError: as `segment_steps`.
    """
    finding, begin = _given(found, region), 0.0
    if finding is None and runs_finder(image, model, region, options.find):
        search = Search(image, model, options)
        finding = yield from search.steps(at_once)
        begin = search.share
    structures = finding.structures if finding else ()
    parts = [Part(image, model, each.box, each) for each in structures] or [Part(image, model, region)]
    return parts, finding, begin


def _given(found: Finding | Sequence[FoundStructure] | None, region: Sequence[float] | None) -> Finding | None:
    """What was found before; None if nothing was.

    Raises:
        ArgumentError: there is a region too, or a side twice.
    """
    if not found:
        return None
    if region is not None:
        raise ArgumentError("Give a region or what was found before, not both.")
    finding = found if isinstance(found, Finding) else Finding(tuple(found))
    sides = [structure.side for structure in finding.structures]
    if len(set(sides)) < len(sides) or (None in sides and len(sides) > 1):
        raise ArgumentError(f"What was found before must be one structure on each side, not {len(sides)} of {sides}.")
    return finding


def _run_parts(
    parts: Sequence[Part], model: Model, options: RunOptions, output: Output, at_once: int
) -> Generator[Step, None, Protocol | None]:
    """Segment all parts, one after the other; what the cells of all of them vote for comes first.

    Returns:
        The segmentation protocol whose border is drawn.
    """
    protocol, is_vote = named_protocol(model, options.protocol), is_voted(model, options)
    share = vote_share(model.cascade.architecture, options.runs) if is_vote else 0.0
    if is_vote:
        votes = []
        for part, begin, end in _spans(parts, 0, share):
            voting = vote_steps(part.model_input, model, options, at_once)
            votes.append((yield from part_of_run(voting, begin, end, **part.marks)))
        protocol = protocol_of_votes(model, votes)
    for part, begin, end in _spans(parts, share, 1):
        collected = output.part(part.model_input.space, part.labels)
        steps = pass_steps(part.model_input, model, options, protocol, collected.add, at_once=at_once)
        yield from part_of_run(steps, begin, end, **part.marks)
    return protocol


def _spans(parts: Sequence[Part], begin: float, end: float) -> Iterator[tuple[Part, float, float]]:
    """Each part, with the shares of all work that are done before and after it."""
    ends = np.cumsum([cell_count(part.model_input.space) for part in parts])
    shares = [begin, *(begin + (end - begin) * ends / ends[-1]).tolist()]
    return zip(parts, shares, shares[1:])


def require_memory(parts: Sequence[Part], model: Model, runs: int, float_images: int) -> None:
    """Refuse a run that needs more memory than there is.

    Args:
        parts, model: of the run.
        runs: number of passes.
        float_images: number of images besides the labels that the result will hold.
    """
    labels, architecture = len(model.labels), model.cascade.architecture
    spaces = [part.model_input.space for part in parts]
    cells = max(min(group_size(each, architecture), each.count) * each.height * each.width for each in spaces)
    group_bytes = cells * (cell_bytes(architecture) + 4 * labels * (runs + 3))
    score_bytes = 8 * runs**2 * labels
    result_bytes = spaces[0].image.GetNumberOfPixels() * (1 + 4 * float_images)
    needed, available = group_bytes + score_bytes + result_bytes, machine_bytes()
    if needed > available:
        raise MedNCAError(
            f"This run needs about {needed / 1e9:.3g} GB of memory, and there are {available / 1e9:.3g} GB. Choose a "
            "region of the volume, larger voxels or fewer runs."
        )
