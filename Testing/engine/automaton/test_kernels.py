"""The kernels against the plain reading of the rule."""

import numpy as np
import pytest
from support.random_models import KERNELS, random_rule

from MedNCALib.automaton.firing import FireDraws
from MedNCALib.automaton.kernels import choose_kernel, make_kernel
from MedNCALib.errors import MedNCAError


def states(height=9, width=7, channels=8, slices=3):
    return np.random.default_rng(1).standard_normal((slices, height, width, channels)).astype(np.float32)


def run_kernel(name, rule, state, fires, padding="edge", threads=None):
    kernel = make_kernel(name, rule, 1, padding, threads)
    kernel.load(state)
    for fire in fires:
        kernel.step(fire)
    return kernel.state.copy()


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("padding", ["edge", "reflect"])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_with_every_cell_firing_a_kernel_follows_the_plain_reading_over_32_steps(name, padding, kernel_size):
    rule, state = random_rule(channels=8, kernel_size=kernel_size), states()
    everyone = np.ones(state.shape[:3], bool)
    expected = state
    for _ in range(32):
        expected = rule.step(expected, everyone, 1, padding)
    assert np.abs(expected - state).max() > 0.1  # something grew
    found = run_kernel(name, rule, state, [everyone] * 32, padding)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("name", KERNELS)
def test_only_the_cells_that_fire_change(name):
    state = states()
    fire = np.random.default_rng(2).random(state.shape[:3]) < 0.5
    changed = (run_kernel(name, random_rule(8), state, [fire]) != state).any(axis=-1)
    np.testing.assert_array_equal(changed, fire)


@pytest.mark.parametrize("name", KERNELS)
def test_the_image_channels_never_change(name):
    state = states()
    after = run_kernel(name, random_rule(8), state, [np.ones(state.shape[:3], bool)] * 4)
    np.testing.assert_array_equal(after[..., 0], state[..., 0])
    assert (after[..., 1:] != state[..., 1:]).any()


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_many_blocks_and_threads_follow_the_plain_reading(name, threads):
    rule, state = random_rule(16), states(height=128, width=112, channels=16)
    fires = [FireDraws(0.5).draw(0, step, range(3), 128, 112) for step in range(4)]
    assert fires[0].sum() > 5 * 4096  # the largest block of either kernel
    expected = state
    for fire in fires:
        expected = rule.step(expected, fire, 1)
    np.testing.assert_allclose(run_kernel(name, rule, state, fires, threads=threads), expected, atol=1e-5)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (4, 1), (2, 2)])
def test_slices_smaller_than_a_cell_can_see_work(name, shape):
    state = states(*shape)
    everyone = np.ones(state.shape[:3], bool)
    found = run_kernel(name, random_rule(8), state, [everyone], "edge")
    np.testing.assert_allclose(found, random_rule(8).step(state, everyone, 1, "edge"), atol=1e-5)


def test_an_unknown_engine_is_refused_with_the_choices():
    with pytest.raises(MedNCAError, match="auto, numpy, torch"):
        choose_kernel("cuda")


def test_torch_is_refused_with_advice_if_it_is_missing(monkeypatch):
    monkeypatch.setattr("MedNCALib.automaton.kernels.find_spec", lambda name: None)
    with pytest.raises(MedNCAError, match="choose 'numpy'"):
        choose_kernel("torch")
    assert choose_kernel("auto") == "numpy"
