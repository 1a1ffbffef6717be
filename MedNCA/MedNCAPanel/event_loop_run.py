"""A run that the event loop drives: one step a tick, so that the application stays alive without a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

import qt

import MedNCALib as mednca


class EventLoopRun:
    """Drives a generator from a timer without delay.

    It ends in exactly one of three ways: `onDone(value, seconds)` with the generator's return value and the duration,
    `onFailed(error)`, or `cancel()`, which calls neither. When one of them is called the run is over and holds nothing
    any more.

    Args:
        steps: generator of the steps.
        onStep: called with each step, and with the seconds that are left, None while that is unknown.
        onDone: called with the return value, and with the seconds since the start.
        onFailed: called with the error.
    """

    # Before this an estimate of the time left is worse than none.
    _SECONDS_BEFORE_ESTIMATE = 1.0

    def __init__(
        self,
        steps: Generator[mednca.Step, None, Any],
        onStep: Callable[[mednca.Step, float | None], None],
        onDone: Callable[[Any, float], None],
        onFailed: Callable[[Exception], None],
    ) -> None:
        self._steps = steps
        self._onStep = onStep
        self._onDone = onDone
        self._onFailed = onFailed
        self._started = time.monotonic()
        self._timer = qt.QTimer()
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._tick)

    def start(self) -> None:
        """Do the first step as soon as the event loop has its next turn."""
        self._started = time.monotonic()
        self._timer.start()

    def cancel(self) -> None:
        """Stop for good; may be called again, and after the end."""
        self._release()
        self._steps.close()

    def _tick(self, *_args: Any) -> None:
        try:
            step = next(self._steps)
        except StopIteration as end:
            self._release()
            self._onDone(end.value, self._seconds)
        except Exception as error:
            self._release()
            self._onFailed(error)
        else:
            self._onStep(step, self._secondsLeft(step.fraction))

    def _release(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.disconnect("timeout()", self._tick)
            self._timer = None

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _secondsLeft(self, fraction: float) -> float | None:
        if self._seconds < self._SECONDS_BEFORE_ESTIMATE or fraction <= 0:
            return None
        return self._seconds * (1 - fraction) / fraction
