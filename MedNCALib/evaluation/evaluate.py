"""A model against known labels, case by case, and what perturbations of the images cost it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError, MedNCAError
from ..io.image_label_pairs import Pair, find_pairs, read_pair
from ..model.model import Model
from ..segmentation.segmenter import segment
from .metrics import compare, dices
from .perturbations import NAMES, UNPERTURBED, trials


def evaluate(
    model: Model,
    images_dir: str | os.PathLike,
    labels_dir: str | os.PathLike,
    runs: int = 1,
    engine: str = "auto",
    limit: int | None = None,
    threads: int | None = None,
    perturb: bool = False,
    seed: int = 0,
    progress: Callable[[int, int, str], None] | None = None,
) -> dict[str, Any]:
    """Segment images whose labels are known, and score the results.

    Args:
        model: from `load_model`.
        images_dir: folder of images.
        labels_dir: folder of label images of the same names, on the same grids, with the model's values.
        runs: how often each image is run; the results are averaged.
        engine: "auto", "numpy" or "torch".
        limit: take only so many cases, the first by name.
        threads: how many processors to use.
        perturb: whether to measure what perturbations cost; it takes one more segmentation for each of them and case.
        seed: of the random draws of every segmentation.
        progress: called after each segmentation with the number of those done, the number of all, and the case's name.

    Returns:
        {"cases": [{"name", "seconds", "labels": {LABEL: SCORE}, "whole": SCORE, "quality": {...}}],
        "mean": {"labels": {LABEL: SCORE}, "whole": SCORE}} with SCORE as in `metrics.Score`. `whole` is all labels
        merged; a mean leaves out cases without a value, and is None where there is none. With `perturb` also
        "perturbations": see `perturbed_scores`.

    Raises:
        ImageError: files that do not pair, cannot be read, lie on different grids or hold values that the model does
            not know; the message names the file.
    """
    if limit is not None and limit < 1:
        raise MedNCAError(f"The number of cases must be at least 1, not {limit}.")
    pairs = find_pairs(images_dir, labels_dir)[:limit]
    total = len(pairs) * (1 + len(NAMES) * perturb)
    progress = progress or (lambda done, count, name: None)
    cases = []
    for done, pair in enumerate(pairs, 1):
        cases.append(_evaluate_case(pair, model, runs, engine, threads, seed))
        progress(done, total, pair.name)
    names = [label.name for label in model.labels]
    mean = {
        "labels": {name: _mean([case["labels"][name] for case in cases]) for name in names},
        "whole": _mean([case["whole"] for case in cases]),
    }
    report = {"cases": cases, "mean": mean}
    if perturb:

        def tell(case: int, name: str) -> None:
            progress(len(pairs) + case * len(NAMES) + NAMES.index(name) + 1, total, f"{pairs[case].name}, {name}")

        report["perturbations"] = perturbed_scores(model, map(read_pair, pairs), runs, engine, threads, seed, tell)
    return report


def perturbed_scores(
    model: Model,
    cases: Iterable[tuple[sitk.Image, sitk.Image]],
    runs: int = 1,
    engine: str = "auto",
    threads: int | None = None,
    seed: int = 0,
    progress: Callable[[int, str], None] = lambda case, name: None,
) -> dict[str, dict[str, Any]]:
    """Dice on cases as they are and with each perturbation.

    Args:
        model: from `load_model`.
        cases: image and label image of each case, on one grid.
        runs, engine, threads, seed: as for `segment`.
        progress: called after each segmentation with the number of the case, from 0, and the perturbation's name.

    Returns:
        {NAME: {"whole": DICE, "fall": DICE, "labels": {LABEL: DICE}}} in the order of `perturbations.NAMES`, without
        those that can be done to no case. Means over the cases; "fall" is how much "whole" is lower than for the same
        cases unperturbed.
    """
    found: dict[str, list] = {name: [] for name in NAMES}
    for number, (image, truth) in enumerate(cases):
        for name, trial_model, trial_image, trial_truth in trials(model, image, truth, seed=number):
            result = segment(trial_image, trial_model, runs=runs, seed=seed, engine=engine, threads=threads)
            by_label, whole = dices(trial_truth, result.labels, model.labels)
            if name == UNPERTURBED:
                unperturbed = whole
            found[name].append((whole, unperturbed - whole, *by_label.values()))
            progress(number, name)
    table = {}
    for name, scores in found.items():
        if scores:
            whole, fall, *by_label = np.mean(scores, axis=0).tolist()
            labels = {label.name: score for label, score in zip(model.labels, by_label)}
            table[name] = {"whole": whole, "fall": fall, "labels": labels}
    return table


def _evaluate_case(pair: Pair, model: Model, runs: int, engine: str, threads: int | None, seed: int) -> dict[str, Any]:
    image, truth = read_pair(pair)
    _check_values(pair, truth, model)
    started = time.perf_counter()
    result = segment(image, model, runs=runs, seed=seed, engine=engine, threads=threads)
    seconds = time.perf_counter() - started
    by_label, whole = compare(truth, result.labels, model.labels)
    return {
        "name": pair.name,
        "seconds": seconds,
        "labels": {name: asdict(score) for name, score in by_label.items()},
        "whole": asdict(whole),
        "quality": result.quality.as_dict(),
    }


def _check_values(pair: Pair, truth: sitk.Image, model: Model) -> None:
    known = {label.value: label.name for label in model.labels}
    values = set(np.unique(sitk.GetArrayViewFromImage(truth)).tolist()) - {0}
    if values - known.keys():
        raise ImageError(
            f"{pair.label} holds the values {', '.join(map(str, sorted(values)))}, but the model {model.name} knows "
            f"{', '.join(f'{value} ({name})' for value, name in known.items())}. Change the values to these."
        )


def _mean(scores: Sequence[dict[str, float | None]]) -> dict[str, float | None]:
    mean = {}
    for key in scores[0]:
        values = [score[key] for score in scores if score[key] is not None]
        mean[key] = float(np.mean(values)) if values else None
    return mean
