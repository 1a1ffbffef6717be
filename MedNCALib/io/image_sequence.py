"""Volumes of one place at several times: four-dimensional files, and DICOM cine."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from ..errors import ImageError
from ..process_memory import machine_bytes
from .dicom_cine import DicomCine
from .dicom_series import open_images
from .frame_times import FrameTimes, stated_times
from .image_header import ImageFile, SequenceFile, too_large
from .images import checked_header, existing, is_dicom_file, open_file, readable
from .itk_file import ItkFile
from .nifti import NiftiFile
from .raw_voxels import damaged

# Frames of a sequence: an hour at 25 a second is less.
_MOST_FRAMES = 100_000


class ImageSequence:
    """Volumes of one grid, read one after the other whenever it is gone through.

    Args:
        source: the file or the files.
        path: names it in messages.
        axes, spacing, interval_ms: as for `read_volumes`.

    Attributes:
        count: number of frames.
        times: when they are, what they are sorted by, and how long a beat is.
        left_out: what does not belong to them and was left out, a sentence each.
    """

    def __init__(
        self,
        source: SequenceFile,
        path: Path,
        axes: str | None = None,
        spacing: Sequence[float] | None = None,
        interval_ms: float | None = None,
    ) -> None:
        self._source, self._path = source, path
        self.count = math.prod(source.header.frames)
        if self.count > _MOST_FRAMES:
            raise damaged(path)
        self._header = checked_header(replace(source.header, frames=()), path, axes, spacing)
        if (
            isinstance(source, ItkFile)
            and 2 * self.count * self._header.voxel_count * self._header.voxel_bytes > machine_bytes()
        ):
            raise too_large(path, (*self._header.size, self.count))
        self.times: FrameTimes = source.times
        if interval_ms is not None:
            self.times = replace(stated_times(interval_ms, self.count), beat_ms=source.times.beat_ms)
        self.left_out: tuple[str, ...] = source.left_out if isinstance(source, DicomCine) else ()

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[sitk.Image]:
        """The volumes in order.

        Raises:
            ImageError: a file is damaged or cut short.
        """
        with readable(self._path):
            for image in self._source.frames():
                yield self._header.place(image)


def read_volumes(
    path: str | os.PathLike[str],
    series: str | int | None = None,
    axes: str | None = None,
    spacing: Sequence[float] | None = None,
    interval_ms: float | None = None,
    leave_out: bool = False,
) -> sitk.Image | ImageSequence:
    """Read a volume, or the headers of a sequence of volumes.

    A sequence is a NIfTI, NRRD or MetaImage file with a fourth axis, or DICOM with several phases at each position: one
    folder, one file or one series a slice, in any order of the files. DICOM is sorted by position and by trigger times,
    or by temporal positions if there are no trigger times that tell the images of a position apart.

    Args:
        path, series, axes, spacing: as for `read_image`.
        interval_ms: milliseconds between frames, in place of what the file says.
        leave_out: of DICOM, whether to go on without planes that do not belong to the stack, and without slices that
            do not have all phases.

    Raises:
        ImageError: as for `read_image`; images of one position that cannot be put in order, or images that would have
            to be left out; the message names them.
    """
    path = existing(path)
    with readable(path):
        source = _open(path, series, leave_out)
        if isinstance(source, DicomCine) or (isinstance(source, (NiftiFile, ItkFile)) and source.is_sequence):
            return ImageSequence(source, path, axes, spacing, interval_ms)
        header = checked_header(source.header, path, axes, spacing)
        return header.place(source.read())


def _open(path: Path, series: str | int | None, leave_out: bool) -> ImageFile | DicomCine:
    if path.is_dir() or is_dicom_file(path, series):
        return open_images(path, series, leave_out)
    return open_file(path)


def read_sequence(path: str | os.PathLike[str], **options: Any) -> ImageSequence:
    """Read the headers of a sequence of volumes, which are read when it is gone through; arguments as `read_volumes`.

    Raises:
        ImageError: as for `read_volumes`, or it is one volume.
    """
    found = read_volumes(path, **options)
    if not isinstance(found, ImageSequence):
        raise ImageError(f"{path} is one volume and no sequence of volumes. Read it with read_image.")
    return found
