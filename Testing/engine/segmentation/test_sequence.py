"""Frames of a sequence: side by side or one by one, the same results, true progress, and an end at once."""

import threading

import numpy as np
import pytest
import SimpleITK as sitk
from support.beating_heart import discs, heart_model, image_of

from MedNCALib import MedNCAError
from MedNCALib.segmentation.sequence import segment_sequence_steps
from MedNCALib.segmentation.steps import run_to_end

FRAMES = 5
IMAGES = [image_of(volume) for volume in discs(FRAMES)]


def arrays(results):
    return np.stack([sitk.GetArrayFromImage(result.labels) for result in results])


@pytest.mark.parametrize("threads", [1, 2, 16])
def test_frames_side_by_side_give_the_same_in_the_order_of_the_frames(threads):
    results = run_to_end(segment_sequence_steps(IMAGES, FRAMES, heart_model(), threads=threads))
    np.testing.assert_array_equal(arrays(results) == 2, discs(FRAMES) == 1100)


@pytest.mark.parametrize("threads", [1, 2])
def test_progress_rises_to_one(threads):
    steps = segment_sequence_steps(IMAGES, FRAMES, heart_model(), threads=threads)
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert 0 < fractions[0] < 1
    assert fractions[-1] == pytest.approx(1)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_no_more_frames_are_read_than_run_at_once(threads):
    read = []

    def frames():
        for number, image in enumerate(IMAGES):
            read.append(number)
            yield image

    ahead = []
    for step in segment_sequence_steps(frames(), FRAMES, heart_model(), threads=threads):
        ahead.append(len(read) - int(step.fraction * FRAMES + 1e-9))
    assert max(ahead) <= threads
    assert read == list(range(FRAMES))


def test_a_run_that_is_closed_leaves_no_thread_behind():
    before = threading.active_count()
    steps = segment_sequence_steps(IMAGES, FRAMES, heart_model(), threads=2)
    next(steps)
    steps.close()
    assert threading.active_count() == before


@pytest.mark.parametrize("threads", [1, 2])
def test_a_frame_that_cannot_be_used_is_named(threads):
    images = [*IMAGES[:3], 0 * IMAGES[3], IMAGES[4]]
    with pytest.raises(MedNCAError, match=r"^Frame 4 of 5: .*no contrast"):
        run_to_end(segment_sequence_steps(images, FRAMES, heart_model(), threads=threads))
