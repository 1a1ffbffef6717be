"""How much memory this process has taken, and how much it may take."""

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
    """The memory that this process may use: the machine's physical memory, or a limit that is set below it."""
    return min(_physical_bytes(), *_limits())


def _physical_bytes() -> int:
    if sys.platform == "win32":
        # MEMORYSTATUSEX of the Windows API: its own size in the lower half of the first field, ullTotalPhys the second.
        fields = (ctypes.c_uint64 * 8)(64)
        ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(fields))
        return int(fields[1])
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _limits() -> list[int]:
    """Limits of a container (control groups, versions 2 and 1) and of the shell (ulimit -v)."""
    limits = []
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limits.append(int(Path(file).read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such file, or the word for "no limit"
            continue
    try:
        import resource
    except ImportError:
        return [*limits, sys.maxsize]
    address_space = resource.getrlimit(resource.RLIMIT_AS)[0]
    return [*limits, sys.maxsize if address_space == resource.RLIM_INFINITY else address_space]
