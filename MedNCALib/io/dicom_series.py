"""A folder of DICOM files as one volume: one series, sorted by position, equally spaced, rescaled.

Attributes are those of DICOM PS3.3: Image Position (Patient) and Image Orientation (Patient), C.7.6.2; Rescale Slope,
C.11.1.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError

SERIES_DESCRIPTION = "0008|103e"
IMAGE_POSITION = "0020|0032"
IMAGE_ORIENTATION = "0020|0037"
RESCALE_SLOPE = "0028|1053"
RESCALE_INTERCEPT = "0028|1052"

# How far (mm) a slice may lie from where equal spacing puts it. Scanners round positions to a tenth of a millimetre; a
# missing slice is off by a whole spacing.
POSITION_TOLERANCE = 0.1
# The same as a share of the spacing, for thick slices.
POSITION_TOLERANCE_SHARE = 0.05
# Positions (mm) that differ by less are the same: no scanner makes slices so thin.
SAME_POSITION = 0.001


def read_series(folder: str | os.PathLike) -> sitk.Image:
    """Read the DICOM series in a folder as a volume, its slices in the order of their positions.

    Args:
        folder: holds the files of one series, and nothing else that is an image.

    Returns:
        Three-dimensional scalar or vector image, rescaled to the values that the scanner meant.

    Raises:
        ImageError: no series or several, a damaged file, images without or at equal positions, a gap, a tilted stack.
    """
    folder = Path(folder)
    files = _files_of_the_series(folder)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(files)
    reader.MetaDataDictionaryArrayUpdateOn()
    image = _execute(reader, folder)
    if len(files) > 1:
        _check_positions(folder, reader, len(files))
        if _rescaling_differs(reader, len(files)):
            # The series reader takes the voxel type of the first file, which may not hold the values of the others.
            reader.SetOutputPixelType(sitk.sitkFloat32)
            image = _execute(reader, folder)
    return image


def _execute(reader: sitk.ImageSeriesReader, folder: Path) -> sitk.Image:
    try:
        return reader.Execute()
    except RuntimeError as error:
        raise ImageError(
            f"The DICOM series in {folder} cannot be read: its images differ in size, or a file is damaged. Copy the "
            "folder again, or leave out what does not belong to the series."
        ) from error


def _files_of_the_series(folder: Path) -> tuple[str, ...]:
    series = {
        uid: sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid)
        for uid in sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    }
    known = {Path(file).name for files in series.values() for file in files}
    damaged = [path.name for path in sorted(folder.iterdir()) if path.name not in known and _claims_to_be_dicom(path)]
    if damaged:
        raise ImageError(
            f"{folder} holds {len(damaged)} DICOM file(s) that cannot be read, the first is {damaged[0]}: they are "
            "damaged or cut short. Copy them again."
        )
    # Reports, presentation states and the like are series too, but hold no images.
    images = {uid: files for uid, files in series.items() if _describe(files[0]) is not None}
    if not images:
        raise ImageError(
            f"{folder} holds no DICOM images. Name a file, or the folder that the DICOM files of one series lie in."
        )
    if len(images) > 1:
        listed = "; ".join(f"{_describe(files[0])!r} ({len(files)} files)" for files in images.values())
        raise ImageError(
            f"{folder} holds {len(images)} DICOM series: {listed}. Put the files of the one that you want into a "
            "folder of their own, and name that."
        )
    return next(iter(images.values()))


def _claims_to_be_dicom(path: Path) -> bool:
    # PS3.10, 7.1: 128 bytes of preamble, then these four letters. A DICOMDIR is an index, not an image.
    if not path.is_file() or path.name.upper() == "DICOMDIR":
        return False
    with open(path, "rb") as file:
        return file.read(132)[128:] == b"DICM"


def _describe(file: str) -> str | None:
    """The series description of an image; None for a file that is not an image."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(file)
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return None
    return reader.GetMetaData(SERIES_DESCRIPTION).strip() if reader.HasMetaDataKey(SERIES_DESCRIPTION) else "no name"


def _numbers(reader: sitk.ImageSeriesReader, slice_number: int, key: str, count: int) -> np.ndarray | None:
    if not reader.HasMetaDataKey(slice_number, key):
        return None
    try:
        values = np.array([float(value) for value in reader.GetMetaData(slice_number, key).split("\\")])
    except ValueError:
        return None
    return values if len(values) == count and np.isfinite(values).all() else None


def _check_positions(folder: Path, reader: sitk.ImageSeriesReader, count: int) -> None:
    positions = [_numbers(reader, number, IMAGE_POSITION, 3) for number in range(count)]
    orientations = [_numbers(reader, number, IMAGE_ORIENTATION, 6) for number in range(count)]
    if any(value is None for value in positions + orientations):
        raise ImageError(
            f"The DICOM files in {folder} do not all say where they lie in the patient, so they cannot be put in "
            "order. Export the series again from the scanner or the archive."
        )
    # Direction cosines of images in one stack agree to the digits that are written.
    if np.ptp(orientations, axis=0).max() > 1e-3:
        raise ImageError(
            f"The DICOM images in {folder} point in different directions: they are no stack. Put the images of one "
            "direction into a folder of their own, and name that."
        )
    normal = np.cross(orientations[0][:3], orientations[0][3:])
    heights = np.array(positions) @ normal
    steps = np.diff(heights) * np.sign(heights[-1] - heights[0])
    # Where positions occur twice, the files come in no order that could be called one.
    if steps.min() < SAME_POSITION:
        raise ImageError(
            f"The DICOM series in {folder} has several images at one position: several echoes, phases or time "
            "points. Put the images of one of them into a folder of their own, and name that."
        )
    spacing = float(np.median(steps))
    tolerance = min(max(POSITION_TOLERANCE, POSITION_TOLERANCE_SHARE * spacing), spacing / 2)
    widest = int(np.argmax(np.abs(steps - spacing)))
    if abs(steps[widest] - spacing) > tolerance:
        raise ImageError(
            f"The DICOM series in {folder} has a gap: slices lie {spacing:.2f} mm apart, but {steps[widest]:.2f} mm "
            f"between slice {widest + 1} and slice {widest + 2} of {count}. Copy the missing files, or export the "
            "series again."
        )
    drift = positions[-1] - positions[0] - (heights[-1] - heights[0]) * normal
    if np.linalg.norm(drift) > max(POSITION_TOLERANCE, 0.01 * abs(heights[-1] - heights[0])):
        raise ImageError(
            f"The DICOM series in {folder} is a slanted stack (tilted gantry): its slices are shifted against each "
            "other. Correct the tilt first; 3D Slicer does so when it loads the series."
        )


def _rescaling_differs(reader: sitk.ImageSeriesReader, count: int) -> bool:
    values = {
        tuple(
            reader.GetMetaData(number, key)
            for key in (RESCALE_SLOPE, RESCALE_INTERCEPT)
            if reader.HasMetaDataKey(number, key)
        )
        for number in range(count)
    }
    return len(values) > 1
