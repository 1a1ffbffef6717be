"""What corrections are worth: the simulated person paints what is right where most is wrong, and the cells follow."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
from support.obedient_model import obedient_model
from support.threshold_model import case, threshold_model

from MedNCALib import segment
from MedNCALib.automaton.hints import HintFormat
from MedNCALib.errors import MedNCAError, ModelError
from MedNCALib.evaluation.corrections import (
    Curves,
    PoorSlices,
    correct_poor_slices,
    corrected_scores,
    worst_disc,
)
from MedNCALib.evaluation.perturbations import LabelledCase


def test_the_disc_lies_at_the_innermost_point_of_the_largest_error_in_its_worst_slice():
    truth = np.zeros((6, 40, 40), np.uint8)
    found = truth.copy()
    truth[2:5, 4:14, 4:14] = 1
    truth[3, 4:24, 4:18] = 1  # the worst slice
    truth[5, 30:34, 30:34] = 1  # a smaller region
    disc = worst_disc(truth, found, (3.0, 0.5, 1.0), 0)
    assert np.flatnonzero(disc.any(axis=(1, 2))).tolist() == [3]
    rows, columns = np.nonzero(disc[3])
    assert (rows.min() + rows.max()) / 2 == pytest.approx(13.5, abs=1)
    assert np.ptp(rows) == 12  # 3 mm to either side, of 0.5 mm each
    assert np.ptp(columns) == 6
    assert worst_disc(truth, truth, (1, 1, 1), 0) is None


def test_the_slices_are_those_of_the_model_and_a_region_at_the_border_has_its_point_inside():
    truth = np.zeros((20, 20, 6), np.uint8)
    truth[:, :, 5] = 1
    disc = worst_disc(truth, np.zeros_like(truth), (1.0, 1.0, 4.0), 2)
    assert np.flatnonzero(disc.any(axis=(0, 1))).tolist() == [5]
    places = np.argwhere(disc[:, :, 5])
    assert np.abs(places.mean(axis=0) - 9.5).max() < 1


def wrong_case(name="case"):
    """A case whose truth has a bright block that the image does not show, across three slices."""
    image, labels = case(0, size=(24, 24, 9), spacing=(1.0, 1.0, 3.0))
    truth = sitk.GetArrayFromImage(labels)
    truth[3:6, 2:12, 14:22] = 2
    wrong = sitk.GetImageFromArray(truth)
    wrong.CopyInformation(labels)
    return LabelledCase(name, image, wrong)


def test_regrowing_is_worth_more_than_painting_alone_if_the_cells_follow():
    report = corrected_scores(obedient_model(), [wrong_case()], 4)
    whole = report.whole
    assert len(whole.regrown) == 5
    assert whole.regrown[0] == whole.painted[0] == whole.regrown_elsewhere[0]
    assert list(whole.painted) == sorted(whole.painted)
    assert whole.painted[4] > whole.painted[0]
    assert whole.regrown[4] > whole.painted[4]
    assert whole.regrown_elsewhere[4] > whole.painted_elsewhere[4]
    assert report.worst == whole.regrown
    assert report.seconds > 0
    assert report.cases[0].changed_far == 0
    assert json.loads(json.dumps(report.as_dict()))["cases"][0]["name"] == "case"


def test_poor_slices_are_corrected_each_by_itself():
    case = wrong_case()
    model = obedient_model(hints=HintFormat(1, 1.5))
    curves = correct_poor_slices(model, case, 2, below=0.8)
    first = segment(case.image, model).labels
    truth, found = (sitk.GetArrayFromImage(image) > 0 for image in (case.labels, first))
    dice = [2 * (one & other).sum() / (one.sum() + other.sum()) for one, other in zip(truth, found) if one.any()]
    assert [curve[0] for curve in curves] == [each for each in dice if each < 0.8]
    assert len(curves) > 1
    assert all(before < after for curve in curves for before, after in zip(curve, curve[1:]))
    report = corrected_scores(model, [case], 2, poor_below=0.8).as_dict()["poor_slices"]
    assert report["slices"] == len(curves)
    assert report["whole"] == pytest.approx(np.mean(curves, axis=0))
    assert PoorSlices.of(0.5, []) == PoorSlices(0.5, 0, (), ())


def test_a_perfect_result_needs_no_corrections():
    image, labels = case(0)
    report = corrected_scores(obedient_model(), [LabelledCase("right", image, labels)], 2)
    assert report.whole == Curves((1.0,) * 3, (1.0,) * 3, (1.0,) * 3, (1.0,) * 3)
    assert report.seconds is None


def test_models_that_cannot_regrow_and_no_turns_are_refused_and_bad_cases_are_named():
    with pytest.raises(ModelError, match="cannot regrow"):
        corrected_scores(threshold_model(), [wrong_case()], 1)
    with pytest.raises(MedNCAError, match="at least 1, not 0"):
        corrected_scores(obedient_model(), [wrong_case()], 0)
    flat = LabelledCase("flat", case(0)[0] * 0, case(0)[1])
    report = corrected_scores(obedient_model(), [flat, wrong_case()], 1)
    assert "no contrast" in report.failures["flat"]
    assert report.as_dict()["failures"] == report.failures
    with pytest.raises(MedNCAError, match="no contrast"):
        corrected_scores(obedient_model(), [flat], 1)
