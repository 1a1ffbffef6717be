"""Label images of all frames of a sequence as one four-dimensional file."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import SimpleITK as sitk

from ..atomic_write import written_whole
from ..errors import ImageError
from .frame_times import FrameTimes
from .itk_calls import quiet_libraries
from .raw_voxels import UNREADABLE, read_blocks

_FIRST_VOXEL = 352  # after the header and the four bytes that announce extensions
# Fields of the header (nifti1.h): offset and format.
_INTERVAL, _UNITS = (92, "<f"), (123, "<B")
_MM, _MM_AND_MS = 2, 2 + 16
_PACKING = 6  # of gzip; label images are nearly empty


def write_label_sequence(path: str | os.PathLike[str], labels: Sequence[sitk.Image], times: FrameTimes) -> None:
    """Write the label images of all frames as one NIfTI file, and read it again; the file is whole or not there.

    The fourth axis is time, in ms if that is known. Its frames lie at equal distances, which is all that NIfTI can say.

    Args:
        path: ends with `.nii.gz`.
        labels: of each frame in order, on one grid, of whole numbers up to 255.
        times: when the frames are.

    Raises:
        ImageError: the ending is another.
        MedNCAError: it cannot be written, with the reason.
    """
    path = Path(path)
    if not path.name.lower().endswith(".nii.gz"):
        raise ImageError(f"{path} cannot be written: choose a name that ends with .nii.gz.")
    header = _header(labels, times)
    with (
        written_whole(path, lambda written: _holds(written, labels)) as beside,
        gzip.open(beside, "wb", _PACKING) as file,
    ):
        file.write(header)
        for image in labels:
            file.write(_voxels(image).tobytes())


def _header(labels: Sequence[sitk.Image], times: FrameTimes) -> bytes:
    """ITK's header for one frame, with the number of frames and their distance in time."""
    with TemporaryDirectory() as folder, quiet_libraries():
        file = Path(folder) / "frame.nii"
        sitk.WriteImage(sitk.Cast(labels[0], sitk.sitkUInt8), str(file))
        header = bytearray(file.read_bytes()[:_FIRST_VOXEL])
    struct.pack_into("<5h", header, 40, 4, *labels[0].GetSize(), len(labels))
    interval = 0.0
    if times.milliseconds and len(times.milliseconds) > 1:
        interval = (times.milliseconds[-1] - times.milliseconds[0]) / (len(times.milliseconds) - 1)
    struct.pack_into(_INTERVAL[1], header, _INTERVAL[0], interval)
    struct.pack_into(_UNITS[1], header, _UNITS[0], _MM_AND_MS if interval else _MM)
    return bytes(header)


def _voxels(image: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(image).astype(np.uint8)


def _holds(path: Path, labels: Sequence[sitk.Image]) -> bool:
    """Whether a file holds the voxels of all frames."""
    blocks = read_blocks(path, _FIRST_VOXEL, labels[0].GetNumberOfPixels(), "u1", len(labels))
    try:
        return all(np.array_equal(block, _voxels(image).ravel()) for block, image in zip(blocks, labels))
    except UNREADABLE:
        return False
