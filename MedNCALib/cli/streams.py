"""The standard streams of a command: what it prints gets there, and nothing else does."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TextIO

from ..errors import MedNCAWarning

_STREAMS = (("stdout", 1), ("stderr", 2))


@contextmanager
def command_streams() -> Iterator[None]:
    """Run a command with streams that are safe to print to.

    - Streams that are closed are replaced by ones that lead nowhere. Otherwise the next file to be opened would get
      their descriptors, and what is printed would go into that file.
    - Characters that the terminal's encoding lacks are printed with escapes.
    - C and C++ libraries (ITK, GDCM, OpenJPEG) print to the descriptors 1 and 2: these lead nowhere while the command
      runs, and Python's own streams to where they led before.
    - Warnings of this project are printed as one line each, those of other packages are not printed.
    """
    _open_missing_descriptors()
    with ExitStack() as stack:
        for name, descriptor in _STREAMS:
            stack.enter_context(_own_stream(name, descriptor))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", MedNCAWarning)
        warnings.showwarning = _show_warning
        yield


def print_line(text: str, stream: TextIO | None = None) -> None:
    """Print one line, above a progress bar if one is drawn. Line breaks within the text become spaces.

    Args:
        text: the line.
        stream: where to; default: stdout.
    """
    line = " ".join(text.split())
    stream = stream or sys.stdout
    tqdm = sys.modules.get("tqdm")
    if tqdm is None:
        print(line, file=stream)
    else:
        tqdm.tqdm.write(line, file=stream)


def print_message(text: str) -> None:
    """Print one line of the command's own to stderr."""
    print_line(f"mednca: {text}", sys.stderr)


def print_warning(text: str) -> None:
    """Print a warning as one line to stderr."""
    print_message(f"warning: {text}")


def flush_output() -> None:
    """Bring what was printed to where it goes.

    Raises:
        OSError: it does not arrive, for example since the disk is full. Nothing more is printed then.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _lead_nowhere(_descriptor_of(sys.stdout))  # whoever read it has closed it (`mednca models | head -1`)
    except OSError:
        _lead_nowhere(_descriptor_of(sys.stdout))
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
        print_warning(str(message))


def _open_missing_descriptors() -> None:
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free descriptor, which is this one
    for name, descriptor in _STREAMS:
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, "w", encoding="utf-8", closefd=False))


@contextmanager
def _own_stream(name: str, descriptor: int) -> Iterator[None]:
    """Python's stream on a copy of the descriptor, and the descriptor itself leading nowhere."""
    stream = getattr(sys, name)
    copy = os.dup(descriptor)
    own: io.TextIOWrapper | None = None
    if isinstance(stream, io.TextIOWrapper) and _descriptor_of(stream) == descriptor:
        stream.flush()
        raw = os.fdopen(copy, "wb", closefd=False)
        own = io.TextIOWrapper(raw, stream.encoding, "backslashreplace", line_buffering=stream.line_buffering)
        setattr(sys, name, own)
    _lead_nowhere(descriptor)
    try:
        yield
    finally:
        os.dup2(copy, descriptor)
        if own is not None:
            setattr(sys, name, stream)
            with suppress(OSError):  # `flush_output` has said it
                own.close()
        os.close(copy)


def _descriptor_of(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):  # a stream in memory, such as a test's
        return None


def _lead_nowhere(descriptor: int | None) -> None:
    if descriptor is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
