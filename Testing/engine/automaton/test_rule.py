"""The rule: what one step means, and which parameters make one."""

from dataclasses import replace

import numpy as np
import pytest
from support.random_models import random_rule


def test_a_step_is_what_the_formula_says_for_one_cell():
    rule = random_rule(8)
    state = np.random.default_rng(1).standard_normal((3, 9, 7, 8)).astype(np.float32)
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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"update": np.zeros((3, 3), np.float32)}, r"update is float32 \(3, 3\), where float32 \(8, 24\) is needed"),
        ({"hidden": np.zeros((24, 24))}, "hidden is float64"),
        ({"perception": np.zeros((16, 8, 2, 2), np.float32)}, "odd k"),
        ({"perception": np.zeros((16, 8), np.float32)}, r"shape \(F, C, k, k\)"),
        ({"hidden_bias": np.float32(1)}, "must be an array"),
        ({"update": None}, "must be an array"),
    ],
)
def test_parameters_that_make_no_rule_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(random_rule(8), **change)
