"""Which agreement and NQM a model's results need to pass, from cases whose labels are known.

Held-out cases of the kind a model was trained on are nearly all found well, so they alone cannot show what a bad result
looks like. Each is therefore taken as it is and with the perturbations of `CONDITIONS`, some of them stronger than a
model has to withstand: among the results of a robust one, which are all nearly as good, there would be little to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..model.model import Model
from ..segmentation.segmenter import segment
from .metrics import dices
from .perturbations import STRONGER, UNPERTURBED, trials

RUNS = 5  # ten pairs: enough for a mean, and five times the cost of a single run

# The strongest of each kind that a model should withstand, and stronger ones; what only stores the image otherwise, or
# gives the model more time, makes nothing worse.
CONDITIONS = (
    UNPERTURBED,
    "noise 0.2",
    "bias field 0.5",
    "ghosting 0.2",
    "scale 0.8",
    "scale 1.2",
    "shift 10 rows",
    *STRONGER,
)

# A result is a bad one where its Dice is below this percentile of the unperturbed cases'.
_BAD_PERCENTILE = 10


def calibrated(
    model: Model,
    cases: Iterable[tuple[sitk.Image, sitk.Image]],
    progress: Callable[[int, str], None] = lambda case, name: None,
) -> dict[str, Any] | None:
    """The card's "quality": thresholds for the verdict, and how well the scores tell how good a result is.

    A bad result is one whose Dice (all labels merged) is below the 10th percentile of the unperturbed cases'. The
    thresholds of agreement and of NQM are those that tell bad results from the others best, each by itself. Results
    that lack a label are left out: the verdict on them is "review" anyway.

    Args:
        model: from `load_model`.
        cases: image and label image of each case that the model was not trained on, on one grid.
        progress: called after each of `CONDITIONS` with the number of the case, from 0, and the condition's name.

    Returns:
        {"what", "runs", "agreement": LOWEST that passes, "nqm": HIGHEST that passes, "dice": below which a result is
        bad, "spearman": {"agreement", "nqm"}: rank correlation with Dice}; None where all labels are found in no case.
    """
    scores = []
    for number, (image, truth) in enumerate(cases):
        for name, _, trial_image, trial_truth in trials(model, image, truth, seed=number, names=CONDITIONS):
            result = segment(trial_image, model, runs=RUNS)
            if all(volume.mean > 0 for volume in result.quality.volumes_ml.values()):
                _, whole = dices(trial_truth, result.labels, model.labels)
                scores.append((name == UNPERTURBED, whole, result.quality.agreement, result.quality.nqm))
            progress(number, name)
    unperturbed, dice, agreement, nqm = np.array(scores).reshape(-1, 4).T
    if not unperturbed.any():
        return None
    limit = np.percentile(dice[unperturbed > 0], _BAD_PERCENTILE)
    return {
        "what": f"lowest agreement and highest NQM, of {RUNS} runs, that pass: they best tell results whose Dice is "
        "lower than given from the others, on the held-out cases as they are and perturbed",
        "runs": RUNS,
        "agreement": round(lowest_that_passes(agreement, dice < limit), 4),
        "nqm": round(-lowest_that_passes(-nqm, dice < limit), 4),
        "dice": round(float(limit), 4),
        "spearman": {"agreement": spearman(agreement, dice), "nqm": spearman(nqm, dice)},
    }


def lowest_that_passes(scores: np.ndarray, bad: np.ndarray) -> float:
    """The threshold that separates bad results, below it, from the others best.

    It has the largest Youden index: the share of the bad ones below plus the share of the others from it on. It lies
    half-way between two scores; where nothing is bad, it is the lowest score.

    Args:
        scores: of each result, higher is better.
        bad: which results are bad, bool; not all of them.
    """
    values = np.unique(scores)
    if not bad.any():
        return float(values[0])
    candidates = np.concatenate([values[:1], (values[:-1] + values[1:]) / 2])
    youden = [np.mean(scores[bad] < candidate) + np.mean(scores[~bad] >= candidate) for candidate in candidates]
    return float(candidates[np.argmax(youden)])


def spearman(one: np.ndarray, other: np.ndarray) -> float | None:
    """Spearman's rank correlation, to 4 digits; None where either has but one value."""
    ranks = [_ranks(values) for values in (one, other)]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return None
    return round(float(np.corrcoef(ranks)[0, 1]), 4)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Rank of each value; equal ones share the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]
