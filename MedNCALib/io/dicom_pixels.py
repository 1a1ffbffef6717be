"""Pixels of DICOM files: what is stored, and the values that it stands for.

Attributes are those of DICOM PS3.3: Image Pixel (C.7.6.3), Modality LUT (C.11.1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError
from .dicom_frames import Frame, lenient_pydicom, read_header
from .itk_calls import quiet_libraries
from .jpeg_codestream import check_codestream
from .raw_voxels import damaged

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_WHOLE_NUMBERS = ("u1", "i1", "u2", "i2", "u4", "i4")

# What a decoder needs to know.
_PIXEL_MODULE = (
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
)
# Implicit and explicit little endian, and the latter deflated, which pydicom undoes.
_PLAIN_SYNTAXES = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99")
_ITEM = b"\xfe\xff\x00\xe0"
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def value_type(frames: Sequence[Frame]) -> np.dtype:
    """The smallest type that holds all values that the frames can have: whole numbers if the scaling leaves them so.

    Raises:
        ImageError: values are stored in a way that cannot be read, or are scaled by 0.
    """
    low, high = 0.0, 0.0
    for frame in frames:
        if frame.bits_allocated not in (8, 16, 32) or not (
            0 < frame.bits_stored <= frame.high_bit + 1 <= frame.bits_allocated
        ):
            raise ImageError(
                f"{frame.file} stores {frame.bits_stored} of {frame.bits_allocated} bits for each pixel, which cannot "
                "be read: an image has 8, 16 or 32. Convert it to one of these, or copy it again."
            )
        if frame.slope == 0:
            raise ImageError(f"{frame.file} scales its values by 0 (Rescale Slope). Export the series again.")
        slope, intercept = _scaling(frame)
        if slope % 1 or intercept % 1:
            return np.dtype(np.float64)
        values = 2.0**frame.bits_stored
        ends = (-values / 2, values / 2 - 1) if frame.signed else (0.0, values - 1)
        scaled = [end * slope + intercept for end in ends]
        low, high = min(low, *scaled), max(high, *scaled)
    kinds = (np.dtype(kind) for kind in _WHOLE_NUMBERS)
    fitting = (kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    return next(fitting, np.dtype(np.float64))


def read_values(frames: Sequence[Frame], kind: np.dtype) -> np.ndarray:
    """The values of checked frames, each scaled as it says.

    Args:
        frames: in the order of the result; of one size.
        kind: their `value_type`.

    Returns:
        Array of that type, shape (frames, rows, columns).

    Raises:
        ImageError: a file is damaged or cut short.
    """
    values = np.empty((len(frames), frames[0].rows, frames[0].columns), kind)
    by_file: dict[Path, list[int]] = {}
    for place, frame in enumerate(frames):
        by_file.setdefault(frame.file, []).append(place)
    for path, places in by_file.items():
        stored = _stored(path, frames[places[0]])
        for place in places:
            plane = stored[frames[place].number]
            slope, intercept = _scaling(frames[place])
            values[place] = plane if (slope, intercept) == (1, 0) else plane.astype(np.float64) * slope + intercept
    return values


def _scaling(frame: Frame) -> tuple[float, float]:
    return 1.0 if frame.slope is None else frame.slope, frame.intercept or 0.0


def _stored(path: Path, frame: Frame) -> np.ndarray:
    """What a file stores, unpacked: whole numbers, shape (frames, rows, columns)."""
    header = read_header(path, _PIXEL_MODULE)
    shape = (frame.count, frame.rows, frame.columns)
    try:
        with lenient_pydicom():
            stored = _plain(header, frame, shape) if _is_plain(header) else _decoded(header)
    except Exception as error:  # RuntimeError of ITK, and what pydicom raises for damaged files
        raise damaged(path) from error
    if stored.shape != shape:
        raise damaged(path)
    return stored


def _plain(header: Dataset, frame: Frame, shape: tuple[int, int, int]) -> np.ndarray:
    kind = np.dtype(f"<{'i' if frame.signed else 'u'}{frame.bits_allocated // 8}")
    stored = np.frombuffer(header.PixelData, kind, math.prod(shape)).reshape(shape)
    # Bits that belong to no value: an overlay in older files, or the sign not carried on.
    above, unused = frame.bits_allocated - 1 - frame.high_bit, frame.bits_allocated - frame.bits_stored
    return (stored << above) >> unused if unused else stored


def _is_plain(header: Dataset) -> bool:
    """Whether the pixels lie in the file as they are, little-endian."""
    return header.file_meta.get("TransferSyntaxUID", _PLAIN_SYNTAXES[0]) in _PLAIN_SYNTAXES


def _decoded(header: Dataset) -> np.ndarray:
    """What GDCM decodes from a copy that holds nothing but the pixels, so that it does not scale them.

    Raises:
        ValueError: the pixels do not fit what the header says of them.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID

    for fragment in _fragments(header.PixelData):
        check_codestream(fragment, header.Columns, header.Rows, header.BitsAllocated)
    copy = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=bytes(128))
    copy.file_meta.TransferSyntaxUID = header.file_meta.TransferSyntaxUID
    copy.file_meta.MediaStorageSOPClassUID = copy.SOPClassUID = UID(_SECONDARY_CAPTURE)
    copy.file_meta.MediaStorageSOPInstanceUID = copy.SOPInstanceUID = UID("1.2.3")
    for keyword in _PIXEL_MODULE:
        if keyword in header:
            copy[keyword] = header[keyword]
    copy.is_little_endian, copy.is_implicit_VR = header.is_little_endian, header.is_implicit_VR
    with TemporaryDirectory() as folder, quiet_libraries():
        file = Path(folder) / "pixels.dcm"
        copy.save_as(file)
        return sitk.GetArrayFromImage(sitk.ReadImage(str(file), imageIO="GDCMImageIO"))


def _fragments(data: bytes) -> Iterator[bytes]:
    """The items of encapsulated pixels (PS3.5, A.4); the first one is a table of offsets.

    Raises:
        ValueError: they are not all there, or there is more.
    """
    start = 0
    while start < len(data):
        end = start + 8 + int.from_bytes(data[start + 4 : start + 8], "little")
        if data[start : start + 4] != _ITEM or end > len(data):
            raise ValueError("items that cannot be")
        yield data[start + 8 : end]
        start = end
