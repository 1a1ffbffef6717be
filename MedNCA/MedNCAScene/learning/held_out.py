"""Before and after: the cases that a training has kept aside, by the model that it started from and by the new one."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

import MedNCALib as mednca
from MedNCALib.cohort.picture import write_case_picture
from MedNCALib.evaluation.metrics import dice
from MedNCALib.imaging.anatomical_axes import image_on_grid_of
from MedNCALib.imaging.label_wholes import Whole, as_first_parts, key_of, parts_of
from MedNCALib.io.image_label_pairs import Pair, find_pairs, read_pair, with_wholes
from MedNCALib.segmentation.steps import map_steps

_MOST_CASES = 5  # the scores of the card are of all of them
_DRAWN, _FOUND = "{case}-drawn.jpg", "{case}-found.jpg"


@dataclass(frozen=True)
class HeldOut:
    """What became of the cases that were kept aside.

    Attributes:
        cases: their names.
        after: Dice of all labels merged, mean over the cases, of the new model.
        before: likewise of the model that it was started from; None without one, or if they share no label.
        labels: names of the labels that count in both.
        pictures: of each case what was drawn and what the new model finds, as JPEG files.
    """

    cases: tuple[str, ...]
    after: float
    before: float | None
    labels: tuple[str, ...]
    pictures: tuple[tuple[Path, Path], ...]

    @property
    def isBetter(self) -> bool:
        """Whether the new model is better than the one that it was started from."""
        return self.before is None or self.after > self.before


def compareSteps(
    model: mednca.Model, before: mednca.Model | None, images: str, labels: str, folder: Path
) -> Generator[str, None, HeldOut | None]:
    """Segment the cases that the card's scores are of, step by step.

    Args:
        model: the new one.
        before: the one that it was started from, or None.
        images, labels: the folders of the cases.
        folder: that the pictures go to.

    Yields:
        The name of the case.

    Returns:
        None if the card names no case of the folders, as with a single case of which slices were kept aside.
    """
    names = set(model.card.scores.cases) if model.card.scores else set()
    pairs = [pair for pair in find_pairs(images, labels) if pair.name in names][:_MOST_CASES]
    if not pairs:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    common = _common(model, before)
    table = with_wholes(model.labels, pairs)
    wholes = [Whole(label, parts_of(label, model.labels)) for label in table[len(model.labels) :]]
    scores, pictures = [], []
    for pair in pairs:
        image, truth = read_pair(pair, table)
        truth = as_first_parts(truth, wholes)
        found = yield from _segmented(pair, image, model)
        files = folder / _DRAWN.format(case=pair.name), folder / _FOUND.format(case=pair.name)
        for file, shown in zip(files, (truth, found)):
            write_case_picture(file, image, shown, model.labels)
        pictures.append(files)
        own = [label.value for label in model.labels]
        values = common.values() if common else own
        after = _dice(truth, found, values, values)
        was = None
        if common and before is not None:
            was = _dice(truth, (yield from _segmented(pair, image, before)), common.values(), common.keys())
        scores.append((after, was))
    after = float(np.mean([score for score, _was in scores]))
    known = [was for _score, was in scores if was is not None]
    named = tuple(label.name for label in model.labels if not common or label.value in common.values())
    return HeldOut(
        tuple(pair.name for pair in pairs), after, float(np.mean(known)) if known else None, named, tuple(pictures)
    )


def _segmented(pair: Pair, image: sitk.Image, model: mednca.Model) -> Generator[str, None, sitk.Image]:
    """What a model segments: nothing if its finder finds nothing."""
    try:
        result = yield from map_steps(mednca.segment_steps(image, model), lambda _step: pair.name)
    except mednca.NotFoundError:
        return image_on_grid_of(image, np.zeros(image.GetSize()[::-1], np.uint8))
    return result.labels_without_sides


def _common(model: mednca.Model, before: mednca.Model | None) -> Mapping[int, int]:
    """Value of a label of the model before -> that of the label of the same name."""
    if before is None:
        return {}
    own = {key_of(label.name): label.value for label in model.labels}
    return {label.value: own[key_of(label.name)] for label in before.labels if key_of(label.name) in own}


def _dice(truth: sitk.Image, found: sitk.Image, values: Collection[int], foundValues: Collection[int]) -> float:
    inside = np.isin(sitk.GetArrayViewFromImage(truth), list(values))
    return float(dice(inside, np.isin(sitk.GetArrayViewFromImage(found), list(foundValues))))
