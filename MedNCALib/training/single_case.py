"""A training on one case: some of its slices choose the weights, and take no part in the training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ..errors import TrainingError
from ..evaluation.perturbations import LabelledCase
from ..imaging.anatomical_axes import orientation
from ..imaging.slice_format import SliceFormat

# What is kept aside of the slices that show a label.
_FROM, _TO = 0.5, 0.75


@dataclass(frozen=True)
class KeptAside:
    """Slices of a case.

    Attributes:
        case: they alone.
        begin, end: where they lie along the slices, as shares of the image.
    """

    case: LabelledCase
    begin: float
    end: float

    def slices_of(self, count: int) -> np.ndarray:
        """Their numbers on a grid with so many slices along the image."""
        middles = (np.arange(count) + 0.5) / count
        return np.flatnonzero((middles > self.begin) & (middles < self.end))


def kept_aside(case: LabelledCase, slice_format: SliceFormat) -> KeptAside:
    """Neighbouring slices, about a quarter of those that show a label.

    Raises:
        TrainingError: fewer than two slices show one.
    """
    axes = orientation(case.image, slice_format.axes)
    shown = np.flatnonzero(axes.oriented(sitk.GetArrayViewFromImage(case.labels)).any(axis=(1, 2)))
    if len(shown) < 2:
        raise TrainingError(
            f"{case.name} is the only case, and one slice of it is labelled: label more slices, or another case."
        )
    first, after = int(len(shown) * _FROM), max(int(len(shown) * _FROM) + 1, int(len(shown) * _TO))
    begin, end = int(shown[first]), int(shown[min(after, len(shown) - 1)]) + (after >= len(shown))
    axis, count = 2 - axes.order[0], case.image.GetSize()[2 - axes.order[0]]
    low, high = (count - end, count - begin) if axes.flips[0] else (begin, end)
    part = tuple(slice(low, high) if index == axis else slice(None) for index in range(3))
    return KeptAside(
        LabelledCase(f"{case.name}, slices kept aside", case.image[part], case.labels[part]),
        begin / count,
        end / count,
    )
