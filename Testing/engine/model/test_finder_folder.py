"""A model folder with a finder in it: saved, loaded, listed and checked as one model."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from support.head_model import FINDER_LABELS, LABELS, finder_model, head_model
from support.random_models import random_model

from MedNCALib import Label, check_model, list_models, load_model
from MedNCALib.errors import ModelError
from MedNCALib.imaging.labels import read_labels
from MedNCALib.model.card import FinderUse
from MedNCALib.model.model import bundled_models_directory, structures_of


@pytest.fixture
def folder(tmp_path):
    return head_model(tmp_path).folder


def edit_card(folder, **changes):
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    (folder / "card.json").write_text(json.dumps({**card, **changes}), encoding="utf-8")


def test_a_saved_model_loads_with_its_finder(folder):
    saved, loaded = head_model(), load_model(folder)
    assert loaded.card.finder == FinderUse()
    assert loaded.finder.labels == FINDER_LABELS
    assert loaded.finder.slice_format == saved.finder.slice_format
    assert loaded.finder.folder == folder / "finder"
    for one, other in zip(saved.finder.cascade.rules, loaded.finder.cascade.rules):
        np.testing.assert_array_equal(one.update, other.update)
    own = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    assert loaded.size_bytes == own + loaded.finder.size_bytes


def test_the_card_says_where_the_finder_is_and_keeps_what_else_it_says(folder):
    use = {"folder": "finder", "least_ml": 0.2, "least_confidence": 0.7, "margin_mm": 4.0, "measured": {"found": 0.99}}
    edit_card(folder, finder=use)
    assert load_model(folder).card.finder.extra == {"measured": {"found": 0.99}}
    assert load_model(folder).save(folder.parent / "copy").card.to_json()["finder"] == use
    assert load_model(folder.parent / "copy").finder is not None


def test_a_finder_is_no_model_of_the_list(folder):
    assert [model.name for model in list_models(folder.parent) if model.folder.parent == folder.parent] == [folder.name]


@pytest.mark.parametrize(
    ("use", "message"),
    [
        ({"folder": "elsewhere"}, "its folder elsewhere is missing"),
        ({"folder": "../finder"}, "must be a name without a path"),
        ({"folder": ""}, "must be a name without a path"),
        ({"least_ml": 1}, "finder lacks folder"),
        ({"folder": "finder", "margin_mm": -1}, "margin_mm of the finder must not be negative"),
        ({"folder": "finder", "usual_confidence": "high"}, "usual_confidence of the finder must be a number"),
        ({"folder": "finder", "least_confidence": "high"}, "least_confidence of the finder must be a number"),
    ],
)
def test_a_card_that_names_no_finder_is_refused(folder, use, message):
    edit_card(folder, finder=use)
    assert message in check_model(folder)


def test_a_damaged_finder_is_named(folder):
    (folder / "finder" / "weights.npz").write_bytes(b"")
    assert "checksums differ" in check_model(folder)
    assert str(folder / "finder") in check_model(folder)
    shutil.rmtree(folder / "finder")
    assert "its folder finder is missing" in check_model(folder)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([Label(1, "brain"), Label(2, "skull"), Label(3, "neck")], "one structure on each side, or one without"),
        ([Label(1, "left hippocampus"), Label(2, "hippocampus")], "one structure on each side, or one without"),
        ([Label(1, "left hippocampus"), Label(2, "left amygdala")], "one structure on each side, or one without"),
        ([Label(1, "left hippocampus"), Label(2, "right amygdala")], "of one name"),
        ([Label(1, "Brain")], "one structure on each side, or one without"),
    ],
)
def test_a_finder_of_other_structures_is_refused(labels, message):
    finder = random_model(labels=tuple(labels))
    with pytest.raises(ModelError, match=message):
        head_model(with_finder=False).with_finder(finder)


def test_a_finder_with_a_finder_and_labels_without_room_for_sides_are_refused():
    with pytest.raises(ModelError, match="it has a finder itself"):
        head_model(with_finder=False).with_finder(replace(finder_model(), finder=finder_model()))
    for label in (Label(12, "hippocampus"), Label(1, "left hippocampus")):
        with pytest.raises(ModelError, match="must have values below 10, and names without a side"):
            replace(head_model(with_finder=False), labels=(label, LABELS[1])).with_finder(finder_model())
    with pytest.raises(ModelError, match="have no side"):
        random_model(labels=(Label(12, "structure"),)).labels_on("left")


def test_a_finder_may_find_one_structure_that_has_no_side():
    finder = random_model(labels=(Label(4, "prostate"),))
    model = random_model(labels=(Label(30, "prostate"),)).with_finder(finder)
    assert not model.has_sides
    assert model.all_labels == model.labels
    assert [label.name for label in structures_of(finder)] == ["prostate"]


def test_the_table_of_labels_may_say_what_they_are_on_a_side(tmp_path):
    model = head_model()
    own = replace(model.labels_on("right")[0], name="right head of the hippocampus", color=(1, 2, 3))
    with_own_name = replace(model, sided_labels=(own,))
    assert with_own_name.labels_on("right") == (own, model.labels_on("right")[1])
    with pytest.raises(ModelError):
        load_model(tmp_path)
    loaded = load_model(replace(model, sided_labels=model.all_labels[2:]).save(tmp_path / "model").folder)
    assert loaded.labels == LABELS
    assert loaded.sided_labels == model.all_labels[2:]
    assert [label.value for label in read_labels(tmp_path / "model" / "labels.csv")] == [1, 2, 11, 12, 21, 22]


def test_bundled_finders_are_small():
    """At most 100 kB each."""
    for model in list_models():
        if model.finder is not None:
            assert model.finder.size_bytes <= 110_000
            assert (bundled_models_directory() / model.name / "finder" / "weights.npz").stat().st_size <= 100_000
