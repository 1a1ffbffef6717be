"""Which way the axes of an image point, and which of them a model takes as columns, rows and slices.

Coordinates are those of ITK and DICOM, whose axes point left, posterior and superior (LPS).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import SimpleITK as sitk

# Unit steps along the anatomical directions.
DIRECTIONS_LPS = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}

# `SliceFormat.axes` of a model that takes slices as they were acquired.
ACQUIRED = "acquired"

# Acquired slices are shown as radiologists look at them: columns run to the left or, in a sagittal slice, to the back;
# rows to the feet or, in an axial slice, to the back. An oblique plane takes what comes nearest to both.
_SHOWN_COLUMNS, _SHOWN_ROWS = np.array((1, 0.5, 0)), np.array((0, 0.5, -1))

# Spacings whose ratio differs from one by less than this are equal: over 256 voxels that adds up to a quarter of a
# voxel.
SAME_SPACING = 0.001

# Grids that differ by less than this share of a voxel over the whole image are one grid, written with different
# rounding.
_GRID_TOLERANCE = 0.1


@dataclass(frozen=True)
class Orientation:
    """How an image's array (z, y, x) becomes one of (slices, rows, columns), without a copy.

    Attributes:
        order: the array's axis that becomes slices, rows and columns.
        flips: which of slices, rows and columns then run backwards.
    """

    order: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def oriented(self, array: np.ndarray) -> np.ndarray:
        """A view on an array (z, y, x) as (slices, rows, columns)."""
        return array.transpose(self.order)[tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)]

    def spacing(self, image: sitk.Image) -> tuple[float, float, float]:
        """An image's spacing between slices, rows and columns."""
        slices, rows, columns = (image.GetSpacing()[2 - axis] for axis in self.order)
        return slices, rows, columns


def direction_of(image: sitk.Image) -> np.ndarray:
    """The 3x3 matrix whose column i is the unit step of index i in LPS."""
    return np.reshape(image.GetDirection(), (3, 3))


def index_to_physical(image: sitk.Image) -> np.ndarray:
    """The 4x4 matrix from an index (i, j, k) to LPS mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = direction_of(image) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return matrix


def orientation(image: sitk.Image, axes: str) -> Orientation:
    """How a model with these `SliceFormat.axes` takes an image along the image's own axes."""
    direction = direction_of(image)
    if axes == ACQUIRED:
        found = _acquired_axes(direction, image.GetSize(), image.GetSpacing())
    else:
        found = _anatomical_axes(direction, axes)
    columns, rows, slices = found
    return Orientation(
        (2 - slices[0], 2 - rows[0], 2 - columns[0]),
        (slices[1], rows[1], columns[1]),
    )


def degrees_off(image: sitk.Image) -> float:
    """The largest angle between an axis of an image and the anatomical axis that is nearest to it."""
    direction = direction_of(image)
    cosines = [abs(direction[row, index]) for row, (index, _) in enumerate(_anatomical_axes(direction, "LPS"))]
    return float(np.degrees(np.arccos(min(1, *cosines))))


def _anatomical_axes(direction: np.ndarray, letters: str) -> list[tuple[int, bool]]:
    """Which index runs along columns, rows and slices, and whether it runs backwards: the nearest to the letters."""
    wanted = np.array([DIRECTIONS_LPS[letter] for letter in letters])  # of columns, rows, slices
    along = wanted @ direction
    best = max(permutations(range(3)), key=lambda index: sum(abs(along[row, i]) for row, i in enumerate(index)))
    return [(index, bool(along[row, index] < 0)) for row, index in enumerate(best)]


def _acquired_axes(direction: np.ndarray, size: Sequence[int], spacing: Sequence[float]) -> list[tuple[int, bool]]:
    """The same for slices as they were acquired, whatever order the image is stored in.

    - A single slice lies across the axis with one voxel. Slices are thicker than pixels are wide, so of several the
      axis with the largest spacing is theirs; if spacings are equal, the one with the fewest voxels; if these are
      too, the one nearest to the body's long axis.
    - Columns (direction c) and rows (r) are the two other axes, assigned and flipped so that
      c . (1, 1/2, 0) + r . (0, 1/2, -1) in LPS is largest.
    - Slices run along c x r, as the normal of a DICOM slice does.
    """
    thickest = max(spacing) * (1 - SAME_SPACING)
    across = max(range(3), key=lambda i: (size[i] == 1, spacing[i] >= thickest, -size[i], abs(direction[2, i])))
    # Summed elementwise: a matrix product may round differently for another order of the axes.
    to_columns, to_rows = ((direction * wanted[:, None]).sum(axis=0) for wanted in (_SHOWN_COLUMNS, _SHOWN_ROWS))
    plane = [index for index in range(3) if index != across]
    columns, rows = max(permutations(plane, 2), key=lambda pair: abs(to_columns[pair[0]]) + abs(to_rows[pair[1]]))
    flip_columns, flip_rows = bool(to_columns[columns] < 0), bool(to_rows[rows] < 0)
    along_normal = np.cross(direction[:, columns], direction[:, rows]) @ direction[:, across]
    flip_slices = bool(along_normal < 0) != (flip_columns != flip_rows)
    return [(columns, flip_columns), (rows, flip_rows), (across, flip_slices)]


def image_on_grid_of(image: sitk.Image, array: np.ndarray) -> sitk.Image:
    """An array as an image with the grid of another; its axes are those of `sitk.GetArrayFromImage`."""
    made = sitk.GetImageFromArray(array)
    made.CopyInformation(image)
    return made


def same_grid(image: sitk.Image, other: sitk.Image) -> bool:
    """Whether two images have the same voxels in space, up to the rounding of what was written to a file."""
    if image.GetSize() != other.GetSize():
        return False
    for corner in np.ndindex(*(2,) * image.GetDimension()):
        index = [int(end * (length - 1)) for end, length in zip(corner, image.GetSize())]
        found = other.TransformPhysicalPointToContinuousIndex(image.TransformIndexToPhysicalPoint(index))
        if np.abs(np.subtract(found, index)).max() > _GRID_TOLERANCE:
            return False
    return True
