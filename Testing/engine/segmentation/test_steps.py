"""The ways to drive a run: to its end, with an onlooker, or with each step changed."""

import pytest

from MedNCALib.segmentation.steps import map_steps, run_to_end, tap


class Run:
    """A generator of 1, 2, 3 that returns "result", and what happened to it."""

    def __init__(self):
        self.log = []

    def steps(self):
        try:
            for number in (1, 2, 3):
                self.log.append(f"makes {number}")
                yield number
            return "result"
        finally:
            self.log.append("closed")


def test_a_run_goes_to_its_end_and_gives_its_result():
    seen = []
    assert run_to_end(Run().steps(), seen.append) == "result"
    assert seen == [1, 2, 3]


def test_a_run_is_closed_when_the_onlooker_fails():
    run = Run()
    with pytest.raises(ZeroDivisionError):
        run_to_end(run.steps(), lambda number: 1 / (number - 2))
    assert run.log == ["makes 1", "makes 2", "closed"]


def test_steps_are_changed_on_their_way_and_the_result_is_not():
    seen = []
    assert run_to_end(map_steps(Run().steps(), lambda number: 10 * number), seen.append) == "result"
    assert seen == [10, 20, 30]


def test_an_onlooker_sees_each_step_first_and_hears_when_the_next_is_asked_for():
    run = Run()
    tapped = tap(run.steps(), lambda number: run.log.append(f"sees {number}"), lambda: run.log.append("resumed"))
    for number in tapped:
        run.log.append(f"gets {number}")
    one, two, three = ([f"makes {number}", f"sees {number}", f"gets {number}", "resumed"] for number in (1, 2, 3))
    assert run.log == [*one, *two, *three, "closed"]


def test_closing_a_tapped_run_closes_the_run():
    run = Run()
    tapped = tap(run.steps(), lambda number: None)
    next(tapped)
    tapped.close()
    assert run.log == ["makes 1", "closed"]
