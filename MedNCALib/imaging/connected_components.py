"""Connected pieces of a mask, and distances from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import SimpleITK as sitk


def numbered_pieces(mask: np.ndarray) -> np.ndarray:
    """The pieces of a mask, of two or three dimensions, whose elements share a face: numbered from 1, 0 elsewhere."""
    pieces: np.ndarray = sitk.GetArrayFromImage(sitk.ConnectedComponent(sitk.GetImageFromArray(mask.view(np.uint8))))
    return pieces


def distances_to(mask: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Distance from each element to the nearest one of a mask that has some, 0 in the mask; between centres, in mm.

    Args:
        mask: boolean, of two or three dimensions.
        spacing: mm along its axes.
    """
    image = sitk.GetImageFromArray(mask.view(np.uint8))
    image.SetSpacing([float(mm) for mm in spacing[::-1]])
    found = sitk.SignedMaurerDistanceMap(image, insideIsPositive=False, squaredDistance=False, useImageSpacing=True)
    return sitk.GetArrayFromImage(found).clip(0)


def innermost(region: np.ndarray, spacing: Sequence[float]) -> tuple[int, int]:
    """Row and column of a region that lie farthest from all others; beyond the array nothing belongs to it.

    Args:
        region: boolean, of two dimensions.
        spacing: mm along rows and columns.
    """
    depth = distances_to(~np.pad(region, 1), spacing)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), region.shape)
    return int(row), int(column)


def keep_largest(labels: np.ndarray, values: Iterable[int]) -> None:
    """Clear, in place, all but the largest piece of each label.

    Voxels that share a face belong together. Of pieces of one size the first in memory stays.

    Args:
        labels: uint8, three-dimensional.
        values: of the labels to look at.
    """
    for value in values:
        mask = labels == value
        if not mask.any():
            continue
        others = ((1, 2), (0, 2), (0, 1))
        places = [np.flatnonzero(mask.any(axis=axes)) for axes in others]
        box = tuple(slice(int(along[0]), int(along[-1]) + 1) for along in places)
        found = numbered_pieces(mask[box])
        sizes = np.bincount(found.reshape(-1))[1:]
        if len(sizes) > 1:
            labels[box][(found > 0) & (found != 1 + sizes.argmax())] = 0
