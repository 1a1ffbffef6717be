"""mednca models: the list for people and for programs."""

import json
from pathlib import Path

from support.head_model import head_model

from MedNCALib.cli.main import main


def test_models_lists_the_users_own(model_folder, monkeypatch, capsys):
    monkeypatch.setenv("MEDNCA_MODELS", str(Path(model_folder).parent))
    assert main(["models"]) == 0
    assert "threshold Threshold: medium, bright" in " ".join(capsys.readouterr().out.split())
    assert main(["models", "--json"]) == 0
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert listed["threshold"]["labels"] == [{"value": 1, "name": "medium"}, {"value": 2, "name": "bright"}]
    assert listed["threshold"]["size_bytes"] > 0


def test_models_says_which_has_a_finder(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MEDNCA_MODELS", str(tmp_path))
    model = head_model(tmp_path)
    assert main(["models"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith(model.name))
    assert line.endswith(" kB, with a finder)")
    assert main(["models", "--json"]) == 0
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert listed["hippocampus-mr"].keys() == listed[model.name].keys()
    finder = listed[model.name]["finder"]
    assert [label["name"] for label in finder["labels"]] == ["left hippocampus", "right hippocampus", "brain"]
    assert finder["parameters"] == model.finder.cascade.parameter_count
    assert 0 < finder["size_bytes"] < listed[model.name]["size_bytes"]


def test_a_model_is_passed_on_as_one_file(model_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("MEDNCA_MODELS", raising=False)
    file = tmp_path / "threshold.zip"
    assert main(["models", "--export", model_folder, str(file)]) == 0
    assert main(["models", "--add", str(file)]) == 2
    assert "MEDNCA_MODELS" in capsys.readouterr().err
    monkeypatch.setenv("MEDNCA_MODELS", str(tmp_path / "theirs"))
    assert main(["models", "--add", str(file)]) == 0
    assert main(["models"]) == 0
    assert "threshold" in capsys.readouterr().out
