"""Files that ITK reads: NRRD, MetaImage, VTK, GIPL and rarer ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError
from .frame_times import FrameTimes
from .image_header import ImageHeader, too_large
from .itk_calls import is_utf8, itk_path, quiet_libraries
from .itk_formats import (
    HEADER_BYTES,
    WITH_SIGNATURE,
    check_text,
    format_of,
    is_bounded,
    is_cut_short,
    lists_frames,
    times_of,
    with_gaps,
)
from .raw_voxels import damaged

_COMPLEX = (sitk.sitkComplexFloat32, sitk.sitkComplexFloat64)


class ItkFile:
    """A file whose header ITK has read.

    Args:
        path: the file.

    Raises:
        ImageError: it is damaged, or of no format that is known.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            self._start = file.read(HEADER_BYTES)
        try:
            self._format = format_of(self._start) or _format_by_itk(path)
            check_text(self._format, self._start)
        except ValueError as error:
            raise damaged(path) from error
        with itk_reader(path, self._format) as reader:
            reader.ReadImageInformation()
            header = _header(reader)
            self._interval = reader.GetSpacing()[3] if reader.GetDimension() > 3 else math.nan
        self.header = with_gaps(header, self._format, self._start, path)
        if lists_frames(self._format, self._start):
            self.header = replace(self.header, components=1, frames=(self.header.components,))

    def read(self) -> sitk.Image:
        """Read the voxels.

        Raises:
            ImageError: the file is damaged or cut short.
        """
        image = self._image()
        while image.GetDimension() > 3:
            image = image[(slice(None),) * (image.GetDimension() - 1) + (0,)]
        return sitk.JoinSeries(image) if image.GetDimension() == 2 else image

    @property
    def is_sequence(self) -> bool:
        """Whether there is one further axis."""
        return len(self.header.frames) == 1

    @property
    def times(self) -> FrameTimes:
        """See `SequenceFile.times`."""
        return times_of(self.header, self._format, self._start, self._interval)

    def frames(self) -> Iterator[sitk.Image]:
        """See `SequenceFile.frames`; the file is read as a whole."""
        image = self._image()
        voxels = sitk.GetArrayViewFromImage(image)
        is_list = image.GetNumberOfComponentsPerPixel() > 1
        for volume in np.moveaxis(voxels, -1, 0) if is_list else voxels.reshape(-1, *voxels.shape[-3:]):
            yield sitk.GetImageFromArray(volume)

    def _image(self) -> sitk.Image:
        if is_bounded(self._format, self._start):
            self.header.check_holds(self._path, self._path.stat().st_size)
        if is_cut_short(self._path, self.header, self._format, self._start):
            raise damaged(self._path)
        with itk_reader(self._path, self._format) as reader:
            return reader.Execute()


def read_metadata(path: Path) -> dict[str, str]:
    """The fields of an NRRD file that its format does not define; none of what is no NRRD file.

    Raises:
        ImageError: it is damaged.
    """
    try:
        with path.open("rb") as file:
            start = file.read(HEADER_BYTES)
    except OSError:
        return {}
    if format_of(start) != "NrrdImageIO":
        return {}
    with itk_reader(path, "NrrdImageIO") as reader:
        reader.ReadImageInformation()
        return {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys() if is_utf8(key)}


@contextmanager
def itk_reader(path: Path, file_format: str) -> Iterator[sitk.ImageFileReader]:
    """A reader for a file, whose errors become an `ImageError` and which prints nothing."""
    reader = sitk.ImageFileReader()
    reader.SetImageIO(file_format)
    with quiet_libraries(), itk_path(path) as name:
        reader.SetFileName(name)
        try:
            yield reader
        except RuntimeError as error:
            if "alloc" in str(error).lower():
                raise too_large(path) from error
            raise ImageError(f"{path} cannot be read: {_reason(error)}") from error


def _format_by_itk(path: Path) -> str:
    """ITK's name for a format that has no signature here.

    Raises:
        ValueError: ITK goes by the name of the file, and the signature is not there.
        ImageError: ITK does not know it either.
    """
    with quiet_libraries(), itk_path(path) as name:
        found: str = sitk.ImageFileReader.GetImageIOFromFileName(name)
    if not found:
        raise ImageError(
            f"{path} cannot be read: it is no image in a format that is known here, or it is damaged. Save it as NRRD "
            "or NIfTI."
        )
    if found in WITH_SIGNATURE:
        raise ValueError(f"a {found} file without its signature")
    return found


def _header(reader: sitk.ImageFileReader) -> ImageHeader:
    dimension, size, components = reader.GetDimension(), reader.GetSize(), reader.GetNumberOfComponents()
    if not dimension:
        raise RuntimeError("no dimensions")
    direction = np.eye(max(dimension, 3))
    direction[:dimension, :dimension] = np.reshape(reader.GetDirection(), (dimension, dimension))
    kind = reader.GetPixelID()
    x, y, z = (*size, 1, 1)[:3]
    return ImageHeader(
        size=(x, y, z),
        spacing=_three(reader.GetSpacing(), 1.0),
        origin=_three(reader.GetOrigin(), 0.0),
        direction=tuple(direction[:3, :3].ravel().tolist()),
        voxel_bytes=sitk.Image([1, 1], kind, min(components, 2)).GetSizeOfPixelComponent(),
        frames=tuple(length for length in size[3:] if length != 1),
        components=components,
        complex_numbers=kind in _COMPLEX,
    )


def _three(values: tuple[float, ...], default: float) -> tuple[float, float, float]:
    x, y, z = (*values, default, default)[:3]
    return x, y, z


def _reason(error: RuntimeError) -> str:
    text = str(error)
    if "orthonormal" in text:
        return "its axes are not at right angles. Resample it to a grid without shear first."
    return "it is damaged or cut short. Copy it again."
