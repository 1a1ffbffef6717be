"""What a finder says of each cell of its coarse grid, and the pieces in which cells of one label lie together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ..imaging.labels import Label
from ..imaging.slice_space import SliceSpace
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
        self._labels[ready], self._probability[ready] = argmax_labels(probabilities), probabilities.max(axis=-1)
        self._done = ready.stop

    def pieces(self, label: Label) -> list[Piece]:
        """The pieces of a label, the one of the largest weight first."""
        return self._pieces(self._labels == self._numbers[label.value])

    def largest_piece(self) -> Piece:
        """The largest piece of all labels merged; without cells if there is none."""
        found = self._pieces(self._labels > 0)
        return max(found, key=lambda piece: len(piece.cells), default=Piece(np.empty((0, 3), int), 0.0))

    def _pieces(self, mask: np.ndarray) -> list[Piece]:
        """Cells that share a face, an edge or a corner belong together."""
        numbered = sitk.GetArrayFromImage(sitk.ConnectedComponent(sitk.GetImageFromArray(mask.astype(np.uint8)), True))
        cells = np.argwhere(mask)
        numbers = numbered[mask]
        weights = np.bincount(numbers, self._probability[mask])
        found = [Piece(cells[numbers == number], float(weights[number])) for number in range(1, len(weights))]
        return sorted(found, key=lambda piece: -piece.weight)
