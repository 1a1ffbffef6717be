"""A stress test: which perturbations there are, against what each is compared, and what is said of the whole."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from support.protocol_model import TIGHT, WIDE, protocol_model, rimmed_image
from support.random_models import random_model
from support.shared_data import shared_data
from support.threshold_model import case, threshold_model

from MedNCALib import load_model, read_image, segment, stress_test, stress_test_steps
from MedNCALib.errors import ImageError, MedNCAError
from MedNCALib.evaluation.metrics import dices
from MedNCALib.evaluation.perturbations import LabelledCase, trials
from MedNCALib.evaluation.stress_test import NAMES, STABLE_DICE, Change, StressTest
from MedNCALib.segmentation.quality import Quality, VolumeEstimate

SIZE = (48, 44, 5)
SEEDS = ["seed + 1", "seed + 2"]


def voxels(image):
    return sitk.GetArrayFromImage(image)


def head_case():
    """An image with the boxes well inside, so that they are still in it after a shift."""
    labels = np.zeros(SIZE[::-1], np.uint8)
    labels[1:4, 16:22, 14:20], labels[1:4, 16:22, 20:28] = 1, 2
    truth = sitk.GetImageFromArray(labels)
    truth.SetSpacing((1.0, 1.5, 2.0))
    truth.SetOrigin((-7.0, 3.0, 11.0))
    return sitk.Cast(truth, sitk.sitkInt16) * 500 + 100, truth


def change(perturbation="noise 0.2", dice=0.95, percent=2.0):
    kinds = {"noise 0.2": "noise", "scale 0.9": "scale", "shift 10 rows": "shift", "shift 10 columns": "shift"}
    return Change(perturbation, kinds[perturbation], dice, {"head": dice}, 0.1, percent)


def finding(*changes, volume=2.0):
    quality = Quality(1, None, None, {}, {"head": VolumeEstimate(volume, None)}, None)
    result = replace(segment(case()[0], threshold_model()), quality=quality)
    return StressTest(result, changes, result.labels)


def test_every_perturbation_is_tried():
    assert [each.perturbation for each in stress_test(head_case()[0], threshold_model()).changes] == list(NAMES)


def test_the_result_is_that_of_a_plain_run():
    image, _ = head_case()
    model = random_model()
    test = stress_test(image, model, runs=2, seed=3, uncertainty=True)
    plain = segment(image, model, runs=2, seed=3, uncertainty=True)
    np.testing.assert_array_equal(voxels(test.result.labels), voxels(plain.labels))
    np.testing.assert_array_equal(voxels(test.result.uncertainty), voxels(plain.uncertainty))
    assert test.result.quality == plain.quality


def test_a_change_compares_the_results_with_and_without_the_perturbation():
    image, truth = head_case()
    model = threshold_model()
    test = stress_test(image, model)
    of_noise = {each.perturbation: each for each in test.changes}["noise 0.2"]
    (trial,) = trials(model, LabelledCase("", image, truth), 0, ["noise 0.2"])
    found = segment(trial.image, model).labels
    by_label, _ = dices(trial.labels, found, model.labels)
    assert of_noise.labels == by_label
    assert of_noise.dice == np.mean(list(by_label.values()))
    counts = [np.count_nonzero(voxels(labels)) for labels in (trial.labels, found)]
    assert of_noise.volume_ml == pytest.approx((counts[1] - counts[0]) * 0.003)
    assert of_noise.volume_percent == pytest.approx(100 * (counts[1] / counts[0] - 1))


def test_a_model_that_sees_each_voxel_alone_depends_on_noise_but_on_no_seed_and_no_place():
    test = stress_test(head_case()[0], threshold_model())
    exact = {each.perturbation for each in test.changes if each.dice == 1.0}
    assert {"shift 10 rows", "shift 10 columns", *SEEDS} <= exact
    assert test.verdict == "depends"
    assert test.depends_on[0] == "noise"
    assert not {"shift", "seed"} & set(test.depends_on)


def test_other_seeds_are_those_after_the_one_of_the_run():
    image, _ = head_case()
    model = random_model()
    plain, other = (segment(image, model, seed=seed).labels for seed in (7, 8))
    expected, _ = dices(plain, other, model.labels)
    by_name = {each.perturbation: each for each in stress_test(image, model, seed=7).changes}
    assert by_name["seed + 1"].labels == expected


def test_what_leaves_most_of_the_result_out_of_the_image_is_not_tried():
    names = [each.perturbation for each in stress_test(case()[0], threshold_model()).changes]
    assert "shift 10 rows" not in names
    assert names[-2:] == SEEDS


def test_the_worst_case_lies_where_the_anatomy_is():
    image, truth = head_case()
    test = stress_test(image, threshold_model())
    shown = test.worst_labels
    assert shown.GetSize() == image.GetSize()
    assert shown.GetOrigin() == pytest.approx(image.GetOrigin())
    overlap, _ = dices(truth, shown, threshold_model().labels)
    assert np.mean(list(overlap.values())) == pytest.approx(test.worst.dice, abs=0.01)


def test_only_the_region_is_perturbed_and_compared():
    image, truth = head_case()
    low, high = (truth.TransformIndexToPhysicalPoint(index) for index in ((10, 12, 0), (33, 27, 4)))
    region = (-high[0], -low[0], -high[1], -low[1], low[2], high[2])
    test = stress_test(image, threshold_model(), region=region)
    cut = stress_test(image[10:34, 12:28, 0:5], threshold_model())
    assert test.changes == cut.changes
    outside = voxels(test.worst_labels)
    outside[:, 12:28, 10:34] = 0
    assert not outside.any()
    assert test.worst_labels.GetSize() == image.GetSize()


def test_an_option_of_the_run_holds_for_every_segmentation():
    image, _ = head_case()
    spread = stress_test(image, random_model(), largest_only=True)
    again = stress_test(image, random_model())
    assert [each.dice for each in spread.changes] != [each.dice for each in again.changes]


def test_steps_say_what_is_going_on_and_how_far_it_is():
    image, _ = head_case()
    steps = list(stress_test_steps(image, threshold_model()))
    assert list(dict.fromkeys(step.perturbation for step in steps)) == ["", *NAMES]
    assert [step.fraction for step in steps] == sorted(step.fraction for step in steps)
    assert steps[-1].fraction == pytest.approx(1)
    assert {step.segmentations for step in steps} == {1 + len(NAMES)}
    assert sorted({step.segmentation for step in steps}) == list(range(1, 2 + len(NAMES)))


def test_what_cannot_be_segmented_is_refused_before_the_first_step():
    flat = sitk.Image(9, 8, 7, sitk.sitkInt16)
    with pytest.raises(ImageError, match="contrast"):
        next(stress_test_steps(flat, threshold_model()))


def test_too_little_memory_for_a_perturbation_is_said_in_a_sentence(monkeypatch):
    def too_large(*_):
        raise MemoryError

    monkeypatch.setattr("MedNCALib.evaluation.stress_test.trials", too_large)
    with pytest.raises(MedNCAError, match="not enough free memory for a stress test"):
        stress_test(head_case()[0], threshold_model())


def test_a_picture_can_be_tested_like_a_volume():
    image, _ = head_case()
    test = stress_test(image[:, :, 2], threshold_model())
    assert test.worst_labels.GetSize() == (*SIZE[:2], 1)


def test_a_result_is_stable_if_every_dice_reaches_the_threshold():
    test = finding(change("noise 0.2", STABLE_DICE, -3.21), change("scale 0.9", 0.97, 1.0))
    assert (test.verdict, test.depends_on) == ("stable", ())
    assert test.sentence == (
        f"The result is stable: the lowest Dice is {STABLE_DICE:.3f} (noise 0.2), and the volume changes by at most "
        "3.2 %."
    )


@pytest.mark.parametrize(
    ("low", "kinds"),
    [
        (["noise 0.2"], "noise"),
        (["noise 0.2", "shift 10 rows"], "noise and shift"),
        (["shift 10 rows", "shift 10 columns"], "shift"),
        (["noise 0.2", "scale 0.9", "shift 10 columns"], "noise, scale and shift"),
    ],
)
def test_a_result_depends_on_the_kinds_that_lower_the_dice_below_the_threshold(low, kinds):
    names = ["noise 0.2", "scale 0.9", "shift 10 rows", "shift 10 columns"]
    test = finding(*(change(name, 0.6 if name in low else 0.97) for name in names))
    assert test.verdict == "depends"
    assert test.sentence.startswith(f"The result depends on {kinds}: the lowest Dice is 0.600 ({low[0]}).")


def test_an_empty_result_is_not_called_stable():
    nothing = change(dice=1.0, percent=None)
    assert finding(nothing, volume=0.0).verdict == "empty"
    assert "Nothing was found" in finding(nothing, volume=0.0).sentence
    assert finding(change(dice=0.0, percent=None), volume=0.0).verdict == "depends"


def test_a_hippocampus_that_is_segmented_well_is_stable():
    image = read_image(shared_data("hippocampus", "images", "hippocampus_001.nii.gz"))
    test = stress_test(image, load_model("hippocampus-mr"))
    assert test.verdict == "stable"
    assert 0.85 < test.worst.dice < 0.99


@pytest.mark.parametrize(("hazy_slices", "protocol"), [(0, TIGHT), (12, WIDE)])
def test_the_protocol_is_decided_on_the_image_as_it_is_and_kept(hazy_slices, protocol):
    model, image = protocol_model(), rimmed_image(hazy_slices, size=(48, 44, 12))
    voted, begun = set(), {}
    for step in stress_test_steps(image, model):
        if step.run == 0:
            voted.add(step.perturbation)
        else:
            begun.setdefault(step.perturbation, np.sign(step.state[..., -1].mean()))
    assert voted == {""}
    assert len(begun) > 8
    assert set(begun.values()) == {np.sign(protocol.value)}
