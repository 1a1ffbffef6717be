"""One grid for all places in which a run segments, so that their cells are kept and shown together."""

from __future__ import annotations

from itertools import product

import numpy as np

from .steps import Step

_MARGIN = 2  # cells around the boxes: the grid in a box begins and ends with whole voxels

Places = tuple[slice, ...]


class CommonGrid:
    """The grid of one step, made larger so that it holds all boxes in which structures were found.

    Cells of the other boxes go to the nearest of its cells, less than one away.

    Args:
        step: the first one of the run that is kept or shown.

    Attributes:
        shape: its slices, rows and columns.
    """

    def __init__(self, step: Step) -> None:
        self._of_step = step.space.index_to_physical()
        self._to_step = np.linalg.inv(self._of_step)
        low, high = np.zeros(3, int), np.array(step.space.inside_shape)
        for structure in step.found:
            if structure != step.structure:
                corners = [(-r, -a, s, 1) for r, a, s in product(*zip(structure.box[::2], structure.box[1::2]))]
                cells = (np.array(corners) @ self._to_step.T)[:, 2::-1]
                low = np.minimum(low, np.floor(cells.min(axis=0)).astype(int) - _MARGIN)
                high = np.maximum(high, np.ceil(cells.max(axis=0)).astype(int) + _MARGIN)
        self._first = low  # slice, row and column of the step's grid
        slices, rows, columns = (high - low).tolist()
        self.shape: tuple[int, int, int] = slices, rows, columns

    def index_to_physical(self) -> np.ndarray:
        """The 4x4 matrix from (column, row, slice) to LPS mm, as `SliceSpace.index_to_physical`."""
        matrix = self._of_step.copy()
        matrix[:, 3] = matrix @ (*self._first[::-1], 1)
        return matrix

    def places(self, step: Step) -> tuple[Places, Places]:
        """Where the slices of a step lie.

        Returns:
            Index expressions for the same cells, of an array of this grid and of what `Step.full_size` gives.
        """
        origin = self._to_step @ step.space.index_to_physical()[:, 3]
        begin = np.rint(origin[2::-1]).astype(int) - self._first + (step.slices[0], 0, 0)
        count = (step.slices[1] - step.slices[0], *step.space.inside_shape[1:])
        low, high = np.maximum(begin, 0), np.minimum(begin + count, self.shape)
        return tuple(map(slice, low, high)), tuple(map(slice, low - begin, high - begin))
