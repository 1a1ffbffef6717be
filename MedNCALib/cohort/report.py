"""The report of a cohort: one HTML file to look through, which works offline and from a file.

Pictures are kept in the page as text and decoded only as they come into view, so that a thousand cases scroll.
"""

from __future__ import annotations

import base64
import html
import json
import os
from collections.abc import Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from .._version import __version__
from ..atomic_write import written_whole
from ..errors import MedNCAError
from ..imaging.labels import Label
from ..io.image_sequence import ImageSequence, read_volumes
from ..measurement.volume_curve import VOLUME_PICTURE
from .picture import case_picture
from .record import DONE, Record
from .table import BEAT, beat_of, least_sure, quality_of, volumes_of

_BINS = 40
_WIDTH, _HEIGHT = 200, 26  # of a histogram
_TEMPLATE = Path(__file__).with_name("report_page.html")


def write_report(path: Path, cases: Sequence[tuple[Path, Record]], title: str) -> None:
    """Write the report of these cases, least sure first.

    Args:
        path: ends with `.html`.
        cases: the file of each record, and the record.
        title: of the page.

    Raises:
        MedNCAError: it cannot be written, with the reason.
    """
    folders = {id(record): file.parent for file, record in cases}
    records = least_sure([record for _, record in cases])
    figures = [{**volumes_of(record), **beat_of(record)} for record in records]
    columns = list(dict.fromkeys(name for each in figures for name in each))
    ranges = {name: _range([each[name] for each in figures if name in each]) for name in columns}
    data = {
        "columns": [_column(name, *ranges[name], records) for name in columns],
        "cases": [_case(record, each) for record, each in zip(records, figures)],
    }
    histograms = "".join(
        _histogram(f"h{number}", [each[name] for each in figures if name in each], *ranges[name])
        for number, name in enumerate(columns)
    )
    page = _TEMPLATE.read_text(encoding="utf-8")
    page = page.replace("@TITLE@", html.escape(_shown(title))).replace("@VERSION@", __version__)
    page = page.replace("@HISTOGRAMS@", histograms).replace("@DATA@", json.dumps(data).replace("<", "\\u003c"))
    before, after = page.split("@PICTURES@")
    with written_whole(path) as beside, beside.open("w", encoding="utf-8") as file:
        file.write(before)
        for number, record in enumerate(records):
            folder = folders[id(record)]
            for kind, picture in (("p", _picture(folder, record)), ("c", _curve(folder, record))):
                if picture:
                    text = base64.b64encode(picture).decode()
                    file.write(f'<script type="text/plain" id="{kind}{number}">{text}</script>\n')
        file.write(after)


def _case(record: Record, figures: dict[str, float]) -> dict[str, Any]:
    quality = quality_of(record)
    texts = {"name": record["case"], "error": record.get("error"), "input": record.get("input")}
    return {
        **{key: _shown(text) if text else None for key, text in texts.items()},
        "verdict": quality.get("verdict") if record.get("status") == DONE else "failed",
        "agreement": quality.get("agreement"),
        "nqm": quality.get("nqm"),
        "figures": figures,
        "size": next((figures[name] for name in ("volume_ml", "edv_ml") if name in figures), 0),
        "brain": record.get("brain_ml"),
        "warnings": [_shown(text) for text in record.get("warnings") or ()],
    }


def _column(name: str, low: float, high: float, records: Sequence[Record]) -> dict[str, Any]:
    """Name, shown name, unit and colour of a column of figures, and between which values its histogram lies."""
    shown, unit, color = "all labels", "mL", None
    if name in BEAT:
        shown, unit = BEAT[name]
    for record in records:
        labels = record.get("labels") or {}
        columns = list(volumes_of(record))
        if name in columns[:-1]:
            shown = list(record["volumes_ml"])[columns.index(name)]
            color = labels.get(shown, {}).get("color")
            break
    return {"name": name, "shown": shown, "unit": unit, "color": color, "low": low, "high": high}


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = 0.02 * (high - low) or 0.5
    return low - margin, high + margin


def _histogram(name: str, values: Sequence[float], low: float, high: float) -> str:
    """How often each value comes, as a shape that each case shows with its own mark in it."""
    counts, _ = np.histogram(values, _BINS, (low, high))
    width = _WIDTH / _BINS
    bars = "".join(
        f"M{number * width:g} {_HEIGHT}v{-_HEIGHT * count / counts.max():.3g}h{width:g}V{_HEIGHT}z"
        for number, count in enumerate(counts)
        if count
    )
    return f'<symbol id="{name}" viewBox="0 0 {_WIDTH} {_HEIGHT}"><path d="{bars}"/></symbol>'


def _picture(folder: Path, record: Record) -> bytes | None:
    """The picture that was written with the case, or one from its input and result; None if these are gone."""
    written = next((name for name in record.get("files") or () if name.endswith(".jpg")), None)
    try:
        if written:
            return (folder / written).read_bytes()
        labels = _label_file(folder, record)
        return None if labels is None else _drawn(record, labels)
    except (MedNCAError, OSError, RuntimeError, ValueError, KeyError):
        return None


def _curve(folder: Path, record: Record) -> bytes | None:
    """The plot of a heart's volume over time; None of other cases, or if it is gone."""
    written = next((name for name in record.get("files") or () if name.endswith(VOLUME_PICTURE)), None)
    try:
        return (folder / written).read_bytes() if written else None
    except OSError:
        return None


def _label_file(folder: Path, record: Record) -> Path | None:
    endings = (".seg.nrrd", ".nii.gz")
    return next((folder / name for name in record.get("files") or () if name.endswith(endings)), None)


def _drawn(record: Record, file: Path) -> bytes | None:
    number = record.get("shown_frame", 0)
    image = _volume(record["input"], number, record["options"].get("reading") or {})
    labels = sitk.Cast(_volume(file, number, {}), sitk.sitkUInt8)
    if labels.GetSize() != image.GetSize():
        return None
    known = []
    for name, label in record["labels"].items():
        red, green, blue = bytes.fromhex(label["color"][1:])
        known.append(Label(label["value"], name, (red, green, blue)))
    buffer = BytesIO()
    case_picture(image, labels, known).save(buffer, "JPEG", quality=80, subsampling=0)
    return buffer.getvalue()


def _volume(path: str | Path, number: int, reading: dict[str, Any]) -> sitk.Image:
    """A volume, or that frame of a sequence."""
    image = read_volumes(path, **reading)
    return next(islice(image, number, None)) if isinstance(image, ImageSequence) else image


def _shown(text: str) -> str:
    """A text that any reader of UTF-8 takes: names of files may have any bytes."""
    return os.fsencode(text).decode("utf-8", "replace")
