"""Segmentation with corrections in one go: the image is segmented, then regrown around what a person has said."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..errors import ArgumentError
from ..imaging.labels import Label
from ..model.card import AUTO
from ..model.model import Model
from .quality import Quality, VolumeEstimate
from .regrowing import Regrown, regrow_steps, require_can_regrow
from .segmenter import segment_steps
from .steps import Result, Step, part_of_run

_SEGMENTATION = 0.7  # share of the work, about


def corrected_steps(
    image: sitk.Image, model: Model, corrections: sitk.Image, **options: Any
) -> Generator[Step, None, Result]:
    """Segment a volume, and regrow it around corrections, step by step.

    Args:
        image, model: as for `segment_steps`.
        corrections: as for `regrow_steps`.
        options: keyword arguments of `segment_steps` but for `probabilities` and `largest_only`.

    Yields:
        The steps of the segmentation, then those of the regrowing.

    Returns:
        A `Result` of what has regrown. The scores of its quality, which say nothing of what a person drew, are None.

    Raises:
        MedNCAError: as `segment_steps` and `regrow_steps`, or an option that cannot be had.
    """
    for name in ("probabilities", "largest_only"):
        if options.pop(name, False):
            raise ArgumentError(f"A result with corrections has no {name}: leave it out, or leave out the corrections.")
    require_can_regrow(model)
    first = yield from part_of_run(segment_steps(image, model, **options), 0, _SEGMENTATION)
    options["protocol"] = first.protocol or options.get("protocol", AUTO)
    if first.found:
        options.update(found=first.found, region=None)
    else:
        options["find"] = "never"
    regrowing = regrow_steps(image, model, first.labels, corrections, **options)
    found = yield from part_of_run(regrowing, _SEGMENTATION, 1)
    return replace(
        first,
        labels=found.labels,
        uncertainty=_uncertainty(first, found),
        quality=Quality(first.quality.runs, None, None, {}, _volumes(found.labels, first.label_table), None),
        pass_slices=None,
    )


def _uncertainty(first: Result, found: Regrown) -> sitk.Image | None:
    """Of the passes that a voxel has grown in last, if it was asked for."""
    if first.uncertainty is None or found.uncertainty is None:
        return None
    return sitk.Mask(first.uncertainty, found.kept) + found.uncertainty


def _volumes(labels: sitk.Image, label_table: tuple[Label, ...]) -> dict[str, VolumeEstimate]:
    voxel_ml = float(np.prod(labels.GetSpacing())) / 1000
    counts = np.bincount(sitk.GetArrayViewFromImage(labels).ravel(), minlength=256)
    return {label.name: VolumeEstimate(float(counts[label.value]) * voxel_ml, None) for label in label_table}
