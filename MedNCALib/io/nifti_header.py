"""Headers of NIfTI-1, NIfTI-2 and Analyze 7.5 files.

Fields and methods are those of nifti1.h and nifti2.h (nifti.nimh.nih.gov). Analyze's header has the same fields up to
`datatype` and `pixdim` and no word on directions.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import SimpleITK as sitk

from .itk_calls import quiet_libraries

# The first four bytes hold the header's own size, and thereby the version and the byte order.
NIFTI_1, NIFTI_2 = 348, 540

# Field: format and offset in a NIfTI-1 header, format and offset in a NIfTI-2 header.
_FIELDS = {
    "dim": ("8h", 40, "8q", 16),
    "datatype": ("h", 70, "h", 12),
    "pixdim": ("8f", 76, "8d", 104),
    "vox_offset": ("f", 108, "q", 168),
    "scl_slope": ("f", 112, "d", 176),
    "scl_inter": ("f", 116, "d", 184),
    "xyzt_units": ("B", 123, "i", 500),
    "qform_code": ("h", 252, "i", 344),
    "sform_code": ("h", 254, "i", 348),
    "quatern": ("3f", 256, "3d", 352),
    "qoffset": ("3f", 268, "3d", 376),
    "srow": ("12f", 280, "12d", 400),
}
_MAGIC = {NIFTI_1: (344, b"n+1", b"ni1"), NIFTI_2: (4, b"n+2", b"ni2")}  # offset, one file, pair
_LARGEST_FILE = 2.0**53
_UNIT_MM = {1: 1000.0, 3: 0.001}  # metre and micrometre; all else is taken for millimetres
_UNIT_MS = {8: 1000.0, 16: 1.0, 24: 0.001}  # second, millisecond and microsecond


def size_and_order(start: bytes) -> tuple[int, str] | None:
    """The header's size and its byte order by its first four bytes; None for what is no such header."""
    for order in "<>":
        size = struct.unpack(order + "i", start[:4])[0] if len(start) >= 4 else 0
        if size in _MAGIC:
            return size, order
    return None


@dataclass(frozen=True)
class NiftiHeader:
    """The fields that say where and what the voxels are.

    Attributes:
        size: bytes of the header.
        order: byte order as `struct` writes it.
        kind: "file" (voxels follow), "pair" (voxels lie in an .img file) or "analyze" (as well).
        dim, datatype, ...: the standard's fields.
    """

    size: int
    order: str
    kind: str
    dim: tuple[int, ...]
    datatype: int
    pixdim: tuple[float, ...]
    vox_offset: float
    scl_slope: float
    scl_inter: float
    xyzt_units: int
    qform_code: int
    sform_code: int
    quatern: tuple[float, ...]
    qoffset: tuple[float, ...]
    srow: tuple[float, ...]

    @classmethod
    def parse(cls, raw: bytes) -> NiftiHeader:
        """Take a header apart.

        Raises:
            ValueError: it is none, too short, or says what cannot be.
        """
        found = size_and_order(raw)
        if found is None or len(raw) < found[0]:
            raise ValueError("no whole header")
        size, order = found
        values: dict[str, Any] = {}
        for name, (old_kind, old_offset, new_kind, new_offset) in _FIELDS.items():
            kind, offset = (old_kind, old_offset) if size == NIFTI_1 else (new_kind, new_offset)
            unpacked = struct.unpack_from(order + kind, raw, offset)
            values[name] = unpacked if len(unpacked) > 1 else unpacked[0]
        offset, one_file, pair = _MAGIC[size]
        kinds = (
            {one_file: "file", pair: "pair"} if size == NIFTI_2 else {one_file: "file", pair: "pair", b"": "analyze"}
        )
        kind = kinds.get(raw[offset : offset + 3].rstrip(b"\0"), "")
        header = cls(size=size, order=order, kind=kind, **values)
        scaled = math.isfinite(header.scl_slope) and math.isfinite(header.scl_inter)
        placed = header.vox_offset == 0 or (size if kind == "file" else 0) < header.vox_offset < _LARGEST_FILE
        if not (kind and 1 <= header.dim[0] <= 7 and min(header.lengths) >= 0 and scaled and placed):
            raise ValueError("fields that cannot be")
        return header

    @property
    def first_voxel(self) -> int:
        """Bytes before the voxels: after the header and the four bytes that announce extensions, if it does not say."""
        return int(self.vox_offset) or (self.size + 4 if self.kind == "file" else 0)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Voxels along each axis, at least three."""
        lengths = self.dim[1 : self.dim[0] + 1]
        return lengths + (1,) * (3 - len(lengths))

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel sizes as the file has them, in mm; 1 for an axis that is left out."""
        x, y, z = (
            1.0 if axis >= self.dim[0] and not size > 0 else size * self._mm
            for axis, size in enumerate(self.pixdim[1:4])
        )
        return x, y, z

    @property
    def interval_ms(self) -> float:
        """Milliseconds between frames; not a number if the file has no unit of time."""
        return self.pixdim[4] * _UNIT_MS.get(self.xyzt_units & 56, math.nan)

    @property
    def sform(self) -> np.ndarray:
        """Method 3: the 3x4 matrix from index to LPS mm."""
        return self._to_lps(np.reshape(self.srow, (3, 4)))

    @property
    def qform(self) -> np.ndarray:
        """Method 2: the 3x4 matrix from index to LPS mm."""
        b, c, d = self.quatern
        a = math.sqrt(max(0.0, 1 - b * b - c * c - d * d))
        rotation = np.array(
            [
                [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
                [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
                [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
            ]
        )
        handed = (1.0, 1.0, -1.0 if self.pixdim[0] < 0 else 1.0)
        return self._to_lps(np.column_stack([rotation * handed * self.pixdim[1:4], self.qoffset]))

    def itk_geometry(self, use_qform: bool, use_sform: bool) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Origin and direction that ITK gives an image with this header, with one of the forms left out or with both.

        ITK reads a header of 348 bytes with the same geometry, since it does not know NIfTI-2, and with no voxels.

        Raises:
            RuntimeError: ITK takes no such geometry.
        """
        raw = bytearray(NIFTI_1 + 4)
        size_mm = [size if size > 0 and math.isfinite(size) else 1.0 for size in self.pixdim[1:4]]
        values = {
            "dim": (3, 2, 2, 2, 1, 1, 1, 1),
            "datatype": (4,),
            "pixdim": (self.pixdim[0], *size_mm, 0, 0, 0, 0),
            "vox_offset": (len(raw),),
            "xyzt_units": (self.xyzt_units & 7,),
            "qform_code": (int(use_qform),),
            "sform_code": (int(use_sform),),
            "quatern": self.quatern,
            "qoffset": self.qoffset,
            "srow": self.srow,
        }
        struct.pack_into("<i", raw, 0, NIFTI_1)
        struct.pack_into("<h", raw, 72, 16)  # bits of the data type
        raw[344:347] = b"n+1"
        for name, value in values.items():
            struct.pack_into("<" + _FIELDS[name][0], raw, _FIELDS[name][1], *value)
        reader = sitk.ImageFileReader()
        with TemporaryDirectory() as folder, quiet_libraries():
            file = Path(folder) / "header.nii"
            file.write_bytes(raw)
            reader.SetFileName(str(file))
            reader.SetImageIO("NiftiImageIO")
            reader.ReadImageInformation()
        return reader.GetOrigin(), reader.GetDirection()

    @property
    def _mm(self) -> float:
        return _UNIT_MM.get(self.xyzt_units & 7, 1.0)

    def _to_lps(self, rows: np.ndarray) -> np.ndarray:
        return np.array([[-1.0], [-1.0], [1.0]]) * rows * self._mm
