"""The table of a stress test as a file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from ..atomic_write import written_whole

if TYPE_CHECKING:
    from .stress_test import StressTest


def write_stress_table(file: Path, test: StressTest) -> None:
    """Write a row for each perturbation as comma-separated values: Dice, that of each label, and change of volume."""
    labels = list(test.worst.labels)
    with written_whole(file) as path, path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as opened:
        table = csv.writer(opened)
        table.writerow(["perturbation", "dice", *(f"dice {name}" for name in labels), "volume_ml", "volume_percent"])
        for change in test.changes:
            dices = [f"{dice:.4f}" for dice in (change.dice, *change.labels.values())]
            percent = "" if change.volume_percent is None else f"{change.volume_percent:.2f}"
            table.writerow([change.perturbation, *dices, f"{change.volume_ml:.4f}", percent])
