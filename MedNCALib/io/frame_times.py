"""When the frames of a sequence are, as far as its file says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ImageError

# Milliseconds of a unit of time, by the names that files have.
UNIT_MS = {
    "ms": 1.0,
    "msec": 1.0,
    "millisecond": 1.0,
    "milliseconds": 1.0,
    "s": 1000.0,
    "sec": 1000.0,
    "second": 1000.0,
    "seconds": 1000.0,
    "us": 0.001,
}
# What the MultiVolume importer of Slicer sorts frames by if they are the phases of a heart; it has others, such as echo
# times, in milliseconds too.
TRIGGER_TIME = "TriggerTime"
# mednca's option that states what a file does not say.
STATED = "stated interval"
# What most formats have: frames lie in the file in the order of time.
AS_STORED = "order in the file"


@dataclass(frozen=True)
class FrameTimes:
    """When frames are.

    Attributes:
        milliseconds: of each frame; None if unknown, frames are then only numbered.
        sorted_by: what the order of the frames comes from.
        beat_ms: from one beat of the heart to the next, if the file says so.
    """

    milliseconds: tuple[float, ...] | None = None
    sorted_by: str = AS_STORED
    beat_ms: float | None = None


def labelled_times(labels: Sequence[str], unit: str, sorted_by: str = AS_STORED) -> FrameTimes:
    """Times that a file or a program has written beside the frames; unknown times if they are none.

    Args:
        labels: of each frame.
        unit: of the labels.
        sorted_by: what the order of the frames comes from.
    """
    try:
        values = [float(label) for label in labels]
    except ValueError:
        values = []
    is_rising = len(values) > 1 and all(first < second for first, second in zip(values, values[1:]))
    if unit.lower() not in UNIT_MS or not is_rising or not all(map(math.isfinite, values)):
        return FrameTimes(None, sorted_by)
    return FrameTimes(tuple(value * UNIT_MS[unit.lower()] for value in values), sorted_by)


def regular_times(interval_ms: float, count: int, sorted_by: str = AS_STORED) -> FrameTimes:
    """Frames at equal distances in time; unknown times if the interval makes no sense."""
    if not (math.isfinite(interval_ms) and interval_ms > 0):
        return FrameTimes(None, sorted_by)
    return FrameTimes(tuple(interval_ms * number for number in range(count)), sorted_by)


def stated_times(interval_ms: float, count: int) -> FrameTimes:
    """Frames at the stated distance in time.

    Raises:
        ImageError: it is no time.
    """
    times = regular_times(interval_ms, count, STATED)
    if times.milliseconds is None:
        raise ImageError(f"The stated time between frames, {interval_ms!r} ms, is none: give a number above 0.")
    return times
