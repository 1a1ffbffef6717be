"""Turning a contrast over: which brains have bright fluid, and what becomes of their tissues."""

import numpy as np
import pytest

from MedNCALib.imaging.contrast_turn import ContrastTurn


def brain(white, grey, fluid, deviation):
    """Intensities of a brain: half of it white matter, a third grey matter, the rest fluid."""
    random = np.random.default_rng(0)
    means = np.repeat(np.float64([white, grey, fluid]), (5000, 3500, 1500))
    return random.normal(means, deviation)


@pytest.mark.parametrize(
    ("tissues", "is_bright"),
    [((80, 120, 240), True), ((190, 120, 40), False), ((95, 130, 25), False), ((60, 75, 160), True)],
    ids=["T2", "T1", "FLAIR", "weak T2"],
)
def test_fluid_is_bright_in_t2_weighted_brains_alone(tissues, is_bright):
    turn = ContrastTurn.of_brain(brain(*tissues, deviation=8), air=0.0)
    assert (turn is not None) == is_bright


def test_white_matter_becomes_brightest_and_fluid_as_dark_as_air_and_bone():
    white, grey, fluid = tissues = (80, 120, 240)
    turn = ContrastTurn.of_brain(brain(*tissues, deviation=4), air=5.0)
    assert turn.white == pytest.approx(white, abs=10)
    assert turn.fluid == pytest.approx(fluid, abs=10)
    bone = 15
    tones = turn.tones(np.float32([[0, 5, bone], [white, grey, fluid], [300, -40, turn.white]]))
    assert tones.dtype == np.float32
    assert (tones[0, :2] == 0).all()
    assert tones[1, 0] > tones[1, 1] + 0.1 > tones[1, 2] + 0.5
    assert abs(tones[0, 2] - tones[1, 2]) < 0.25
    np.testing.assert_allclose(tones[2], [0, 0, 1])


def test_tissue_as_dark_as_air_or_of_one_intensity_is_not_turned():
    assert ContrastTurn.of_brain(brain(80, 120, 240, deviation=4), air=90.0) is None
    assert ContrastTurn.of_brain(np.full(50, 7.0), air=0.0) is None
