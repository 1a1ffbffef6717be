"""Labels that are the whole of others: "hippocampus" in cases that do not tell its anterior and posterior part apart.

A label is the whole of others if it is named as their sum, "anterior hippocampus + posterior hippocampus", or as what
the names of at least two others end with, and no case has both it and one of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ..errors import TrainingError
from .anatomical_axes import image_on_grid_of
from .labels import Label

_PLUS = "+"


@dataclass(frozen=True)
class Whole:
    """A label that is no label of the model: where it lies, one of its parts does.

    Attributes:
        label: as it is in the cases that know no more.
        parts: labels of the model, at least two.
    """

    label: Label
    parts: tuple[Label, ...]

    @property
    def values(self) -> tuple[int, ...]:
        """Its own and those of its parts."""
        return (self.label.value, *(part.value for part in self.parts))

    def is_in(self, values: Collection[int]) -> bool:
        """Whether a case that uses these values knows only the whole."""
        return self.label.value in values


def parts_of(label: Label, labels: Iterable[Label]) -> tuple[Label, ...]:
    """The labels that one is the whole of by its name; none if it is a label like any other.

    Raises:
        TrainingError: it is named as a sum, and one of the names is no label.
    """
    others = {key_of(other.name): other for other in labels if key_of(other.name) != key_of(label.name)}
    names = [key_of(name) for name in label.name.split(_PLUS)]
    if len(names) > 1 and any(name in others for name in names):
        missing = [name for name in names if name not in others]
        if missing:
            raise TrainingError(
                f"The label {label.name!r} is named as the whole of others, and there is no label {missing[0]!r}: "
                "correct its name."
            )
        return tuple(others[name] for name in names)
    ending = [other for key, other in others.items() if key.endswith(f" {key_of(label.name)}")]
    return tuple(ending) if len(ending) > 1 else ()


def split_wholes(
    labels: Sequence[Label], cases: Iterable[Collection[int]]
) -> tuple[tuple[Label, ...], tuple[Whole, ...]]:
    """The labels that a model finds, and those that are the whole of some of them.

    Args:
        labels: of all cases.
        cases: the label values that each of them uses.

    Raises:
        TrainingError: see `parts_of`.
    """
    cases, wholes = list(cases), []
    for label in labels:
        parts = parts_of(label, labels)
        is_sum = _PLUS in label.name
        values = {part.value for part in parts}
        if parts and (is_sum or not any(label.value in case and values & {*case} for case in cases)):
            wholes.append(Whole(label, parts))
    own = tuple(label for label in labels if label not in [whole.label for whole in wholes])
    wholes = [Whole(whole.label, tuple(part for part in whole.parts if part in own)) for whole in wholes]
    return own, tuple(wholes)


def as_first_parts(labels: sitk.Image, wholes: Iterable[Whole]) -> sitk.Image:
    """A label image in which a whole has the value of its first part, and so have its parts beside it.

    All labels merged are then what they are; which part it is means nothing.
    """
    voxels = sitk.GetArrayViewFromImage(labels)
    lookup = np.arange(256, dtype=np.uint8)
    for whole in wholes:
        if (voxels == whole.label.value).any():
            lookup[list(whole.values)] = whole.parts[0].value
    return image_on_grid_of(labels, lookup[voxels])


def key_of(name: str) -> str:
    """What two names have in common that mean the same label."""
    return " ".join(name.casefold().split())
