"""What corrections are worth: a simulated person corrects the result of each case, turn by turn.

At each turn the largest connected region in which the labels are wrong gets a disc at its innermost point, in the slice
that shows most of it; each voxel of the disc gets its right label. Then the cells grow again. For comparison, *painting
alone* is the first result with the same discs painted over it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..errors import MedNCAError, all_failed
from ..imaging.anatomical_axes import orientation
from ..imaging.connected_components import distances_to, innermost, numbered_pieces
from ..imaging.labels import Label
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
class CorrectionReport:
    """What corrections are worth.

    Attributes:
        turns: number of turns.
        cases: each case.
        whole, labels: means of the curves over the cases.
        worst: Dice of all labels merged in the case in which it is lowest, before the first turn and after each.
        seconds: median of a turn; None if nothing was wrong anywhere.
        failures: why a case could not be corrected, by its name.
    """

    turns: int
    cases: tuple[CorrectedCase, ...]
    whole: Curves
    labels: Curves
    worst: tuple[float, ...]
    seconds: float | None
    failures: Mapping[str, str]

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
) -> CorrectionReport:
    """Correct each case for a number of turns.

    Args:
        model: one that can regrow.
        cases: images whose labels are known; they may be read one by one.
        turns: at least 1.
        options: of each run.
        progress: called after each case with the share that is done and its name.

    Raises:
        MedNCAError: the model cannot regrow, no turns, or not one case that can be corrected.
    """
    check_turns(model, turns)
    found: list[CorrectedCase] = []
    failures: dict[str, str] = {}
    for number, case in enumerate(cases, 1):
        try:
            found.append(correct_case(model, case, turns, options))
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
    image = case.image
    truth = sitk.GetArrayFromImage(without_sides(case.labels) if model.has_sides else case.labels)
    spacing, across = image.GetSpacing()[::-1], orientation(image, model.slice_format.axes).order[0]
    first = segment(image, model, **asdict(options))
    place: dict[str, Any] = {"found": first.found} if first.found else {"find": "never"}
    settings = {**asdict(options), "protocol": first.protocol or options.protocol, **place}
    labels, painted = first.labels, sitk.GetArrayFromImage(first.labels_without_sides)
    said = np.zeros(truth.shape, np.uint8)
    scores = [_scores(truth, painted, painted, said > 0, model.labels)]
    seconds, far = [], 0.0
    for _ in range(turns):
        present = _array(labels, model)
        disc = worst_disc(truth, present, spacing, across)
        if disc is not None:
            before = said.copy()
            said[disc] = np.where(truth[disc] > 0, truth[disc], BACKGROUND)
            painted[disc] = truth[disc]
            edited = sitk.GetArrayFromImage(labels)
            edited[disc] = truth[disc]
            began = time.perf_counter()
            now = regrow(
                image,
                model,
                _like(edited, image),
                _like(said, image),
                corrections_before=_like(before, image),
                **settings,
            )
            seconds.append(time.perf_counter() - began)
            labels = now.labels
            moved = _array(labels, model) != present
            is_far = distances_to(disc, spacing) > SURROUNDINGS_MM
            far = max(far, float(np.count_nonzero(moved & is_far)) / moved.size)
        scores.append(_scores(truth, _array(labels, model), painted, said > 0, model.labels))
    whole, by_label = (Curves(*zip(*(score[kind] for score in scores))) for kind in (0, 1))
    return CorrectedCase(case.name, whole, by_label, tuple(seconds), far)


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


def _scores(
    truth: np.ndarray, regrown: np.ndarray, painted: np.ndarray, said: np.ndarray, labels: Sequence[Label]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The four figures of `Curves` of all labels merged, and of the mean over the labels."""
    values = [label.value for label in labels]
    whole, means = [], []
    for keep in (None, ~said):
        for found in (regrown, painted):
            true, seen = (array if keep is None else array[keep] for array in (truth, found))
            whole.append(_dice(np.isin(true, values), np.isin(seen, values)))
            means.append(float(np.mean([_dice(true == value, seen == value) for value in values])))
    return tuple(whole), tuple(means)


def _dice(truth: np.ndarray, found: np.ndarray) -> float:
    return dice_of_counts(*(int(np.count_nonzero(mask)) for mask in (truth, found, truth & found)))


def _array(labels: sitk.Image, model: Model) -> np.ndarray:
    array: np.ndarray = sitk.GetArrayFromImage(without_sides(labels) if model.has_sides else labels)
    return array


def _like(array: np.ndarray, image: sitk.Image) -> sitk.Image:
    labels = sitk.GetImageFromArray(array)
    labels.CopyInformation(image)
    return labels


def _means(lists: Sequence[Sequence[float]]) -> tuple[float, ...]:
    return tuple(np.mean(lists, axis=0).tolist())
