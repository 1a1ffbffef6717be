"""The command line: what each command writes and prints, and that nothing ends in a traceback."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from support.command_line import mednca, python, refused
from support.shared_data import REPOSITORY
from support.threshold_model import threshold_model

from MedNCALib.cli.main import main

COMMANDS = ("models", "segment", "evaluate", "train", "import-reference", "bench", "demo")


# --- All commands ---


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert f"usage: mednca {command}" in capsys.readouterr().out


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    assert [command for command in COMMANDS if command not in printed] == []


def test_an_unknown_command_is_one_line_and_code_2(capsys):
    assert "invalid choice: 'grow'" in refused(capsys, "grow")


def test_a_missing_option_is_one_line_and_code_2(capsys, volume_file):
    assert "-m/--model" in refused(capsys, "segment", volume_file, "-o", "out")


def test_an_unknown_model_is_one_line_and_code_2(capsys, volume_file, tmp_path):
    assert "There is no model 'nobody'" in refused(capsys, "segment", volume_file, "-m", "nobody", "-o", tmp_path)


def test_a_process_of_its_own_ends_the_same_way(model_folder, tmp_path):
    ended = mednca("segment", tmp_path / "nowhere.nii", "-m", model_folder, "-o", tmp_path / "out")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("mednca: There is no file or folder")
    assert ended.stderr.count("\n") == 1


def test_a_name_that_the_terminal_cannot_print_is_no_error(model_folder, volume_file, tmp_path):
    named = volume_file.rename(tmp_path / "Größe 海馬.nii.gz")
    for options in ([], ["--json"]):
        ended = mednca(
            "segment", named, "-m", model_folder, "-o", tmp_path, *options, PYTHONIOENCODING="ascii", PYTHONUTF8="0"
        )
        assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)[0]["input"] == str(named)
    assert (tmp_path / "Größe 海馬_threshold.seg.nrrd").exists()


def test_help_loads_neither_simpleitk_nor_torch():
    code = "import sys, MedNCALib.cli; print({'SimpleITK', 'numpy', 'torch'} & set(sys.modules))"
    assert python(code) == "set()"


def test_a_closed_pipe_is_no_error(model_folder):
    # What `mednca models | head -1` does.
    process = subprocess.Popen(
        [sys.executable, "-m", "MedNCALib", "models", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=REPOSITORY,
        env={**os.environ, "MEDNCA_MODELS": os.path.dirname(model_folder)},
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 0


# --- models ---


def test_models_lists_the_users_own(model_folder, monkeypatch, capsys):
    monkeypatch.setenv("MEDNCA_MODELS", os.path.dirname(model_folder))
    assert main(["models"]) == 0
    assert "threshold Threshold: medium, bright" in " ".join(capsys.readouterr().out.split())
    assert main(["models", "--json"]) == 0
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert listed["threshold"]["labels"] == [{"value": 1, "name": "medium"}, {"value": 2, "name": "bright"}]
    assert listed["threshold"]["size_bytes"] > 0


# --- evaluate ---


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


def test_evaluate_writes_the_figures_of_the_card(model_folder, cohort, capsys):
    pytest.importorskip("surface_distance")
    before = {file: (Path(model_folder) / file).read_bytes() for file in ("weights.npz", "labels.csv")}
    assert main(["evaluate", "-m", model_folder, *cohort, "--card"]) == 0
    card = json.loads((Path(model_folder) / "card.json").read_text(encoding="utf-8"))
    assert card["scores"]["cases"] == ["case0", "case1"]
    assert card["robustness"]["axis order"] == 0
    assert card["title"] == "Threshold"
    assert {file: (Path(model_folder) / file).read_bytes() for file in before} == before
    assert "2 cases" in capsys.readouterr().out


def test_evaluate_says_before_the_work_that_the_report_has_no_place(model_folder, cohort, tmp_path, capsys):
    message = refused(capsys, "evaluate", "-m", model_folder, *cohort, "--json", tmp_path / "nowhere" / "report.json")
    assert "There is no folder" in message


def test_evaluate_names_files_without_a_partner(model_folder, cohort, tmp_path, capsys):
    (tmp_path / "labels" / "case1.nrrd").unlink()
    assert "images without labels: case1" in refused(capsys, "evaluate", "-m", model_folder, *cohort)


# --- train, import-reference, bench, demo: options reach the function that does the work ---


@pytest.mark.parametrize("command", ["train", "import-reference"])
def test_without_torch_it_is_said_how_to_install_it(monkeypatch, capsys, command, cohort, tmp_path):
    monkeypatch.setattr("MedNCALib.cli.commands.torch_needed.find_spec", lambda name: None)
    arguments = {
        "train": cohort,
        "import-reference": ["one.pth", "two.pth", "--size", "64", "--steps", "16"],
    }[command]
    message = refused(capsys, command, *arguments, "-o", tmp_path / "model")
    assert "pip install torch" in message


def test_train_passes_its_options_on(monkeypatch, capsys, cohort, tmp_path):
    training = pytest.importorskip("MedNCALib.training", reason="needs torch")
    given = {}

    def train(images, labels, output, **options):
        given.update(options, images=images, labels=labels, output=output)
        return threshold_model().save(output)

    monkeypatch.setattr(training, "train", train)
    options = ["--preset", "p", "--minutes", "2", "--seed", "7", "--from", "hippocampus-mr", "--resume"]
    assert main(["train", *cohort, "-o", str(tmp_path / "m"), *options]) == 0
    assert callable(given.pop("report"))
    assert given == {
        "images": tmp_path / "images",
        "labels": tmp_path / "labels",
        "output": tmp_path / "m",
        "preset": "p",
        "minutes": 2.0,
        "batches": None,
        "seed": 7,
        "start_from": "hippocampus-mr",
        "resume": True,
    }
    assert "Threshold" in capsys.readouterr().out


def test_import_reference_passes_its_options_on(monkeypatch, capsys, tmp_path):
    pytest.importorskip("torch", reason="reading PyTorch checkpoints needs torch")
    from MedNCALib.model import reference_checkpoints

    given = []

    def import_reference(*arguments):
        given.extend(arguments)
        return threshold_model().save(tmp_path / "m")

    monkeypatch.setattr(reference_checkpoints, "import_reference", import_reference)
    options = ["-o", str(tmp_path / "m"), "--size", "64", "--steps", "16"]
    assert main(["import-reference", "one.pth", "two.pth", *options]) == 0
    assert given == [Path("one.pth"), Path("two.pth"), tmp_path / "m", 64, 16, 0.5]
    assert "Threshold" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "arguments", "given"),
    [
        ("bench", [], {"json_file": None}),
        ("bench", ["--json", "speed.json"], {"json_file": Path("speed.json")}),
        ("demo", ["-o", "d"], {"output": Path("d"), "volume": None, "model": "hippocampus-mr"}),
        (
            "demo",
            ["-o", "d", "--volume", "v.nii", "-m", "other"],
            {"output": Path("d"), "volume": Path("v.nii"), "model": "other"},
        ),
    ],
)
def test_bench_and_demo_pass_their_options_on(monkeypatch, command, arguments, given):
    passed = {}

    def run(output=None, **options):
        passed.update(options, **({} if output is None else {"output": output}))

    module = ModuleType(command)
    module.run = run
    name = {"bench": "MedNCALib.benchmark.report", "demo": "MedNCALib.cli.demo_run"}[command]
    monkeypatch.setitem(sys.modules, name, module)
    package, _, attribute = name.rpartition(".")
    monkeypatch.setattr(importlib.import_module(package), attribute, module, raising=False)
    assert main([command, *arguments]) == 0
    assert passed == given


def test_train_takes_minutes_or_batches_not_both(capsys, cohort, tmp_path):
    options = ["-o", tmp_path / "m", "--minutes", "1", "--batches", "5"]
    assert "not allowed with" in refused(capsys, "train", *cohort, *options)


def test_the_entry_point_and_the_packages_are_those_that_exist():
    tomllib = pytest.importorskip("tomllib")
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["project"]["scripts"]["mednca"] == "MedNCALib.cli.main:main"
