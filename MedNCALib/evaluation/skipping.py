"""What it costs that cells which cannot belong to a label do not run, see `MedNCALib.automaton.wanted_cells`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..model.card import Skipping
from ..model.model import Model
from ..progress import Progress, ignore_progress
from ..segmentation.segmenter import segment
from .metrics import dices
from .perturbations import LabelledCases

# Resources/Documentation/decisions has what other values cost and gain.
THRESHOLD, MARGIN = 0.002, 2

LARGEST_DICE_CHANGE = 0.0005

_WHAT = (
    "Cells run only near those whose labels exceed this probability after the stage before. `dice_change` is the mean "
    "absolute difference in Dice, all labels merged, between such a run and one of all cells, single pass, seed 0."
)


def measured_skipping(model: Model, cases: LabelledCases, progress: Progress = ignore_progress) -> Skipping | None:
    """Which cells of a model need not run, and what that costs.

    Args:
        model: from `load_model`.
        cases: images whose labels are known.
        progress: called after each case with the share that is done, and the case's name.

    Returns:
        What the card says of it; None if all cells have to run: the model has one stage only, or the cost is more than
        `LARGEST_DICE_CHANGE`.
    """
    if not can_skip(model):
        return None
    skipping = Skipping(THRESHOLD, MARGIN, dice_change=0.0, what=_WHAT)
    trial = replace(model, card=replace(model.card, skipping=skipping))
    changes = []
    for number, case in enumerate(cases, 1):
        wholes = []
        for all_cells in (True, False):
            found = segment(case.image, trial, all_cells=all_cells).labels_without_sides
            wholes.append(dices(case.labels, found, model.labels)[1])
        changes.append(abs(wholes[1] - wholes[0]))
        progress(number / len(cases), f"{case.name}, cells that do not run")
    change = float(np.mean(changes))
    if change > LARGEST_DICE_CHANGE:
        return None
    return replace(
        skipping, dice_change=round(change, 6), largest_change=round(float(max(changes)), 6), cases=len(changes)
    )


def can_skip(model: Model) -> bool:
    """Whether there is a stage after which cells could be left out."""
    return len(model.cascade.architecture.stages) > 1
