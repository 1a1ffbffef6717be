"""Voxels that follow a header as they are, in a file that may be packed by gzip."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

import numpy as np

from ..errors import ImageError

# What opening, unpacking and reading a damaged file raise.
UNREADABLE = (OSError, EOFError, OverflowError, zlib.error)

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 24


def opened(path: Path) -> gzip.GzipFile | BufferedReader:
    """A file, unpacked if it is packed, whatever its name says."""
    with path.open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
    return gzip.open(path, "rb") if packed else path.open("rb")


def read_voxels(path: Path, start: int, count: int, kind: str) -> np.ndarray:
    """Read voxels that must be all there and, in a packed file, sound.

    Args:
        path: the file.
        start: bytes before the first voxel, unpacked.
        count: how many.
        kind: NumPy's name of their type, byte order included.

    Returns:
        One-dimensional array in the machine's own byte order.

    Raises:
        OSError, EOFError, OverflowError, zlib.error: `UNREADABLE`.
    """
    (voxels,) = read_blocks(path, start, count, kind, 1)
    return voxels


def read_blocks(path: Path, start: int, count: int, kind: str, blocks: int) -> Iterator[np.ndarray]:
    """Read as many blocks of voxels, which follow each other, one after the other; otherwise as `read_voxels`.

    Args:
        path, start, kind: as for `read_voxels`.
        count: voxels of a block.
        blocks: how many there are.
    """
    with opened(path) as file:
        file.seek(start)
        for number in range(blocks):
            voxels = np.empty(count, kind)
            view = voxels.view(np.uint8).data
            filled = 0
            while filled < len(view):
                length = file.readinto(view[filled : filled + _CHUNK])
                if not length:
                    raise EOFError
                filled += length
            if number == blocks - 1 and isinstance(file, gzip.GzipFile):
                while file.read(_CHUNK):  # the checksum stands at the end, and is checked there
                    pass
            yield voxels.astype(voxels.dtype.newbyteorder("="), copy=False)


def damaged(path: Path) -> ImageError:
    """The error for a file that is not as it was written."""
    return ImageError(f"{path} is damaged or cut short. Copy it again.")
