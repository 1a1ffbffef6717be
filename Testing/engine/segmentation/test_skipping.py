"""Segmentations in which cells that cannot belong to a label do not run."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from support.images import image_of
from support.random_models import KERNELS, random_model, spot_model

from MedNCALib import segment, segment_steps
from MedNCALib.model.card import Protocol
from MedNCALib.segmentation import slice_groups
from MedNCALib.segmentation.recording import SettlingRecorder
from MedNCALib.segmentation.steps import run_to_end

SKIPPING = {"threshold": 0.2, "margin": 1, "dice_change": 0.0}


def spots(slices=12):
    """Dim noise, and a bright block in three slices of the model."""
    voxels = (np.random.default_rng(0).random((slices, 64, 64)) * 20).astype(np.float32)
    voxels[4:7, 20:32, 8:20] = 100
    return image_of(voxels)


@pytest.fixture
def model():
    return spot_model(axes="LPS", skipping=SKIPPING)


def voxels(image):
    return sitk.GetArrayFromImage(image)


@pytest.mark.parametrize("engine", KERNELS)
@pytest.mark.parametrize("runs", [1, 3])
def test_the_labels_are_those_of_all_cells_and_few_cells_run(model, engine, runs):
    expected = segment(spots(), model, engine=engine, runs=runs, all_cells=True)
    ran = []
    steps = segment_steps(spots(), model, engine=engine, runs=runs)
    found = run_to_end(steps, lambda step: ran.append(np.prod([side.stop - side.start for side in step.cells.box])))
    assert voxels(found.labels).any()
    np.testing.assert_array_equal(voxels(found.labels), voxels(expected.labels))
    last = spot_model().cascade.architecture.stages[-1].steps
    assert 0 < max(ran[-last:]) < 12 * 64 * 64 / 8
    assert found.quality.label_agreement == pytest.approx(expected.quality.label_agreement)


def test_cells_that_do_not_run_have_no_probability_and_the_others_that_of_all_cells(model):
    expected = voxels(segment(spots(), model, all_cells=True, probabilities=True).probabilities["first"])
    found = voxels(segment(spots(), model, probabilities=True).probabilities["first"])
    assert not found[:3].any()
    assert expected[:3].all()
    np.testing.assert_allclose(found[found > 0], expected[found > 0], atol=1e-5)


def test_the_size_of_groups_does_not_change_the_result(model, monkeypatch):
    together = segment(spots(), model, probabilities=True)
    monkeypatch.setattr(slice_groups, "GROUP_BYTES", 1)  # one slice at a time
    alone = segment(spots(), model, probabilities=True)
    for name, probability in together.probabilities.items():
        np.testing.assert_allclose(voxels(alone.probabilities[name]), voxels(probability), atol=1e-5)


def test_the_steps_are_the_same_in_number_and_progress(model, monkeypatch):
    monkeypatch.setattr(slice_groups, "GROUP_BYTES", 1)
    every, some = (
        [(step.fraction, step.stage, step.step, step.slices, step.state.shape) for step in steps]
        for steps in (segment_steps(spots(), model, all_cells=True), segment_steps(spots(), model))
    )
    assert every == some
    assert some[-1][0] == pytest.approx(1)


def test_cells_that_do_not_run_change_neither_the_vote_on_the_protocol_nor_the_labels(model):
    card = replace(model.card, protocols=(Protocol("one", "", 3.0), Protocol("other", "", -3.0)))
    some, every = (segment(spots(), replace(model, card=card), all_cells=all_cells) for all_cells in (False, True))
    assert some.protocol == every.protocol is not None
    np.testing.assert_array_equal(voxels(some.labels), voxels(every.labels))


def test_a_model_whose_card_says_nothing_of_it_and_one_of_a_single_stage_run_all_cells(model):
    for every in (replace(model, card=replace(model.card, skipping=None)), random_model(((1, 3),), skipping=SKIPPING)):
        assert all(step.cells.target is None for step in segment_steps(spots(2), every))


def test_with_all_cells_a_recorder_sees_those_that_would_not_run(model):
    settled = {}
    for all_cells in (True, False):
        recorder = SettlingRecorder()
        run_to_end(recorder.follow(segment_steps(spots(), model, all_cells=all_cells)))
        settled[all_cells] = recorder.settled
    expected = SettlingRecorder()
    run_to_end(expected.follow(segment_steps(spots(), replace(model, card=replace(model.card, skipping=None)))))
    np.testing.assert_array_equal(settled[True], expected.settled)
    labelled = voxels(segment(spots(), model).labels) > 0
    np.testing.assert_array_equal(settled[False][labelled], settled[True][labelled])
