"""Segmentation of all frames of a sequence, one after the other."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import replace
from typing import Any

import SimpleITK as sitk

from ..errors import MedNCAError
from ..model.model import Model
from .segmenter import segment_steps
from .steps import Result, Step, map_steps


def segment_sequence_steps(
    frames: Iterable[sitk.Image], count: int, model: Model, **options: Any
) -> Generator[Step, None, list[Result]]:
    """Segment the frames of a sequence step by step, each by itself: their order does not matter.

    Args:
        frames: the volumes; one is held at a time.
        count: how many there are.
        model: as for `segment_steps`.
        options: keyword arguments of `segment_steps`.

    Yields:
        The steps, with the share of all frames that is done.

    Returns:
        The result of each frame.

    Raises:
        MedNCAError: a frame or an option cannot be used; the message names the frame.
    """
    results: list[Result] = []
    frame = iter(frames)
    for index in range(count):
        try:
            image = next(frame)
            results.append((yield from _part(segment_steps(image, model, **options), index, count)))
        except MedNCAError as error:
            raise type(error)(f"Frame {index + 1} of {count}: {error}") from error
    return results


def _part(steps: Generator[Step, None, Result], index: int, count: int) -> Generator[Step, None, Result]:
    return map_steps(steps, lambda step: replace(step, fraction=(index + step.fraction) / count))
