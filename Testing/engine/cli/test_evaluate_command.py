"""mednca evaluate: what it prints and writes, and where a card goes."""

import json
from pathlib import Path

import pytest
import SimpleITK as sitk
from support.command_line import refused
from support.protocol_model import TIGHT, WIDE, border_of, protocol_model, rimmed_image

from MedNCALib import load_model
from MedNCALib.cli.main import main


def test_evaluate_prints_a_table_and_writes_json(model_folder, cohort, tmp_path, capsys):
    pytest.importorskip("surface_distance")
    assert main(["evaluate", "-m", model_folder, *cohort, "--json", str(tmp_path / "report.json"), "--limit", "1"]) == 0
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in report["cases"]] == ["case0"]
    assert report["mean"]["whole"]["dice"] == 1.0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["Dice", "/", "HD95", "medium", "bright", "whole"]
    assert lines[-1].startswith("mean")
    assert "1.000" in lines[-1]


def test_evaluate_with_perturbations_prints_their_table_and_writes_them_as_json(model_folder, cohort, tmp_path, capsys):
    pytest.importorskip("surface_distance")
    report = tmp_path / "report.json"
    assert main(["evaluate", "-m", model_folder, *cohort, "--perturb", "--limit", "1", "--json", str(report)]) == 0
    table = json.loads(report.read_text(encoding="utf-8"))["perturbations"]
    lines = capsys.readouterr().out.split("\n\n")[1].splitlines()
    printed = {name.strip(): figures for name, *figures in (line.rsplit(maxsplit=2) for line in lines)}
    for name, scores in table.items():
        assert [float(word) for word in printed[name]] == pytest.approx([scores["whole"], scores["fall"]], abs=6e-4)
    assert printed["axis order"] == ["1.000", "0.000"]


def files(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}


def test_a_card_is_written_into_a_copy_of_the_model(model_folder, cohort, tmp_path, capsys):
    pytest.importorskip("surface_distance")
    before = files(model_folder)
    assert main(["evaluate", "-m", model_folder, *cohort, "--card", "-o", str(tmp_path / "copy")]) == 0
    assert files(model_folder) == before
    copy = load_model(tmp_path / "copy")
    assert copy.card.scores.cases == ("case0", "case1")
    assert copy.card.robustness["axis order"] == 0
    assert copy.title == "Threshold"
    assert files(tmp_path / "copy")["weights.npz"] == before["weights.npz"]
    assert f"2 cases are in {tmp_path / 'copy' / 'card.json'}" in capsys.readouterr().out


def test_a_card_is_replaced_when_asked_to(model_folder, cohort):
    pytest.importorskip("surface_distance")
    before = files(model_folder)
    assert main(["evaluate", "-m", model_folder, *cohort, "--card", "--in-place"]) == 0
    after = files(model_folder)
    assert {name for name in before if after[name] != before[name]} == {"card.json"}
    assert load_model(model_folder).card.scores.whole == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--card"], "-o DIR for a copy of the model with the new card, or --in-place"),
        (["--in-place"], "add --card"),
        (["--card", "-o", "{model}"], "already holds a model"),
        (["--card", "-o", "elsewhere", "--in-place"], "not allowed with"),
    ],
)
def test_a_card_without_one_place_is_refused_before_the_work(model_folder, cohort, capsys, options, message):
    before = files(model_folder)
    options = [option.format(model=model_folder) for option in options]
    assert message in refused(capsys, "evaluate", "-m", model_folder, *cohort, *options)
    assert files(model_folder) == before


def test_a_case_that_cannot_be_scored_does_not_stop_the_others(model_folder, cohort, tmp_path, capsys):
    pytest.importorskip("surface_distance")
    (tmp_path / "images" / "case0.nrrd").write_bytes(b"")
    report = tmp_path / "report.json"
    assert main(["evaluate", "-m", model_folder, *cohort, "--json", str(report)]) == 1
    printed = capsys.readouterr()
    assert "case1" in printed.out
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("mednca: ")
    assert "case0.nrrd is empty" in printed.err
    written = json.loads(report.read_text(encoding="utf-8"))
    assert [case["name"] for case in written["cases"]] == ["case1"]
    assert list(written["failures"]) == ["case0"]


def test_without_any_case_that_can_be_scored_there_is_one_line(model_folder, cohort, tmp_path, capsys):
    for name in ("case0", "case1"):
        (tmp_path / "images" / f"{name}.nrrd").write_bytes(b"")
    message = refused(capsys, "evaluate", "-m", model_folder, *cohort)
    assert "None of the 2 cases is done" in message
    assert "case0.nrrd is empty" in message
    assert "case1.nrrd is empty" in message


def test_evaluate_says_before_the_work_that_the_report_has_no_place(model_folder, cohort, tmp_path, capsys):
    message = refused(capsys, "evaluate", "-m", model_folder, *cohort, "--json", tmp_path / "nowhere" / "report.json")
    assert "There is no folder" in message


def test_evaluate_names_files_without_a_partner(model_folder, cohort, tmp_path, capsys):
    (tmp_path / "labels" / "case1.nrrd").unlink()
    assert "images without labels: case1" in refused(capsys, "evaluate", "-m", model_folder, *cohort)


def test_the_protocol_is_that_of_each_case_or_the_one_that_is_named(tmp_path, capsys):
    pytest.importorskip("surface_distance")
    model = protocol_model().save(tmp_path / "model")
    for name, hazy_slices, protocol in (("clear", 0, TIGHT), ("hazy", 6, WIDE)):
        image = rimmed_image(hazy_slices)
        labels = sitk.GetImageFromArray(border_of(image, protocol))
        labels.CopyInformation(image)
        for folder, each in (("images", image), ("labels", labels)):
            (tmp_path / folder).mkdir(exist_ok=True)
            sitk.WriteImage(each, str(tmp_path / folder / f"{name}.nrrd"))
    command = ["evaluate", "-m", str(model.folder)]
    command += ["--images", str(tmp_path / "images"), "--labels", str(tmp_path / "labels")]
    found = []
    for arguments in ([], ["--protocol", "wide"]):
        assert main([*command, *arguments, "--json", str(tmp_path / "report.json")]) == 0
        cases = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["cases"]
        found.append([(case["name"], case["protocol"], case["whole"]["dice"] == 1) for case in cases])
    assert found == [
        [("clear", "tight", True), ("hazy", "wide", True)],
        [("clear", "wide", False), ("hazy", "wide", True)],
    ]
    capsys.readouterr()
    assert "has no protocol 'narrow'" in refused(capsys, *command, "--protocol", "narrow")
