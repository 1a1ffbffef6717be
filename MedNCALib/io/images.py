"""Images from files and folders, and back to files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import SimpleITK as sitk

from ..atomic_write import written_whole
from ..errors import ImageError
from .dicom_series import read_series
from .truncation import is_cut_short

# File endings of images, the longer before those that they end with.
IMAGE_ENDINGS = (
    ".seg.nrrd",
    ".nrrd",
    ".nhdr",
    ".nii.gz",
    ".nii",
    ".mha",
    ".mhd",
    ".hdr",
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

_COMPLEX = (sitk.sitkComplexFloat32, sitk.sitkComplexFloat64)


def image_stem(path: str | os.PathLike) -> str:
    """Name of a file or folder without the ending that says its format.

    >>> image_stem("scans/subject.01.nii.gz")
    'subject.01'
    """
    name = Path(path).name or Path(path).resolve().name
    ending = next((ending for ending in IMAGE_ENDINGS if name.lower().endswith(ending)), "")
    return name[: len(name) - len(ending)]


def read_image(path: str | os.PathLike) -> sitk.Image:
    """Read a volume from a file, or from a folder with one DICOM series.

    Args:
        path: a file in any format that SimpleITK reads, or a folder.

    Returns:
        Scalar image with three dimensions; a single picture becomes a volume of one slice, 1 mm thick.

    Raises:
        ImageError: nothing there, empty, damaged or cut short, in colour, with several frames, or a folder that is not
            one complete series.
    """
    path = Path(path)
    if not os.path.exists(path):  # unlike Path.exists, also answers for a name that is too long
        raise ImageError(f"There is no file or folder {path}. Check the name.")
    with _without_itk_warnings():
        image = read_series(path) if path.is_dir() else _read_file(path)
    return _as_scalar_volume(image, path)


def write_image(path: str | os.PathLike, image: sitk.Image) -> None:
    """Write an image, compressed where the format can; the file is whole or not there.

    Raises:
        ImageError: it cannot be written, with the reason.
    """
    try:
        with written_whole(Path(path)) as beside:
            sitk.WriteImage(image, str(beside), useCompression=True)
    except (RuntimeError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else "unknown format, or the disk is full"
        raise ImageError(f"{path} cannot be written: {reason}. Choose another place.") from error


@contextmanager
def _without_itk_warnings() -> Iterator[None]:
    """Keep ITK from printing to stderr: what matters of it is in the errors here."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


def _read_file(path: Path) -> sitk.Image:
    try:
        if path.stat().st_size == 0:
            raise ImageError(f"{path} is empty. Copy it again.")
        with open(path, "rb"):
            pass
    except OSError as error:
        raise ImageError(f"{path} cannot be opened: {error.strerror}.") from error
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise ImageError(f"{path} cannot be read: {_reason(error)}") from error
    if is_cut_short(path, image):
        raise ImageError(f"{path} is damaged or cut short. Copy it again.")
    return image


def _reason(error: RuntimeError) -> str:
    text = str(error)
    if "orthonormal" in text:
        return "its axes are not at right angles. Resample it to a grid without shear first."
    if "Unable to determine ImageIO" in text:
        return "it is no image in a format that is known here, or it is damaged. Save it as NRRD or NIfTI."
    return "it is damaged or cut short. Copy it again."


def _as_scalar_volume(image: sitk.Image, path: Path) -> sitk.Image:
    if image.GetNumberOfComponentsPerPixel() > 1:
        raise ImageError(
            f"{path} has {image.GetNumberOfComponentsPerPixel()} values in each voxel (colour or vectors). Convert "
            "it to grey values first."
        )
    if image.GetPixelID() in _COMPLEX:
        raise ImageError(f"{path} holds complex numbers. Save their magnitude as an image of its own.")
    while image.GetDimension() > 3 and image.GetSize()[-1] == 1:
        image = image[(*(slice(None),) * (image.GetDimension() - 1), 0)]
    if image.GetDimension() > 3:
        frames = " x ".join(str(length) for length in image.GetSize()[3:])
        raise ImageError(
            f"{path} is a sequence of {frames} frames. Segment it frame by frame: save the frame that you want as a "
            "volume of its own."
        )
    return sitk.JoinSeries(image) if image.GetDimension() == 2 else image
