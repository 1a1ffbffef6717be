"""What ITK and other libraries need around their calls: a file name that they take, and nothing printed."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import SimpleITK as sitk

from ..errors import ImageError


@contextmanager
def itk_path(path: Path) -> Iterator[str]:
    """Give a name of a file that SimpleITK takes.

    SimpleITK wants UTF-8, and ends the process if a name is none: one of other bytes, or one beyond ASCII in a locale
    without UTF-8. Such a file gets a link with a plain name, and so do the files beside it, which a header may name.
    The link may also lead to a file that is still to be written.
    """
    if is_utf8(str(path)):
        yield str(path)
        return
    with TemporaryDirectory() as folder:
        plain = Path(folder) / ("image" + "".join(suffix for suffix in path.suffixes[-2:] if suffix.isascii()))
        if not is_utf8(str(plain)):
            raise ImageError(f"{folder} cannot hold temporary files: its name is not UTF-8. Set TMPDIR to another.")
        if path.suffix.lower() in (".mhd", ".nhdr"):
            for beside in os.scandir(path.parent):
                _link(beside.path, Path(folder) / beside.name)
        _link(os.path.abspath(path), plain)
        yield str(plain)


def is_utf8(text: str) -> bool:
    """Whether SimpleITK takes a text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _link(target: str, link: Path) -> None:
    try:
        link.symlink_to(target)
    except OSError:  # not everybody may make links on Windows
        shutil.copyfile(target, link)


class _Quiet:
    """Counts who wants quiet, so that threads may overlap: the first one starts it, the last one ends it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._stderr: int | None = None
        self._warnings = True

    def start(self) -> None:
        with self._lock:
            self._users += 1
            if self._users > 1:
                return
            self._warnings = sitk.ProcessObject.GetGlobalWarningDisplay()
            sitk.ProcessObject.SetGlobalWarningDisplay(False)
            with suppress(OSError, ValueError, AttributeError):  # stderr is closed, or there is none
                sys.stderr.flush()
            try:
                self._stderr = os.dup(2)
            except OSError:
                return
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 2)
            os.close(null)

    def end(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users:
                return
            sitk.ProcessObject.SetGlobalWarningDisplay(self._warnings)
            if self._stderr is not None:
                os.dup2(self._stderr, 2)
                os.close(self._stderr)
                self._stderr = None


_quiet = _Quiet()


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep ITK, Pillow and what is below them (GDCM, OpenJPEG, libtiff) from printing: errors here say what matters.

    They print past Python, to file descriptor 2, which leads nowhere meanwhile, for other threads as well.
    """
    _quiet.start()
    try:
        yield
    finally:
        _quiet.end()
