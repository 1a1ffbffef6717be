"""Files that are either whole or not there: written beside, checked, then renamed."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from .errors import MedNCAError

# File systems without a way to flush one file say so with these; what they hold is then taken as it is.
_NO_FLUSH = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)

Check = Callable[[Path], bool]


@contextmanager
def written_whole(path: str | os.PathLike[str], check: Check | None = None) -> Iterator[Path]:
    """Give a path to write to; if the block ends well, that file takes the place of `path`, else nothing is left of it.

    Every file of the project is written so. The temporary file has the same name, in a new hidden folder beside, since
    writers choose the format by the ending. Before it replaces anything it is flushed to the disk, when a full disk,
    a quota or a lost network share shows at the latest, and must hold at least one byte.

        with written_whole("card.json") as beside:
            beside.write_text("{}")

    Args:
        path: the file to write or to replace.
        check: for writers that do not report a failed write (ITK): reads the file and returns whether it holds what
            was meant.

    Raises:
        MedNCAError: the file cannot be written; an older one is as it was. An `OSError` of the block becomes one.
    """
    path = Path(path)
    folder = path.parent / f".{token_hex(8)}"  # known before it is there: a signal may come in between
    try:
        folder.mkdir(0o700)
        beside = folder / path.name
        yield beside
        if not _flushed_size(beside) or (check and not check(beside)):
            raise MedNCAError(
                f"{path} cannot be written: only a part of it arrived. Make room on the disk, or choose another place."
            )
        beside.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise MedNCAError(f"{path} cannot be written: {reason}. Make room, or choose another place.") from error
    finally:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        finally:  # once more, if the signal that ends the process has come in the middle
            shutil.rmtree(folder, ignore_errors=True)


def _flushed_size(path: Path) -> int:
    """Bytes of a file, all of them on the disk; 0 if there is none."""
    if not path.exists():
        return 0
    with path.open("rb+") as file:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in _NO_FLUSH:
                raise
        return os.fstat(file.fileno()).st_size
