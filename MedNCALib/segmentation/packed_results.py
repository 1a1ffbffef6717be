"""The results of all frames of a sequence, with their label images packed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import SimpleITK as sitk

from ..io.packed_labels import PackedLabels
from .steps import Result


class PackedResults(Sequence[Result]):
    """A sequence of results, each with its label image whenever it is asked for.

    Attributes:
        labels: their label images.
    """

    def __init__(self) -> None:
        self.labels = PackedLabels()
        self._others: list[Result] = []  # than labels
        self._no_labels = sitk.Image([1, 1, 1], sitk.sitkUInt8)

    def append(self, result: Result) -> None:
        """Add the result of the next frame."""
        self.labels.append(result.labels)
        self._others.append(replace(result, labels=self._no_labels))

    def __len__(self) -> int:
        return len(self._others)

    def __getitem__(self, number: Any) -> Any:
        return replace(self._others[number], labels=self.labels[number])
