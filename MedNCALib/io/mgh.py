"""FreeSurfer's volumes: `.mgh`, and `.mgz`, which is the same packed by gzip.

The format: https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat. Numbers are big-endian.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from .image_header import ImageHeader
from .raw_voxels import UNREADABLE, damaged, opened, read_voxels

MGH_ENDINGS = (".mgh", ".mgz", ".mgh.gz")

# Version, four lengths, voxel type, degrees of freedom, whether the geometry is given; then three voxel sizes, the
# directions of the three axes and the position of the centre, in RAS.
_HEADER = struct.Struct(">7ih15f")
_FIRST_VOXEL = 284
_TYPES = {0: ">u1", 1: ">i4", 3: ">f4", 4: ">i2", 10: ">u2"}

# What FreeSurfer takes if the geometry is not given: coronal slices of 1 mm around the origin.
_CORONAL = (1, 1, 1, -1, 0, 0, 0, 0, -1, 0, 1, 0, 0, 0, 0)


class MghFile:
    """A volume of FreeSurfer whose header has been read.

    Args:
        path: the file.

    Raises:
        ImageError: the header is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with opened(path) as file:
                fields = _HEADER.unpack(file.read(_HEADER.size))
        except (*UNREADABLE, struct.error) as error:
            raise damaged(path) from error
        version, *lengths, kind, _, given = fields[:8]
        if version != 1 or kind not in _TYPES or min(lengths) < 0:
            raise damaged(path)
        self._kind = _TYPES[kind]
        geometry = np.array(fields[8:] if given else _CORONAL, float)
        spacing, directions, centre = geometry[:3], geometry[3:12].reshape(3, 3).T, geometry[12:]
        to_lps = np.array([-1.0, -1.0, 1.0])
        with np.errstate(all="ignore"):  # damaged headers have numbers of any size, and are refused afterwards
            origin = centre - (directions * spacing) @ (np.array(lengths[:3]) / 2)
        note = f"{path} does not say where it lies: taken as coronal slices of 1 mm, as FreeSurfer does."
        self.header = ImageHeader(
            size=(lengths[0], lengths[1], lengths[2]),
            spacing=(spacing[0], spacing[1], spacing[2]),
            origin=tuple(to_lps * origin),
            direction=tuple((to_lps[:, None] * directions).ravel()),
            voxel_bytes=np.dtype(self._kind).itemsize,
            frames=tuple(length for length in lengths[3:] if length != 1),
            axes_note="" if given else note,
        )

    def read(self) -> sitk.Image:
        """Read the voxels.

        Raises:
            ImageError: the file is damaged or cut short.
        """
        try:
            self.header.check_holds(self._path, self._path.stat().st_size)
            voxels = read_voxels(self._path, _FIRST_VOXEL, self.header.voxel_count, self._kind)
        except UNREADABLE as error:
            raise damaged(self._path) from error
        return sitk.GetImageFromArray(voxels.reshape(self.header.size[::-1]))
