"""Volumes that training never sees, and how well a model does on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ..evaluation.metrics import dices
from ..model.model import Model
from ..segmentation.segmenter import segment


@dataclass(frozen=True)
class ValidationCase:
    """A volume that training never sees."""

    name: str
    image: sitk.Image
    labels: sitk.Image


def validation_scores(model: Model, cases: Sequence[ValidationCase]) -> list[float]:
    """Mean hard Dice on the input's own grid, one pass with seed 0: of each label, and of all labels merged."""
    scores = []
    for case in cases:
        by_label, whole = dices(case.labels, segment(case.image, model).labels, model.labels)
        scores.append([*by_label.values(), whole])
    means: list[float] = np.mean(scores, axis=0).tolist()
    return means
