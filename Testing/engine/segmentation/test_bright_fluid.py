"""Heads with bright fluid, as T2-weighted ones: found and segmented with the contrast turned over, never in silence."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import SimpleITK as sitk
from support.t2_head import t2_head

from MedNCALib import Finding, NotFoundError, load_model, segment, segment_steps
from MedNCALib.errors import MedNCAWarning
from MedNCALib.evaluation.metrics import dice
from MedNCALib.imaging.contrast_turn import ContrastTurn
from MedNCALib.segmentation.steps import run_to_end


def voxels(image):
    return sitk.GetArrayFromImage(image)


@pytest.fixture(scope="module")
def model():
    return load_model("hippocampus-mr")


@pytest.fixture(scope="module")
def run(model):
    """Image, labels, steps' shares and what they are of, and the result."""
    image, labels = t2_head()
    steps = []
    result = run_to_end(
        segment_steps(image, model, every_step=False), lambda step: steps.append((step.fraction, step.is_finding))
    )
    return image, labels, steps, result


def test_both_sides_of_a_t2_weighted_head_are_found_and_segmented(run):
    _, labels, _, result = run
    assert [structure.side for structure in result.found] == ["left", "right"]
    found, truth = voxels(result.labels) // 10, voxels(labels) // 10
    for side in (1, 2):
        assert dice(truth == side, found == side) > 0.65
    assert result.brain_ml == pytest.approx(1550, rel=0.1)


def test_the_result_says_that_the_contrast_was_turned_over(run, model):
    image, _, _, result = run
    assert result.notes[0].startswith("Fluid is bright in the volume, as in T2-weighted images")
    assert len({structure.contrast_turn for structure in result.found}) == 1
    with pytest.warns(MedNCAWarning, match="dark and bright were exchanged"):
        segment(image, model, found=Finding(result.found, result.brain_ml, result.notes))


def test_the_share_of_work_rises_through_both_looks(run):
    _, _, steps, _ = run
    fractions = [fraction for fraction, _ in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    searching = [fraction for fraction, is_finding in steps if is_finding]
    assert fractions[: len(searching)] == searching
    assert 0 < searching[-1] < 1


def test_what_was_found_is_segmented_again_with_the_same_contrast(run, model):
    image, _, _, result = run
    again = segment(image, model, found=result.found)
    np.testing.assert_array_equal(voxels(again.labels), voxels(result.labels))
    as_it_is = [replace(structure, contrast_turn=None) for structure in result.found]
    assert np.count_nonzero(voxels(segment(image, model, found=as_it_is).labels)) < 0.3 * np.count_nonzero(
        voxels(result.labels)
    )


def test_another_order_of_the_axes_gives_the_same_bit_for_bit(run, model):
    image, _, _, result = run
    other = run_to_end(segment_steps(sitk.DICOMOrient(image, "PIR"), model, every_step=False))
    assert other.found == result.found
    np.testing.assert_array_equal(voxels(sitk.DICOMOrient(other.labels, "LPS")), voxels(result.labels))


def test_one_side_alone_does_not_count_with_the_contrast_turned_over(run, model):
    """A part of another body may have something like one hippocampus, and hardly a pair."""
    image, *_ = run
    half = image[: image.GetSize()[0] // 2 - 4, :, :]
    with pytest.raises(NotFoundError):
        segment(half, model)


def test_the_curve_is_kept_as_json(run):
    structure = run[3].found[0]
    assert ContrastTurn(**asdict(structure)["contrast_turn"]) == structure.contrast_turn
