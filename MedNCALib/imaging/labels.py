"""What a model finds: its labels with names, colours and terminology, read from a Slicer colour table.

The file is the CSV colour table of 3D Slicer 5.10 and later, so the same `labels.csv` serves the engine and Slicer.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
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
        """Slicer's one-line form of the terminology; empty if there is none."""
        if not self.terminology.get("type"):
            return ""
        category, kind, modifier, region, region_modifier = (
            "^".join(self.terminology.get(name) or _NO_CONCEPT) for name in _CODES
        )
        return f"MedNCA~{category}~{kind}~{modifier}~{_REGIONS}~{region}~{region_modifier}"

    @property
    def file_name(self) -> str:
        """The name without what means something else to file systems or shells.

        >>> Label(1, "left / anterior").file_name
        'left-anterior'
        """
        return re.sub(r"[^\w.-]+", "-", self.name)


def read_labels(path: Path) -> tuple[Label, ...]:
    """Read `labels.csv`, also as spreadsheets save it: marked as Unicode, with semicolons or tabs, in another order.

    Returns:
        The labels by value, which is the order of a model's outputs.

    Raises:
        ModelError: it cannot be read, or its labels cannot be told apart.
    """
    try:
        rows = _rows(_decoded(path.read_bytes()))
        labels = [label for label in (_label(row, line) for line, row in rows) if label.value]  # without a background
        _check_distinct(labels)
    except (ValueError, csv.Error) as error:
        raise ModelError(
            f"{path} is not a table of labels: {error}. Correct it, or copy the model folder again."
        ) from error
    return tuple(sorted(labels, key=lambda label: label.value))


def _decoded(data: bytes) -> str:
    """The text of a file, which starts with a byte order mark if a spreadsheet wrote it."""
    try:
        return data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError('its letters are not in UTF-8; a spreadsheet saves it so as "CSV UTF-8"') from error


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows with anything in them, by column, and their line numbers."""
    lines = text.splitlines()
    if lines and lines[0].startswith("sep="):  # Excel's way to name the separator
        lines[0] = ""
    header = next((line for line in lines if line.strip()), "")
    separator = max(",;\t", key=header.count)
    reader = csv.DictReader((line for line in lines if line.strip()), delimiter=separator)
    columns = [column.strip() for column in reader.fieldnames or ()]
    missing = [column for column in ("LabelValue", "Name") if column not in columns]
    if missing:
        raise ValueError(f"it has no column {' and '.join(missing)}")
    reader.fieldnames = columns
    for row in reader:
        cells = {column: (row[column] or "").strip() for column in columns}
        if any(cells.values()):
            yield reader.line_num, cells


def _label(row: dict[str, str], line: int) -> Label:
    terminology = {}
    for name, column in zip(_CODES, _COLUMNS):
        concept = CodedConcept(*(row.get(f"{column}_{part}", "") for part in _PARTS))
        if concept.value:
            terminology[name] = concept
    value = _whole(row["LabelValue"], 0, 255, f"LabelValue in line {line}")
    red, green, blue = (_whole(row.get(f"Color_{part}", ""), 0, 255, f"Color_{part} in line {line}") for part in "RGB")
    name = row["Name"]
    if not name or not name.isprintable():
        raise ValueError(f"the label {value} has no name that can be shown")
    return Label(value, name, (red, green, blue), terminology)


def _whole(text: str, low: int, high: int, name: str) -> int:
    """A whole number, also as a spreadsheet writes it ("1.0", "1,0")."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if not (low <= value <= high and value % 1 == 0):
        raise ValueError(f"{name} is {text!r}, and must be a whole number from {low} to {high}")
    return int(value)


def _check_distinct(labels: Sequence[Label]) -> None:
    if not labels:
        raise ValueError("it names no label")
    for number, label in enumerate(labels):
        for other in labels[:number]:
            if label.value == other.value:
                raise ValueError(f"{other.name} and {label.name} have the same LabelValue {label.value}")
            if label.name.casefold() == other.name.casefold():
                raise ValueError(f"the labels {other.value} and {label.value} have the same name {label.name!r}")
            if label.file_name.casefold() == other.file_name.casefold():
                raise ValueError(
                    f"{other.name!r} and {label.name!r} would be written to files of one name ({label.file_name})"
                )


def write_labels(path: Path, labels: Sequence[Label]) -> None:
    """Write `labels.csv`."""
    header = ["LabelValue", "Name", *(f"Color_{letter}" for letter in "RGBA")]
    header += [f"{column}_{part}" for column in _COLUMNS for part in _PARTS]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(_row(label) for label in labels)


def _row(label: Label) -> Iterable[str | int]:
    codes = [label.terminology.get(name) or _NO_CONCEPT for name in _CODES]
    return [label.value, label.name, *label.color, 255, *(part for code in codes for part in code)]
