"""Connected pieces of a mask, and distances from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from math import inf

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


def keep_largest(labels: np.ndarray, values: Iterable[int], shares: Iterable[float] = repeat(inf)) -> None:
    """Clear, in place, all pieces of each label that are small beside its largest one, which stays.

    Voxels that share a face belong together. Of pieces of one size the first in memory is the largest.

    Args:
        labels: uint8, three-dimensional.
        values: of the labels to look at.
        shares: for each of them the share of the largest piece that another one needs to stay. Infinity, as by default:
            none stays; 0: all do.
    """
    for value, share in zip(values, shares):
        mask = labels == value
        if not mask.any():
            continue
        others = ((1, 2), (0, 2), (0, 1))
        places = [np.flatnonzero(mask.any(axis=axes)) for axes in others]
        box = tuple(slice(int(along[0]), int(along[-1]) + 1) for along in places)
        found = numbered_pieces(mask[box])
        sizes = np.bincount(found.reshape(-1))[1:]
        stays = np.array([True, *(sizes >= share * sizes.max())])  # the background first
        stays[1 + sizes.argmax()] = True
        labels[box][~stays[found]] = 0
