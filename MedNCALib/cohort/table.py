"""The table of a cohort: tab-separated values, a row a case, "n/a" for what is not known, as BIDS has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import nsmallest
from pathlib import Path
from typing import Any

from ..atomic_write import written_whole
from ..measurement.volumes import ASYMMETRY, RATIO, SHARE, VOLUME
from .job import plain_name
from .record import DONE, Record

NOT_KNOWN = "n/a"
# Figures of the beat, by their columns: how a page names them, and their units.
BEAT = {
    "edv_ml": ("end-diastolic volume", "mL"),
    "esv_ml": ("end-systolic volume", "mL"),
    "stroke_volume_ml": ("stroke volume", "mL"),
    "ejection_fraction": ("ejection fraction", "%"),
    "cardiac_output_l_min": ("cardiac output", "L/min"),
}
_FIRST = ("participant_id", "session_id", "case", "status", "verdict", "agreement", "nqm")
_AFTER_VOLUMES = ("found", "brain_ml", "frames", "heart_rate_bpm")
_LAST = (
    *_AFTER_VOLUMES, "seconds", "passes", "seed", "protocol", "model", "model_sha256", "version", "warnings", "error",
    "input", "segmentation",
)  # fmt: skip
_ONLY_IF_KNOWN = ("participant_id", "session_id", *_AFTER_VOLUMES)
_MEASUREMENTS = {
    VOLUME: "volume_ml",
    RATIO: "anterior_posterior_ratio",
    ASYMMETRY: "asymmetry_percent",
    SHARE: "brain_share_percent",
}
_DIGITS = 6


def write_table(path: Path, records: Iterable[Record]) -> None:
    """Write the table of these records, a row each in their order.

    Columns: `participant_id` and `session_id` of a BIDS data set; `case`, `status`, `verdict`, `agreement`, `nqm`;
    `volume_ml_LABEL` of each label of any case, `volume_ml` of all labels, and `volume_sd_ml_LABEL` over the passes;
    what follows from the volumes, see `measurements_of`; the figures of the beat, see `BEAT`, each with its standard
    deviation as `FIGURE_sd`; `found`, `brain_ml` and what else the records say.

    Raises:
        MedNCAError: it cannot be written, with the reason.
    """
    with written_whole(path) as beside:
        beside.write_text(table_text(records), encoding="utf-8", errors="backslashreplace")


def table_text(records: Iterable[Record]) -> str:
    """The table as text."""
    rows: list[tuple[tuple[str, ...], str]] = []  # names of the cells, and these as text: many records are small so
    kinds: dict[tuple[str, ...], tuple[str, ...]] = {}
    for record in records:
        row = _row(record)
        names = kinds.setdefault(tuple(row), tuple(row))
        rows.append((names, "\t".join(row.values())))
    known = dict.fromkeys(name for names in kinds for name in names)
    volumes = [name for name in known if name not in (*_FIRST, *_LAST)]
    columns = [name for name in (*_FIRST, *volumes, *_LAST) if name in known or name not in _ONLY_IF_KNOWN]
    lines = ["\t".join(columns)]
    for names, text in rows:
        cells = dict(zip(names, text.split("\t")))
        lines.append("\t".join(cells.get(name, NOT_KNOWN) for name in columns))
    return "".join(f"{line}\n" for line in lines)


def least_sure(records: Iterable[Record], count: int | None = None) -> list[Record]:
    """Cases in the order in which they are to be looked at, all or so many of them.

    First those that failed, then those that are done, by agreement and, of the same agreement, by NQM; last those of a
    single pass, which have neither.
    """
    return sorted(records, key=_sureness) if count is None else nsmallest(count, records, key=_sureness)


def _sureness(record: Record) -> tuple[bool, bool, float, float]:
    quality = quality_of(record)
    agreement, nqm = quality.get("agreement"), quality.get("nqm")
    return record.get("status") == DONE, agreement is None, agreement or 0.0, -(nqm or 0.0)


def quality_of(record: Record) -> Mapping[str, Any]:
    """The scores of a case; of a sequence those of the frame whose passes agree least; empty if it failed."""
    frames = [frame["quality"] for frame in (record.get("sequence") or {}).get("frames", ())]
    if frames:
        return min(frames, key=lambda quality: 1.0 if quality["agreement"] is None else quality["agreement"])
    quality = record.get("quality")
    return quality if isinstance(quality, Mapping) else {}


def volumes_of(record: Record) -> dict[str, float]:
    """Volume of each label and, last, of all, in mL, by column; empty if the case failed, and of a sequence."""
    volumes = record.get("volumes_ml") or {}
    named = {f"volume_ml_{column_name(label)}": ml for label, ml in volumes.items()}
    return {**named, "volume_ml": sum(volumes.values())} if volumes else {}


def beat_of(record: Record) -> dict[str, float]:
    """The figures of a heart's beat, by column; empty without a beat, and without those that are not known."""
    sequence = record.get("sequence") or {}
    return {name: sequence[name] for name in BEAT if sequence.get(name) is not None}


def measurements_of(record: Record) -> dict[str, float]:
    """What follows from the volumes, by column, see `_MEASUREMENTS`: `asymmetry_percent_hippocampus` for example."""
    return {
        f"{_MEASUREMENTS[each['quantity']]}_{column_name(each['structure'])}": each["value"]
        for each in record.get("measurements") or ()
        if each["quantity"] in _MEASUREMENTS
    }


def column_name(label: str) -> str:
    """A label's name as part of a column's name.

    >>> column_name("Left anterior hippocampus")
    'left_anterior_hippocampus'
    """
    return plain_name(label).replace("-", "_").replace(".", "_").lower()


def _row(record: Record) -> dict[str, str]:
    quality = quality_of(record)
    sequence = record.get("sequence") or {}
    spread = sequence.get("spread") or {}
    # Of a sequence the scores are those of one frame, and its volumes are no volumes of the case.
    deviations = {} if sequence else quality.get("volumes_ml") or {}
    known = {
        **record,
        "found": " ".join(each["side"] or "unknown" for each in record.get("found") or ()),
        "frames": len(sequence["frames"]) if sequence else None,
        "heart_rate_bpm": sequence.get("heart_rate_bpm"),
    }
    values = {
        **{name: known.get(name) for name in (*_FIRST, *_LAST) if known.get(name) or name not in _ONLY_IF_KNOWN},
        **{name: quality.get(name) for name in ("verdict", "agreement", "nqm")},
        **measurements_of(record),
        **volumes_of(record),
        **{f"volume_sd_ml_{column_name(label)}": volume.get("sd") for label, volume in deviations.items()},
        **beat_of(record),
        **{f"{name}_sd": spread.get(name) for name in beat_of(record)},
        "warnings": " | ".join(record.get("warnings") or ()),
    }
    return {name: _cell(value) for name, value in values.items()}


def _cell(value: Any) -> str:
    if value is None or value == "":
        return NOT_KNOWN
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    return " ".join(str(value).split())


def sentences(records: Iterable[Record]) -> list[str]:
    """How many cases are done, how many failed, and a line for each that failed."""
    number, failures = 0, []
    for record in records:
        number += 1
        if record.get("status") != DONE:
            failures.append(f"{record['case']}: {record.get('error')}")
    return [f"{number - len(failures)} done, {len(failures)} failed.", *failures]
