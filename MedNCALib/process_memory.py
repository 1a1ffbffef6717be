"""How much memory this process has taken, and how much the machine has."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from pathlib import Path


def peak_mb() -> float | None:
    """The most memory that this process held at any time, in MB; None if the system does not report it (Windows)."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        status = ""
    peak_kilobytes = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    if peak_kilobytes:
        return int(peak_kilobytes[1]) * 1024 / 1e6
    try:
        # Not on Linux, where the peak begins with that of the parent process.
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6  # bytes there, kilobytes elsewhere


def machine_bytes() -> int:
    """The machine's physical memory."""
    if sys.platform == "win32":
        # MEMORYSTATUSEX of the Windows API: its own size in the lower half of the first field, ullTotalPhys the second.
        fields = (ctypes.c_uint64 * 8)(64)
        ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(fields))
        return int(fields[1])
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
