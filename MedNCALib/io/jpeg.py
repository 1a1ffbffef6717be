"""JPEG pictures, read by Pillow: ITK fills a file that is cut with grey, and prints to standard output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from .image_header import ImageHeader
from .raw_voxels import damaged

if TYPE_CHECKING:
    from PIL.Image import Image

# How a JPEG file starts: with the marker "start of image" (ITU-T T.81, B.1.1).
JPEG_SIGNATURE = b"\xff\xd8"


class JpegFile:
    """A JPEG picture whose header has been read.

    Args:
        path: the file.

    Raises:
        ImageError: the header is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._opened() as picture:
            self.header = ImageHeader(
                size=(picture.width, picture.height, 1),
                spacing=(1.0, 1.0, 1.0),
                origin=(0.0, 0.0, 0.0),
                direction=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
                voxel_bytes=1,
                components=len(picture.getbands()),
            )

    def read(self) -> sitk.Image:
        """Read the pixels.

        Raises:
            ImageError: the file is damaged or cut short.
        """
        with self._opened() as picture:
            try:
                pixels = np.asarray(picture)
            except Exception as error:  # Pillow's decoders raise what they come across
                raise damaged(self._path) from error
        return sitk.GetImageFromArray(pixels[None])

    def _opened(self) -> Image:
        from PIL import Image

        try:
            return Image.open(self._path, formats=("JPEG",))
        except Exception as error:  # as above
            raise damaged(self._path) from error
