"""The figures of a model's card, measured on cases that the model was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import SimpleITK as sitk

from ..model.model import Model
from .calibration import CONDITIONS, calibrated
from .evaluate import perturbed_scores
from .perturbations import NAMES, UNPERTURBED


def measured(
    model: Model,
    cases: Mapping[str, tuple[sitk.Image, sitk.Image]],
    progress: Callable[[float, str], None] = lambda done, name: None,
) -> dict[str, Any]:
    """The parts of the card that are measured.

    Args:
        model: from `load_model`.
        cases: image and label image of each case, on one grid, by its name.
        progress: called with (share of the steps that is done, names of the case and of what was done to it).

    Returns:
        "scores": mean Dice of a single run; "robustness": by how much perturbations lower `whole`, by their names;
        "quality": see `calibrated`, an empty dictionary where it gives none.
    """
    names = list(cases)
    steps, total = count(1), len(names) * (len(NAMES) + len(CONDITIONS))

    def tell(case: int, name: str) -> None:
        progress(next(steps) / total, f"{names[case]}, {name}")

    table = perturbed_scores(model, cases.values(), progress=tell)
    scores = table.pop(UNPERTURBED)
    return {
        "scores": {
            "what": "hard Dice on the input's grid, single run, mean over held-out cases",
            "cases": names,
            "labels": {name: round(score, 4) for name, score in scores["labels"].items()},
            "whole": round(scores["whole"], 4),
        },
        "robustness": {name: round(each["fall"], 4) + 0.0 for name, each in table.items()},  # no minus before a zero
        "quality": calibrated(model, cases.values(), tell) or {},
    }
