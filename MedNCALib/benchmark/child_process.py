"""Measurements in a process of their own, which holds nothing of what was measured before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ..errors import MedNCAError


def json_of(*arguments: str) -> dict:
    """Run Python with these arguments, where this package can be imported, and read the JSON that it prints.

    Raises:
        MedNCAError: it failed; the message is the last line that it has written.
    """
    home = str(Path(__file__).resolve().parents[2])
    found = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": found}
    )
    if done.returncode:
        raise MedNCAError((done.stderr.strip().splitlines() or ["it ended without a word"])[-1])
    return json.loads(done.stdout)
