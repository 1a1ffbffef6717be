"""How much of a label each slice of an image holds: slices as the model takes them, by the image's own index."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from ..imaging.anatomical_axes import orientation
from ..imaging.slice_space import SliceSpace


def slice_volumes(labels: sitk.Image, value: int, axes: str) -> np.ndarray:
    """mL of a label in each slice: its area times the distance between slices, gaps included.

    Args:
        labels: label image.
        value: of the label.
        axes: those of the model's slice format.

    Returns:
        Array, shape (slices of the image,).
    """
    across = _slice_axis(labels, axes)
    found = sitk.GetArrayViewFromImage(labels) == value
    others = tuple(axis for axis in range(3) if axis != across)
    return np.count_nonzero(found, axis=others) * float(np.prod(labels.GetSpacing())) / 1000


def slice_count(image: sitk.Image, axes: str) -> int:
    """Number of slices of an image, for a model with these axes."""
    count: int = image.GetSize()[2 - _slice_axis(image, axes)]
    return count


def slice_numbers(space: SliceSpace, axes: str) -> tuple[list[int], int]:
    """In which slice of the image each slice of the model's grid lies, and how many the image has.

    Args:
        space: the model's grid.
        axes: those of the model's slice format.
    """
    image, across = space.image, _slice_axis(space.image, axes)
    count = slice_count(image, axes)
    _, rows, columns = space.inside_shape
    middle = [(columns - 1) / 2, (rows - 1) / 2]
    to_physical = space.index_to_physical()
    places = [(to_physical @ [*middle, number, 1])[:3].tolist() for number in range(space.count)]
    indices = [image.TransformPhysicalPointToContinuousIndex(place)[2 - across] for place in places]
    return [min(max(round(index), 0), count - 1) for index in indices], count


def _slice_axis(image: sitk.Image, axes: str) -> int:
    """The axis of an image's array (z, y, x) that slices lie along."""
    return orientation(image, axes).order[0]
