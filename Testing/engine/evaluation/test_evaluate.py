"""Evaluation of a model whose result is known beforehand."""

import json
from functools import partial
from importlib import import_module

import numpy as np
import pytest
import SimpleITK as sitk
from support.phantom_folders import write_phantoms
from support.shared_data import shared_data
from support.threshold_model import case, threshold_model

from MedNCALib import Label, load_model, read_image, segment, write_segmentation
from MedNCALib.cli.main import main
from MedNCALib.errors import MedNCAError
from MedNCALib.evaluation.evaluate import evaluate, perturbed_scores
from MedNCALib.evaluation.metrics import dices
from MedNCALib.evaluation.perturbations import NAMES, UNPERTURBED, LabelledCase, trials
from MedNCALib.segmentation.options import RunOptions

pytest.importorskip("surface_distance")


@pytest.fixture
def cohort(tmp_path):
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()
    for seed in range(3):
        image, truth = case(seed)
        sitk.WriteImage(image, str(images / f"case{seed}.nii.gz"))
        sitk.WriteImage(truth, str(labels / f"case{seed}.nii.gz"))
    return images, labels


def only(monkeypatch, *names):
    """Perturb in these ways alone."""
    monkeypatch.setattr(import_module("MedNCALib.evaluation.evaluate"), "trials", partial(trials, names=names))


def test_a_model_that_is_right_scores_fully_in_the_agreed_shape(cohort):
    result = evaluate(threshold_model(), *cohort, runs=2).as_dict()
    assert list(result) == ["cases", "mean"]
    assert [one["name"] for one in result["cases"]] == ["case0", "case1", "case2"]
    for one in result["cases"]:
        assert list(one) == ["name", "seconds", "labels", "whole", "quality", "protocol"]
        assert one["seconds"] > 0
        assert list(one["labels"]) == ["medium", "bright"]
        assert one["quality"]["agreement"] == 1.0
        for score in (*one["labels"].values(), one["whole"]):
            assert list(score) == ["dice", "hd95_mm", "volume_ml", "volume_error_ml"]
            assert (score["dice"], score["hd95_mm"], score["volume_error_ml"]) == (1.0, 0.0, 0.0)
    assert list(result["mean"]) == ["labels", "whole"]
    assert result["mean"]["whole"]["dice"] == 1.0
    assert json.loads(json.dumps(result)) == result


def test_the_seed_is_that_of_the_segmentations(tmp_path, monkeypatch):
    model = load_model("hippocampus-mr")
    images, labels = write_phantoms(tmp_path, 1)
    image, truth = (read_image(folder / "case_0.nrrd") for folder in (images, labels))
    found = {}
    for seed in (0, 7):
        report = tmp_path / f"{seed}.json"
        options = ["--images", images, "--labels", labels, "--seed", seed, "--json", report]
        assert main(["evaluate", "-m", model.name, *map(str, options)]) == 0
        found[seed] = json.loads(report.read_text(encoding="utf-8"))["mean"]["whole"]["dice"]
        assert found[seed] == dices(truth, segment(image, model, seed=seed).labels, model.labels)[1]
    assert found[0] != found[7]
    only(monkeypatch, UNPERTURBED)
    case = LabelledCase("case_0", image, truth)
    assert perturbed_scores(model, [case], RunOptions(seed=7))[UNPERTURBED].whole == found[7]


def test_a_wrong_voxel_shows_in_its_label_and_in_the_mean(cohort):
    images, labels = cohort
    _, truth = case(0)
    values = sitk.GetArrayFromImage(truth)
    position = tuple(np.argwhere(values == 2)[0])
    values[position] = 1
    changed = sitk.GetImageFromArray(values)
    changed.CopyInformation(truth)
    sitk.WriteImage(changed, str(labels / "case0.nii.gz"))
    result = evaluate(threshold_model(), images, labels).as_dict()
    bright = np.count_nonzero(values == 2)
    expected = 2 * bright / (2 * bright + 1)
    assert result["cases"][0]["labels"]["bright"]["dice"] == pytest.approx(expected)
    assert result["cases"][0]["whole"]["dice"] == 1.0
    assert result["mean"]["labels"]["bright"]["dice"] == pytest.approx((expected + 2) / 3)
    assert result["cases"][0]["labels"]["bright"]["volume_error_ml"] == pytest.approx(
        np.prod(truth.GetSpacing()) / 1000
    )


def test_a_label_that_is_nowhere_in_the_truth_has_no_distance_and_no_mean_of_it(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    image, truth = case(0)
    truth.CopyInformation(image)
    sitk.WriteImage(image, str(tmp_path / "images" / "a.nrrd"))
    sitk.WriteImage(sitk.Cast(truth == 1, sitk.sitkUInt8), str(tmp_path / "labels" / "a.nrrd"))
    result = evaluate(threshold_model(), tmp_path / "images", tmp_path / "labels").as_dict()
    assert result["cases"][0]["labels"]["bright"]["dice"] == 0.0
    assert result["cases"][0]["labels"]["bright"]["hd95_mm"] is None
    assert result["mean"]["labels"]["bright"]["hd95_mm"] is None


def test_limit_takes_the_first_cases_by_name_and_progress_is_reported(cohort):
    reported = []
    result = evaluate(threshold_model(), *cohort, limit=2, progress=lambda *now: reported.append(now))
    assert [case.name for case in result.cases] == ["case0", "case1"]
    assert reported == [(0.5, "case0"), (1.0, "case1")]


def test_each_perturbation_is_measured_by_the_dice_that_it_costs(cohort):
    for seed in range(2):  # larger slices, of which a shift leaves something
        for folder, image in zip(cohort, case(seed, size=(24, 26, 7))):
            sitk.WriteImage(image, str(folder / f"case{seed}.nii.gz"))
    reported = []
    result = evaluate(
        threshold_model(), *cohort, limit=2, perturb=True, progress=lambda *now: reported.append(now)
    ).as_dict()
    assert list(result) == ["cases", "mean", "perturbations"]
    table = result["perturbations"]
    assert list(table) == list(NAMES)
    assert table["unperturbed"] == {"whole": 1.0, "fall": 0.0, "labels": {"medium": 1.0, "bright": 1.0}}
    for scores in table.values():
        assert scores["fall"] == pytest.approx(1 - scores["whole"])
    for name in ("mirrored", "axis order", "steps x 2", "steps x 4", "shift 10 columns"):
        assert table[name]["fall"] == 0, name  # each voxel for itself, so that nothing of this matters
    assert 0.01 < table["noise 0.1"]["fall"] < table["noise 0.2"]["fall"]
    assert table["bias field 0.5"]["labels"]["medium"] < 1
    assert json.loads(json.dumps(result)) == result
    shares = [share for share, _ in reported]
    assert shares == pytest.approx(np.arange(1, len(shares) + 1) / len(shares))
    assert len(shares) == 2 * (1 + len(NAMES))
    assert reported[2][1] == "case0, unperturbed"


def test_a_perturbation_that_only_some_cases_allow_is_compared_with_these(cohort):
    image, truth = case(0)
    wrong = truth[:, :, 3:4]
    wrong[0, 0, 0] = 3 - max(1, wrong[0, 0, 0])
    whole, slice_ = LabelledCase("whole", image, truth), LabelledCase("slice", image[:, :, 3:4], wrong)
    table = perturbed_scores(threshold_model(), [whole, slice_])
    assert table["unperturbed"].whole < 1
    assert table["axis order"].dice_drop == 0
    alone = perturbed_scores(threshold_model(), [whole])
    assert table["thick slices"] == alone["thick slices"]
    assert "thick slices" not in perturbed_scores(threshold_model(), [slice_])


def test_the_bundled_model_takes_another_axis_order_of_a_real_volume_for_the_same(monkeypatch):
    model = load_model("hippocampus-mr")
    name = f"{model.card.scores.cases[0]}.nii.gz"
    files = [shared_data("hippocampus", part, name) for part in ("images", "labels")]
    only(monkeypatch, UNPERTURBED, "axis order", "noise 0.2")
    table = perturbed_scores(model, [LabelledCase(name, *(sitk.ReadImage(str(file)) for file in files))])
    assert table["axis order"].dice_drop == 0
    assert table["axis order"].labels == table["unperturbed"].labels
    assert table["unperturbed"].whole > 0.85
    assert table["noise 0.2"].dice_drop > 0


def test_values_that_the_model_does_not_know_are_refused_with_the_file(cohort):
    images, labels = cohort
    _, truth = case(1)
    for path in (*images.iterdir(), *labels.iterdir()):
        if "case1" not in path.name:
            path.unlink()
    sitk.WriteImage(truth * 100, str(labels / "case1.nii.gz"))
    with pytest.raises(MedNCAError, match=r"case1\.nii\.gz holds the values 100, 200.*1 \(medium\), 2 \(bright\)"):
        evaluate(threshold_model(), images, labels)


def test_labels_go_by_their_names_if_the_files_name_them(cohort):
    images, labels = cohort
    by_value = evaluate(threshold_model(), images, labels)
    for path in labels.iterdir():
        swapped = sitk.ChangeLabel(sitk.ReadImage(str(path)), {1: 2, 2: 1})
        names = (Label(1, "Bright"), Label(2, "medium"))
        write_segmentation(labels / path.name.replace(".nii.gz", ".seg.nrrd"), swapped, names)
        path.unlink()
    by_name = evaluate(threshold_model(), images, labels)
    assert by_name.mean_labels == by_value.mean_labels
    assert by_name.mean_whole.dice == 1.0


def test_files_that_do_not_say_enough_are_read_as_it_is_stated(cohort):
    stated = evaluate(threshold_model(), *cohort, reading={"spacing": (2.0, 2.0, 2.0)})
    plain = evaluate(threshold_model(), *cohort)
    assert stated.mean_whole.volume_ml == pytest.approx(plain.mean_whole.volume_ml * 8 / 3)


def test_a_case_that_cannot_be_scored_does_not_cost_the_others(cohort):
    images, labels = cohort
    good = evaluate(threshold_model(), images, labels, perturb=True)
    (images / "case3.nii.gz").write_bytes(b"")
    sitk.WriteImage(case(3)[1], str(labels / "case3.nii.gz"))
    report = evaluate(threshold_model(), images, labels, perturb=True)
    assert [one.name for one in report.cases] == ["case0", "case1", "case2"]
    assert list(report.failures) == ["case3"]
    assert "case3.nii.gz is empty" in report.failures["case3"]
    assert report.mean_whole == good.mean_whole
    assert report.perturbations == good.perturbations
    assert report.as_dict()["failures"] == report.failures


def test_cases_none_of_which_can_be_scored_are_an_error_with_the_reasons(cohort):
    images, labels = cohort
    for path in images.iterdir():
        path.write_bytes(b"")
    with pytest.raises(MedNCAError, match=r"None of the 3 cases.*case0\.nii\.gz is empty.*case2\.nii\.gz is empty"):
        evaluate(threshold_model(), images, labels)


def test_a_limit_below_one_is_refused(cohort):
    with pytest.raises(MedNCAError, match="at least 1"):
        evaluate(threshold_model(), *cohort, limit=0)
