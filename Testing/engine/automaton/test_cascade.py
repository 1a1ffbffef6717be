"""Stages, hand-over, and what an architecture refuses."""

import json
from dataclasses import replace

import numpy as np
import pytest
from support.random_models import KERNELS, random_model, random_rule

from MedNCALib.automaton.architecture import Architecture, Stage
from MedNCALib.automaton.firing import FireDraws


def image_for(architecture, slices=2, size=16):
    return np.random.default_rng(0).random((slices, size, size, architecture.image_channels), np.float32)


def last_state(cascade, image, kernel="numpy"):
    *_, last = cascade.run(image, range(len(image)), FireDraws(0.5, seed=7), kernel)
    return last.state.copy()


def read_plainly(cascade, image, draws, protocol=0.0):
    """The cascade with the rule's own step, stage by stage."""
    architecture, state = cascade.architecture, None
    for index, (stage, rule) in enumerate(zip(architecture.stages, cascade.rules)):
        state = architecture.initial_state(image, index, state, protocol=protocol)
        for step in range(stage.steps):
            fire = draws.draw(index, step, range(len(image)), *state.shape[1:3])
            state = rule.step(state, fire, architecture.image_channels, architecture.padding)
    return state


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("stages", [((1, 5),), ((4, 4), (1, 4)), ((8, 3), (4, 3), (2, 3), (1, 3))])
def test_any_number_of_stages_follows_the_plain_reading(kernel, stages):
    cascade = random_model(stages, strength=0.5).cascade
    image = image_for(cascade.architecture)
    expected = read_plainly(cascade, image, FireDraws(0.5, seed=7))
    np.testing.assert_allclose(last_state(cascade, image, kernel), expected, atol=1e-4)


def test_a_run_stops_once_for_each_step_of_each_stage():
    cascade = random_model(((4, 3), (2, 2), (1, 1))).cascade
    image = image_for(cascade.architecture)
    seen = [(now.stage, now.step, now.state.shape[1]) for now in cascade.run(image, range(2), FireDraws(0.5))]
    assert seen == [(0, 0, 4), (0, 1, 4), (0, 2, 4), (1, 0, 8), (1, 1, 8), (2, 0, 16)]


@pytest.mark.parametrize("handover", ["nearest", "linear"])
def test_the_hand_over_enlarges_the_state_and_puts_the_image_back(handover):
    architecture = random_model(handover=handover).cascade.architecture
    image = image_for(architecture)
    before = np.random.default_rng(1).random((2, 8, 8, architecture.channels), np.float32)
    state = architecture.initial_state(image, 2, before)
    np.testing.assert_array_equal(state[..., :3], image)
    if handover == "nearest":
        np.testing.assert_array_equal(state[..., 3:], before.repeat(2, axis=1).repeat(2, axis=2)[..., 3:])
    np.testing.assert_allclose(state[..., 3:].mean(), before[..., 3:].mean(), rtol=0.02)


def test_the_first_state_is_the_small_image_and_nothing_else():
    architecture = random_model().cascade.architecture
    image = image_for(architecture)
    state = architecture.initial_state(image, 0, None)
    np.testing.assert_allclose(state[..., :3], image.reshape(2, 4, 4, 4, 4, 3).mean(axis=(2, 4)), atol=1e-6)
    assert not state[..., 3:].any()


def test_a_protocol_is_what_the_last_channel_of_the_first_stage_begins_with():
    architecture = random_model().cascade.architecture
    image = image_for(architecture)
    state = architecture.initial_state(image, 0, None, protocol=-3.0)
    assert (state[..., -1] == -3).all()
    np.testing.assert_array_equal(state[..., :-1], architecture.initial_state(image, 0, None)[..., :-1])
    later = architecture.initial_state(image, 1, state, protocol=5.0)
    np.testing.assert_array_equal(later, architecture.initial_state(image, 1, state))


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_run_with_a_protocol_follows_the_plain_reading_and_one_of_zero_is_a_run_without(kernel):
    cascade = random_model(strength=0.5).cascade
    image, draws = image_for(cascade.architecture), FireDraws(0.5, seed=7)
    found = {}
    for protocol in (0.0, 3.0):
        *_, last = cascade.run(image, range(2), draws, kernel, protocol=protocol)
        found[protocol] = last.state.copy()
    np.testing.assert_array_equal(found[0.0], last_state(cascade, image, kernel))
    np.testing.assert_allclose(found[3.0], read_plainly(cascade, image, draws, protocol=3.0), atol=1e-4)
    assert np.abs(found[3.0] - found[0.0]).max() > 0.1


def test_softmax_and_sigmoid_give_probabilities_of_the_labels():
    architecture = random_model().cascade.architecture
    state = np.random.default_rng(1).standard_normal((1, 2, 2, architecture.channels)).astype(np.float32) * 30
    softmax = architecture.probabilities(state)
    assert softmax.shape == (1, 2, 2, 2)
    logits = state[..., 3:6].astype(float)
    expected = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(softmax, expected[..., 1:], atol=1e-6)
    sigmoid = replace(architecture, activation="sigmoid", outputs=1)
    np.testing.assert_allclose(sigmoid.probabilities(state)[..., 0], 1 / (1 + np.exp(-logits[..., 0])), atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel_size": 4}, "odd"),
        ({"image_channels": 2}, "odd"),
        ({"channels": 4}, "hold the image"),
        ({"fire_rate": 0.0}, "fire_rate"),
        ({"firing": "late"}, "firing"),
        ({"activation": "relu"}, "activation"),
        ({"outputs": 1}, "background"),
        ({"padding": "wrap"}, "padding"),
        ({"handover": "spline"}, "handover"),
        ({"hidden": -1}, "hidden"),
        ({"stages": (Stage(4, 3), Stage(2, 3))}, "scale 1"),
        ({"stages": (Stage(3, 3), Stage(2, 3), Stage(1, 3))}, "divide"),
        ({"stages": ()}, "scale 1"),
    ],
)
def test_an_architecture_that_cannot_work_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(random_model().cascade.architecture, **change)


@pytest.mark.parametrize(("scale", "steps"), [(1, 0), (0, 1), (1, 2.5), ("1", 1), (True, 1)])
def test_a_stage_that_cannot_work_is_refused(scale, steps):
    with pytest.raises(ValueError, match="whole number of at least 1"):
        Stage(scale, steps)


def test_an_architecture_is_the_same_after_json():
    architecture = random_model().cascade.architecture
    settings = json.loads(json.dumps(architecture.to_json()))
    assert Architecture.from_json(settings) == architecture
    del settings["firing"]  # cards from before it was a choice
    assert Architecture.from_json(settings).firing == "independent"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": 3}, "stages must be a list"),
        ({"stages": [4, 1]}, "stage must be an object"),
        ({"stages": [{"scale": 1}]}, "lacks steps"),
        ({"colour": 1}, "not known: colour"),
        ({"padding": ["edge"]}, "padding must be one of"),
        ({"fire_rate": "half"}, "fire_rate must be a number"),
    ],
)
def test_json_that_describes_no_architecture_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Architecture.from_json({**random_model().cascade.architecture.to_json(), **change})


def test_rules_that_do_not_fit_the_architecture_are_refused():
    cascade = random_model().cascade
    with pytest.raises(ValueError, match="3 stages need as many rules, not 2"):
        replace(cascade, rules=cascade.rules[:2])
    with pytest.raises(ValueError, match="stage 2: perception is"):
        replace(cascade, rules=(cascade.rules[0], random_rule(6), cascade.rules[2]))
