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
from MedNCALib.training.widening import can_be_widened, widened


@pytest.fixture(scope="module")
def model():
    return load_model("hippocampus-mr")


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
