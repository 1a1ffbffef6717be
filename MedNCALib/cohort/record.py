"""The record of a case: what was done with which input, model and options, and what came of it.

It is a JSON object in a file beside the results, written last: if it is there, the results are. Its keys are those of
the summary that `mednca segment --json` prints, and these:

- `mednca_record`: version of the format
- `case`: name of the case
- `status`: "done" or "failed"; `error`: why it failed
- `input_bytes`, `input_modified`: size and time of the input
- `options`: what the results depend on besides input and model
- `warnings`: sentences
- `labels`: value and colour of each label
- `sequence`: of a sequence, the keys that its summary has besides; `shown_frame`: the frame in the picture, from 0
- `files`: names of the results and their sizes in bytes
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from .._version import __version__
from ..atomic_write import written_whole
from ..imaging.labels import Label
from ..io.segmentation_file import color_text
from .job import Job

FORMAT = 1
DONE, FAILED = "done", "failed"
_KEY = "mednca_record"
_START = 64  # bytes in which the key of a record stands

Record = dict[str, Any]


def new_record(job: Job) -> Record:
    """What is known of a case before it is begun."""
    return {
        _KEY: FORMAT,
        "case": job.name,
        "status": FAILED,
        "error": None,
        "input": job.image,
        **input_state(job.image),
        "model": Path(os.path.abspath(job.settings.model)).name,
        "model_sha256": job.settings.model_sha256,
        "version": __version__,
        "options": _options(job),
        "warnings": [],
        "files": {},
        **job.extra,
    }


def failed(job: Job, error: str, warnings: list[str] | None = None) -> Record:
    """The record of a case that failed."""
    return {**new_record(job), "error": error, "warnings": warnings or []}


def input_state(image: str) -> Record:
    """Size in bytes and time of change of a file, or of all files of a folder; null if there is none."""
    try:
        if os.path.isdir(image):  # noqa: PTH112 (a case a line: a path object for each would be slower)
            entries = [entry.stat() for entry in os.scandir(image) if entry.is_file()]
        else:
            entries = [os.stat(image)]  # noqa: PTH116
    except (OSError, ValueError):
        entries = []
    return {
        "input_bytes": sum(entry.st_size for entry in entries) if entries else None,
        "input_modified": max((entry.st_mtime for entry in entries), default=None),
    }


def write_record(job: Job, record: Record) -> None:
    """Write the record of a case; it is whole or not there.

    Raises:
        MedNCAError: it cannot be written, with the reason.
    """
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    with written_whole(job.record) as path:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")


def read_record(path: Path) -> Record | None:
    """A record; None if the file is none, or is not there."""
    try:
        data = path.read_bytes()
        if _KEY.encode() not in data[:_START]:
            return None
        record = json.loads(data)
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and record.get(_KEY) == FORMAT else None


def discard_record(path: Path) -> None:
    """Remove a record before its results are replaced; a file that is none stays."""
    if read_record(path) is not None:
        with suppress(FileNotFoundError):
            path.unlink()


def is_done(job: Job) -> bool:
    """Whether there is a record of the same input, model and options, and its files are whole."""
    record = read_record(job.record)
    if record is None or record.get("status") != DONE:
        return False
    wanted = {**input_state(job.image), "model_sha256": job.settings.model_sha256, "options": _options(job)}
    if any(record.get(key) != value for key, value in wanted.items()):
        return False
    files = record.get("files")
    folder = job.record.parent
    return isinstance(files, dict) and bool(files) and all(_size(folder / name) == files[name] for name in files)


def find_records(folder: Path) -> Iterator[tuple[Path, Record]]:
    """Each record in a folder and in those below it, by name."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.endswith(".json") and not name.startswith("."):
                path = Path(parent) / name
                record = read_record(path)
                if record is not None:
                    yield path, record


def labels_of(labels: Sequence[Label]) -> Record:
    """Value and colour of each label, as the record has them."""
    return {label.name: {"value": label.value, "color": color_text(label.color)} for label in labels}


def _options(job: Job) -> Record:
    """What the results depend on besides input and model, as JSON gives it back.

    What is not asked for is left out, and threads, which change nothing.
    """
    settings = job.settings
    options = {name: value for name, value in settings.options.items() if name != "threads"}
    asked = {
        **_asked(options),
        "reading": _asked(settings.reading),
        "formats": settings.formats,
        **_asked({"slices": settings.slices, "stress": settings.stress, "corrections": settings.corrections}),
    }
    return json.loads(json.dumps(asked, default=str))


def _asked(options: Mapping[str, Any]) -> Record:
    return {name: value for name, value in options.items() if value is not None and value is not False}


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
