"""A run that the event loop drives: one step a tick, so that the application stays alive without a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

import qt


class EventLoopRun:
    """Drives a generator from a timer, one generator at a time.

    A run ends in exactly one of three ways: `onDone(value, seconds)` with the generator's return value and the
    duration, `onFailed(error)`, or `cancel()`, which calls neither. When one of them is called the run is over and
    nothing of it is held any more. The timer stays for the next run: it must not be deleted within its own tick.

    Args:
        onStep: called with each step, and with the seconds that are left, None while that is unknown.
        onDone: called with the return value, and with the seconds since the start.
        onFailed: called with the error.
    """

    # Before this an estimate of the time left is worse than none.
    _SECONDS_BEFORE_ESTIMATE = 1.0

    def __init__(
        self,
        onStep: Callable[[Any, float | None], None],
        onDone: Callable[[Any, float], None],
        onFailed: Callable[[Exception], None],
    ) -> None:
        self._onStep = onStep
        self._onDone = onDone
        self._onFailed = onFailed
        self._steps: Generator[Any, None, Any] | None = None
        self._started = 0.0
        self._timer = qt.QTimer()
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._tick)

    @property
    def isOn(self) -> bool:
        return self._steps is not None

    def setInterval(self, milliseconds: int) -> None:
        """Another time between two steps, from now on."""
        if self._timer.interval != milliseconds:
            self._timer.setInterval(milliseconds)

    def start(self, steps: Generator[Any, None, Any]) -> None:
        """Drive a generator; its first step is done as soon as the event loop has its next turn."""
        self._steps = steps
        self._started = time.monotonic()
        self._timer.start()

    def cancel(self) -> None:
        """End the run that is on, if any."""
        steps = self._release()
        if steps is not None:
            steps.close()

    def _tick(self, *_args: Any) -> None:
        if self._steps is None:
            return
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

    def _release(self) -> Generator[Any, None, Any] | None:
        steps, self._steps = self._steps, None
        self._timer.stop()
        return steps

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _secondsLeft(self, fraction: float) -> float | None:
        if self._seconds < self._SECONDS_BEFORE_ESTIMATE or fraction <= 0:
            return None
        return self._seconds * (1 - fraction) / fraction
