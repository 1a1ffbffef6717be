"""PNG, JPEG, TIFF and BMP pictures and TIFF stacks, read by Pillow.

ITK fills a JPEG file that is cut with grey, writes beyond its memory if the pages of a TIFF file differ, reserves as
much as a damaged PNG file asks for, and takes grey BMP files for coloured ones.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError
from .image_header import ImageHeader
from .itk_calls import quiet_libraries
from .raw_voxels import damaged

if TYPE_CHECKING:
    from PIL.Image import Image

_SIGNATURES = re.compile(rb"\x89PNG\r\n|\xff\xd8|II[*+]\0|MM\0[*+]|BM.{4}\0{4}", re.DOTALL)
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP")
# Pillow's modes of grey values, and their bytes; all others are coloured.
_GREY = {"1": 1, "L": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I": 4, "F": 4}
# Tags of TIFF files (TIFF 6.0, section 8).
_BITS, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _SAMPLE_FORMAT = 258, 282, 283, 296, 339
# What Pillow does not tell apart: mode, sample format and bits of a TIFF file, and the type of its pixels.
_TYPES = {("L", 2, 8): "i1", ("I", 2, 16): "i2", ("I", 1, 32): "u4", ("1", 1, 1): "u1"}
_INCH = 25.4


def is_picture(start: bytes) -> bool:
    """Whether a file starts as one of these formats does."""
    return _SIGNATURES.match(start) is not None


class PictureFile:
    """A picture, or a stack of them, whose header has been read.

    Args:
        path: the file.

    Raises:
        ImageError: the header is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with self._opened() as picture:
                self.header = _header(picture)
        except Exception as error:  # Pillow raises what its decoders come across
            raise damaged(path) from error

    def read(self) -> sitk.Image:
        """Read the pixels.

        Raises:
            ImageError: the file is damaged or cut short, or its pages differ.
        """
        try:
            with self._opened() as picture:
                picture.verify()  # the checksums, of formats that have them
            with self._opened() as picture:
                pages = [_pixels(picture, number) for number in range(self.header.size[2])]
        except Exception as error:  # as above
            raise damaged(self._path) from error
        if len({(page.shape, page.dtype) for page in pages}) > 1:
            raise ImageError(
                f"{self._path} has pages that differ in size or kind. Save those of one volume as a file of their own."
            )
        return sitk.GetImageFromArray(np.stack(pages))

    @contextmanager
    def _opened(self) -> Iterator[Image]:
        from PIL import Image

        with quiet_libraries(), warnings.catch_warnings():  # of tags that are damaged and do not matter
            warnings.simplefilter("ignore")
            with Image.open(self._path, formats=_FORMATS) as picture:
                yield picture


def _header(picture: Image) -> ImageHeader:
    pages = int(getattr(picture, "n_frames", 1))
    across, down = _pixel_size(picture)
    return ImageHeader(
        size=(picture.width, picture.height, pages),
        spacing=(across, down, 1.0),
        origin=(0.0, 0.0, 0.0),
        direction=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
        voxel_bytes=_GREY.get(picture.mode, 1),
        components=1 if picture.mode in _GREY else max(3, len(picture.getbands())),
        axes_missing="its format has no directions" if pages > 1 else "",
        spacing_missing="its format has no distance between slices" if pages > 1 else "",
    )


def _pixel_size(picture: Image) -> tuple[float, float]:
    """The mm that a PNG or TIFF file states with a unit; else 1, as others have the resolution of a screen or none."""
    tags = getattr(picture, "tag_v2", {})
    stated = picture.format == "PNG" or all(tags.get(tag) for tag in (_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT))
    across, down = picture.info.get("dpi", (_INCH, _INCH)) if stated else (_INCH, _INCH)
    return _INCH / float(across), _INCH / float(down)


def _pixels(picture: Image, page: int) -> np.ndarray:
    picture.seek(page)
    pixels = np.asarray(picture)
    tags = getattr(picture, "tag_v2", {})
    kind = (picture.mode, *(tags.get(tag, (1,))[0] for tag in (_SAMPLE_FORMAT, _BITS)))
    return pixels.astype(_TYPES.get(kind, pixels.dtype.newbyteorder("=")), copy=False)
