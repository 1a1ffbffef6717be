"""Cells that do not run: what is exact all the same, and what is assumed."""

from dataclasses import replace

import numpy as np
import pytest
from support.random_models import KERNELS, random_model, spot_model

from MedNCALib.automaton.firing import FireDraws
from MedNCALib.automaton.stage_cells import StageCells
from MedNCALib.automaton.wanted_cells import SkipRule, box_around, grown, reaches


def spot_cascade(**changes):
    cascade = spot_model().cascade
    return replace(cascade, architecture=replace(cascade.architecture, **changes))


def spot_image(cascade, slices=4, size=64):
    """Dim noise with a bright spot in the second slice and in the third."""
    image = np.random.default_rng(0).random((slices, size, size, cascade.architecture.image_channels), np.float32) * 0.2
    image[1, 20:28, 8:16] = 1
    image[2, :8, -12:] = 1
    return image


def last_cells(cascade, image, skip=None, kernel="numpy", slices=None):
    *_, last = cascade.run(image, slices or range(len(image)), FireDraws(0.8, seed=3), kernel, skip=skip)
    return last.cells


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("handover", ["nearest", "linear", "cubic", "area"])
@pytest.mark.parametrize("padding", ["edge", "reflect"])
def test_wanted_cells_are_those_of_a_run_of_all_cells(kernel, handover, padding):
    cascade = spot_cascade(handover=handover, padding=padding)
    image = spot_image(cascade)
    expected = last_cells(cascade, image, kernel=kernel).state
    found = last_cells(cascade, image, SkipRule(0.2, 1), kernel)
    assert 0 < found.target.mean() < 0.1
    assert np.prod(found.state[found.box].shape[:3]) < expected[..., 0].size / 2
    np.testing.assert_allclose(found.state[found.target], expected[found.target], rtol=1e-5, atol=2e-5)
    np.testing.assert_allclose(
        found.probabilities()[found.target], cascade.architecture.probabilities(expected)[found.target], atol=1e-6
    )
    assert not found.probabilities()[~found.target].any()


def test_a_smaller_reach_would_not_be_exact(monkeypatch):
    cascade = spot_cascade()
    image = spot_image(cascade)
    expected = last_cells(cascade, image).state
    monkeypatch.setattr("MedNCALib.automaton.stage_cells.reaches", lambda architecture: [0, 0, 0])
    found = last_cells(cascade, image, SkipRule(0.2, 1))
    assert np.abs(found.state - expected)[found.target].max() > 1e-2


def test_slices_without_anything_do_not_run_and_yield_what_was_handed_over():
    cascade = spot_cascade()
    image = spot_image(cascade)[[0, 3]]
    whole = [now.state.copy() for now in cascade.run(image, range(2), FireDraws(0.8))]
    seen = [
        (now.stage, now.cells.any_runs, now.state.copy())
        for now in cascade.run(image, range(2), FireDraws(0.8), skip=SkipRule(0.2, 1))
    ]
    assert [(stage, runs) for stage, runs, _ in seen] == [(0, True)] * 6 + [(1, False)] * 2 + [(2, False)] * 3
    np.testing.assert_array_equal(seen[5][2], whole[5])
    handed_over = cascade.architecture.initial_state(image, 1, whole[5])
    np.testing.assert_array_equal(seen[7][2], handed_over)
    np.testing.assert_array_equal(seen[-1][2], cascade.architecture.initial_state(image, 2, handed_over))


def test_the_state_of_a_step_shows_the_cells_that_run_among_those_handed_over():
    cascade = spot_cascade()
    image = spot_image(cascade)
    for now in cascade.run(image, range(4), FireDraws(0.8), skip=SkipRule(0.2, 1)):
        state = now.state
        size = 64 // cascade.architecture.stages[now.stage].scale
        assert state.shape == (4, size, size, 10)
        if now.stage:
            outside = np.ones(state.shape[:3], bool)
            outside[now.cells.box] = False
            assert outside.any()
            if now.step == 0:
                began = state[outside].copy()
            np.testing.assert_array_equal(state[outside], began)


def test_kernels_and_groups_of_slices_do_not_change_the_result():
    cascade, rule = spot_cascade(), SkipRule(0.2, 1)
    image = spot_image(cascade)
    together = last_cells(cascade, image, rule)
    for kernel in KERNELS:
        for number in range(len(image)):
            alone = last_cells(cascade, image[number : number + 1], rule, kernel, range(number, number + 1))
            np.testing.assert_array_equal(alone.target[0], together.target[number])
            np.testing.assert_allclose(alone.probabilities()[0], together.probabilities()[number], atol=1e-5)


def test_a_cascade_of_one_stage_runs_all_cells():
    cascade = spot_model(((1, 4),)).cascade
    image = spot_image(cascade)
    found = last_cells(cascade, image, SkipRule(0.2, 1))
    assert found.target is None
    np.testing.assert_array_equal(found.state, last_cells(cascade, image).state)


def test_a_structure_that_only_a_finer_stage_would_find_is_missed():
    cascade = spot_cascade()
    image = spot_image(cascade)
    image[0, 40, 40] = 1  # one cell: a sixteenth of a cell of the first stage
    assert last_cells(cascade, image).probabilities()[0, 40, 40].sum() > 0.5
    assert not last_cells(cascade, image, SkipRule(0.2, 1)).probabilities()[0].any()


def test_the_reach_of_a_stage_covers_the_steps_and_hand_overs_after_it():
    architecture = random_model(((8, 9), (4, 5), (1, 6)), handover="linear").cascade.architecture
    # Six cells of 1 are two of 4, and one is handed over; with five steps that is eight, four of 8, and one.
    assert reaches(architecture) == [5, 3, 0]
    assert reaches(replace(architecture, handover="nearest", kernel_size=5)) == [7, 3, 0]


def test_the_next_target_lies_in_the_one_before():
    probabilities = np.zeros((1, 4, 4, 2), np.float32)
    probabilities[0, 1, 1] = 0.15
    target = np.ones((1, 4, 4), bool)
    target[0, 2] = False
    rule = SkipRule(0.25, 1)
    expected = np.zeros((1, 8, 8), bool)
    expected[0, 1:5, 1:5] = True
    np.testing.assert_array_equal(rule.next_target(probabilities, None, 2), expected)
    expected[0, 4] = False
    np.testing.assert_array_equal(rule.next_target(probabilities, target, 2), expected)


@pytest.mark.parametrize("reach", [0, 1, 3, 20])
def test_cells_grow_along_rows_and_columns_and_the_box_holds_them(reach):
    mask = np.random.default_rng(1).random((3, 9, 12)) > 0.98
    mask[0] = False
    expected = np.zeros_like(mask)
    for number, row, column in np.argwhere(mask):
        expected[number, max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1] = True
    np.testing.assert_array_equal(grown(mask, reach), expected)
    box = box_around(mask, reach)
    assert grown(mask, reach)[box].sum() == expected.sum()
    assert all(expected[box].any(axis=others).take([0, -1]).all() for others in ((1, 2), (0, 2), (0, 1)))


def test_no_cell_has_an_empty_box():
    cells = StageCells(spot_cascade().architecture, 1, spot_image(spot_cascade()), None, np.zeros((4, 32, 32), bool))
    assert not cells.any_runs
    assert not cells.probabilities().any()
