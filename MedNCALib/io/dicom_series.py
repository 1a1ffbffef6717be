"""DICOM images as one volume: a file, or the series of a folder that is wanted."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import SimpleITK as sitk

from ..errors import ImageError
from .dicom_cine import DicomCine, has_phases, slices_of_cine
from .dicom_frames import Frame, is_dicom, read_frames, shown, tags_of
from .dicom_pixels import read_values, value_type
from .dicom_stack import header_of, in_order
from .raw_voxels import damaged

# Endings that only DICOM files have.
_ENDINGS = (".dcm", ".dicom", ".ima")
# Series listed in a message; the rest is counted.
_SERIES_SHOWN = 10


class DicomSeries:
    """DICOM images whose headers have been read and make up one volume.

    Args:
        frames: of one series.
        where: names it in messages.

    Attributes:
        frames: in the order of the volume's slices.

    Raises:
        ImageError: the first thing that is off.
    """

    def __init__(self, frames: Sequence[Frame], where: str) -> None:
        self.frames = in_order(frames, where)
        self._kind = value_type(self.frames)
        self.header = header_of(self.frames, self._kind.itemsize, where)

    @classmethod
    def of_file(cls, path: Path) -> DicomSeries:
        """The images of one file.

        Raises:
            ImageError: it is damaged, holds no image, or the first thing that is off.
        """
        return cls(_images_in(path), str(path))

    @classmethod
    def of_folder(cls, folder: Path, wanted: str | int | None = None) -> DicomSeries:
        """The images of one series in a folder.

        Args:
            folder: holds the files, not in folders below.
            wanted: Series Instance UID or number of the series, as listed if it is left out and there are several.

        Raises:
            ImageError: no series or several, a damaged file, or the first thing that is off.
        """
        return cls(_choose(_series_in(folder), folder, wanted), _named(folder))

    def read(self) -> sitk.Image:
        """Read the voxels, scaled image by image, and some tags: modality, description, body part, sequence, times.

        Raises:
            ImageError: a file is damaged or cut short.
        """
        image = sitk.GetImageFromArray(read_values(self.frames, self._kind))
        for tag, value in tags_of(self.frames[0].file).items():
            image.SetMetaData(tag, value)
        return image


def open_images(path: Path, wanted: str | int | None = None, leave_out: bool = False) -> DicomSeries | DicomCine:
    """The images of a file or a folder: one volume, or several phases of one place.

    Args:
        path: a file, or a folder that holds the files; not in folders below.
        wanted: Series Instance UID or number of the series. Without it several series are one cine if each of them is
            one of a single slice.
        leave_out: see `phases_of`.

    Raises:
        ImageError: as for `DicomSeries.of_file`, `DicomSeries.of_folder` and `DicomCine`.
    """
    if path.is_dir():
        series = _series_in(path)
        frames = slices_of_cine(series) if wanted is None and len(series) > 1 else []
        frames, where = frames or _choose(series, path, wanted), _named(path)
    else:
        frames, where = _images_in(path), str(path)
    return DicomCine(frames, where, leave_out) if has_phases(frames) else DicomSeries(frames, where)


def _named(folder: Path) -> str:
    return f"The DICOM series in {folder}"


def _images_in(path: Path) -> list[Frame]:
    frames, modality = read_frames(path)
    if not frames:
        raise ImageError(
            f"{path} holds no image but DICOM of another kind ({shown(modality) or 'an index'}). Name the folder "
            "with the images."
        )
    return frames


def _series_in(folder: Path) -> dict[str, list[Frame]]:
    """The frames of each series with images, by its UID."""
    series: dict[str, list[Frame]] = {}
    unreadable: list[str] = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = folder / entry.name
        if entry.name.startswith(".") or entry.name.upper() == "DICOMDIR" or not entry.is_file():
            continue
        try:
            for frame in _frames_in(path):
                series.setdefault(frame.series, []).append(frame)
        except (ImageError, OSError):
            unreadable.append(entry.name)
    if unreadable:
        raise ImageError(
            f"{folder} holds {len(unreadable)} DICOM file(s) that cannot be read, the first is {unreadable[0]}: they "
            "are damaged or cut short. Copy them again."
        )
    return series


def _frames_in(path: Path) -> list[Frame]:
    """The frames of a DICOM image, none for another file.

    Raises:
        ImageError, OSError: it is a DICOM file and cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(132)
    if is_dicom(start):
        return read_frames(path)[0]
    if path.suffix.lower() in _ENDINGS:
        raise damaged(path)
    return []


def _choose(series: Mapping[str, list[Frame]], folder: Path, wanted: str | int | None) -> list[Frame]:
    if not series:
        raise ImageError(
            f"{folder} holds no DICOM images. Name a file, or the folder that the DICOM files of one series lie in."
        )
    numbers = _numbers(series)
    if wanted is None and len(series) == 1:
        return next(iter(series.values()))
    chosen = [uid for uid in series if str(wanted) in (uid, numbers[uid])]
    if len(chosen) == 1:
        return series[chosen[0]]
    listed = [f"{shown(numbers[uid])}: {_describe(frames)}" for uid, frames in series.items()]
    more = f"; and {len(listed) - _SERIES_SHOWN} more" if len(listed) > _SERIES_SHOWN else ""
    found = f"{len(series)} DICOM series" if len(series) > 1 else "one DICOM series"
    none = f", none of them {wanted}" if wanted is not None else ""
    raise ImageError(
        f"{folder} holds {found}{none}: {'; '.join(listed[:_SERIES_SHOWN])}{more}. Choose one by its number: --series "
        f"{shown(numbers[next(iter(series))])}."
    )


def _numbers(series: Mapping[str, list[Frame]]) -> dict[str, str]:
    """What to call each series by: its Series Number if all have one of their own, else how many come before it."""
    stated = {uid: frames[0].series_number for uid, frames in series.items()}
    if "" not in stated.values() and len(set(stated.values())) == len(stated):
        return stated
    return {uid: str(number) for number, uid in enumerate(series, 1)}


def _describe(frames: Sequence[Frame]) -> str:
    files = len({frame.file for frame in frames})
    return f"{shown(frames[0].description) or 'no name'!r} ({files} file{'s' if files > 1 else ''})"
