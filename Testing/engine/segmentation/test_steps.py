"""Driving a run, to its end or with an onlooker, and what happens to it if something fails on the way."""

import pytest

from MedNCALib.segmentation.steps import map_steps, run_to_end, tap


class Run:
    """A run of three steps that returns "result" and notes that it is closed."""

    def __init__(self):
        self.is_closed = False
        self.steps = self._steps()

    def _steps(self):
        try:
            yield from (1, 2, 3)
            return "result"
        finally:
            self.is_closed = True


def stop_at(number):
    def look(step):
        if step == number:
            raise RuntimeError("enough")

    return look


def test_a_run_to_its_end_returns_its_result_and_shows_every_step():
    seen = []
    assert run_to_end(Run().steps, seen.append) == "result"
    assert seen == [1, 2, 3]
    assert run_to_end(Run().steps) == "result"


def test_a_tapped_run_yields_the_same_and_returns_the_same():
    seen = []
    steps = tap(Run().steps, seen.append)
    assert next(steps) == 1
    assert seen == [1]  # before it is yielded
    assert run_to_end(steps) == "result"
    assert seen == [1, 2, 3]


def test_changed_steps_are_yielded_and_the_onlooker_hears_when_the_next_is_asked_for():
    resumed, yielded = [], []
    steps = map_steps(Run().steps, lambda step: 10 * step, lambda: resumed.append(len(yielded)))
    assert run_to_end(steps, yielded.append) == "result"
    assert yielded == [10, 20, 30]
    assert resumed == [1, 2, 3]


@pytest.mark.parametrize("drive", [run_to_end, lambda steps, look: run_to_end(tap(steps, look))])
def test_a_run_is_closed_if_its_onlooker_fails(drive):
    run = Run()
    with pytest.raises(RuntimeError, match="enough"):
        drive(run.steps, stop_at(2))
    assert run.is_closed


def test_a_run_is_closed_with_the_generator_that_taps_it():
    run = Run()
    steps = tap(run.steps, lambda step: None)
    next(steps)
    assert not run.is_closed
    steps.close()
    assert run.is_closed


def test_an_end_within_the_onlooker_does_not_end_the_run():
    def look(step):
        raise StopIteration("not the run's")

    with pytest.raises((RuntimeError, StopIteration)):
        run_to_end(Run().steps, look)
