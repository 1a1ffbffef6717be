"""Segmentation of all frames of a sequence, several of them side by side."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, Callable

import SimpleITK as sitk

from ..errors import MedNCAError
from ..model.model import Model
from ..numerics import blas_threads
from .options import RunOptions
from .segmenter import segment_steps
from .side_by_side import side_by_side, threads_for_runs
from .steps import Result, Step


def segment_sequence_steps(
    frames: Iterable[sitk.Image], count: int, model: Model, **options: Any
) -> Generator[Step, None, list[Result]]:
    """Segment the frames of a sequence step by step, each by itself: their order does not matter.

    With several processors some frames run side by side, in a thread each; the results are the same. No thread runs
    while the caller has the step, so that a run that is closed ends at once.

    Args:
        frames: the volumes; those that run are held.
        count: how many there are.
        model: as for `segment_steps`.
        options: keyword arguments of `segment_steps`. `threads` are those of all frames together.

    Yields:
        The steps of the first of the frames that run, with the share of all frames that is done.

    Returns:
        The result of each frame.

    Raises:
        MedNCAError: a frame or an option cannot be used; the message names the frame.
    """
    results: list[Result] = []
    yield from frame_steps(frames, count, model, results.append, **options)
    return results


def frame_steps(
    frames: Iterable[sitk.Image], count: int, model: Model, done: Callable[[Result], object], **options: Any
) -> Generator[Step, None, None]:
    """Segment the frames of a sequence as `segment_sequence_steps` does.

    Args:
        frames, count, model, options: as there.
        done: is called with the result of each frame, in their order.
    """
    at_once, options = _shared_out(count, options)
    waiting = iter(frames)

    def of_frame(index: int, image: sitk.Image) -> Generator[Step, None, Result]:
        with _named(index, count):
            return (yield from segment_steps(image, model, **options))

    def runs() -> Iterator[Generator[Step, None, Result]]:
        for index in range(count):
            with _named(index, count):
                image = next(waiting)
            yield of_frame(index, image)

    yield from side_by_side(runs(), [1] * count, at_once, done)


def _shared_out(count: int, options: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """How many of so many frames run side by side, and the options of each."""
    names = {field.name for field in fields(RunOptions)}
    asked = RunOptions(**{name: value for name, value in options.items() if name in names})
    at_once = max(1, min(count, threads_for_runs(asked.kernel, asked.threads)))
    threads = asked.threads or blas_threads.threads()
    return at_once, {**options, "threads": threads // at_once} if at_once > 1 else options


@contextmanager
def _named(index: int, count: int) -> Iterator[None]:
    """Errors name the frame, which is counted from 0."""
    try:
        yield
    except MedNCAError as error:
        raise type(error)(f"Frame {index + 1} of {count}: {error}") from error
