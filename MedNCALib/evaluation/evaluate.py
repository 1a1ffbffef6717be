"""Evaluate a model on labelled cases, optionally under perturbations."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError, MedNCAError, NotFoundError, all_failed
from ..imaging.labels import Label
from ..imaging.laterality import SIDES, split_by_side, without_sides
from ..io.image_label_pairs import Pair, find_pairs, read_pair
from ..model.model import Model
from ..progress import Progress, ignore_progress, part_of
from ..segmentation.options import RunOptions
from ..segmentation.protocol import named_protocol
from ..segmentation.segmenter import segment, segment_steps
from ..segmentation.steps import run_to_end
from .corrections import check_turns, corrected_scores
from .metrics import Score, compare, dices
from .perturbations import NAMES, UNPERTURBED, LabelledCase, LabelledCases, Trial, trials
from .report import CaseReport, EvaluationReport, PerturbationReport

ONE_PASS = RunOptions()
AS_THEY_SAY: Mapping[str, Any] = MappingProxyType({})  # files are read as their headers say


class CasesInFiles:
    """Labelled cases that are read when their turn comes, with labels that know no side.

    Args:
        pairs: their files.
        labels: the model's, on any side or none; label files that name theirs go by the names.
        reading: keywords of `read_image`, for files that do not say enough.
    """

    def __init__(
        self, pairs: Collection[Pair], labels: Sequence[Label], reading: Mapping[str, Any] = AS_THEY_SAY
    ) -> None:
        self._pairs, self._labels, self._reading = pairs, labels, reading
        self._has_sides = bool(split_by_side(labels)[1])

    def __len__(self) -> int:
        return len(self._pairs)

    def __iter__(self) -> Iterator[LabelledCase]:
        for pair in self._pairs:
            image, labels = read_pair(pair, self._labels, **self._reading)
            yield LabelledCase(pair.name, image, without_sides(labels) if self._has_sides else labels)


def evaluate(
    model: Model,
    images_dir: str | os.PathLike[str],
    labels_dir: str | os.PathLike[str],
    limit: int | None = None,
    perturb: bool = False,
    corrections: int | None = None,
    poor_slices: float | None = None,
    reading: Mapping[str, Any] = AS_THEY_SAY,
    progress: Progress = ignore_progress,
    **options: Any,
) -> EvaluationReport:
    """Segment images whose labels are known, and score the results.

    Args:
        model: from `load_model`.
        images_dir: folder of images.
        labels_dir: folder of label images of the same names, on the same grids; those that name their labels go by the
            model's names, the others by its values.
        limit: take only so many cases, the first by name.
        perturb: whether to measure what perturbations cost; it takes one more segmentation for each of them and case.
        corrections: turns of a simulated person who corrects each case, see `evaluation.corrections`; None for none.
        poor_slices: with corrections: also correct each slice whose Dice is lower than this by itself; None for no.
        reading: `axes` and `spacing` of `read_pair`, for files that do not say enough.
        progress: called after each segmentation with the share that is done and the case's name.
        **options: fields of `RunOptions`: runs, seed, engine, threads, all_cells, protocol, find.

    Returns:
        The scores. A case that cannot be scored is among the report's failures.

    Raises:
        MedNCAError: an option that cannot be used, files that do not pair, or not one case that can be scored; the
            message names the files and what is wrong: they cannot be read, lie on different grids or hold values that
            the model does not know.
    """
    if limit is not None and limit < 1:
        raise MedNCAError(f"The number of cases must be at least 1, not {limit}.")
    run_options = RunOptions(**options)
    if poor_slices is not None and corrections is None:
        raise MedNCAError("Poor slices are corrected: say how many corrections each gets (corrections).")
    if corrections is not None:
        check_turns(model, corrections)
    named_protocol(model, run_options.protocol)  # refuses one that the model does not have, before the first case
    pairs = find_pairs(images_dir, labels_dir)[:limit]
    turns = corrections or 0
    segmentations = 1 + len(NAMES) * perturb + turns  # of each case, about
    first_pass = part_of(progress, 0, 1 / segmentations)
    scored: dict[Pair, CaseReport] = {}
    failures: dict[str, str] = {}
    for number, pair in enumerate(pairs, 1):
        try:
            scored[pair] = _evaluate_case(pair, model, reading, run_options)
        except MedNCAError as error:
            failures[pair.name] = str(error)
        first_pass(number / len(pairs), pair.name)
    if not scored:
        raise all_failed(list(failures.values()))
    cases = tuple(scored.values())
    perturbations = None
    if perturb:
        the_rest = part_of(progress, 1 / segmentations, 1 - turns / segmentations)
        perturbations = perturbed_scores(model, CasesInFiles(scored, model.all_labels, reading), run_options, the_rest)
    corrected = None
    if turns:
        last = part_of(progress, 1 - turns / segmentations, 1)
        read = CasesInFiles(scored, model.all_labels, reading)
        corrected = corrected_scores(model, read, turns, run_options, last, poor_slices)
    return EvaluationReport(
        cases,
        {name: _mean(scores) for name, scores in _by_label(model, cases).items()},
        _mean([case.whole for case in cases]),
        perturbations,
        failures,
        corrected,
    )


def perturbed_scores(
    model: Model,
    cases: LabelledCases,
    options: RunOptions = ONE_PASS,
    progress: Progress = ignore_progress,
) -> dict[str, PerturbationReport]:
    """Dice on cases as they are and with each perturbation.

    Args:
        model: from `load_model`.
        cases: images whose labels are known.
        options: of each segmentation.
        progress: called after each segmentation with the share that is done, and the names of case and perturbation.

    Returns:
        Means over the cases by name, in the order of `perturbations.NAMES`, without those that can be done to no case.
    """
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in NAMES}
    for number, case in enumerate(cases):
        unperturbed = 0.0
        for trial in trials(model, case, seed=number):
            by_label, whole = dices(trial.labels, _labels_of(trial, options), model.labels)
            if trial.name == UNPERTURBED:
                unperturbed = whole
            found[trial.name].append((whole, unperturbed - whole, *by_label.values()))
            done = number + (NAMES.index(trial.name) + 1) / len(NAMES)
            progress(done / len(cases), f"{case.name}, {trial.name}")
    reports = {}
    for name, scores in found.items():
        if scores:
            whole, drop, *by_name = np.mean(scores, axis=0).tolist()
            labels = {label.name: score for label, score in zip(model.labels, by_name)}
            reports[name] = PerturbationReport(whole, drop, labels)
    return reports


def _labels_of(trial: Trial, options: RunOptions) -> sitk.Image:
    """What a model segments in the image of a trial: nothing if its finder finds nothing."""
    try:
        steps = segment_steps(trial.image, trial.model, every_step=False, **asdict(options))
        return run_to_end(steps).labels_without_sides
    except NotFoundError:
        return trial.labels * 0


def _evaluate_case(pair: Pair, model: Model, reading: Mapping[str, Any], options: RunOptions) -> CaseReport:
    image, truth = read_pair(pair, model.all_labels, **reading)
    _check_values(pair, truth, model)
    started = time.perf_counter()
    result = segment(image, model, **asdict(options))
    seconds = time.perf_counter() - started
    unsided = without_sides(truth) if model.has_sides else truth
    by_label, whole = compare(unsided, result.labels_without_sides, model.labels)
    on_sides = _labels_on_sides(truth, model)
    if on_sides and any(structure.side for structure in result.found):  # sides may be wrong only if both know them
        by_label.update(compare(truth, result.labels, on_sides)[0])
    return CaseReport(pair.name, seconds, by_label, whole, result.quality, result.protocol)


def _labels_on_sides(truth: sitk.Image, model: Model) -> list[Label]:
    """A model's labels on the sides that true labels know."""
    values = set(np.unique(sitk.GetArrayViewFromImage(truth)).tolist())
    by_side = [model.labels_on(side) for side in SIDES] if model.has_sides else []
    return [label for labels in by_side if values & {label.value for label in labels} for label in labels]


def _check_values(pair: Pair, truth: sitk.Image, model: Model) -> None:
    known = {label.value: label.name for label in model.all_labels}
    values = set(np.unique(sitk.GetArrayViewFromImage(truth)).tolist()) - {0}
    if values - known.keys():
        raise ImageError(
            f"{pair.label} holds the values {', '.join(map(str, sorted(values)))}, but the model {model.name} knows "
            f"{', '.join(f'{value} ({name})' for value, name in known.items())}. Change the values to these."
        )


def _by_label(model: Model, cases: Collection[CaseReport]) -> dict[str, list[Score]]:
    """The scores of each label by its name, of the cases that have it."""
    names = [label.name for label in model.all_labels]
    scores = {name: [case.labels[name] for case in cases if name in case.labels] for name in names}
    return {name: several for name, several in scores.items() if several}


def _mean(scores: Sequence[Score]) -> Score:
    """Mean of each figure over the scores that have it."""
    distances = [score.hd95_mm for score in scores if score.hd95_mm is not None]
    return Score(
        dice=float(np.mean([score.dice for score in scores])),
        hd95_mm=float(np.mean(distances)) if distances else None,
        volume_ml=float(np.mean([score.volume_ml for score in scores])),
        volume_error_ml=float(np.mean([score.volume_error_ml for score in scores])),
    )
