"""What corrections are worth: a simulated person corrects the result of each case, turn by turn.

At each turn the largest connected region in which the labels are wrong gets a disc at its innermost point, in the slice
that shows most of it; each voxel of the disc gets its right label. Then the cells grow again. For comparison, *painting
alone* is the first result with the same discs painted over it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..errors import MedNCAError, all_failed
from ..imaging.anatomical_axes import image_on_grid_of, orientation
from ..imaging.connected_components import distances_to, innermost, numbered_pieces
from ..imaging.laterality import without_sides
from ..model.model import Model
from ..progress import Progress, ignore_progress
from ..segmentation.hint_input import BACKGROUND
from ..segmentation.options import RunOptions
from ..segmentation.quality import dice_of_counts
from ..segmentation.regrowing import regrow, require_can_regrow
from ..segmentation.segmenter import segment
from .perturbations import LabelledCase, LabelledCases

RADIUS_MM = 3.0  # of the disc of a turn
ONE_PASS = RunOptions()
SURROUNDINGS_MM = 30.0  # beyond which a correction should change nothing


@dataclass(frozen=True)
class Curves:
    """Dice before the first turn and after each.

    Attributes:
        regrown: of the labels after regrowing.
        painted: of painting alone.
        regrown_elsewhere, painted_elsewhere: likewise, without the voxels that are painted by then.
    """

    regrown: tuple[float, ...]
    painted: tuple[float, ...]
    regrown_elsewhere: tuple[float, ...]
    painted_elsewhere: tuple[float, ...]

    @classmethod
    def mean(cls, several: Sequence[Curves]) -> Curves:
        """The mean of each figure."""
        return cls(**{name: _means([getattr(each, name) for each in several]) for name in asdict(several[0])})


@dataclass(frozen=True)
class CorrectedCase:
    """What corrections are worth in one case.

    Attributes:
        name: of the case.
        whole: curves of all labels merged.
        labels: of the mean over the labels.
        seconds: that each turn took.
        changed_far: largest share of the image's voxels that a turn changed beyond the surroundings of its disc.
    """

    name: str
    whole: Curves
    labels: Curves
    seconds: tuple[float, ...]
    changed_far: float


@dataclass(frozen=True)
class PoorSlices:
    """What corrections are worth in slices in which the first result is poor, each corrected by itself.

    Attributes:
        below: Dice of all labels merged below which a slice is poor.
        slices: how many are.
        whole: mean of their Dice before the first turn and after each; none without poor slices.
        worst: the lowest, likewise.
    """

    below: float
    slices: int
    whole: tuple[float, ...]
    worst: tuple[float, ...]

    @classmethod
    def of(cls, below: float, curves: Sequence[tuple[float, ...]]) -> PoorSlices:
        """Of the curve of each slice."""
        if not curves:
            return cls(below, 0, (), ())
        return cls(below, len(curves), _means(curves), tuple(np.min(curves, axis=0).tolist()))


@dataclass(frozen=True)
class CorrectionReport:
    """What corrections are worth.

    Attributes:
        turns: number of turns.
        cases: each case.
        whole, labels: means of the curves over the cases.
        worst: Dice of all labels merged in the case in which it is lowest, before the first turn and after each.
        seconds: median of a turn; None if nothing was wrong anywhere.
        failures: why a case could not be corrected, by its name.
        poor_slices: what corrections are worth in poor slices; None if that was not asked for.
    """

    turns: int
    cases: tuple[CorrectedCase, ...]
    whole: Curves
    labels: Curves
    worst: tuple[float, ...]
    seconds: float | None
    failures: Mapping[str, str]
    poor_slices: PoorSlices | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        report = asdict(replace(self, failures={}))
        report.update(radius_mm=RADIUS_MM, surroundings_mm=SURROUNDINGS_MM)
        if self.failures:
            report["failures"] = dict(self.failures)
        else:
            del report["failures"]
        return report


def corrected_scores(
    model: Model,
    cases: LabelledCases,
    turns: int,
    options: RunOptions = ONE_PASS,
    progress: Progress = ignore_progress,
    poor_below: float | None = None,
) -> CorrectionReport:
    """Correct each case for a number of turns.

    Args:
        model: one that can regrow.
        cases: images whose labels are known; they may be read one by one.
        turns: at least 1.
        options: of each run.
        progress: called after each case with the share that is done and its name.
        poor_below: whether slices with a lower Dice are also corrected, each by itself; None for no.

    Raises:
        MedNCAError: the model cannot regrow, no turns, or not one case that can be corrected.
    """
    check_turns(model, turns)
    found: list[CorrectedCase] = []
    curves: list[tuple[float, ...]] = []
    failures: dict[str, str] = {}
    for number, case in enumerate(cases, 1):
        try:
            found.append(correct_case(model, case, turns, options))
            if poor_below is not None:
                curves += correct_poor_slices(model, case, turns, poor_below, options)
        except MedNCAError as error:
            failures[case.name] = f"{case.name}: {error}"
        progress(number / len(cases), f"{case.name}, corrected")
    if not found:
        raise all_failed(list(failures.values()))
    seconds = [each for case in found for each in case.seconds]
    return CorrectionReport(
        turns,
        tuple(found),
        Curves.mean([case.whole for case in found]),
        Curves.mean([case.labels for case in found]),
        tuple(np.min([case.whole.regrown for case in found], axis=0).tolist()),
        float(np.median(seconds)) if seconds else None,
        failures,
        None if poor_below is None else PoorSlices.of(poor_below, curves),
    )


def check_turns(model: Model, turns: int) -> None:
    """Refuse a model that cannot regrow, or no turns.

    Raises:
        MedNCAError: one of them.
    """
    require_can_regrow(model)
    if turns < 1:
        raise MedNCAError(f"The number of corrections must be at least 1, not {turns}.")


def correct_case(model: Model, case: LabelledCase, turns: int, options: RunOptions = ONE_PASS) -> CorrectedCase:
    """Correct one case for a number of turns; for the arguments see `corrected_scores`."""
    person = _Person(model, case, options)
    scores = [person.scores()]
    for _ in range(turns):
        disc = worst_disc(person.truth, person.present, person.spacing, person.across)
        if disc is not None:
            person.correct(disc)
        scores.append(person.scores())
    whole, by_label = (Curves(*zip(*(score[kind] for score in scores))) for kind in (0, 1))
    return CorrectedCase(case.name, whole, by_label, tuple(person.seconds), person.changed_far)


def correct_poor_slices(
    model: Model, case: LabelledCase, turns: int, below: float, options: RunOptions = ONE_PASS
) -> list[tuple[float, ...]]:
    """Correct each poor slice of a case by itself.

    Args:
        model, case, turns, options: as for `corrected_scores`.
        below: Dice of all labels merged below which a slice that shows a label is poor.

    Returns:
        For each poor slice its Dice before the first turn and after each.
    """
    first = _Person(model, case, options)
    curves = []
    for number, plane in enumerate(np.moveaxis(first.truth, first.across, 0)):
        if not plane.any() or first.dice_in(number) >= below:
            continue
        person = first.anew()
        curve = [person.dice_in(number)]
        for _ in range(turns):
            elsewhere = person.present.copy()  # is taken to be right
            np.moveaxis(elsewhere, person.across, 0)[number] = plane
            disc = worst_disc(elsewhere, person.present, person.spacing, person.across)
            if disc is not None:
                person.correct(disc)
            curve.append(person.dice_in(number))
        curves.append(tuple(curve))
    return curves


class _Person:
    """Corrects one case.

    Args:
        model, case, options: of the runs.

    Attributes:
        truth, present, painted: label values, which know no side: the right ones, as they have grown, and of painting
            alone; shape (z, y, x).
        spacing: mm along z, y and x.
        across: the axis across the slices.
        seconds: that each turn took.
        changed_far: see `CorrectedCase`.
    """

    def __init__(self, model: Model, case: LabelledCase, options: RunOptions) -> None:
        self._model, self._image = model, case.image
        self.truth = _values(case.labels, model)
        self.spacing = case.image.GetSpacing()[::-1]
        self.across = orientation(case.image, model.slice_format.axes).order[0]
        first = segment(case.image, model, **asdict(options))
        place: dict[str, Any] = {"found": first.found} if first.found else {"find": "never"}
        self._settings = {**asdict(options), "protocol": first.protocol or options.protocol, **place}
        self._first = first.labels
        self._begin()

    def anew(self) -> _Person:
        """The same person before the first turn."""
        other = copy(self)
        other._begin()
        return other

    def _begin(self) -> None:
        self._labels = self._first
        self.present = _values(self._first, self._model)
        self.painted, self._said = self.present.copy(), np.zeros_like(self.truth)
        self.seconds: list[float] = []
        self.changed_far = 0.0

    def correct(self, disc: np.ndarray) -> None:
        """One turn: paint a disc and let the cells grow again."""
        before = self._said.copy()
        self._said[disc] = np.where(self.truth[disc] > 0, self.truth[disc], BACKGROUND)
        edited = sitk.GetArrayFromImage(self._labels)
        for array in (self.painted, edited):
            array[disc] = self.truth[disc]
        labels, said, said_before = (image_on_grid_of(self._image, array) for array in (edited, self._said, before))
        began = time.perf_counter()
        now = regrow(self._image, self._model, labels, said, corrections_before=said_before, **self._settings)
        self.seconds.append(time.perf_counter() - began)
        self._labels, present = now.labels, self.present
        self.present = _values(now.labels, self._model)
        is_far = distances_to(disc, self.spacing) > SURROUNDINGS_MM
        changed = float(np.count_nonzero((self.present != present) & is_far)) / disc.size
        self.changed_far = max(self.changed_far, changed)

    def dice_in(self, number: int) -> float:
        """Dice of all labels merged in one slice."""
        truth, found = (
            np.take(np.isin(array, self._label_values), number, axis=self.across)
            for array in (self.truth, self.present)
        )
        return _dice(truth, found)

    def scores(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The four figures of `Curves` of all labels merged, and of the mean over the labels."""
        values = self._label_values
        whole, means = [], []
        for keep in (np.ones(self.truth.shape, bool), self._said == 0):
            for found in (self.present, self.painted):
                true, seen = self.truth[keep], found[keep]
                whole.append(_dice(np.isin(true, values), np.isin(seen, values)))
                means.append(float(np.mean([_dice(true == value, seen == value) for value in values])))
        return tuple(whole), tuple(means)

    @property
    def _label_values(self) -> list[int]:
        return [label.value for label in self._model.labels]


def worst_disc(
    truth: np.ndarray, found: np.ndarray, spacing: Sequence[float], across: int, radius: float = RADIUS_MM
) -> np.ndarray | None:
    """Where the simulated person paints.

    Args:
        truth, found: label values, shape (z, y, x).
        spacing: mm along z, y and x.
        across: the axis across the slices.
        radius: of the disc, in mm.

    Returns:
        Boolean, of their shape; None if nothing is wrong.
    """
    wrong = truth != found
    if not wrong.any():
        return None
    regions = numbered_pieces(wrong)
    largest = regions == 1 + np.bincount(regions.ravel())[1:].argmax()
    others = tuple(axis for axis in range(3) if axis != across)
    number = int(largest.sum(axis=others).argmax())
    plane = np.take(largest, number, axis=across)
    mm = [spacing[axis] for axis in others]
    row, column = innermost(plane, mm)
    rows, columns = np.ogrid[: plane.shape[0], : plane.shape[1]]
    disc = ((rows - row) * mm[0]) ** 2 + ((columns - column) * mm[1]) ** 2 <= radius**2
    found_disc = np.zeros(truth.shape, bool)
    np.moveaxis(found_disc, across, 0)[number] = disc
    return found_disc


def _dice(truth: np.ndarray, found: np.ndarray) -> float:
    return dice_of_counts(*(int(np.count_nonzero(mask)) for mask in (truth, found, truth & found)))


def _values(labels: sitk.Image, model: Model) -> np.ndarray:
    array: np.ndarray = sitk.GetArrayFromImage(without_sides(labels) if model.has_sides else labels)
    return array


def _means(lists: Sequence[Sequence[float]]) -> tuple[float, ...]:
    return tuple(np.mean(lists, axis=0).tolist())
