"""Connected pieces of a label."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import SimpleITK as sitk


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
        pieces = sitk.ConnectedComponent(sitk.GetImageFromArray(mask[box].astype(np.uint8)))
        found = sitk.GetArrayViewFromImage(pieces)
        sizes = np.bincount(found.reshape(-1))[1:]
        if len(sizes) > 1:
            labels[box][(found > 0) & (found != 1 + sizes.argmax())] = 0
