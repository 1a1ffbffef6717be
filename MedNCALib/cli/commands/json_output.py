"""Figures written as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ...atomic_write import written_whole
from ...errors import MedNCAError


def require_folder(file: Path) -> None:
    """Refuse a file whose folder does not exist, before the work rather than afterwards.

    Raises:
        MedNCAError: there is no such folder.
    """
    if not file.parent.is_dir():
        raise MedNCAError(f"There is no folder {file.parent} to write {file.name} into. Make it, or choose another.")


def write_json(file: Path, content: Any) -> None:
    """Write a JSON file; names that are not UTF-8 are written with escapes."""
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    with written_whole(file) as path:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
