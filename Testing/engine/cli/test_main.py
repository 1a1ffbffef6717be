"""The command line as a whole: what all commands share, and that nothing ends in a traceback."""

import json

import pytest
from support.command_line import mednca, python, refused
from support.shared_data import REPOSITORY

from MedNCALib._version import __version__
from MedNCALib.cli.main import main

COMMANDS = ("models", "segment", "evaluate", "train", "import-reference", "bench", "demo")


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


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"mednca {__version__}\n"


def test_help_loads_neither_simpleitk_nor_torch():
    code = "import sys, MedNCALib.cli.main; print({'SimpleITK', 'numpy', 'torch'} & set(sys.modules))"
    assert python(code) == "set()"


def test_without_docstrings_the_command_is_the_same(model_folder, volume_file, tmp_path, capsys, monkeypatch):
    ended = mednca("segment", volume_file, "-m", model_folder, "-o", tmp_path / "out", PYTHONOPTIMIZE="2")
    assert (ended.returncode, ended.stderr) == (0, "")
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main(["segment", "--help"])
    assert mednca("segment", "--help", PYTHONOPTIMIZE="2").stdout == capsys.readouterr().out


def test_the_entry_point_and_the_packages_are_those_that_exist():
    tomllib = pytest.importorskip("tomllib")
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["project"]["scripts"]["mednca"] == "MedNCALib.cli.main:main"
