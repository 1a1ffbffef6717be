"""The log of a training: a table with one row a validation."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from ..atomic_write import written_whole

_COLUMNS = ("batch", "seconds", "learning_rate", "loss")


class TrainingLog:
    """A CSV file that grows with the training.

    Args:
        file: where it lies.
        scores: names of the columns of scores.
    """

    def __init__(self, file: Path, scores: Sequence[str]) -> None:
        self._file, self._scores = file, tuple(scores)

    def begin(self) -> None:
        """Start a new table."""
        self._write([(*_COLUMNS, *self._scores)], "w")

    def add(self, batch: int, seconds: float, learning_rate: float, loss: float, scores: Sequence[float]) -> None:
        """Add a row: after how many batches and how much working time, the mean loss of late, and the scores."""
        figures = (f"{seconds:.1f}", f"{learning_rate:.6f}", f"{loss:.4f}", *(f"{score:.4f}" for score in scores))
        self._write([(str(batch), *figures)], "a")

    def cut_after(self, batch: int) -> None:
        """Drop the rows of later batches, from which a training that goes on does not start."""
        with open(self._file, newline="", encoding="utf-8") as file:
            heading, *rows = csv.reader(file)
        with written_whole(self._file) as path, open(path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([heading, *(row for row in rows if int(row[0]) <= batch)])

    def _write(self, rows: Sequence[Sequence[str]], mode: str) -> None:
        with open(self._file, mode, newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
