"""How many threads OpenBLAS uses, the linear algebra library that NumPy's wheels bring along.

By itself it shares out even products that take some microseconds, and where another program keeps a processor busy,
each of them then waits for its turn there: resizing a group of states took thirty times as long. So all products of the
engine are made in one thread, and the kernels share out whole blocks instead.

NumPy has no setting for it, so the library's own functions are called. Where NumPy was built with another library
(Accelerate on a Mac, MKL), they are not there and nothing happens.
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
    """How many threads OpenBLAS uses by itself; 1 where that is not known."""
    functions = _functions()
    if functions is None:
        return 1
    with _lock:
        return _before if _users else functions[0]()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenBLAS to the thread that calls it; the last of several users brings its own number back."""
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
def _functions() -> tuple[Callable, Callable] | None:
    """OpenBLAS's functions to get and set the number."""
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
    return [*([Path(core.__file__)] if core else []), *bundled]
