"""The figures of a model's card, measured on cases that the model was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..model.card import ModelCard, Scores
from ..model.model import Model
from ..progress import Progress, ignore_progress, part_of
from .calibration import CONDITIONS, calibrated_thresholds
from .evaluate import perturbed_scores
from .perturbations import NAMES, UNPERTURBED, LabelledCase


def measured_card(model: Model, cases: Sequence[LabelledCase], progress: Progress = ignore_progress) -> ModelCard:
    """The model's card with new scores, robustness and thresholds.

    Args:
        model: from `load_model`.
        cases: images that the model was not trained on, with their labels.
        progress: called with the share that is done, and the names of the case and of what was done to it.
    """
    share = len(NAMES) / (len(NAMES) + len(CONDITIONS))
    table = perturbed_scores(model, cases, progress=part_of(progress, 0, share))
    unperturbed = table.pop(UNPERTURBED)
    return replace(
        model.card,
        scores=Scores(
            whole=round(unperturbed.whole, 4),
            labels={name: round(score, 4) for name, score in unperturbed.labels.items()},
            cases=tuple(case.name for case in cases),
            what="hard Dice on the input's grid, single run, mean over held-out cases",
        ),
        robustness={name: round(each.dice_drop, 4) + 0.0 for name, each in table.items()},  # no minus before a zero
        thresholds=calibrated_thresholds(model, cases, part_of(progress, share, 1)),
    )
