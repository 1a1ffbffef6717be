"""Kept steps of a run: which, what they hold, and when cells came to rest."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from support.brightness_model import boxes_image, brightness_model
from support.head_model import head, head_model

from MedNCALib import segment_steps
from MedNCALib.imaging.slice_format import SliceFormat
from MedNCALib.segmentation import slice_groups
from MedNCALib.segmentation.output import argmax_labels
from MedNCALib.segmentation.recording import Recorder, SettlingRecorder, kept_steps, step_number


def noise(size=(13, 14, 9)):
    return sitk.GetImageFromArray(np.random.default_rng(0).random(size[::-1], np.float32))


@pytest.fixture
def model(tmp_path):
    return brightness_model(tmp_path, steps=6)


def labels_after(step):
    return argmax_labels(step.probabilities()).astype(np.uint8)


def decided(step):
    """A label only where its share is larger than that of all others."""
    shares = step.probabilities()
    shares = np.concatenate([1 - shares.sum(axis=-1, keepdims=True), shares], axis=-1)
    ordered = np.sort(shares, axis=-1)
    return np.where(ordered[..., -1] - ordered[..., -2] > 1e-6, shares.argmax(axis=-1), 0)


def finish(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("group_bytes", [1, 1 << 30])
def test_frames_hold_what_the_steps_showed(model, monkeypatch, group_bytes):
    monkeypatch.setattr(slice_groups, "GROUP_BYTES", group_bytes)
    recorder = Recorder(labels_after, np.uint8, 10**9)
    result = finish(recorder.follow(segment_steps(noise(), model, runs=2)))
    assert result.labels.GetSize() == noise().GetSize()
    assert list(recorder.frames) == list(range(1, 13))
    monkeypatch.setattr(slice_groups, "GROUP_BYTES", 1 << 30)
    for step in segment_steps(noise(), model):
        expected = step.full_size(labels_after(step))
        np.testing.assert_array_equal(recorder.frames[step_number(step)], expected)


def on_grid_of(image, cells, grid):
    """The cells as voxels of an image's own grid, the nearest of each."""
    matrix = grid.index_to_physical()
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    moved = sitk.GetImageFromArray(cells)
    moved.SetSpacing(spacing.tolist())
    moved.SetDirection((matrix[:3, :3] / spacing).ravel().tolist())
    moved.SetOrigin(matrix[:3, 3].tolist())
    return sitk.GetArrayFromImage(sitk.Resample(moved, image, sitk.Transform(), sitk.sitkNearestNeighbor))


def test_the_last_frame_is_the_result(model):
    recorder = Recorder(labels_after, np.uint8, 10**9)
    result = finish(recorder.follow(segment_steps(boxes_image(), model)))
    last = on_grid_of(result.labels, recorder.frames[12], recorder.grid)
    np.testing.assert_array_equal(last, sitk.GetArrayFromImage(result.labels))


@pytest.mark.parametrize(("pixel", "least"), [(None, 1.0), (1.3, 0.85)])
def test_both_sides_of_a_head_are_recorded_on_one_grid(pixel, least):
    image, _ = head()
    model = replace(head_model(), slice_format=SliceFormat("PIL", (pixel,) * 3))
    recorder, settling = Recorder(labels_after, np.uint8, 1 << 30), SettlingRecorder()
    result = finish(settling.follow(recorder.follow(segment_steps(image, model, all_cells=True))))
    expected = sitk.GetArrayFromImage(result.labels_without_sides)
    last = on_grid_of(image, recorder.frames[max(recorder.frames)], recorder.grid)
    settled = on_grid_of(image, (settling.settled > 0).astype(np.uint8), settling.grid)
    for side, structure in enumerate(result.found):
        here = np.isin(sitk.GetArrayFromImage(result.labels), [10 * side + 11, 10 * side + 12])
        assert structure.side == ("left", "right")[side]
        assert here.any()
        assert (last == expected)[here].mean() >= least
        assert settled[here].mean() >= least
    assert (last > 0).sum() == pytest.approx((expected > 0).sum(), rel=2 * (1 - least))


def test_the_cap_thins_the_steps_evenly_and_keeps_the_last(model):
    architecture = model.cascade.architecture
    assert kept_steps(architecture, 100, 10**6) == list(range(1, 13))
    assert kept_steps(architecture, 100, 450) == [1, 5, 8, 12]
    assert kept_steps(architecture, 100, 99) == [12]
    recorder = Recorder(labels_after, np.uint8, 4 * 13 * 14 * 9 + 5)
    finish(recorder.follow(segment_steps(noise(), model)))
    assert list(recorder.frames) == [1, 5, 8, 12]


def test_when_it_settled_agrees_with_a_plain_reading_of_the_states(tmp_path, monkeypatch):
    from support.threshold_model import case, threshold_model

    monkeypatch.setattr(slice_groups, "GROUP_BYTES", 3000)
    model = threshold_model(fire_rate=0.3)
    image, _ = case()
    recorder = SettlingRecorder()
    finish(recorder.follow(segment_steps(image, model)))
    history = np.zeros((9, *recorder.settled.shape), np.uint8)
    for step in segment_steps(image, model):
        history[step.step, step.slices[0] : step.slices[1]] = step.full_size(decided(step))
    for index in np.ndindex(recorder.settled.shape):
        line = history[(slice(None), *index)]
        changes = [number for number in range(1, 9) if line[number] != line[number - 1]]
        assert recorder.settled[index] == (changes[-1] if changes else 0)
    assert len(np.unique(recorder.settled)) > 3


def test_closing_the_recording_closes_the_run(model):
    closed = []

    def steps():
        try:
            yield from segment_steps(noise(), model)
        finally:
            closed.append(True)

    following = Recorder(labels_after, np.uint8, 10**9).follow(steps())
    next(following)
    following.close()
    assert closed == [True]
