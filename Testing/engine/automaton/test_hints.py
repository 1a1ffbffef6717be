"""Hints: how they come in, that no step changes them, and that they cost nothing if nobody says anything."""

from dataclasses import replace
from math import exp

import numpy as np
import pytest
from support.random_models import KERNELS, random_model, spot_model

from MedNCALib.automaton.architecture import Architecture
from MedNCALib.automaton.firing import FireDraws
from MedNCALib.automaton.hints import HintFormat, at_scale
from MedNCALib.automaton.wanted_cells import SkipRule

HINTS = HintFormat(slices=2, fade=1.5)
DRAWS = FireDraws(0.8, seed=3)


def hinted(make=random_model, **settings):
    return make(hints=HINTS, channels=17, **settings).cascade


def image_of(cascade, slices=4, size=32):
    return np.random.default_rng(0).random((slices, size, size, cascade.architecture.image_channels), np.float32)


def some_hints(cascade, slices=4, size=32):
    """A label said in one slice, background in another, and one label present everywhere in a corner."""
    hints = np.zeros((slices, size, size, 2 * cascade.architecture.hint_outputs), np.float32)
    hints[1, 9:12, 20:23, 1] = 1
    hints[3, 25, 5, 0] = 1
    hints[..., 3] = 1
    hints[:, :10, :10, 3:5] = 0, 1
    return hints


def run(cascade, hints=None, kernel="numpy", slices=None, skip=None, image=None):
    image = image_of(cascade) if image is None else image
    *_, last = cascade.run(image, slices or range(len(image)), DRAWS, kernel, skip=skip, hints=hints)
    return last.cells


def test_hints_come_into_neighbouring_slices_weaker_with_their_distance():
    said = np.zeros((6, 2, 2, 3), bool)
    said[1, 0, 0, 2] = True
    said[2, 0, 0, 2] = True
    said[5, 1, 1, 0] = True
    found = HINTS.spread(said)
    np.testing.assert_allclose(found[:, 0, 0, 2], [exp(-1 / 1.5), 1, 1, exp(-1 / 1.5), exp(-2 / 1.5), 0], rtol=1e-6)
    np.testing.assert_allclose(found[:, 1, 1, 0], [0, 0, 0, exp(-2 / 1.5), exp(-1 / 1.5), 1], rtol=1e-6)
    assert found.sum() == found[:, 0, 0, 2].sum() + found[:, 1, 1, 0].sum()


def test_a_hint_is_not_lost_on_a_coarse_grid():
    said = np.zeros((1, 8, 16, 2), np.float32)
    said[0, 5, 9] = 0, 0.5
    coarse = at_scale(said, 8)
    assert coarse.shape == (1, 1, 2, 2)
    assert coarse[0, 0, 1].tolist() == [0, 0.5]
    assert not coarse[0, 0, 0].any()


@pytest.mark.parametrize("settings", [{"slices": -1}, {"slices": 1.5}, {"fade": 0}, {"fade": "far"}])
def test_a_hint_format_that_makes_no_sense_is_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        HintFormat.from_json({"slices": 2, "fade": 1.5, **settings})


def test_an_architecture_with_hints_goes_through_json_and_one_without_has_no_such_key():
    with_hints, without = hinted().architecture, random_model().cascade.architecture
    assert Architecture.from_json(with_hints.to_json()) == with_hints
    assert "hints" not in without.to_json()
    assert Architecture.from_json(without.to_json()) == without
    with pytest.raises(ValueError, match="image, the hints and the outputs"):
        replace(with_hints, channels=11)


@pytest.mark.parametrize("kernel", KERNELS)
def test_no_step_changes_the_hints(kernel):
    cascade = hinted()
    architecture, hints = cascade.architecture, some_hints(cascade)
    fixed = slice(architecture.image_channels, architecture.fixed_channels)
    for now in cascade.run(image_of(cascade), range(4), FireDraws(0.8), kernel, hints=hints):
        stage = architecture.stages[now.stage]
        expected = architecture.initial_state(image_of(cascade), now.stage, None, hints=hints)
        if now.step + 1 == stage.steps:
            np.testing.assert_array_equal(now.state[..., fixed], expected[..., fixed])
    assert stage.scale == 1
    np.testing.assert_array_equal(now.state[..., fixed], hints)


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernels_and_groups_of_slices_agree_with_hints(kernel):
    cascade = hinted()
    hints, image = some_hints(cascade), image_of(cascade)
    together = run(cascade, hints).state
    for number in range(4):
        one = slice(number, number + 1)
        alone = run(cascade, hints[one], kernel, range(number, number + 1), image=image[one]).state
        np.testing.assert_allclose(alone[0], together[number], atol=1e-4)
    assert np.abs(together - run(cascade).state).max() > 0.1


def test_if_nobody_says_anything_a_cascade_without_the_hints_channels_computes_the_same():
    cascade = hinted()
    small = cascade.without_hints
    assert small.architecture.channels == 11
    assert small.architecture.hints is None
    assert small.without_hints is small
    assert small.parameter_count < cascade.parameter_count
    whole, found = run(cascade).state, run(small).state
    kept = np.delete(whole, range(3, 9), axis=-1)
    np.testing.assert_allclose(found, kept, atol=1e-5)
    nothing = np.zeros((4, 32, 32, 6), np.float32)
    np.testing.assert_array_equal(run(cascade, nothing).state, whole)


@pytest.mark.parametrize("kernel", KERNELS)
def test_with_hints_wanted_cells_are_those_of_a_run_of_all_cells(kernel):
    cascade = hinted(spot_model)
    image = np.random.default_rng(0).random((4, 64, 64, 3), np.float32) * 0.2
    image[1, 20:28, 8:16] = 1
    hints = some_hints(cascade, size=64)
    expected = run(cascade, hints, kernel, image=image).state
    found = run(cascade, hints, kernel, skip=SkipRule(0.2, 1), image=image)
    assert 0 < found.target.mean() < 0.5
    assert not found.target.all(axis=(1, 2)).any()
    np.testing.assert_allclose(found.state[found.target], expected[found.target], rtol=1e-5, atol=2e-5)


def test_cells_of_which_a_label_is_said_are_wanted_however_unlikely():
    rule = SkipRule(0.25, 0)
    said = np.zeros((1, 4, 4, 2), np.float32)
    said[0, 2, 3, 1] = 0.1
    target = rule.next_target(np.zeros((1, 4, 4, 2), np.float32), None, 2, said)
    assert np.argwhere(target[0]).tolist() == [[4, 6], [4, 7], [5, 6], [5, 7]]
    assert not rule.next_target(np.zeros((1, 4, 4, 2), np.float32), None, 2).any()
