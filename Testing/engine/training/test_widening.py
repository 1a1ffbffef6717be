"""A trained cascade made larger computes what it did."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib import load_model, make_phantom
from MedNCALib.automaton.architecture import Architecture
from MedNCALib.segmentation.segmenter import segment
from MedNCALib.training import widening
from MedNCALib.training.widening import can_be_relabelled, can_be_widened, relabelled, widened, with_protocol


@pytest.fixture(scope="module")
def model():
    bundled = load_model("hippocampus-mr")
    return replace(bundled, cascade=bundled.cascade.without_hints)


def larger(architecture: Architecture) -> Architecture:
    """With six new channels besides the image's."""
    return replace(
        architecture,
        channels=architecture.channels + 8,
        hidden=architecture.hidden + 64,
        filters=architecture.filters + 16,
        image_channels=architecture.image_channels + 2,
    )


def test_without_news_a_larger_cascade_gives_the_old_labels_and_probabilities(model, monkeypatch):
    monkeypatch.setattr(widening, "_NEWS", 0.0)
    wide = replace(model, cascade=widened(model.cascade, larger(model.cascade.architecture), seed=1))
    assert wide.cascade.parameter_count > 1.5 * model.cascade.parameter_count
    image = make_phantom(size=(12, 40, 28), spacing=(2.0, 1.0, 1.0)).image
    before, after = (segment(image, each, probabilities=True, all_cells=True) for each in (model, wide))
    for label in model.labels:
        old, new = (sitk.GetArrayFromImage(result.probabilities[label.name]) for result in (before, after))
        np.testing.assert_allclose(old, new, atol=1e-5)
        assert old.max() > 0.5


def test_new_weights_are_small_where_they_reach_what_was_there(model):
    architecture = larger(model.cascade.architecture)
    rule, old = widened(model.cascade, architecture, seed=1).rules[0], model.cascade.rules[0]
    np.testing.assert_array_equal(rule.hidden_bias[: len(old.hidden_bias)], old.hidden_bias)
    new = architecture.channels - 2  # the last one is an old one
    assert 0 < np.abs(rule.hidden[: len(old.hidden_bias), new]).max() < 0.01
    assert not rule.update[: architecture.image_channels].any()


def test_only_an_architecture_that_is_nowhere_smaller_can_be_reached(model):
    old = model.cascade.architecture
    assert can_be_widened(old, larger(old))
    for changes in (
        {"hidden": old.hidden - 1},
        {"channels": old.channels},  # two channels fewer besides the image's
        {"outputs": old.outputs + 1},
        {"kernel_size": 5},
        {"stages": old.stages[1:]},
    ):
        assert not can_be_widened(old, replace(larger(old), **changes))


def test_labels_that_stay_are_found_as_before_and_new_ones_begin_as_the_mean_of_all(model):
    old = model.cascade.architecture
    architecture = replace(old, channels=old.channels + 1, outputs=old.outputs + 1)
    assert can_be_relabelled(old, architecture)
    assert not can_be_relabelled(old, replace(architecture, hidden=old.hidden + 1))
    cascade = relabelled(model.cascade, architecture, [[1], [0], [0, 1]])
    first = old.first_hidden - 2
    for rule, before in zip(cascade.rules, model.cascade.rules):
        np.testing.assert_array_equal(rule.update[first], before.update[first + 1])
        np.testing.assert_allclose(rule.update[first + 2], before.update[first : first + 2].mean(axis=0), atol=1e-7)
        np.testing.assert_array_equal(rule.update[first + 3 :], before.update[first + 2 :])
    swapped = relabelled(model.cascade, old, [[1], [0]])
    image = np.random.default_rng(0).random((1, 24, 24, old.image_channels), dtype=np.float32)
    *_, one = model.cascade.run(image, range(1), old.fire_draws(0))
    *_, other = swapped.run(image, range(1), old.fire_draws(0))
    np.testing.assert_allclose(other.state[..., first : first + 2], one.state[..., [first + 1, first]], atol=1e-4)


def test_a_model_of_one_protocol_draws_the_border_of_it_with_none_named(model):
    image = make_phantom(size=(12, 40, 28), spacing=(2.0, 1.0, 1.0)).image
    for protocol in model.card.protocols:
        fixed = replace(
            model, cascade=with_protocol(model.cascade, protocol.value), card=replace(model.card, protocols=())
        )
        named = segment(image, model, protocol=protocol.name, find="never", probabilities=True)
        one = segment(image, fixed, find="never", probabilities=True)
        for label in model.labels:
            old, new = (sitk.GetArrayFromImage(result.probabilities[label.name]) for result in (named, one))
            np.testing.assert_allclose(new, old, atol=1e-4)
            assert old.max() > 0.5
