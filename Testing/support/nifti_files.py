"""NIfTI headers made by hand, field by field, as the standard lays them out (nifti1.h, nifti2.h)."""

import struct

import numpy as np

VOXELS = np.arange(4 * 5 * 6, dtype=np.int16).reshape(6, 5, 4)  # z, y, x

# Field: format, offset in NIfTI-1, format, offset in NIfTI-2.
_FIELDS = {
    "dim": ("8h", 40, "8q", 16),
    "datatype": ("h", 70, "h", 12),
    "bitpix": ("h", 72, "h", 14),
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
_TYPES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768, "i8": 1024, "u8": 1280}


def nifti(voxels=VOXELS, version=1, order="<", pair=False, analyze=False, **fields):
    """The bytes of a header and those of the voxels; by default RAS with voxels of 1 x 2 x 3 mm and an
    sform."""
    size = 348 if version == 1 else 540
    lengths = voxels.shape[::-1]
    x, y, z = fields.get("pixdim", (1, 1, 2, 3))[1:4]
    values = {
        "dim": (len(lengths), *lengths, *[1] * (7 - len(lengths))),
        "datatype": _TYPES[voxels.dtype.str[1:]],
        "bitpix": 8 * voxels.itemsize,
        "pixdim": (1, 1, 2, 3, 0, 0, 0, 0),
        "vox_offset": 0 if pair or analyze else size + 4,
        "scl_slope": 0,
        "scl_inter": 0,
        "xyzt_units": 2,
        "qform_code": 0,
        "sform_code": 0 if analyze else 1,
        "quatern": (0, 0, 0),
        "qoffset": (10, 20, 30),
        "srow": (x, 0, 0, 10, 0, y, 0, 20, 0, 0, z, 30),
        **fields,
    }
    header = bytearray(size + 4 * (not (pair or analyze)))
    struct.pack_into(order + "i", header, 0, size)
    for name, value in values.items():
        kind, offset = _FIELDS[name][:2] if version == 1 else _FIELDS[name][2:]
        struct.pack_into(order + kind, header, offset, *np.atleast_1d(value).tolist())
    if not analyze:
        magic = (b"ni" if pair else b"n+") + str(version).encode() + b"\0"
        magic += b"\r\n\x1a\n" * (version == 2)
        start = 344 if version == 1 else 4
        header[start : start + len(magic)] = magic
    return bytes(header), voxels.astype(voxels.dtype.newbyteorder(order)).tobytes()
