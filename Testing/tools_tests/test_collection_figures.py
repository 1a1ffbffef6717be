"""The table of figures by collection: on made-up collections, and written into the card."""

import json
from itertools import islice

import pytest
from support.collection_folders import collections_settings, write_collections
from support.random_models import random_model

from MedNCALib import load_model
from MedNCALib.evaluation import calibration, evaluate
from MedNCALib.evaluation.perturbations import trials
from MedNCALib.model.card import Protocol

pytest.importorskip("torch", reason="training needs torch")

from tools import collection_figures


def test_a_table_has_a_row_for_each_collection_and_protocol(tmp_path, capsys, monkeypatch):
    for module in (evaluate, calibration):
        monkeypatch.setattr(module, "trials", lambda *of, **options: islice(trials(*of, **options), 1))
    preset = tmp_path / "preset.json"
    preset.write_text(json.dumps(collections_settings()), encoding="utf-8")
    data = write_collections(tmp_path / "data")
    protocols = [Protocol("MSD", "tight", 3.0), Protocol("FreeSurfer", "wide", -3.0)]
    random_model(protocols=[protocol.to_json() for protocol in protocols]).save(tmp_path / "model")
    collection_figures.main([str(tmp_path / "model"), str(data), "--preset", str(preset), "--card"])
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[:3] for row in rows] == [
        ["blocks", "MSD", "1"],
        ["blocks", "auto", "1"],
        ["heads", "FreeSurfer", "2"],
        ["heads", "auto", "2"],
        ["maps", "FreeSurfer", "2"],
        ["maps", "auto", "2"],
    ]
    scores = load_model(tmp_path / "model").card.scores
    assert [f"{each.whole:.3f}" for each in scores.collections.values()] == [row[3] for row in rows[::2]]
    assert f"{scores.whole:.3f}" == rows[1][3]
