"""The figures behind the threshold of the stress test: what a case gives, and how cases are put together."""

import pytest
import SimpleITK as sitk
from support.threshold_model import threshold_model
from tools.stress_figures import own_cases, tables

from MedNCALib.evaluation.stress_test import NAMES


def case(name, true, lowest):
    return {"set": name, "name": "case", "true": true, "changes": {"noise 0.2": lowest, "seed + 1": 0.99}}


def test_cases_are_put_together_by_set_and_by_true_dice():
    cases = [case("prostate", 0.95, 0.93), case("prostate", 0.91, 0.81), case("head", 0.3, 0.1)]
    by_set, by_threshold = "\n".join(tables(cases)).split("\n\n")
    assert "| prostate | 0.90 to 1.00 | 2 | 0.822 | 0.870 | 0.918 | noise 0.2 |" in by_set
    assert "| head | 0.00 to 0.70 | 1 | 0.100 | 0.100 | 0.100 | noise 0.2 |" in by_set
    assert "| 0.90 to 1.00 | 2 | 100 % | 50 % | 50 % | 50 % | 50 % |" in by_threshold
    assert "| 0.00 to 0.70 | 1 | 0 % | 0 % | 0 % | 0 % | 0 % |" in by_threshold


def test_a_case_has_its_true_dice_and_that_of_each_perturbation(tmp_path):
    labels = sitk.Image(48, 44, 5, sitk.sitkUInt8)
    labels[14:20, 16:22, 1:4] = 1
    labels[20:28, 16:22, 1:4] = 2
    for folder, image in {"images": sitk.Cast(labels, sitk.sitkInt16) * 500 + 100, "labels": labels}.items():
        (tmp_path / "boxes" / folder).mkdir(parents=True)
        for number in range(3):
            sitk.WriteImage(image, str(tmp_path / "boxes" / folder / f"case{number}.nrrd"))
    found = list(own_cases(tmp_path, 2, threshold_model(), "boxes"))
    assert [case["name"] for case in found] == ["case0", "case2"]
    assert found[0]["true"] == pytest.approx(1)
    assert list(found[0]["changes"]) == list(NAMES)
