"""The number of threads of OpenBLAS, the linear algebra library that NumPy's wheels bring along.

OpenBLAS shares out even products that take some microseconds. If another program keeps a processor busy, each of these
products waits for that processor. All products of the engine are therefore made in one thread, and the kernels share
out whole blocks of cells (Resources/Documentation/decisions has the timings).

NumPy has no setting for the number of threads, so the library's own functions are called, as threadpoolctl does, which
Slicer does not bundle. If NumPy was built with another library (Accelerate on a Mac, MKL), these functions are missing
and nothing happens.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np

_SYMBOLS = (
    "scipy_openblas_{}_num_threads64_",  # NumPy 2
    "openblas_{}_num_threads64_",  # NumPy 1
    "scipy_openblas_{}_num_threads",
    "openblas_{}_num_threads",  # builds with 32-bit indices, as in Linux distributions
)
_lock = Lock()
_users = 0
_before = 1


def threads() -> int:
    """How many threads OpenBLAS uses by itself; 1 if that is not known."""
    functions = _functions()
    if functions is None:
        return 1
    with _lock:
        return _before if _users else functions[0]()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenBLAS to the calling thread for the length of a block; the last of several blocks restores its number."""
    global _users, _before
    functions = _functions()
    if functions is None:
        yield
        return
    get, set_ = functions
    with _lock:
        if _users == 0:
            _before = get()
            set_(1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                set_(_before)


@cache
def _functions() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """OpenBLAS's functions to get and set the number; None without OpenBLAS."""
    for path in _libraries():
        try:
            library = ctypes.CDLL(str(path))  # loaded already: this only finds it again
        except OSError:
            continue
        for symbol in _SYMBOLS:
            if hasattr(library, symbol.format("get")) and hasattr(library, symbol.format("set")):
                return getattr(library, symbol.format("get")), getattr(library, symbol.format("set"))
    return None


def _libraries() -> list[Path]:
    """NumPy's core, through which Linux and macOS find what it depends on; Windows needs the library itself."""
    core = sys.modules.get("numpy._core._multiarray_umath") or sys.modules.get("numpy.core._multiarray_umath")
    bundled = Path(np.__file__).parent.with_name("numpy.libs").glob("*openblas*.dll")
    return [*([Path(core.__file__)] if core and core.__file__ else []), *bundled]
