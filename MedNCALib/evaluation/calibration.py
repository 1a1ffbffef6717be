"""Which agreement and NQM a model's results need to pass, from cases whose labels are known.

Held-out cases of the kind that a model was trained on are nearly all segmented well, so they alone cannot show what a
bad result looks like. Each is therefore taken as it is and with the perturbations of `CONDITIONS`. Some are stronger
than a model has to withstand: the results of a robust model would otherwise all be about equally good, with little to
tell apart.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

from ..model.card import Thresholds
from ..model.model import Model
from ..progress import Progress, ignore_progress
from ..segmentation.segmenter import segment
from .metrics import dices
from .perturbations import STRONGER, UNPERTURBED, LabelledCases, trials

RUNS = 5  # ten pairs: enough for a mean, at five times the cost of a single pass

# The strongest of each kind that a model should withstand, and stronger ones. What only stores the image in another
# way, or gives the model more time, makes nothing worse.
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

_WHAT = (
    f"Results pass with at least this agreement and at most this NQM over {RUNS} runs. Thresholds maximise Youden's "
    "index for detecting Dice below `dice`, on the held-out cases as they are and perturbed."
)

# A result is bad if its Dice is below this percentile of the unperturbed cases'.
_BAD_PERCENTILE = 10


def calibrated_thresholds(
    model: Model, cases: LabelledCases, progress: Progress = ignore_progress
) -> Thresholds | None:
    """Thresholds of the verdict, and how well the scores predict how good a result is.

    A bad result is one whose Dice (all labels merged) is below the 10th percentile of the unperturbed cases'. The
    thresholds of agreement and of NQM are those that separate bad results from the others best, each by itself. Results
    that lack a label are left out: the verdict on them is "review" anyway.

    Args:
        model: from `load_model`.
        cases: images that the model was not trained on, with their labels.
        progress: called after each segmentation with the share that is done, and the names of case and condition.

    Returns:
        The thresholds; None if there is no unperturbed case in which all labels are found.
    """
    scores = []
    for number, case in enumerate(cases):
        for trial in trials(model, case, seed=number, names=CONDITIONS):
            result = segment(trial.image, model, runs=RUNS)
            if all(volume.mean > 0 for volume in result.quality.volumes_ml.values()):
                _, whole = dices(trial.labels, result.labels_without_sides, model.labels)
                scores.append((trial.name == UNPERTURBED, whole, result.quality.agreement, result.quality.nqm))
            done = number + (CONDITIONS.index(trial.name) + 1) / len(CONDITIONS)
            progress(done / len(cases), f"{case.name}, {trial.name}")
    unperturbed, dice, agreement, nqm = np.array(scores, float).reshape(-1, 4).T
    if not unperturbed.any():
        return None
    limit = np.percentile(dice[unperturbed > 0], _BAD_PERCENTILE)
    return Thresholds(
        agreement=round(lowest_that_passes(agreement, dice < limit), 4),
        nqm=round(-lowest_that_passes(-nqm, dice < limit), 4),
        runs=RUNS,
        dice=round(float(limit), 4),
        spearman={"agreement": rank_correlation(agreement, dice), "nqm": rank_correlation(nqm, dice)},
        what=_WHAT,
    )


def lowest_that_passes(scores: np.ndarray, bad: np.ndarray) -> float:
    """The threshold that separates bad results, below it, from the others best.

    It has the largest Youden index: the share of the bad ones below plus the share of the others from it on. It lies
    half-way between two scores; if nothing is bad, it is the lowest score.

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


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    """Spearman's rank correlation, to 4 digits; None if either has but one value."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return round(float(spearmanr(one, other)[0]), 4)
