"""Segmentation of all frames of a sequence, several of them side by side."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

import SimpleITK as sitk

from ..errors import MedNCAError
from ..model.model import Model
from ..numerics import blas_threads
from .options import RunOptions
from .segmenter import segment_steps
from .steps import Result, Step

# Frames that run at once: more would wait for the interpreter's lock, and each takes its own memory.
_MOST_AT_ONCE = 4


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
    at_once, options = _shared_out(count, options)
    waiting = iter(frames)
    running: dict[int, Generator[Step, None, Result]] = {}
    shares = [0.0] * count
    results: dict[int, Result] = {}
    started = 0
    try:
        with ThreadPoolExecutor(at_once) as pool:
            while running or started < count:
                while len(running) < at_once and started < count:
                    with _named(started, count):
                        running[started] = segment_steps(next(waiting), model, **options)
                    started += 1
                advances = {index: pool.submit(_advance, steps) for index, steps in running.items()}
                wait(advances.values())
                now = []
                for index, advance in advances.items():
                    with _named(index, count):
                        step, result = advance.result()
                    if result is not None:
                        results[index] = result
                        del running[index]
                    if step is not None:
                        shares[index] = step.fraction
                        now.append(step)
                if now:
                    yield replace(now[0], fraction=sum(shares) / count)
    finally:
        for steps in running.values():
            steps.close()
    return [results[index] for index in range(count)]


def _shared_out(count: int, options: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """How many of so many frames run side by side, and the options of each."""
    names = {field.name for field in fields(RunOptions)}
    asked = RunOptions(**{name: value for name, value in options.items() if name in names})
    # PyTorch's number of threads belongs to the whole process, so that runs beside each other would change it.
    threads = (asked.threads or blas_threads.threads()) if asked.kernel == "numpy" else 1
    at_once = min(count, threads, _MOST_AT_ONCE)
    return max(1, at_once), {**options, "threads": threads // at_once} if at_once > 1 else options


def _advance(steps: Generator[Step, None, Result]) -> tuple[Step | None, Result | None]:
    """The next step of a run, or at its end the result."""
    try:
        return next(steps), None
    except StopIteration as end:
        return None, end.value


@contextmanager
def _named(index: int, count: int) -> Iterator[None]:
    """Errors name the frame, which is counted from 0."""
    try:
        yield
    except MedNCAError as error:
        raise type(error)(f"Frame {index + 1} of {count}: {error}") from error
