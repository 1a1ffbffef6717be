"""The grid of an image in two conventions: Slicer's IJK-to-RAS matrix, SimpleITK's spacing, direction and origin.

Both are in mm and put the origin at the centre of the first voxel; the first two axes of physical space are reversed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk
import slicer
import vtk

_FLIP = np.array([-1.0, -1.0, 1.0])  # RAS <-> LPS


def ijkToRasOfImage(image: sitk.Image) -> np.ndarray:
    """The 4x4 matrix from voxel indices (i, j, k) to RAS of a 3D image."""
    ijkToRas = np.eye(4)
    directions = np.reshape(image.GetDirection(), (3, 3))
    ijkToRas[:3, :3] = _FLIP[:, None] * directions * image.GetSpacing()
    ijkToRas[:3, 3] = _FLIP * image.GetOrigin()
    return ijkToRas


def ijkToRasOfVolume(volumeNode: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """The 4x4 matrix from voxel indices (i, j, k) to the volume's own RAS."""
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def ijkToRasOfPhysical(indexToPhysical: np.ndarray) -> np.ndarray:
    """The 4x4 matrix from indices to RAS, from the one to LPS."""
    return np.diag([*_FLIP, 1.0]) @ indexToPhysical


def placeImage(image: sitk.Image, ijkToRas: np.ndarray) -> None:
    """Give a 3D image the grid of a 4x4 matrix from voxel indices to RAS; its axes must be perpendicular."""
    spacing = np.linalg.norm(ijkToRas[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((_FLIP[:, None] * ijkToRas[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin((_FLIP * ijkToRas[:3, 3]).tolist())


def physicalOfRas(point: Sequence[float]) -> tuple[float, float, float]:
    """A point in LPS, from the one in RAS."""
    right, anterior, superior = point
    return -right, -anterior, superior
