"""NIfTI-1, NIfTI-2 and Analyze 7.5 files, whatever they are called: one file or a pair, packed or not.

Python reads the voxels, once, with the checksum of packed files; ITK decides where a header puts the image, as it does
everywhere in Slicer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError
from .frame_times import FrameTimes, regular_times
from .image_header import ORTHOGONAL, ImageHeader
from .nifti_header import NIFTI_2, NiftiHeader, size_and_order
from .raw_voxels import UNREADABLE, damaged, opened, read_blocks

_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_COMPLEX = {32: 8, 1792: 16, 2048: 32}  # data type: bytes
_COLOURS = {128: 3, 2304: 4}  # data type: values in each voxel

# How far (voxels) two statements about a voxel's place may be apart: rounding is far below it, a mistake far above.
_SAME_PLACE = 1.0

# Method 1 of the standard, x = pixdim[1] i and so on: to the right, to the front and upwards; here in LPS.
_METHOD_1 = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)

# The square of a quaternion's three stored parts, which is 1 at most, with rounding.
_LARGEST_QUATERNION = 1.01
# Float32 has 24 bits: voxels of 16 bits leave 8 for an intercept.
_LARGE_INTERCEPT = 256.0


def is_nifti(path: Path) -> bool:
    """Whether a file starts as a NIfTI or Analyze header does, or has such a header beside it."""
    with suppress(*UNREADABLE), opened(_header_of(path)) as file:
        return size_and_order(file.read(4)) is not None
    return False


class NiftiFile:
    """A NIfTI or Analyze file whose header has been read.

    Args:
        path: the file, or either file of a pair.

    Raises:
        ImageError: the header is damaged, or the voxels are of a kind that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        header_path = _header_of(path)
        try:
            with opened(header_path) as file:
                self._fields = NiftiHeader.parse(file.read(NIFTI_2))
        except (*UNREADABLE, ValueError) as error:
            raise damaged(path) from error
        self._voxels = header_path if self._fields.kind == "file" else _partner(header_path, ".hdr", ".img")
        with np.errstate(all="ignore"):  # damaged headers have numbers of any size, and are refused afterwards
            self.header = self._header()

    def read(self) -> sitk.Image:
        """Read the voxels, scaled as the header says.

        Raises:
            ImageError: the file is damaged or cut short, or the other one of a pair is missing.
        """
        (image,) = self._read(1)
        return image

    @property
    def is_sequence(self) -> bool:
        """Whether the fourth axis, which is time, is the only further one."""
        return len(self.header.frames) == 1 and self._fields.lengths[3] > 1

    @property
    def times(self) -> FrameTimes:
        """See `SequenceFile.times`."""
        return regular_times(self._fields.interval_ms, math.prod(self.header.frames))

    def frames(self) -> Iterator[sitk.Image]:
        """See `SequenceFile.frames`."""
        return self._read(math.prod(self.header.frames))

    def _read(self, count: int) -> Iterator[sitk.Image]:
        fields = self._fields
        if self._voxels is None:
            raise ImageError(f"{self._path} is a header: its voxels lie in an .img file that is not there. Copy both.")
        try:
            self.header.check_holds(self._path, self._voxels.stat().st_size)
            kind = fields.order + _TYPES[fields.datatype]
            for voxels in read_blocks(self._voxels, fields.first_voxel, self.header.voxel_count, kind, count):
                shaped = voxels.reshape(self.header.size[::-1])
                yield sitk.GetImageFromArray(_scaled(shaped, fields.scl_slope, fields.scl_inter))
        except UNREADABLE as error:
            raise damaged(self._path) from error

    def _header(self) -> ImageHeader:
        fields, path = self._fields, self._path
        if fields.datatype not in (*_TYPES, *_COMPLEX, *_COLOURS):
            raise ImageError(
                f"{path} holds voxels of a kind that cannot be read (NIfTI data type {fields.datatype}): save it as "
                "whole numbers of 16 bits or as floating point. If it should be that, it is damaged."
            )
        lengths = fields.lengths
        header = ImageHeader(
            size=(lengths[0], lengths[1], lengths[2]),
            spacing=fields.spacing,
            origin=(0.0, 0.0, 0.0),
            direction=_METHOD_1,
            voxel_bytes=_COMPLEX.get(fields.datatype) or np.dtype(_TYPES.get(fields.datatype, "u1")).itemsize,
            frames=tuple(length for length in lengths[3:] if length != 1),
            components=_COLOURS.get(fields.datatype, 1),
            complex_numbers=fields.datatype in _COMPLEX,
        )
        if fields.kind == "analyze":
            return replace(header, axes_missing="it is an Analyze 7.5 file")
        if fields.qform_code > 0 or fields.sform_code > 0:
            return _placed(header, fields, path)
        note = (
            f"{path} does not say which way its axes point (qform_code and sform_code are 0): taken as right, "
            "anterior, superior, as the NIfTI standard has it. --axes states others."
        )
        return replace(header, axes_note=note)


def _placed(header: ImageHeader, fields: NiftiHeader, path: Path) -> ImageHeader:
    """The header in the place that the file gives: the sform's, the qform's if that is missing or sheared."""
    qform, sform = fields.qform_code > 0, fields.sform_code > 0
    used = [*(fields.srow if sform else ()), *((*fields.quatern, *fields.qoffset) if qform else ())]
    if not np.isfinite(used).all() or (qform and np.square(fields.quatern).sum() > _LARGEST_QUATERNION):
        raise ImageError(f"{path} is damaged: its header does not say where it lies. Save it anew.")
    lengths = np.linalg.norm(fields.sform[:, :3], axis=0)
    units = fields.sform[:, :3] / np.where(lengths > 0, lengths, 1)
    straight = bool(np.abs(units.T @ units - np.eye(3)).max() <= ORTHOGONAL)
    if sform and not straight and not qform:
        raise ImageError(f"{path}: its axes are not at right angles. Resample it to a grid without shear first.")
    note = ""
    if qform and sform and _voxels_apart(fields.qform, fields.sform, header) > _SAME_PLACE:
        taken = "sform" if straight else "qform"
        note = f"{path}: its qform and its sform put it in different places; the {taken} was taken."
        qform, sform = not straight, straight
    try:
        origin, direction = fields.itk_geometry(qform, sform)
    except (RuntimeError, OverflowError):
        # ITK takes no rounding: the nearest axes at right angles (orthogonal Procrustes problem).
        left, _, right = np.linalg.svd(units)
        origin, direction = fields.sform[:, 3].tolist(), tuple((left @ right).ravel())
    x, y, z = origin
    placed = replace(header, origin=(x, y, z), direction=direction, axes_note=note)
    # ITK takes the voxel sizes from pixdim, whatever those of the sform are.
    if sform and straight and min(header.spacing) > 0:
        apart = np.abs(lengths - header.spacing) * header.size
        if (apart > _SAME_PLACE * np.array(header.spacing)).any():
            x, y, z = lengths
            sizes_note = "" if note else f"{path}: pixdim and sform give different voxel sizes; the sform's were taken."
            placed = replace(placed, spacing=(x, y, z), spacing_note=sizes_note)
    return placed


def _voxels_apart(first: np.ndarray, second: np.ndarray, header: ImageHeader) -> float:
    """How far apart (voxels) two 3x4 matrices put the corner of an image for which they differ most."""
    corners = np.array([[*corner, 1.0] for corner in product(*((0, length - 1) for length in header.size))])
    return float(np.linalg.norm((first - second) @ corners.T, axis=0).max() / max(min(header.spacing), 1e-9))


def _header_of(path: Path) -> Path:
    return _partner(path, ".img", ".hdr") or path


def _partner(path: Path, ending: str, other: str) -> Path | None:
    """The file of a pair that goes with one of the given ending; None if it is not there."""
    for packed in ("", ".gz"):
        if path.name.lower().endswith(ending + packed):
            stem = path.name[: -len(ending + packed)]
            names = (stem + written + zipped for written in (other, other.upper()) for zipped in ("", ".gz", ".GZ"))
            return next((path.with_name(name) for name in names if path.with_name(name).is_file()), None)
    return None


def _scaled(voxels: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    """Voxels as they are meant: slope v + intercept, for which a slope of 0 stands for "not scaled"."""
    if slope == 0 or (slope == 1 and intercept == 0):
        return voxels
    # Float32, as ITK has it, unless whole numbers need more digits than that holds.
    size, whole = voxels.dtype.itemsize, voxels.dtype.kind in "iu"
    wide = size > 4 or (whole and (size > 2 or abs(intercept) > _LARGE_INTERCEPT * abs(slope)))
    scaled = np.empty(voxels.shape, np.float64 if wide else np.float32)
    with np.errstate(all="ignore"):  # what becomes infinite is refused by whoever uses it
        for plane, into in zip(voxels, scaled):
            into[:] = plane.astype(np.float64) * slope + intercept
    return scaled
