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
        self._file = file
        self._rows: list[Sequence[str]] = [(*_COLUMNS, *scores)]

    def begin(self) -> None:
        """Start a new table."""
        self._write()

    def go_on(self, batch: int) -> None:
        """Take over the rows of an earlier table up to this batch, from which a training goes on."""
        with self._file.open(newline="", encoding="utf-8") as file:
            _, *rows = csv.reader(file)
        self._rows += [row for row in rows if int(row[0]) <= batch]
        self._write()

    def add(self, batch: int, seconds: float, learning_rate: float, loss: float, scores: Sequence[float]) -> None:
        """Add a row: after how many batches and how much working time, the mean loss of late, and the scores."""
        figures = (f"{seconds:.1f}", f"{learning_rate:.6f}", f"{loss:.4f}", *(f"{score:.4f}" for score in scores))
        self._rows.append((str(batch), *figures))
        self._write()

    def _write(self) -> None:
        with written_whole(self._file) as path, path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(self._rows)
