"""Evaluation of a model whose result is known beforehand."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
from threshold_model import case, threshold_model

from MedNCALib.errors import ImageError, MedNCAError
from MedNCALib.evaluation import evaluate

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


def test_a_model_that_is_right_scores_fully_in_the_agreed_shape(cohort):
    result = evaluate(threshold_model(), *cohort, runs=2)
    assert list(result) == ["cases", "mean"]
    assert [one["name"] for one in result["cases"]] == ["case0", "case1", "case2"]
    for one in result["cases"]:
        assert list(one) == ["name", "seconds", "labels", "whole", "quality"]
        assert one["seconds"] > 0
        assert list(one["labels"]) == ["medium", "bright"]
        assert one["quality"]["agreement"] == 1.0
        for score in (*one["labels"].values(), one["whole"]):
            assert list(score) == ["dice", "hd95_mm", "volume_ml", "volume_error_ml"]
            assert (score["dice"], score["hd95_mm"], score["volume_error_ml"]) == (1.0, 0.0, 0.0)
    assert list(result["mean"]) == ["labels", "whole"]
    assert result["mean"]["whole"]["dice"] == 1.0
    assert json.loads(json.dumps(result)) == result


def test_a_wrong_voxel_shows_in_its_label_and_in_the_mean(cohort):
    images, labels = cohort
    _, truth = case(0)
    values = sitk.GetArrayFromImage(truth)
    position = tuple(np.argwhere(values == 2)[0])
    values[position] = 1
    changed = sitk.GetImageFromArray(values)
    changed.CopyInformation(truth)
    sitk.WriteImage(changed, str(labels / "case0.nii.gz"))
    result = evaluate(threshold_model(), images, labels)
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
    result = evaluate(threshold_model(), tmp_path / "images", tmp_path / "labels")
    assert result["cases"][0]["labels"]["bright"]["dice"] == 0.0
    assert result["cases"][0]["labels"]["bright"]["hd95_mm"] is None
    assert result["mean"]["labels"]["bright"]["hd95_mm"] is None


def test_limit_takes_the_first_cases_by_name_and_progress_is_told(cohort):
    told = []
    result = evaluate(threshold_model(), *cohort, limit=2, progress=lambda *now: told.append(now))
    assert len(result["cases"]) == 2
    assert told == [(1, 2, "case0"), (2, 2, "case1")]


def test_values_that_the_model_does_not_know_are_refused_with_the_file(cohort):
    images, labels = cohort
    _, truth = case(1)
    sitk.WriteImage(truth * 100, str(labels / "case1.nii.gz"))
    with pytest.raises(ImageError, match=r"case1\.nii\.gz holds the values 100, 200.*1 \(medium\), 2 \(bright\)"):
        evaluate(threshold_model(), images, labels)


def test_a_limit_below_one_is_refused(cohort):
    with pytest.raises(MedNCAError, match="at least 1"):
        evaluate(threshold_model(), *cohort, limit=0)
