"""Measurements in a process of their own, which holds nothing of what was measured before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..errors import MedNCAError


def json_of(*arguments: str) -> Any:
    """Run Python with these arguments, in an environment that can import this package, and read the JSON it prints.

    Raises:
        MedNCAError: it failed, the message is the last line that it has written; or what it printed is no JSON.
    """
    home = str(Path(__file__).resolve().parents[2])
    found = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONPATH": found},
        check=False,
    )
    if done.returncode:
        raise MedNCAError((done.stderr.strip().splitlines() or ["it ended without a message"])[-1])
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise MedNCAError("it printed no figures") from None
