"""A run that the event loop drives: one step a tick, so that the application stays alive without a thread."""

import time

import qt


class Run:
    """Drives a generator from a timer without delay.

    Exactly one of three things ends it: `onDone(value)` with the generator's return value, `onFailed(exception)`, or
    `cancel()`, which calls neither. When one of them is called the run is over and holds nothing any more.

    :param steps: generator of `MedNCALib` steps.
    :param onStep: called with each step, and with the seconds that are left, None while that is unknown.
    """

    # Before this the guess of the time left is worse than none.
    _SECONDS_BEFORE_GUESS = 1.0

    def __init__(self, steps, onStep, onDone, onFailed):
        self._steps = steps
        self._onStep = onStep
        self._onDone = onDone
        self._onFailed = onFailed
        self._started = time.monotonic()
        self._timer = qt.QTimer()
        self._timer.setInterval(0)
        self._timer.connect("timeout()", self._tick)

    @property
    def seconds(self) -> float:
        """Seconds since the run was started."""
        return time.monotonic() - self._started

    def start(self) -> None:
        self._started = time.monotonic()
        self._timer.start()

    def cancel(self) -> None:
        """Stop for good; may be called again, and after the end."""
        self._release()
        self._steps.close()

    def _tick(self, *_):
        try:
            step = next(self._steps)
        except StopIteration as end:
            self._release()
            self._onDone(end.value)
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

    def _secondsLeft(self, fraction: float):
        if self.seconds < self._SECONDS_BEFORE_GUESS or fraction <= 0:
            return None
        return self.seconds * (1 - fraction) / fraction
