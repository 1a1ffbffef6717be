"""How well a label image agrees with the truth: overlap, surface distance and volume.

Dice: 2 |A and B| / (|A| + |B|). Hausdorff distance: the 95th percentile of the distances between the two surfaces, each
surface element weighted by its area, in mm (Nikolov et al. 2021, arXiv 1809.04430), computed by their
`surface-distance`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError, MedNCAError
from ..imaging.labels import Label
from ..segmentation.quality import dice_of_counts


@dataclass(frozen=True)
class Score:
    """Agreement of one structure.

    Attributes:
        dice: 0 to 1; 1 if both are empty, 0 if one is.
        hd95_mm: 95 % Hausdorff distance; None if one or both are empty, since there is no surface to measure from.
        volume_ml: volume that was found.
        volume_error_ml: found minus true volume.
    """

    dice: float
    hd95_mm: float | None
    volume_ml: float
    volume_error_ml: float


def compare(truth: sitk.Image, found: sitk.Image, labels: Sequence[Label]) -> tuple[dict[str, Score], Score]:
    """Compare two label images on one grid.

    Args:
        truth: label image with the right values.
        found: label image to judge, the same size and spacing.
        labels: what to compare; other values count as background.

    Returns:
        The score of each label by its name, and the score of all of them merged.

    Raises:
        ImageError: the images differ in size or spacing.
    """
    if truth.GetSize() != found.GetSize() or not np.allclose(truth.GetSpacing(), found.GetSpacing(), rtol=1e-3):
        raise ImageError(
            f"The labels to compare lie on different grids: {truth.GetSize()} voxels of {truth.GetSpacing()} mm and "
            f"{found.GetSize()} voxels of {found.GetSpacing()} mm. Resample one to the other."
        )
    spacing = truth.GetSpacing()[::-1]
    true_values, found_values = sitk.GetArrayViewFromImage(truth), sitk.GetArrayViewFromImage(found)
    by_label = {label.name: score(true_values == label.value, found_values == label.value, spacing) for label in labels}
    values = [label.value for label in labels]
    return by_label, score(np.isin(true_values, values), np.isin(found_values, values), spacing)


def dices(truth: sitk.Image, found: sitk.Image, labels: Sequence[Label]) -> tuple[dict[str, float], float]:
    """The Dice of `compare` alone, without the surfaces, which take longer: by label name, and of all merged."""
    true_values, found_values = sitk.GetArrayViewFromImage(truth), sitk.GetArrayViewFromImage(found)
    values = [label.value for label in labels]
    by_label = {label.name: dice(true_values == label.value, found_values == label.value) for label in labels}
    return by_label, dice(np.isin(true_values, values), np.isin(found_values, values))


def score(truth: np.ndarray, found: np.ndarray, spacing: Sequence[float]) -> Score:
    """Compare two masks.

    Args:
        truth: bool array of three dimensions.
        found: bool array of the same shape.
        spacing: mm along each of the array's axes.

    Raises:
        MedNCAError: the package that measures surface distances is not installed.
    """
    voxel_ml = float(np.prod(spacing)) / 1000
    true_count, found_count = np.count_nonzero(truth), np.count_nonzero(found)
    hd95 = _hd95(truth, found, spacing) if true_count and found_count else None
    return Score(dice(truth, found), hd95, found_count * voxel_ml, (found_count - true_count) * voxel_ml)


def dice(truth: np.ndarray, found: np.ndarray) -> float:
    """Dice of two masks: 1 if both are empty."""
    return dice_of_counts(*(int(np.count_nonzero(mask)) for mask in (truth, found, truth & found)))


def _hd95(truth: np.ndarray, found: np.ndarray, spacing: Sequence[float]) -> float:
    try:
        from surface_distance import compute_robust_hausdorff, compute_surface_distances
    except ImportError as error:
        raise MedNCAError("Surface distances need a package: pip install surface-distance") from error
    return float(compute_robust_hausdorff(compute_surface_distances(truth, found, spacing), 95))
