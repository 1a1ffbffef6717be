"""mednca models: the list for people and for programs."""

import json
from pathlib import Path

from MedNCALib.cli.main import main


def test_models_lists_the_users_own(model_folder, monkeypatch, capsys):
    monkeypatch.setenv("MEDNCA_MODELS", str(Path(model_folder).parent))
    assert main(["models"]) == 0
    assert "threshold Threshold: medium, bright" in " ".join(capsys.readouterr().out.split())
    assert main(["models", "--json"]) == 0
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert listed["threshold"]["labels"] == [{"value": 1, "name": "medium"}, {"value": 2, "name": "bright"}]
    assert listed["threshold"]["size_bytes"] > 0
