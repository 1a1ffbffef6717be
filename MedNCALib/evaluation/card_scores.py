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
from .skipping import can_skip, measured_skipping


def measured_card(
    model: Model, cases: Sequence[LabelledCase], progress: Progress = ignore_progress, before: Model | None = None
) -> ModelCard:
    """The model's card with new scores, robustness, thresholds, and which cells need not run.

    Args:
        model: from `load_model`.
        cases: images with their labels that the model was not trained on, or if it was, `before` was not.
        progress: called with the share that is done, and the names of the case and of what was done to it.
        before: the model as it was before it was trained on the cases: scores, robustness and thresholds are its.
    """
    rounds = can_skip(model), len(NAMES), len(CONDITIONS)  # how often each part goes through the cases
    first, second = rounds[0] / sum(rounds), (rounds[0] + rounds[1]) / sum(rounds)
    skipping = measured_skipping(model, cases, part_of(progress, 0, first))
    # All that follows is measured as the model is used.
    model = replace(before or model, card=replace(model.card, skipping=skipping))
    table = perturbed_scores(model, cases, progress=part_of(progress, first, second))
    unperturbed = table.pop(UNPERTURBED)
    return replace(
        model.card,
        scores=Scores(
            whole=round(unperturbed.whole, 4),
            labels={name: round(score, 4) for name, score in unperturbed.labels.items()},
            cases=tuple(dict.fromkeys(case.name for case in cases)),  # a case may be several blocks
            what="hard Dice on the input's grid, single run, mean over held-out cases"
            + (", by the weights before these were trained on too" if before else ""),
        ),
        robustness={name: round(each.dice_drop, 4) + 0.0 for name, each in table.items()},  # no minus before a zero
        thresholds=calibrated_thresholds(model, cases, part_of(progress, second, 1)),
    )
