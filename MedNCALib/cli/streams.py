"""The standard streams of a command, in whatever state the command finds them."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from ..errors import MedNCAWarning


@contextmanager
def command_streams() -> Iterator[None]:
    """Run a command with streams that are safe to print to.

    - Streams that are closed are replaced by ones that lead nowhere. Otherwise the next file to be opened would get
      their descriptors, and what is printed would go into that file.
    - Characters that the terminal's encoding lacks are printed with escapes.
    - Warnings of this project are printed as one line each, those of other packages are not printed.
    """
    _replace_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", MedNCAWarning)
        warnings.showwarning = _show_warning
        yield


def print_above_bar(text: str, stream: TextIO) -> None:
    """Print text, above a progress bar if one is drawn."""
    tqdm = sys.modules.get("tqdm")
    if tqdm is None:
        print(text, file=stream)
    else:
        tqdm.tqdm.write(text, file=stream)


def print_message(text: str) -> None:
    """Print one line of the command's own to stderr; line breaks within the text become spaces."""
    with suppress(OSError):  # there is nowhere else to say it
        print_above_bar(f"mednca: {' '.join(text.split())}", sys.stderr)


def print_warnings(notes: Iterable[str | None], caught: Iterable[warnings.WarningMessage]) -> None:
    """Print warnings as one line each to stderr.

    Args:
        notes: sentences; None stands for none.
        caught: what `warnings.catch_warnings(record=True)` has caught.
    """
    for text in (*filter(None, notes), *(str(each.message) for each in caught)):
        print_message(f"warning: {text}")


def flush_output() -> None:
    """Bring what was printed to where it goes.

    Raises:
        OSError: it does not arrive, for example since the disk is full. Nothing more is printed then.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _lead_nowhere(sys.stdout)  # whoever read it has closed it (`mednca models | head -1`)
    except OSError:
        _lead_nowhere(sys.stdout)
        raise


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    if issubclass(category, MedNCAWarning):
        print_message(f"warning: {message}")


def _replace_closed_streams() -> None:
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free descriptor, which is this one
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, "w", encoding="utf-8", closefd=False))


def _lead_nowhere(stream: TextIO) -> None:
    """What is left in the stream's buffer is lost in silence, rather than complained about when Python exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
