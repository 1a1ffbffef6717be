"""Groups of slices side by side: the same bits as one after the other, results in order, and an end at once."""

import threading
import time
from dataclasses import dataclass

import numpy as np
import pytest
import SimpleITK as sitk
from support.head_model import head, head_model
from support.images import noise_image
from support.protocol_model import protocol_model, rimmed_image
from support.random_models import random_model

from MedNCALib import segment, segment_steps
from MedNCALib.segmentation import slice_groups
from MedNCALib.segmentation.packed_results import PackedResults
from MedNCALib.segmentation.side_by_side import side_by_side
from MedNCALib.segmentation.steps import run_to_end

LENGTHS = (30, 1, 4, 1, 1, 9)  # steps of some runs


@dataclass(frozen=True)
class Step:
    fraction: float


class Runs:
    """Runs of a few steps each, of which the first is the longest."""

    def __init__(self, failing=None):
        self.begun, self.closed, self._failing = [], [], failing

    def __iter__(self):
        for number, length in enumerate(LENGTHS):
            self.begun.append(number)
            yield self._run(number, length)

    def _run(self, number, length):
        try:
            for step in range(1, length + 1):
                time.sleep(0.005)
                if number == self._failing:
                    raise ValueError(f"run {number}")
                yield Step(step / length)
        finally:
            self.closed.append(number)
        return number


def cases():
    yield "random", noise_image((40, 30, 12)), random_model(), {"runs": 2, "seed": 3, "uncertainty": True}
    yield "vote", rimmed_image(hazy_slices=6), protocol_model(), {}
    yield "head", head()[0], head_model(), {}


@pytest.mark.parametrize(
    ("image", "model", "options"), [each[1:] for each in cases()], ids=[each[0] for each in cases()]
)
@pytest.mark.parametrize("threads", [2, 3])
def test_the_result_is_bit_for_bit_that_of_a_run_that_shows_every_step(monkeypatch, image, model, options, threads):
    monkeypatch.setattr(slice_groups, "GROUP_BYTES", 300_000)
    options = {**options, "threads": threads, "probabilities": True}
    shown = run_to_end(segment_steps(image, model, **options))
    hidden = segment(image, model, **options)
    for one, other in (
        (shown.labels, hidden.labels),
        *zip(shown.probabilities.values(), hidden.probabilities.values()),
    ):
        np.testing.assert_array_equal(sitk.GetArrayFromImage(one), sitk.GetArrayFromImage(other))
    assert (shown.quality, shown.found, shown.protocol) == (hidden.quality, hidden.found, hidden.protocol)


@pytest.mark.parametrize(("at_once", "ahead"), [(1, 0), (2, 0), (2, 9), (4, 1)])
def test_results_come_in_order_and_progress_rises_to_one(at_once, ahead):
    runs, results = Runs(), []
    steps = side_by_side(runs, LENGTHS, at_once, results.append, ahead)
    fractions = [step.fraction for step in steps]
    assert results == list(range(len(LENGTHS)))
    assert fractions == sorted(fractions)
    assert 0 < fractions[0] < 1
    assert fractions[-1] == pytest.approx(1)


@pytest.mark.parametrize(("at_once", "ahead"), [(1, 0), (2, 0), (3, 1)])
def test_no_more_runs_are_asked_for_than_are_needed(at_once, ahead):
    runs = Runs()
    steps = side_by_side(runs, LENGTHS, at_once, lambda _: None, ahead)
    next(steps)
    assert len(runs.begun) <= at_once + ahead
    steps.close()


def test_all_runs_end_and_no_thread_is_left_when_it_is_closed():
    before, runs = threading.active_count(), Runs()
    steps = side_by_side(runs, LENGTHS, 2, lambda _: None)
    next(steps)
    steps.close()
    assert sorted(runs.closed) == sorted(runs.begun)
    assert threading.active_count() == before


@pytest.mark.parametrize("at_once", [1, 3])
def test_the_error_of_a_run_ends_the_others(at_once):
    runs = Runs(failing=2)
    with pytest.raises(ValueError, match="run 2"):
        list(side_by_side(runs, LENGTHS, at_once, lambda _: None))
    assert sorted(runs.closed) == sorted(runs.begun)


def test_packed_results_have_their_labels_in_their_place():
    packed = PackedResults()
    results = [segment(noise_image((20, 16, 6), seed=seed), random_model()) for seed in range(2)]
    for result in results:
        packed.append(result)
    assert len(packed) == len(packed.labels) == 2
    for result, again in zip(results, packed):
        np.testing.assert_array_equal(sitk.GetArrayFromImage(result.labels), sitk.GetArrayFromImage(again.labels))
        assert again.labels.GetDirection() == result.labels.GetDirection()
        assert again.labels.GetOrigin() == result.labels.GetOrigin()
        assert again.labels.GetSpacing() == result.labels.GetSpacing()
        assert again.quality is result.quality
