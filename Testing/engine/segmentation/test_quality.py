"""The quality scores against their formulas, read plainly."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import SimpleITK as sitk
from support.images import noise_image
from support.random_models import random_model
from support.threshold_model import case, threshold_model

from MedNCALib import segment
from MedNCALib.model.card import Thresholds
from MedNCALib.segmentation.quality import QualityMeter


def runs_of(count=4, labels=2, shape=(6, 7, 8), seed=0):
    random = np.random.default_rng(seed)
    base = random.random((*shape, labels)) / labels
    return [np.clip(base + random.normal(0, 0.05, base.shape), 0, 1) for _ in range(count)]


def winner(probability):
    return np.where(probability.max(-1) > 0.3, probability.argmax(-1) + 1, 0)


def measured(runs, thresholds=None, volumes=(1.0, 2.0), parts=3):
    meter = QualityMeter(len(runs), runs[0].shape[-1])
    for part in range(parts):
        group = [run[part::parts] for run in runs]
        meter.add([winner(run) for run in group], group)
    return meter.quality(["first", "second"], volumes, 0.5, thresholds)


def test_nqm_is_the_sum_of_deviations_over_the_sum_of_means_of_the_probability_of_any_label():
    runs = runs_of()
    of_any = np.sum(runs, axis=-1)
    assert measured(runs).nqm == pytest.approx(of_any.std(axis=0).sum() / of_any.mean(axis=0).sum())
    only_exchanged = [run if number % 2 else run[..., ::-1] for number, run in enumerate(runs_of()[:1] * 4)]
    assert measured(only_exchanged).nqm == pytest.approx(0, abs=1e-6)


def test_agreement_is_the_mean_dice_of_all_pairs_of_runs():
    runs = runs_of()

    def dice(a, b):
        return 2 * (a & b).sum() / (a.sum() + b.sum())

    by_label = [
        np.mean([dice(winner(a) == label, winner(b) == label) for a, b in combinations(runs, 2)]) for label in (1, 2)
    ]
    quality = measured(runs)
    assert list(quality.label_agreement.values()) == pytest.approx(by_label)
    assert quality.agreement == pytest.approx(np.mean(by_label))


def test_the_spread_of_a_volume_is_the_standard_deviation_over_runs():
    runs = runs_of()
    counts = [(winner(run) == 2).sum() * 0.5 for run in runs]
    assert measured(runs).volumes_ml["second"].sd == pytest.approx(np.std(counts, ddof=1))
    assert measured(runs).volumes_ml["second"].mean == 2.0
    assert measured(runs).volumes_ml["second"].by_pass == pytest.approx(counts)


def test_the_verdict_needs_both_scores_within_their_thresholds_and_something_found():
    runs = runs_of()
    scores = measured(runs)
    loose = Thresholds(agreement=scores.agreement - 0.01, nqm=scores.nqm + 0.01)
    assert measured(runs).verdict is None
    assert measured(runs, loose).verdict == "pass"
    assert measured(runs, replace(loose, agreement=scores.agreement + 0.01)).verdict == "review"
    assert measured(runs, replace(loose, nqm=scores.nqm - 0.01)).verdict == "review"
    assert measured(runs, loose, volumes=(1.0, 0.0)).verdict == "review"


def test_one_run_has_volumes_but_no_scores():
    quality = segment(noise_image(), random_model()).quality
    assert (quality.runs, quality.nqm, quality.agreement, quality.verdict) == (1, None, None, None)


def test_volumes_are_those_of_the_labels_on_the_input_grid():
    image, labels = case(spacing=(0.5, 2.0, 3.0))
    quality = segment(image, threshold_model(), runs=2).quality
    counts = np.bincount(sitk.GetArrayFromImage(labels).ravel())
    assert quality.volumes_ml["medium"].mean == pytest.approx(counts[1] * 3.0 / 1000)
    assert quality.volumes_ml["bright"].mean == pytest.approx(counts[2] * 3.0 / 1000)
    assert quality.volumes_ml["bright"].sd == 0


def test_a_noisy_rule_agrees_less_than_one_that_does_not_depend_on_who_fires():
    sure = segment(case()[0], threshold_model(), runs=3).quality
    unsure = segment(noise_image(), random_model(), runs=3).quality
    assert sure.agreement == 1
    assert unsure.agreement < 0.999
    assert unsure.nqm > 0


def test_the_scores_are_plain_numbers_for_json():
    import json

    assert json.loads(json.dumps(segment(noise_image(), random_model(), runs=2).quality.as_dict()))["runs"] == 2
