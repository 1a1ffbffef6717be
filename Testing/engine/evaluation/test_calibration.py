"""Thresholds of the verdict, and how well the scores tell how good a result is."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from support.threshold_model import LABELS, case, threshold_model

from MedNCALib import segment
from MedNCALib.evaluation import calibration
from MedNCALib.evaluation.calibration import (
    CONDITIONS,
    calibrated_thresholds,
    lowest_that_passes,
    rank_correlation,
)
from MedNCALib.evaluation.card_scores import measured_card
from MedNCALib.evaluation.perturbations import NAMES, STRONGER, UNPERTURBED, LabelledCase, Trial
from MedNCALib.model.card import ModelCard


def test_the_rank_correlation_goes_by_ranks_and_takes_the_mean_rank_of_ties():
    assert rank_correlation(np.arange(4.0), np.exp(-np.arange(4.0))) == -1
    assert rank_correlation(np.array([1, 2, 3, 4]), np.array([1, 3, 2, 4])) == 0.8
    # Ranks 1, 2.5, 2.5, 4 and 1 to 4.
    assert rank_correlation(np.array([1, 2, 2, 3]), np.array([1, 2, 3, 4])) == 0.9487


def test_without_any_difference_there_is_no_rank_correlation():
    assert rank_correlation(np.ones(4), np.arange(4)) is None
    assert rank_correlation(np.array([0.5]), np.array([0.5])) is None


@pytest.mark.parametrize(
    ("bad", "good", "expected"),
    [
        ([0.5, 0.6], [0.9, 0.95], 0.75),  # half-way
        ([0.5, 0.6, 0.92], [0.9, 0.95, 0.96, 0.97], 0.935),  # all bad ones caught for one of four good ones
        ([0.5, 0.6, 0.96], [0.9, 0.95, 0.97, 0.98], 0.75),  # the third would cost two of four
        ([0.9], [0.5, 0.6, 0.7], 0.5),  # worth nothing: then all pass
        ([], [0.7, 0.8], 0.7),
    ],
)
def test_the_threshold_separates_bad_results_from_the_others_best(bad, good, expected):
    scores = np.array(bad + good)
    assert lowest_that_passes(scores, np.arange(len(scores)) < len(bad)) == pytest.approx(expected)


@pytest.fixture
def known(monkeypatch):
    """Results that are known: for each case what a condition gives, as Dice, agreement, NQM and smallest volume."""

    def trials(model, case, seed, names):
        for name, figures in cases[seed].items():
            if name in names:
                yield Trial(name, model, figures, None)

    def segment(figures, model, runs):
        dice, agreement, nqm, volume = figures
        volumes = {"one": SimpleNamespace(mean=5.0), "two": SimpleNamespace(mean=volume)}
        assert runs == 5
        return SimpleNamespace(
            labels_without_sides=dice, quality=SimpleNamespace(agreement=agreement, nqm=nqm, volumes_ml=volumes)
        )

    cases = []
    monkeypatch.setattr(calibration, "trials", trials)
    monkeypatch.setattr(calibration, "segment", segment)
    monkeypatch.setattr(calibration, "dices", lambda truth, found, labels: ({}, found))
    return cases


def test_thresholds_come_from_the_cases_as_they_are_and_perturbed(known):
    for number in range(11):  # the 10th percentile of Dice 0.80 to 0.90 is 0.81
        share = number / 10
        known.append(
            {
                "unperturbed": (0.8 + share / 10, 0.9 + share / 20, 0.1 - share / 20, 1.0),
                "noise 0.2": (0.5 + share / 10, 0.6 + share / 10, 0.4 - share / 10, 1.0),
                "ghosting 0.2": (0.0, 1.0, 0.0, 0.0),  # no second label: for review whatever the scores say
                "mirrored": (0.0, 0.95, 0.05, 1.0),  # not one of the conditions
            }
        )
    thresholds = calibrated_thresholds(threshold_model(), [LabelledCase("one", None, None)] * 11)
    assert thresholds.runs == 5
    assert thresholds.dice == pytest.approx(0.81)
    # Bad are the noisy ones, up to an agreement of 0.7, and one as it is, 0.9; the others begin at 0.905.
    assert thresholds.agreement == pytest.approx((0.9 + 0.905) / 2)
    assert thresholds.nqm == pytest.approx((0.1 + 0.095) / 2)
    assert thresholds.spearman == {"agreement": 1.0, "nqm": -1.0}


def test_a_model_that_finds_all_labels_in_no_case_gets_no_thresholds(known):
    known.append({"unperturbed": (0.0, 1.0, 0.0, 0.0), "noise 0.2": (0.2, 0.5, 0.4, 1.0)})
    assert calibrated_thresholds(threshold_model(), [LabelledCase("one", None, None)]) is None


def test_conditions_are_perturbations():
    assert set(CONDITIONS) < {*NAMES, *STRONGER}
    assert CONDITIONS[0] == UNPERTURBED


def test_the_cards_figures_are_measured_on_the_named_cases():
    reported = []
    cases = [LabelledCase(name, *case(seed, size=(24, 26, 7))) for seed, name in enumerate(("first", "second"))]
    card = measured_card(threshold_model(remark="kept"), cases, lambda done, name: reported.append((done, name)))
    assert card.scores.cases == ("first", "second")
    assert card.scores.whole == 1.0
    assert card.scores.labels == {label.name: 1.0 for label in LABELS}
    assert list(card.robustness) == list(NAMES[1:])
    assert card.robustness["axis order"] == 0
    assert card.robustness["noise 0.2"] > 0.01
    assert card.thresholds.dice == 1.0
    assert card.extra["remark"] == "kept"
    assert ModelCard.from_json(json.loads(json.dumps(card.to_json()))) == card
    assert reported[0][1] == "first, unperturbed"
    shares = [share for share, _ in reported]
    assert shares == pytest.approx(np.arange(1, len(shares) + 1) / len(shares))


def test_the_scores_of_cases_that_were_trained_on_later_are_those_of_the_model_before():
    model, cases = threshold_model(), [LabelledCase("only", *case(0, size=(24, 26, 7)))]
    idle = tuple(replace(rule, update=0 * rule.update) for rule in model.cascade.rules)
    before = replace(model, cascade=replace(model.cascade, rules=idle))
    card = measured_card(model, cases, before=before)
    assert card.scores.whole < 0.1  # the model itself has 1
    assert "the weights before these were trained on too" in card.scores.what
    assert "before" not in measured_card(model, cases).scores.what


def test_the_verdict_follows_the_measured_thresholds():
    model = threshold_model()
    image, truth = case(0, size=(24, 26, 7))
    model = replace(model, card=measured_card(model, [LabelledCase("only", image, truth)]))
    assert segment(image, model, runs=5).quality.verdict == "pass"
    nothing = sitk.Cast(truth == 1, sitk.sitkFloat32)
    assert segment(nothing, model, runs=5).quality.verdict == "review"  # one label is missing
