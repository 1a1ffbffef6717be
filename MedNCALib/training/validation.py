"""How well a model does on the volumes that training never sees."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..evaluation.metrics import dices
from ..evaluation.perturbations import LabelledCase
from ..model.model import Model
from ..segmentation.segmenter import segment


def validation_scores(model: Model, cases: Iterable[LabelledCase]) -> list[float]:
    """Mean hard Dice on the input's own grid, one pass with seed 0: of each label, and of all labels merged."""
    scores = []
    for case in cases:
        by_label, whole = dices(case.labels, segment(case.image, model).labels, model.labels)
        scores.append([*by_label.values(), whole])
    means: list[float] = np.mean(scores, axis=0).tolist()
    return means
