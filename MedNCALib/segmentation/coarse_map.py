"""What a finder says of each cell of its coarse grid, and the pieces in which cells of one label lie together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ..imaging.labels import Label
from ..imaging.slice_space import SliceSpace
from ..numerics.channels import over_channels
from .output import argmax_labels


@dataclass(frozen=True)
class Piece:
    """Cells that lie together.

    Attributes:
        cells: their (slice, row, column) on the finder's grid without its margin, shape (n, 3).
        weight: sum of the label's probability over them.
    """

    cells: np.ndarray
    weight: float

    @property
    def confidence(self) -> float:
        """Mean probability of the label."""
        return self.weight / len(self.cells)

    @property
    def centre(self) -> np.ndarray:
        """Mean of the cells, (slice, row, column)."""
        return self.cells.mean(axis=0)

    def with_others(self, others: Sequence[Piece]) -> Piece:
        """One piece of several."""
        pieces = [self, *others]
        return Piece(np.concatenate([piece.cells for piece in pieces]), sum(piece.weight for piece in pieces))


class CoarseMap:
    """The likeliest label of each cell, and its probability.

    Args:
        space: the finder's grid.
        labels: the finder's, in the order of its outputs.
    """

    def __init__(self, space: SliceSpace, labels: Sequence[Label]) -> None:
        self.space = space
        self._numbers = {label.value: number for number, label in enumerate(labels, 1)}
        self._labels = np.zeros(space.inside_shape, np.uint8)
        self._probability = np.zeros(space.inside_shape, np.float32)
        self._done = 0  # slices

    def add(self, finished: Sequence[np.ndarray]) -> None:
        """Add the next group of slices: the probabilities of the one pass, shape (n, H, W, K)."""
        (probabilities,) = (run[self.space.inside] for run in finished)
        ready = slice(self._done, self._done + len(probabilities))
        self._labels[ready] = argmax_labels(probabilities)
        self._probability[ready] = over_channels(np.maximum, probabilities)
        self._done = ready.stop

    def pieces(self, label: Label, least_ml: float) -> list[Piece]:
        """The pieces of a label that have at least this volume, the one of the largest weight first."""
        found = self._pieces(self._labels == self._numbers[label.value], least_ml / self.space.voxel_ml)
        return sorted(found, key=lambda piece: -piece.weight)

    def largest_piece(self) -> Piece | None:
        """The largest piece of all labels merged, by its number of cells; None if there is none."""
        return max(self._pieces(self._labels > 0, 1), key=lambda piece: len(piece.cells), default=None)

    def _pieces(self, mask: np.ndarray, least_cells: float) -> list[Piece]:
        """Pieces of at least so many cells; cells that share a face, an edge or a corner belong together."""
        cells = np.argwhere(mask)
        if not len(cells):
            return []
        box = tuple(slice(first, last + 1) for first, last in zip(cells.min(axis=0), cells.max(axis=0)))
        numbered = sitk.ConnectedComponent(sitk.GetImageFromArray(mask[box].astype(np.uint8)), True)
        numbers = sitk.GetArrayViewFromImage(numbered)[mask[box]]
        sizes, weights = np.bincount(numbers), np.bincount(numbers, self._probability[mask])
        large = [number for number in range(1, len(sizes)) if sizes[number] >= least_cells]
        return [Piece(cells[numbers == number], float(weights[number])) for number in large]
