"""Images from files and folders, and back to files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..atomic_write import written_whole
from ..errors import ImageError, MedNCAWarning
from .dicom_frames import is_dicom
from .dicom_series import DicomSeries
from .image_header import ImageFile, ImageHeader, too_large
from .itk_calls import itk_path, quiet_libraries
from .itk_file import ItkFile
from .mgh import MGH_ENDINGS, MghFile
from .nifti import NiftiFile, is_nifti
from .picture import PictureFile, is_picture

# File endings of images, the longer before those that they end with.
IMAGE_ENDINGS = (
    ".seg.nrrd",
    ".nrrd",
    ".nhdr",
    ".nii.gz",
    ".nii",
    ".mgh.gz",
    ".mgh",
    ".mgz",
    ".mha",
    ".mhd",
    ".hdr.gz",
    ".hdr",
    ".img.gz",
    ".img",
    ".gipl",
    ".vtk",
    ".dcm",
    ".tif",
    ".tiff",
    ".png",
    ".jpg",
    ".jpeg",
    ".bmp",
)

# Formats of one file that give back what was written, with its place in space.
_WRITTEN = (".nrrd", ".nii", ".nii.gz", ".mha")


def image_stem(path: str | os.PathLike[str]) -> str:
    """Name of a file or folder without the ending that says its format.

    >>> image_stem("scans/subject.01.nii.gz")
    'subject.01'
    """
    name = Path(path).name
    if name in ("", ".."):
        name = Path(path).resolve().name
    ending = next((ending for ending in IMAGE_ENDINGS if name.lower().endswith(ending)), "")
    return name[: len(name) - len(ending)] or "image"


def read_image(
    path: str | os.PathLike[str],
    series: str | int | None = None,
    axes: str | None = None,
    spacing: Sequence[float] | None = None,
) -> sitk.Image:
    """Read a volume from a file, or from a folder with DICOM files.

    What a file does not say is not guessed: which way its axes point, how large its voxels are, in which order its
    slices lie. If its format has a rule for that, or its header contradicts itself, a `MedNCAWarning` says what was
    taken.

    Args:
        path: a file in any format that SimpleITK reads or in FreeSurfer's, or a folder.
        series: of a folder with several DICOM series, the Series Instance UID or number of the one to read.
        axes: where the first, second and third axis run to, as "RAS": in place of what the file says.
        spacing: mm along these axes, in place of what the file says.

    Returns:
        Scalar image with three dimensions; a single picture becomes a volume of one slice, 1 mm thick. One from DICOM
        has the tags Modality, Series Description, Body Part Examined, Scanning Sequence, Repetition Time and Echo Time
        as metadata, by SimpleITK's keys ("0008|0060"), as far as they are known.

    Raises:
        ImageError: nothing there, empty, damaged or cut short, in colour, with several frames, with a header that is
            not plausible or leaves out what is needed, larger than the memory, or a folder that is not one complete
            series.
    """
    path = existing(path)
    with readable(path):
        source = open_source(path, series)
        header = checked_header(source.header, path, axes, spacing)
        return header.place(source.read())


def existing(path: str | os.PathLike[str]) -> Path:
    """A path that leads to something.

    Raises:
        ImageError: it is none, or there is nothing.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ImageError(f"An image is read from a path, not from {type(path).__name__}.")
    path = Path(path)
    if not os.path.exists(path):  # noqa: PTH110 (Path.exists raises for a name that is too long)
        raise ImageError(f"There is no file or folder {path}. Check the name.")
    return path


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what keeps a file from being read into an `ImageError` that names it."""
    try:
        yield
    except OSError as error:
        raise ImageError(f"{path} cannot be opened: {error.strerror or error}.") from error
    except MemoryError as error:
        raise too_large(path) from error


def checked_header(header: ImageHeader, path: Path, axes: str | None, spacing: Sequence[float] | None) -> ImageHeader:
    """A header with what the caller states, checked; a `MedNCAWarning` says what was taken by a rule.

    Raises:
        ImageError: the first thing that is off.
    """
    header = header.stated(axes, spacing)
    header.check(path)
    for note in filter(None, (header.axes_note, header.spacing_note)):
        warnings.warn(note, MedNCAWarning, stacklevel=3)
    return header


def write_image(path: str | os.PathLike[str], image: sitk.Image, record: Mapping[str, object] | None = None) -> None:
    """Write an image, compressed if the format can be, and read it again; the file is whole or not there.

    Args:
        path: ends with `.nrrd`, `.nii`, `.nii.gz` or `.mha`.
        image: the image.
        record: how it came about: model, version, seed and the like. NRRD and MetaImage files keep it, as fields whose
            names start with "MedNCA_".

    Raises:
        ImageError: the format is another.
        MedNCAError: it cannot be written, with the reason.
    """
    path = Path(path)
    if not path.name.lower().endswith(_WRITTEN):
        raise ImageError(f"{path} cannot be written: choose a name that ends with {', '.join(_WRITTEN)}.")
    if record:
        fields = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}  # which a changed copy would lose
        fields.update(record_fields(record))
        image = sitk.Image(image)
        for key, value in fields.items():
            image.SetMetaData(key, value)
    with (
        quiet_libraries(),
        written_whole(path, lambda written: _holds(written, image)) as beside,
        itk_path(beside) as name,
    ):
        try:
            sitk.WriteImage(image, name, useCompression=True)
        except RuntimeError as error:
            raise OSError(0, "the disk is full, or the format does not take such an image") from error


def record_fields(record: Mapping[str, object] | None) -> dict[str, str]:
    """The fields of a file that keep how it came about, see `write_image`; none for None."""
    return {f"MedNCA_{key}": str(value) for key, value in (record or {}).items()}


def open_source(path: Path, series: str | int | None) -> ImageFile:
    """Read the header of a volume.

    Raises:
        ImageError, OSError: it cannot be read, or is not one volume.
    """
    if path.is_dir():
        return DicomSeries.of_folder(path, series)
    return DicomSeries.of_file(path) if is_dicom_file(path, series) else open_file(path)


def is_dicom_file(path: Path, series: str | int | None) -> bool:
    """Whether a file is DICOM.

    Raises:
        ImageError, OSError: it is no file or empty, or a series is chosen in it.
    """
    if series is not None:
        raise ImageError(f"{path} is a file: a series is chosen in a folder of DICOM files. Name that.")
    if not path.is_file():
        raise ImageError(f"{path} is neither a file nor a folder. Name one of them.")
    with path.open("rb") as file:
        start = file.read(132)
    if not start:
        raise ImageError(f"{path} is empty. Copy it again.")
    return is_dicom(start) and not is_nifti(path) and not path.name.lower().endswith(MGH_ENDINGS)


def open_file(path: Path) -> NiftiFile | MghFile | PictureFile | ItkFile:
    """Read the header of a file that is not DICOM.

    Raises:
        ImageError, OSError: it cannot be read.
    """
    if is_nifti(path):
        return NiftiFile(path)
    if path.name.lower().endswith(MGH_ENDINGS):
        return MghFile(path)
    with path.open("rb") as file:
        start = file.read(132)
    return PictureFile(path) if is_picture(start) else ItkFile(path)


def _holds(path: Path, image: sitk.Image) -> bool:
    """Whether a file holds the voxels of an image."""
    with itk_path(path) as name:
        try:
            written = sitk.ReadImage(name)
        except RuntimeError:
            return False
    return np.array_equal(sitk.GetArrayViewFromImage(written), sitk.GetArrayViewFromImage(image))
