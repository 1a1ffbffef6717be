"""The kernels against the plain reading of the rule, and the fire draws."""

import numpy as np
import pytest
from support.random_models import ENGINES, random_rule

from MedNCALib.automaton.firing import FireDraws
from MedNCALib.automaton.kernels import choose_kernel, make_kernel
from MedNCALib.errors import MedNCAError


def states(height=9, width=7, channels=8, slices=3):
    return np.random.default_rng(1).standard_normal((slices, height, width, channels)).astype(np.float32)


def run_kernel(engine, rule, state, fires, padding="edge", threads=None):
    kernel = make_kernel(engine, rule, 1, padding, threads)
    kernel.load(state)
    for fire in fires:
        kernel.step(fire)
    return kernel.state.copy()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("padding", ["edge", "reflect"])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_with_every_cell_firing_a_kernel_follows_the_plain_reading_over_32_steps(engine, padding, kernel_size):
    rule, state = random_rule(channels=8, kernel_size=kernel_size), states()
    everyone = np.ones(state.shape[:3], bool)
    expected = state
    for _ in range(32):
        expected = rule.step(expected, everyone, 1, padding)
    assert np.abs(expected - state).max() > 0.1  # something grew
    found = run_kernel(engine, rule, state, [everyone] * 32, padding)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
def test_only_the_cells_that_fire_change(engine):
    state = states()
    fire = np.random.default_rng(2).random(state.shape[:3]) < 0.5
    changed = (run_kernel(engine, random_rule(8), state, [fire]) != state).any(axis=-1)
    np.testing.assert_array_equal(changed, fire)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_image_channels_never_change(engine):
    state = states()
    after = run_kernel(engine, random_rule(8), state, [np.ones(state.shape[:3], bool)] * 4)
    np.testing.assert_array_equal(after[..., 0], state[..., 0])
    assert (after[..., 1:] != state[..., 1:]).any()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_many_blocks_and_threads_follow_the_plain_reading(engine, threads):
    rule, state = random_rule(16), states(height=128, width=112, channels=16)
    fires = [FireDraws(0.5).draw(0, step, range(3), 128, 112) for step in range(4)]
    assert fires[0].sum() > 5 * 4096  # the largest block of either kernel
    expected = state
    for fire in fires:
        expected = rule.step(expected, fire, 1)
    np.testing.assert_allclose(run_kernel(engine, rule, state, fires, threads=threads), expected, atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (4, 1), (2, 2)])
def test_slices_smaller_than_a_cell_can_see_work(engine, shape):
    state = states(*shape)
    everyone = np.ones(state.shape[:3], bool)
    found = run_kernel(engine, random_rule(8), state, [everyone], "edge")
    np.testing.assert_allclose(found, random_rule(8).step(state, everyone, 1, "edge"), atol=1e-5)


def test_a_step_is_what_the_formula_says_for_one_cell():
    rule, state = random_rule(8), states()
    slice_number, row, column = 1, 4, 3
    around = state[slice_number, row - 1 : row + 2, column - 1 : column + 2].astype(float)
    perceived = [
        (rule.perception[f].transpose(1, 2, 0) * around).sum() + bias for f, bias in enumerate(rule.perception_bias)
    ]
    seen = np.concatenate([around[1, 1], perceived])
    change = rule.update @ np.maximum(rule.hidden @ seen + rule.hidden_bias, 0)
    expected = around[1, 1] + np.r_[0, change[1:]]
    after = rule.step(state, np.ones(state.shape[:3], bool), image_channels=1)
    np.testing.assert_allclose(after[slice_number, row, column], expected, rtol=1e-6)


@pytest.mark.parametrize("rate", [0.3, 0.5])
def test_a_slice_draws_the_same_in_every_group(rate):
    draws = FireDraws(rate, seed=3, run=1)
    np.testing.assert_array_equal(draws.draw(0, 2, range(4, 8), 20, 31)[2:], draws.draw(0, 2, range(6, 8), 20, 31))


def test_another_seed_run_stage_step_or_slice_draws_independently():
    draw = FireDraws(0.5, seed=3, run=1).draw(0, 2, range(4, 8), 20, 30)
    others = [
        FireDraws(0.5, seed=4, run=1).draw(0, 2, range(4, 8), 20, 30),
        FireDraws(0.5, seed=3, run=0).draw(0, 2, range(4, 8), 20, 30),
        FireDraws(0.5, seed=3, run=1).draw(1, 2, range(4, 8), 20, 30),
        FireDraws(0.5, seed=3, run=1).draw(0, 3, range(4, 8), 20, 30),
        FireDraws(0.5, seed=3, run=1).draw(0, 2, range(5, 9), 20, 30),
    ]
    for other in others:
        assert 0.4 < (draw == other).mean() < 0.6


@pytest.mark.parametrize("rate", [0.3, 0.5, 0.8])
def test_antithetic_steps_come_in_pairs_of_one_draw_and_what_is_left_of_it(rate):
    draws = FireDraws(rate, seed=3, firing="antithetic")
    steps = np.array([draws.draw(0, step, range(4), 250, 250) for step in range(4)])
    np.testing.assert_allclose(steps.mean(axis=(1, 2, 3)), rate, atol=0.005)
    neither, both = (~steps[0] & ~steps[1]).mean(), (steps[0] & steps[1]).mean()
    assert neither == pytest.approx(max(0, 1 - 2 * rate), abs=0.005)  # u and 1 - u: independent ones, (1 - rate)^2
    assert both == pytest.approx(max(0, 2 * rate - 1), abs=0.005)
    assert (steps[1] & steps[2]).mean() == pytest.approx(rate**2, abs=0.005)  # of two pairs


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9, 1.0])
def test_cells_fire_at_the_rate_and_no_two_slices_alike(rate):
    draw = FireDraws(rate).draw(0, 0, range(4), 250, 250)
    assert abs(draw.mean() - rate) < 0.005  # five standard deviations of 250,000 draws
    both = (draw[:-1] & draw[1:]).mean()
    assert abs(both - rate**2) < 0.01


def test_an_unknown_engine_is_refused_with_the_choices():
    with pytest.raises(MedNCAError, match="auto, numpy, torch"):
        choose_kernel("cuda")


def test_torch_is_refused_with_advice_where_it_is_missing(monkeypatch):
    monkeypatch.setattr("MedNCALib.automaton.kernels.find_spec", lambda name: None)
    with pytest.raises(MedNCAError, match="choose 'numpy'"):
        choose_kernel("torch")
    assert choose_kernel("auto") == "numpy"
