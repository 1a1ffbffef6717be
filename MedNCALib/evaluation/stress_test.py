"""How much a result depends on what a scanner or a random draw could have made different.

An image is segmented again with noise, a bias field, ghosts, another scale, another place and other seeds. The result
as it is takes the place of the true labels: what is measured is how much the result changes, not how right it is.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np
import SimpleITK as sitk

from ..errors import MedNCAError
from ..imaging.labels import Label
from ..imaging.slice_space import as_volume, region_box
from ..model.card import AUTO
from ..model.model import Model
from ..segmentation.found_structures import around
from ..segmentation.segmenter import segment_steps
from ..segmentation.steps import Result, Step, map_steps, run_to_end
from .metrics import dices
from .perturbations import LabelledCase, Trial, trials

Kind = Literal["noise", "bias field", "ghosting", "scale", "shift", "seed"]
Verdict = Literal["stable", "depends", "empty"]

# Mean Dice over the labels that no perturbation of a stable result goes below. The figures behind it are in
# Resources/Documentation/decisions.
STABLE_DICE = 0.875
# Share of what was found that the image has to show with a perturbation.
LEAST_SEEN = 0.9

_KINDS: Mapping[str, Kind] = {
    "noise 0.1": "noise",
    "noise 0.2": "noise",
    "bias field 0.5": "bias field",
    "ghosting 0.2": "ghosting",
    "scale 0.9": "scale",
    "scale 1.1": "scale",
    "shift 10 rows": "shift",
    "shift 10 columns": "shift",
}
# Name -> what is added to the seed of the run.
_OTHER_SEEDS: Mapping[str, int] = {"seed + 1": 1, "seed + 2": 2}
NAMES = (*_KINDS, *_OTHER_SEEDS)


@dataclass(frozen=True)
class StressStep(Step):
    """A step of a stress test.

    Attributes:
        perturbation: name of the perturbation, "" while the unperturbed image is segmented.
        segmentation, segmentations: number of the segmentation, from 1, and how many there are.
    """

    perturbation: str = ""
    segmentation: int = 1
    segmentations: int = 1


@dataclass(frozen=True)
class Change:
    """What one perturbation changes.

    Attributes:
        perturbation: its name.
        kind: what is perturbed.
        dice: of the result with and without the perturbation, mean over the labels.
        labels: Dice of each label by its name.
        volume_ml: how much larger the volume of all labels is with the perturbation.
        volume_percent: the same in percent of the volume without it; None if that is 0.
    """

    perturbation: str
    kind: Kind
    dice: float
    labels: dict[str, float]
    volume_ml: float
    volume_percent: float | None


@dataclass(frozen=True)
class StressTest:
    """What a stress test finds.

    Attributes:
        result: of the unperturbed image.
        changes: one for each perturbation, with its name and kind, the Dice (mean over the labels, and of each label),
            and the change of the volume in mL and percent; see `MedNCALib.evaluation.stress_test.Change`. A
            perturbation that cannot be done to the image, or moves what was found out of it, is left out.
        worst_labels: the labels with the perturbation of `worst`, on the grid of the input, where the anatomy lies.
    """

    result: Result
    changes: tuple[Change, ...]
    worst_labels: sitk.Image

    @property
    def worst(self) -> Change:
        """The change with the lowest Dice."""
        return min(self.changes, key=lambda change: change.dice)

    @property
    def depends_on(self) -> tuple[Kind, ...]:
        """The kinds of perturbations that take the Dice below `STABLE_DICE`."""
        return tuple(dict.fromkeys(change.kind for change in self.changes if change.dice < STABLE_DICE))

    @property
    def verdict(self) -> Verdict:
        """Whether the result is "stable" or "depends" on a kind; "empty" if nothing is ever found."""
        if self.depends_on:
            return "depends"
        volumes = self.result.quality.volumes_ml.values()
        return "stable" if any(volume.mean for volume in volumes) else "empty"

    @property
    def largest_volume_percent(self) -> float:
        """The largest change of the volume, up or down, in percent; 0 if nothing is found without a perturbation."""
        return max(abs(change.volume_percent or 0.0) for change in self.changes)

    @property
    def sentence(self) -> str:
        """The verdict in a sentence."""
        if self.verdict == "empty":
            return "Nothing was found, with or without the perturbations."
        lowest = f"the lowest Dice is {self.worst.dice:.3f} ({self.worst.perturbation})"
        if self.verdict == "stable":
            percent = f"{self.largest_volume_percent:.1f} %"
            return f"The result is stable: {lowest}, and the volume changes by at most {percent}."
        *others, last = self.depends_on
        kinds = f"{', '.join(others)} and {last}" if others else last
        return f"The result depends on {kinds}: {lowest}. Check it slice by slice."

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without images."""
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "depends_on": list(self.depends_on),
            "changes": [asdict(change) for change in self.changes],
        }


def stress_test(image: sitk.Image, model: Model, **options: Any) -> StressTest:
    """Measure how much a result depends on perturbations of the image; blocks until done.

    It takes a segmentation of the unperturbed image, and one for each perturbation: noise of 0.1 and 0.2, a bias field,
    ghosts, scales of 0.9 and 1.1, shifts by ten rows and ten columns (see `MedNCALib.evaluation.perturbations`), and
    two other seeds.

    Args:
        image, model, options: as for `segment`.

    Returns:
        The changes, and the unperturbed result.

    Raises:
        MedNCAError: the image, the region or a setting cannot be used.
    """
    return run_to_end(stress_test_steps(image, model, **options))


def stress_test_steps(image: sitk.Image, model: Model, **options: Any) -> Generator[StressStep, None, StressTest]:
    """Measure how much a result depends on perturbations of the image, step by step.

    Args:
        image, model, options: as for `segment_steps`. Probabilities and uncertainty are those of the unperturbed image.
            The protocol that the cells vote for there, and what the finder finds there, are kept for all perturbations.

    Yields:
        A step after each step of the automaton, with the share of all segmentations that is done.

    Returns:
        The changes, and the unperturbed result.

    Raises:
        MedNCAError: before the first step, if the image, the region or a setting cannot be used.
    """
    result = yield from _part(segment_steps(image, model, **options), "", 1)
    image, seed = as_volume(image), options.pop("seed", 0)
    region = around(result.found) if result.found else options.pop("region", None)
    options.update(probabilities=False, uncertainty=False, protocol=result.protocol or AUTO)
    options.update(find="never", found=result.found)
    changes: list[Change] = []
    try:
        case = LabelledCase("", _cut(image, image, region), _cut(as_volume(result.labels), image, region))
        for trial in _trials(model, case, seed):
            trial_seed = (seed + _OTHER_SEEDS.get(trial.name, 0)) % (1 << 64)
            steps = segment_steps(trial.image, model, seed=trial_seed, **options)
            found = (yield from _part(steps, trial.name, 2 + NAMES.index(trial.name))).labels
            changes.append(_change(trial, found, result.label_table))
            if changes[-1].dice == min(change.dice for change in changes):
                worst_labels = trial.onto(image, found)
    except MemoryError as error:
        raise MedNCAError(
            "There is not enough free memory for a stress test. Close other programs, or choose a region of the volume."
        ) from error
    return StressTest(result, tuple(changes), worst_labels)


def _trials(model: Model, case: LabelledCase, seed: int) -> Iterator[Trial]:
    """The case with each of `NAMES`, without those that leave less than `LEAST_SEEN` in the image."""
    found_ml = _volume_ml(case.labels, np.prod(case.labels.GetSpacing()) / 1000)
    for trial in trials(model, case, seed, tuple(_KINDS)):
        if _volume_ml(trial.labels, trial.voxel_ml) >= LEAST_SEEN * found_ml:
            yield trial
    for name in _OTHER_SEEDS:
        yield Trial(name, model, case.image, case.labels)


def _change(trial: Trial, found: sitk.Image, label_table: Sequence[Label]) -> Change:
    """What the perturbation of a trial changes, by what was found in its image."""
    labels, _ = dices(trial.labels, found, label_table)
    before, after = (_volume_ml(image, trial.voxel_ml) for image in (trial.labels, found))
    return Change(
        trial.name,
        _KINDS.get(trial.name, "seed"),
        float(np.mean(list(labels.values()))),
        labels,
        after - before,
        100 * (after - before) / before if before else None,
    )


def _volume_ml(labels: sitk.Image, voxel_ml: float) -> float:
    return int(np.count_nonzero(sitk.GetArrayViewFromImage(labels))) * voxel_ml


def _cut(image: sitk.Image, grid: sitk.Image, region: Sequence[float] | None) -> sitk.Image:
    """The part of an image that a region takes of the grid."""
    return image[tuple(slice(first, last) for first, last in reversed(region_box(grid, region)))]


def _part(
    steps: Generator[Step, None, Result], perturbation: str, segmentation: int
) -> Generator[StressStep, None, Result]:
    """Pass the steps of one segmentation on, as steps of all of them."""
    count = 1 + len(NAMES)

    def part(step: Step) -> StressStep:
        values = {field.name: getattr(step, field.name) for field in fields(step)}
        values["fraction"] = (segmentation - 1 + step.fraction) / count
        return StressStep(**values, perturbation=perturbation, segmentation=segmentation, segmentations=count)

    return map_steps(steps, part)
