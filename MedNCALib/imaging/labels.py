"""What a model finds: its labels with names, colours and terminology, read from a Slicer colour table.

The file is the CSV colour table of 3D Slicer 5.10 and later, so the same `labels.csv` serves the engine and Slicer.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..errors import ModelError

_CODES = ("category", "type", "type_modifier", "region", "region_modifier")
_COLUMNS = ("Category", "Type", "TypeModifier", "Region", "RegionModifier")
_REGIONS = "Anatomic codes - DICOM master list"  # the list that Slicer takes regions from
_PARTS = ("CodingScheme", "CodeValue", "CodeMeaning")


class CodedConcept(NamedTuple):
    """A coded concept of DICOM (PS3.3, 8.8): a term that a coding scheme defines.

    Attributes:
        scheme: coding scheme designator, "SCT" for SNOMED CT.
        value: code value, unique in the scheme.
        meaning: for people.
    """

    scheme: str
    value: str
    meaning: str


_NO_CONCEPT = CodedConcept("", "", "")


@dataclass(frozen=True)
class Label:
    """One label.

    Attributes:
        value: the voxel value, 1 to 255.
        name: for people.
        color: red, green and blue, 0 to 255.
        terminology: codes for "category", "type", "type_modifier", "region" and "region_modifier", as far as known.
    """

    value: int
    name: str
    color: tuple[int, int, int] = (128, 174, 128)
    terminology: dict[str, CodedConcept] = field(default_factory=dict, hash=False)

    @property
    def terminology_entry(self) -> str:
        """Slicer's one-line form of the terminology; empty where there is none."""
        if not self.terminology.get("type"):
            return ""
        category, kind, modifier, region, region_modifier = (
            "^".join(self.terminology.get(name) or _NO_CONCEPT) for name in _CODES
        )
        return f"MedNCA~{category}~{kind}~{modifier}~{_REGIONS}~{region}~{region_modifier}"


def read_labels(path: Path) -> tuple[Label, ...]:
    """Read `labels.csv`.

    Raises:
        ModelError: a missing column, or a value that cannot be read.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        labels = tuple(_label(row) for row in rows if int(row["LabelValue"]) != 0)
    except (KeyError, ValueError, TypeError) as error:
        raise ModelError(
            f"{path} is not a colour table that can be read ({error}): copy the model folder again."
        ) from error
    return labels


def _label(row: dict[str, str]) -> Label:
    terminology = {}
    for name, column in zip(_CODES, _COLUMNS):
        concept = CodedConcept(*(row.get(f"{column}_{part}") or "" for part in _PARTS))
        if concept.value:
            terminology[name] = concept
    red, green, blue = (int(float(row[f"Color_{letter}"])) for letter in "RGB")
    return Label(int(row["LabelValue"]), row["Name"], (red, green, blue), terminology)


def write_labels(path: Path, labels: Sequence[Label]) -> None:
    """Write `labels.csv`."""
    header = ["LabelValue", "Name", *(f"Color_{letter}" for letter in "RGBA")]
    header += [f"{column}_{part}" for column in _COLUMNS for part in _PARTS]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(_row(label) for label in labels)


def _row(label: Label) -> Iterable[str | int]:
    codes = [label.terminology.get(name) or _NO_CONCEPT for name in _CODES]
    return [label.value, label.name, *label.color, 255, *(part for code in codes for part in code)]
