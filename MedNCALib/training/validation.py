"""How well a model does on the volumes that training never sees, and which weights are the best by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import SimpleITK as sitk

from ..evaluation.corrections import Curves, correct_case
from ..evaluation.metrics import dice, dices
from ..evaluation.perturbations import LabelledCase
from ..imaging.label_wholes import Whole
from ..imaging.labels import Label
from ..model.card import AUTO
from ..model.model import Model
from ..segmentation.options import RunOptions
from ..segmentation.segmenter import segment
from .collection import Collection


@dataclass(frozen=True)
class Validated:
    """What a validation has found.

    Attributes:
        figures: by the names of the validation.
        score: what chooses weights: higher is better.
        summary: for people.
        dice: mean Dice by label, or with collections by collection and label.
        whole: of all labels merged; with collections it is the score.
        first: the model's labels of the first case; None if they are not kept.
    """

    figures: tuple[float, ...]
    score: float
    summary: str
    dice: Mapping[str, float]
    whole: float
    first: sitk.Image | None = None


class Validation(Protocol):
    """Measures models on the same cases.

    Attributes:
        names: of its figures.
    """

    names: tuple[str, ...]

    def __call__(self, model: Model) -> Validated:
        """Measure a model."""


class CasesValidation:
    """On cases of one set; the score is the mean Dice of the labels, each over the cases that have it.

    In a case that knows only the whole of several labels, that counts in their place.

    Args:
        labels: the model's.
        cases: as given.
        wholes: what some cases have in place of several of the labels.

    Attributes:
        names: of its figures.
    """

    def __init__(self, labels: Sequence[Label], cases: Sequence[LabelledCase], wholes: Sequence[Whole] = ()) -> None:
        self._cases = cases
        self._groups = [(label.value,) for label in labels] + [whole.values for whole in wholes]
        counts = []
        for case in cases:
            values = set(np.unique(sitk.GetArrayViewFromImage(case.labels)).tolist())
            merged = [whole for whole in wholes if whole.is_in(values)]
            instead = {value for whole in merged for value in whole.values}
            has = [label.value in values and label.value not in instead for label in labels]
            is_complete = all(label.value in values | instead for label in labels)  # else all merged lacks one
            counts.append([*has, *(whole in merged for whole in wholes), is_complete])
        self._counts = np.array(counts)
        self._names = [label.name for label in (*labels, *(whole.label for whole in wholes))]
        self.names: tuple[str, ...] = (*(f"dice_{name}" for name in self._names), "dice_whole")

    def __call__(self, model: Model) -> Validated:
        """Measure a model."""
        first, *_ = segmented = [segment(case.image, model).labels for case in self._cases]
        scores = np.array([self._dices(case, labels) for case, labels in zip(self._cases, segmented)])
        cases = self._counts.sum(axis=0)
        *by_label, whole = figures = ((scores * self._counts).sum(axis=0) / cases.clip(1)).tolist()
        known = {name: dice for name, dice, count in zip(self._names, by_label, cases) if count}
        mean = _mean([*known.values()])
        return Validated(
            tuple(figures),
            mean,
            f"mean Dice of the labels {mean:.4f}, whole {whole:.4f}",
            known,
            whole,
            first,
        )

    def _dices(self, case: LabelledCase, labels: sitk.Image) -> list[float]:
        true, found = (sitk.GetArrayViewFromImage(image) for image in (case.labels, labels))
        groups = [*self._groups, [value for group in self._groups for value in group]]
        return [dice(np.isin(true, group), np.isin(found, group)) for group in groups]


@dataclass(frozen=True)
class CollectionCases:
    """Held-out cases of one collection.

    Attributes:
        collection: where they come from.
        cases: at least one.
    """

    collection: Collection
    cases: tuple[LabelledCase, ...]

    @property
    def knows_parts(self) -> bool:
        """Whether each label is known, or only the whole."""
        return self.collection.known == "parts"

    def scores(self, model: Model) -> list[float]:
        """Mean Dice with the border of the collection's protocol: of each label that is known, and of the whole."""
        *by_label, whole = validation_scores(model, self.cases, model.card.protocol_name(self.collection.protocol))
        return [*by_label, whole] if self.knows_parts else [whole]


class CollectionsValidation:
    """On cases of several collections, which count alike.

    The score is the mean over the collections of the Dice of the whole; of a collection that knows the labels it takes
    the mean of the whole and the labels' mean.

    Args:
        labels: the model's.
        collections: their cases.

    Attributes:
        names: of its figures.
    """

    def __init__(self, labels: Sequence[Label], collections: Sequence[CollectionCases]) -> None:
        self._collections = collections
        names = []
        for each in collections:
            parts = [f"dice_{each.collection.name}_{label.name}" for label in labels] if each.knows_parts else []
            names += [*parts, f"dice_{each.collection.name}_whole"]
        self.names: tuple[str, ...] = (*names, "score")

    def __call__(self, model: Model) -> Validated:
        """Measure a model."""
        figures: list[float] = []
        counted, said = [], []
        for each in self._collections:
            *by_label, whole = scores = each.scores(model)
            figures += scores
            counted.append((whole + _mean(by_label)) / 2 if by_label else whole)
            said.append(f"{each.collection.name} {whole:.4f}")
        score = _mean(counted)
        return Validated(
            (*figures, score),
            score,
            f"Dice of the whole: {', '.join(said)}; score {score:.4f}",
            {name.replace("dice_", "", 1): dice for name, dice in zip(self.names, figures)},
            score,
        )


# Turns of the simulated person in a validation.
_TURNS = 3


class CorrectedValidation:
    """A validation, and what corrections are worth; each turn counts as much as the result before the first one.

    Args:
        uncorrected: of results that nobody has corrected.
        cases: that a simulated person corrects, all labels of which are known, and the protocol of each.

    Attributes:
        names: of its figures.
    """

    def __init__(self, uncorrected: Validation, cases: Sequence[tuple[LabelledCase, str]]) -> None:
        self._uncorrected, self._cases = uncorrected, cases
        turns = [f"dice_{what}_after_{turn}" for what in ("labels", "whole") for turn in range(1, _TURNS + 1)]
        self.names: tuple[str, ...] = (*uncorrected.names, *turns)

    def __call__(self, model: Model) -> Validated:
        """Measure a model."""
        found = self._uncorrected(model)
        corrected = [correct_case(model, case, _TURNS, RunOptions(protocol=protocol)) for case, protocol in self._cases]
        by_label, whole = (
            Curves.mean([getattr(case, what) for case in corrected]).regrown[1:] for what in ("labels", "whole")
        )
        said = ", ".join(f"{dice:.4f}" for dice in by_label)
        return replace(
            found,
            figures=(*found.figures, *by_label, *whole),
            score=_mean([found.score, *by_label]),
            summary=f"{found.summary}; labels after 1 to {_TURNS} corrections {said}",
        )


def _mean(scores: Sequence[float]) -> float:
    return float(np.mean(scores))


def validation_scores(model: Model, cases: Sequence[LabelledCase], protocol: str = AUTO) -> list[float]:
    """Mean hard Dice on the input's own grid, one pass with seed 0: of each label, and of all labels merged."""
    segmented = [segment(case.image, model, protocol=protocol).labels for case in cases]
    means: list[float] = np.mean(_dices(model, cases, segmented), axis=0).tolist()
    return means


def _dices(model: Model, cases: Sequence[LabelledCase], segmented: Sequence[sitk.Image]) -> list[list[float]]:
    """Of each case, the Dice of each label, and of all labels merged."""
    scores = []
    for case, labels in zip(cases, segmented):
        by_label, whole = dices(case.labels, labels, model.labels)
        scores.append([*by_label.values(), whole])
    return scores
