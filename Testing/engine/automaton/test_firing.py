"""Which cells fire."""

import numpy as np
import pytest

from MedNCALib.automaton.firing import FireDraws


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


def test_the_largest_seeds_are_told_apart():
    draws = [FireDraws(0.5, seed=(1 << 64) - less).draw(0, 0, range(2), 20, 30) for less in (1, 2)]
    assert 0.4 < (draws[0] == draws[1]).mean() < 0.6


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
