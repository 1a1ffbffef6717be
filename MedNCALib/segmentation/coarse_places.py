"""Where cells of a finder's grid lie: the box around them in mm, and whether they reach the border of the image."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from ..imaging.anatomical_axes import index_to_physical
from ..imaging.slice_space import SliceSpace
from .found_structures import Box

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])

# The same place in an image that is stored in another order of its axes is computed with other rounding. A distance in
# voxels below which two places are one, and a length in mm by which ties go to one side before they are rounded.
_SAME_PLACE, _TIE = 1e-6, 1e-7
_DIGITS = 3  # of millimetres


class CoarsePlaces:
    """Places of cells, (slice, row, column), of a grid without its margin.

    Args:
        space: the grid.
    """

    def __init__(self, space: SliceSpace) -> None:
        to_lps, image_to_lps = space.index_to_physical(), index_to_physical(space.image)
        self._to_ras, self._image_to_ras = _LPS_TO_RAS @ to_lps, _LPS_TO_RAS @ image_to_lps
        self._to_image = np.linalg.inv(image_to_lps) @ to_lps
        self._size = np.array(space.image.GetSize())
        self._spacing = np.array(space.spacing)

    def ras(self, cells: np.ndarray) -> np.ndarray:
        """Where cells lie, in mm along right, anterior and superior, shape (n, 3)."""
        return _mapped(self._to_ras, cells[:, ::-1])

    def box(self, centre: np.ndarray, cells: np.ndarray, extent: Sequence[float], margin: float) -> Box:
        """The box of an extent around a centre, made larger if cells or a margin around them lie outside.

        Args:
            centre: (slice, row, column).
            cells: shape (n, 3).
            extent, margin: mm along right, anterior and superior; mm.

        Returns:
            The part of the box that lies in the image.
        """
        middle, half = self.ras(centre[None])[0], np.asarray(extent) / 2
        corners = self._corners_around(cells)
        seen = _mapped(self._image_to_ras, _corners(np.full(3, -0.5), self._size - 0.5))
        low = np.maximum(np.minimum(middle - half, corners.min(axis=0) - margin), seen.min(axis=0))
        high = np.minimum(np.maximum(middle + half, corners.max(axis=0) + margin), seen.max(axis=0))
        right, anterior, superior = np.round(np.stack([low, high], axis=1) + _TIE, _DIGITS).tolist()
        return (*right, *anterior, *superior)

    def extent(self, cells: np.ndarray) -> np.ndarray:
        """How far cells reach, in mm along right, anterior and superior."""
        return np.ptp(self._corners_around(cells), axis=0)

    def cut_area(self, cells: np.ndarray) -> float:
        """Area, in mm2, of the faces of cells beyond which the image shows nothing."""
        places, area = np.ascontiguousarray(_mapped(self._to_image, cells[:, ::-1]).T), 0.0
        for axis in range(3):  # columns, rows and slices
            face = float(np.prod(np.delete(self._spacing[::-1], axis)))
            for step in (self._to_image[:3, axis], -self._to_image[:3, axis]):
                outside = np.zeros(len(cells), bool)
                for along, distance, size in zip(places, step, self._size):
                    first, last = -0.5 - _SAME_PLACE, size - 0.5 + _SAME_PLACE
                    outside |= (along < first - distance) | (along > last - distance)
                area += face * int(np.count_nonzero(outside))
        return area

    def _corners_around(self, cells: np.ndarray) -> np.ndarray:
        return self.ras(_corners(cells.min(axis=0) - 0.5, cells.max(axis=0) + 0.5))


def _corners(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    return np.array(list(product(*zip(first, last))))


def _mapped(matrix: np.ndarray, places: np.ndarray) -> np.ndarray:
    return places @ matrix[:3, :3].T + matrix[:3, 3]
