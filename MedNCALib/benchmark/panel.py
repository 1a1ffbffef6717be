"""How alive the application stays while the panel segments, where the stand-in for the application is installed.

The engine knows nothing of either: `Testing/tools/bench_panel.py`, which only a checkout has, measures in a process of
its own, and says what the figures mean.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from ..errors import MedNCAError
from .child_process import json_of

SCRIPT = Path(__file__).resolve().parents[2] / "Testing" / "tools" / "bench_panel.py"
_NEEDS = {"slicer_core": "slicer-core", "PySide6": "PySide6"}  # what each is called where it can be installed from


def measure() -> dict:
    """The figures, with the JSON's keys: "longest_block_ms" and "live_cost", a share.

    Raises:
        MedNCAError: why they cannot be measured here.
    """
    if not SCRIPT.is_file():
        raise MedNCAError("only a checkout of MedNCA has what that needs.")
    missing = [name for module, name in _NEEDS.items() if find_spec(module) is None]
    if missing:
        raise MedNCAError(f"{' and '.join(missing)} must be installed for that.")
    return json_of(str(SCRIPT))
