"""Whether an image file is all there, for the formats whose readers fill what is missing and say nothing.

- NIfTI and Analyze: nifti1.h and nifti2.h (nifti.nimh.nih.gov). The first four bytes hold the header's own size, and
  tell by it the version and the byte order.
- VTK: "VTK File Formats", legacy: five header lines or so, the last before the voxels is LOOKUP_TABLE.
- GIPL: a header of 256 bytes.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import SimpleITK as sitk

# Header size -> offset and format of the dimensions, of the bits per voxel, and of where the voxels start.
_NIFTI_FIELDS = {
    348: ((40, "8h"), (72, "h"), (108, "f")),
    540: ((16, "8q"), (14, "h"), (168, "q")),
}
_GIPL_HEADER = 256
_CHUNK = 1 << 24


def is_cut_short(path: Path, image: sitk.Image) -> bool:
    """Whether the file holds fewer bytes than it announces, or what it packs is damaged.

    Args:
        path: a file that could be read; formats whose readers check for themselves are taken for whole.
        image: what was read from it.
    """
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        return _nifti_is_cut_short(path, path)
    if name.endswith((".hdr", ".img")):
        return _nifti_is_cut_short(path.with_suffix(".hdr"), path.with_suffix(".img"))
    values = image.GetNumberOfPixels() * image.GetNumberOfComponentsPerPixel() * image.GetSizeOfPixelComponent()
    if name.endswith(".gipl"):
        return path.stat().st_size < _GIPL_HEADER + values
    if name.endswith(".vtk"):
        header = _vtk_header(path)
        return header is not None and path.stat().st_size < header + values
    return False


def _nifti_is_cut_short(header: Path, voxels: Path) -> bool:
    packed = header.name.lower().endswith(".gz")
    try:
        with (gzip.open if packed else open)(header, "rb") as file:
            needed = _nifti_bytes(file.read(max(_NIFTI_FIELDS)))
        return (_unpacked_length(voxels) if packed else voxels.stat().st_size) < needed
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return True


def _nifti_bytes(header: bytes) -> int:
    for order in "<>":
        size = struct.unpack_from(order + "i", header)[0] if len(header) >= 4 else 0
        if size in _NIFTI_FIELDS and len(header) >= size:
            dimensions, bits, start = (
                struct.unpack_from(order + kind, header, offset) for offset, kind in _NIFTI_FIELDS[size]
            )
            voxels = math.prod(max(1, length) for length in dimensions[1 : dimensions[0] + 1])
            return int(start[0]) + voxels * bits[0] // 8
    raise EOFError("no whole header")


def _unpacked_length(path: Path) -> int:
    """Unpacking all of it checks the checksum too, which the image reader does not look at."""
    length = 0
    with gzip.open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            length += len(chunk)
    return length


def _vtk_header(path: Path) -> int | None:
    """Bytes before the voxels of a binary file; None for one in plain text."""
    with open(path, "rb") as file:
        lines = [file.readline() for _ in range(3)]
        if lines[2].strip() != b"BINARY":
            return None
        while line := file.readline():
            if line.startswith((b"LOOKUP_TABLE", b"VECTORS", b"TENSORS", b"COLOR_SCALARS")):
                break
        return file.tell()
