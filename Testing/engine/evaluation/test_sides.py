"""Evaluation and stress test of results whose sides are known: sides count where both know them."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
from support.head_model import head, head_model

from MedNCALib import segment, stress_test
from MedNCALib.cli.main import main
from MedNCALib.evaluation.evaluate import evaluate
from MedNCALib.imaging.laterality import without_sides
from MedNCALib.io.segmentation_file import write_segmentation

pytest.importorskip("surface_distance")

OWN = ["anterior hippocampus", "posterior hippocampus"]
SIDED = [f"{side} {name}" for side in ("left", "right") for name in OWN]


def cohort(folder, *cases):
    """Folders of images and labels, of cases (image, labels)."""
    for name, number in (("images", 0), ("labels", 1)):
        (folder / name).mkdir()
        for index, case in enumerate(cases):
            sitk.WriteImage(case[number], str(folder / name / f"case{index}.nrrd"))
    return folder / "images", folder / "labels"


def test_true_labels_with_sides_are_compared_with_and_without_them(tmp_path):
    (case,) = evaluate(head_model(), *cohort(tmp_path, head())).cases
    assert list(case.labels) == OWN + SIDED
    assert all(score.dice == 1 for score in case.labels.values())
    assert case.whole.dice == 1


def test_true_labels_without_sides_are_compared_without_them(tmp_path):
    image, labels = head()
    (case,) = evaluate(head_model(), *cohort(tmp_path, (image, without_sides(labels)))).cases
    assert list(case.labels) == OWN
    assert all(score.dice == 1 for score in case.labels.values())


def test_a_result_without_sides_is_compared_without_them(tmp_path):
    (case,) = evaluate(head_model(), *cohort(tmp_path, head()), find="never").cases
    assert list(case.labels) == OWN
    assert case.whole.dice == 1


def test_exchanged_sides_are_seen(tmp_path):
    image, labels = head()
    voxels = sitk.GetArrayFromImage(labels)
    exchanged = sitk.GetImageFromArray(np.where(voxels > 20, voxels - 10, np.where(voxels > 0, voxels + 10, 0)))
    exchanged = sitk.Cast(exchanged, sitk.sitkUInt8)
    exchanged.CopyInformation(labels)
    (case,) = evaluate(head_model(), *cohort(tmp_path, (image, exchanged))).cases
    assert [case.labels[name].dice for name in OWN] == [1, 1]
    assert [case.labels[name].dice for name in SIDED] == [0] * 4


def test_means_are_over_the_cases_that_know_the_label(tmp_path, capsys):
    image, labels = head()
    folders = cohort(tmp_path, (image, labels), (image, without_sides(labels)))
    model = head_model(tmp_path / "models")
    options = ["--images", str(folders[0]), "--labels", str(folders[1]), "--json", str(tmp_path / "report.json")]
    assert main(["evaluate", "-m", str(model.folder), *options]) == 0
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert list(report["mean"]["labels"]) == OWN + SIDED
    assert report["mean"]["labels"][SIDED[3]]["dice"] == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert len({len(line) for line in lines[1:]}) == 1  # columns of cases without a label stay empty


def test_named_segments_on_a_side_are_known_by_name(tmp_path):
    image, labels = head()
    folders = cohort(tmp_path, (image, labels))
    (folders[1] / "case0.nrrd").unlink()
    write_segmentation(folders[1] / "case0.seg.nrrd", labels, head_model().all_labels[2:])
    (case,) = evaluate(head_model(), *folders).cases
    assert [case.labels[name].dice for name in SIDED] == [1] * 4


def test_a_value_that_no_side_has_is_refused(tmp_path):
    image, labels = head()
    labels[0, 0, 0] = 31
    with pytest.raises(Exception, match=r"holds the values .*31.* but the model head-blocks knows 1 .*22 \(right post"):
        evaluate(head_model(), *cohort(tmp_path, (image, labels)))


def test_perturbations_of_whole_heads_are_measured_without_sides(tmp_path):
    report = evaluate(head_model(), *cohort(tmp_path, head()), perturb=True)
    assert report.perturbations["axis order"].whole == 1
    assert list(report.perturbations["axis order"].labels) == OWN
    assert report.perturbations["mirrored"].whole == 0  # the finder finds sides that contradict each other


def test_a_stress_test_keeps_what_was_found():
    image, _ = head()
    test = stress_test(image, head_model())
    result = segment(image, head_model())
    assert test.result.found == result.found
    assert list(test.changes[0].labels) == SIDED
    assert {change.kind for change in test.changes} >= {"noise", "scale", "seed"}
    seed = next(change for change in test.changes if change.perturbation == "seed + 1")
    assert seed.dice == 1
    assert set(np.unique(sitk.GetArrayFromImage(test.worst_labels))) <= {0, 11, 12, 21, 22}
    assert test.worst_labels.GetSize() == image.GetSize()
