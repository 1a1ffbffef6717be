"""How much memory this process has taken."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def peak_mb() -> float | None:
    """The most memory that this process held at any time, in MB; None where the system does not tell (Windows)."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)[1]) * 1024 / 1e6
    except (OSError, TypeError):
        pass
    try:
        # Not on Linux, where it begins with what the parent held.
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6  # bytes there, kilobytes elsewhere
