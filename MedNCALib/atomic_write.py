"""Files that are either whole or not there: written beside, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp


@contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Give a path to write to; when the block ends well, that file takes the place of `path`, else nothing is left of
    it.

    The temporary file has the same name, in a new folder beside, since writers choose the format by the name's ending.
    """
    path = Path(path)
    folder = Path(mkdtemp(prefix=".", dir=path.parent))
    try:
        beside = folder / path.name
        yield beside
        os.replace(beside, path)
    finally:
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
