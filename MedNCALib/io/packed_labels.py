"""Label images of many frames in little memory: they are nearly empty, and are packed."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

_LEVEL = 1  # of packing, the fastest


@dataclass(frozen=True)
class _Packed:
    """The voxels of a label image, and where it lies."""

    voxels: bytes
    size: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]


class PackedLabels(Sequence[sitk.Image]):
    """A sequence of label images of type uint8, each unpacked whenever it is asked for."""

    def __init__(self) -> None:
        self._packed: list[_Packed] = []

    def append(self, image: sitk.Image) -> None:
        """Add the image of the next frame."""
        voxels = zlib.compress(sitk.GetArrayViewFromImage(image).tobytes(), _LEVEL)
        place = image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection()
        self._packed.append(_Packed(voxels, *place))

    def __len__(self) -> int:
        return len(self._packed)

    def __getitem__(self, number: Any) -> Any:
        packed = self._packed[number]
        voxels = np.frombuffer(zlib.decompress(packed.voxels), np.uint8)
        image = sitk.GetImageFromArray(voxels.reshape(packed.size[::-1]))
        image.SetSpacing(packed.spacing)
        image.SetOrigin(packed.origin)
        image.SetDirection(packed.direction)
        return image
