"""The picture of a case for the report: three planes through the result, contours in the labels' colours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from ..atomic_write import written_whole
from ..imaging.anatomical_axes import Orientation, orientation
from ..imaging.labels import Label

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

# Where columns, rows and slices run to, as radiologists look at axial, coronal and sagittal planes.
PLANES = ("LPS", "LIP", "PIL")

_HEIGHT = 170  # pixels of each plane
_GAP = 4
_MARGIN_MM, _LEAST_MM = 12.0, 60.0  # around the result; side of the window at least
_DARKEST, _BRIGHTEST = 1, 99.5  # percentiles of the intensities within the window
_QUALITY = 82


def write_case_picture(path: Path, image: sitk.Image, labels: sitk.Image, model_labels: Sequence[Label]) -> None:
    """Write three planes side by side, as JPEG: axial, coronal and sagittal, each where it shows most of the result.

    Args:
        path: ends with `.jpg`.
        image: three-dimensional scalar volume.
        labels: the result, on the same grid.
        model_labels: values and colours.

    Raises:
        MedNCAError: it cannot be written, with the reason.
    """
    picture = case_picture(image, labels, model_labels)
    with written_whole(path) as beside:
        picture.save(beside, quality=_QUALITY, subsampling=0, optimize=True)


def case_picture(image: sitk.Image, labels: sitk.Image, model_labels: Sequence[Label]) -> Picture:
    """The picture itself; arguments as above."""
    from PIL import Image

    voxels, found = sitk.GetArrayViewFromImage(image), sitk.GetArrayViewFromImage(labels)
    low, high = _window(found, image.GetSpacing()[::-1])
    inside = tuple(slice(begin, end) for begin, end in zip(low, high))
    voxels, found = np.nan_to_num(voxels[inside]), found[inside]
    dark, bright = np.percentile(voxels, (_DARKEST, _BRIGHTEST))
    colours = {label.value: label.color for label in model_labels}
    planes = [
        _plane(voxels, found, orientation(image, axes), image, (float(dark), float(bright)), colours) for axes in PLANES
    ]
    width = sum(plane.width for plane in planes) + _GAP * (len(planes) - 1)
    picture = Image.new("RGB", (width, _HEIGHT))
    left = 0
    for plane in planes:
        picture.paste(plane, (left, 0))
        left += plane.width + _GAP
    return picture


def _window(found: np.ndarray, spacing: Sequence[float]) -> tuple[list[int], list[int]]:
    """First and last voxels of a box around the result, all of the image if nothing was found; (z, y, x)."""
    if not found.any():
        return [0, 0, 0], list(found.shape)
    low, high = [], []
    for axis, (length, mm) in enumerate(zip(found.shape, spacing)):
        others = tuple(other for other in range(3) if other != axis)
        hit = np.flatnonzero(found.any(axis=others))
        side = max((hit[-1] + 1 - hit[0]) * mm + 2 * _MARGIN_MM, _LEAST_MM) / mm
        middle = (hit[0] + hit[-1] + 1) / 2
        low.append(max(0, int(middle - side / 2)))
        high.append(min(length, int(np.ceil(middle + side / 2))))
    return low, high


def _plane(
    voxels: np.ndarray,
    found: np.ndarray,
    way: Orientation,
    image: sitk.Image,
    limits: tuple[float, float],
    colours: dict[int, tuple[int, int, int]],
) -> Picture:
    from PIL import Image

    slices, labels = way.oriented(voxels), way.oriented(found)
    areas = np.count_nonzero(labels, axis=(1, 2))
    number = int(areas.argmax()) if areas.any() else len(slices) // 2
    _, row_mm, column_mm = way.spacing(image)
    rows, columns = slices[number].shape
    size = max(1, round(_HEIGHT * columns * column_mm / (rows * row_mm))), _HEIGHT
    dark, bright = limits
    scaled = np.clip((slices[number] - dark) / max(bright - dark, 1e-30), 0, 1)
    grey = Image.fromarray((scaled * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    enlarged = Image.fromarray(np.ascontiguousarray(labels[number])).resize(size, Image.Resampling.NEAREST)
    picture, shown = np.array(grey.convert("RGB")), np.asarray(enlarged)
    edges = _edges(shown)
    for value, colour in colours.items():
        picture[edges & (shown == value)] = colour
    return Image.fromarray(picture)


def _edges(labels: np.ndarray) -> np.ndarray:
    """Which pixels have another label than one of their four neighbours."""
    edges = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        differ = np.diff(labels.astype(np.int16), axis=axis) != 0
        first = [slice(None)] * 2
        second = [slice(None)] * 2
        first[axis], second[axis] = slice(None, -1), slice(1, None)
        edges[tuple(first)] |= differ
        edges[tuple(second)] |= differ
    return edges
