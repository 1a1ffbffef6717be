"""The typed card: what is saved is what is loaded, keys that are not known are kept, wrong values are refused."""

import hashlib
import json
from dataclasses import replace

import pytest
from support.random_models import CARD, random_model

from MedNCALib import load_model
from MedNCALib.errors import ModelError
from MedNCALib.model.card import DataSource, ModelCard, Protocol, Scores, Skipping, Thresholds, TrainingHistory
from MedNCALib.model.model import bundled_models_directory

FULL = ModelCard(
    **CARD,
    limits=("Research use only.",),
    field_of_view_mm=(36, 50.5, 36),
    training=TrainingHistory(data=(DataSource("set", "paper", "CC0 1.0", 7),), seed=3, minutes=1.5, remark="short"),
    scores=Scores(whole=0.9, labels={"first": 0.8}, cases=("a", "b"), what="Dice"),
    robustness={"noise 0.1": 0.01},
    thresholds=Thresholds(agreement=0.9, nqm=0.1, runs=5, dice=0.8, spearman={"agreement": None, "nqm": -0.7}),
    skipping=Skipping(0.002, 2, dice_change=0.0001, largest_change=0.0004, cases=7, what="Dice"),
    protocols=(Protocol("wide", "The rim belongs to it.", 3.0), Protocol("tight", "The rim does not.", -3)),
)


def bundled_cards():
    return [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(bundled_models_directory().glob("*/card.json"))
    ]


def protocols(*values):
    return [{"name": name, "description": "", "value": value} for name, value in zip("abc", values)]


def test_a_card_is_the_same_after_json():
    assert ModelCard.from_json(json.loads(json.dumps(FULL.to_json()))) == FULL


def test_a_saved_card_is_the_same_when_loaded(tmp_path):
    replace(random_model(), card=FULL).save(tmp_path)
    assert load_model(tmp_path).card == FULL


@pytest.mark.parametrize("card", bundled_cards(), ids=lambda card: card["name"])
def test_a_bundled_card_keeps_all_it_says(card, tmp_path):
    load_model(card["name"]).save(tmp_path)
    written = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert written.pop("written_by").startswith("MedNCA ")
    scaling = card["preprocessing"]["normalisation"]
    if "window" in scaling:  # an older key
        scaling["contrast_window_sd"] = scaling.pop("window")
    # The same numbers are packed into other bytes by other versions of NumPy and zlib.
    assert written.pop("sha256") == hashlib.sha256((tmp_path / "weights.npz").read_bytes()).hexdigest()
    assert written == {key: value for key, value in card.items() if key not in ("sha256", "written_by")}


def test_keys_that_are_not_known_are_kept_at_every_level(tmp_path):
    settings = FULL.to_json()
    for part in (
        settings,
        settings["training"],
        settings["training"]["data"][0],
        settings["scores"],
        settings["quality"],
        settings["protocols"][1],
    ):
        part["colour of the sky"] = ["blue", {"at noon": True}]
    replace(random_model(), card=ModelCard.from_json(settings)).save(tmp_path)
    written = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert {key: written[key] for key in settings} == settings


def test_a_card_with_the_least_that_is_needed_loads():
    card = ModelCard.from_json(CARD)
    assert card == ModelCard(**CARD)
    assert card.scores is None
    assert card.to_json() == CARD


def test_parts_that_could_not_be_measured_are_none():
    card = ModelCard.from_json({**CARD, "quality": {}, "scores": None, "robustness": None, "field_of_view_mm": None})
    assert card == ModelCard(**CARD)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": 3}, "title must be a text, not 3"),
        ({"licence": None}, "licence must be a text"),
        ({"limits": "none"}, "limits must be a list"),
        ({"limits": [1]}, "a limit must be a text"),
        ({"field_of_view_mm": [1, 2]}, "field_of_view_mm must be a list of 3"),
        ({"field_of_view_mm": [1, 2, 0]}, "must be positive"),
        ({"field_of_view_mm": [1, 2, "3"]}, "must be a number"),
        ({"training": "long"}, "training must be an object"),
        ({"training": {"data": "hospital"}}, "data must be a list"),
        ({"training": {"data": [{}]}}, "training's data lacks name"),
        ({"training": {"data": [{"name": "x", "cases": 1.5}]}}, "cases of the training's data must be a whole number"),
        ({"training": {"minutes": "many"}}, "minutes must be a number"),
        ({"scores": {"whole": True}}, "whole of the scores must be a number"),
        ({"scores": {"labels": {}}}, "scores lacks whole"),
        ({"scores": {"whole": 1, "cases": {}}}, "cases of the scores must be a list"),
        ({"scores": {"whole": 1, "labels": {"a": "b"}}}, "a of labels of the scores must be a number"),
        ({"robustness": {"noise": float("nan")}}, "noise of robustness must be a number"),
        ({"quality": {"agreement": 1}}, "quality lacks nqm"),
        ({"quality": {"agreement": 1, "nqm": 0, "runs": 0}}, "runs of quality must be a whole number"),
        ({"quality": {"agreement": 1, "nqm": 0, "spearman": 0.5}}, "spearman of quality must be an object"),
        ({"skipping": {"threshold": 0.1}}, "skipping lacks margin, dice_change"),
        (
            {"skipping": {"threshold": 0.1, "margin": 1.5, "dice_change": 0}},
            "margin of skipping must be a whole number",
        ),
        ({"skipping": {"threshold": "low", "margin": 1, "dice_change": 0}}, "threshold of skipping must be a number"),
        ({"least_pieces": 0.1}, "least_pieces must be a list"),
        ({"least_pieces": [0.1, 2]}, "a share of least_pieces must be from 0 to 1"),
        ({"least_pieces": [0.1, 0.1, 0.1]}, "least_pieces must have one share for each label, or none"),
        ({"protocols": {"wide": 3}}, "protocols must be a list"),
        ({"protocols": protocols(3)}, "protocols must be at least two, or none"),
        ({"protocols": protocols(3, 3)}, "protocols must differ in name and value"),
        ({"protocols": [*protocols(3), *protocols(-3)]}, "protocols must differ in name and value"),
        ({"protocols": protocols(3, 0)}, "value of a protocol must not be 0"),
        ({"protocols": protocols(3, "low")}, "value of a protocol must be a number"),
        ({"protocols": [{"name": "a", "value": 1}]}, "a protocol lacks description"),
        ({"protocols": [{"name": "auto", "description": "", "value": 1}]}, "name of a protocol must not be 'auto'"),
        ({"protocols": [{"name": "", "description": "", "value": 1}]}, "name of a protocol must not be ''"),
        ({"protocols": [{"name": "a", "description": 7, "value": 1}]}, "description of a protocol must be a text"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(change, message, tmp_path):
    random_model().save(tmp_path)
    path = tmp_path / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **change}), encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        load_model(tmp_path)


def test_protocols_of_a_model_without_a_hidden_channel_are_refused(tmp_path):
    random_model(channels=6, image_channels=3).save(tmp_path)
    path = tmp_path / "card.json"
    card = {**json.loads(path.read_text(encoding="utf-8")), "protocols": protocols(3, -3)}
    path.write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ModelError, match="protocols need a hidden channel"):
        load_model(tmp_path)
