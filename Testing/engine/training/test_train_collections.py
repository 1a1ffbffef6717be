"""Training on collections: it learns, it goes on after a break, and its card has the figures of each collection."""

import csv
import json
from functools import partial
from importlib import import_module
from itertools import islice

import numpy as np
import pytest
from support.collection_folders import collections_settings, write_collections
from support.small_preset import fill_cards_unmeasured

from MedNCALib import load_model
from MedNCALib.errors import TrainingError
from MedNCALib.evaluation import calibration, evaluate
from MedNCALib.evaluation.perturbations import trials
from MedNCALib.imaging.labels import Label, write_labels

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training import train
from MedNCALib.training.trainer import Trainer


class Killed(BaseException):
    """Stands for a run that ends in the middle."""


@pytest.fixture(autouse=True)
def unperturbed_only(monkeypatch):
    """The card's figures from the cases as they are: perturbing them takes longer than such a short training."""
    for module in (evaluate, calibration):
        monkeypatch.setattr(module, "trials", lambda *of, **options: islice(trials(*of, **options), 1))


@pytest.fixture
def unmeasured(monkeypatch):
    fill_cards_unmeasured(monkeypatch)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_collections(tmp_path_factory.mktemp("collections"))


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    return written(tmp_path_factory.mktemp("preset") / "tiny.json", collections_settings())


def written(path, settings):
    path.write_text(json.dumps(settings), encoding="utf-8")
    return str(path)


def trained(data, output, preset, **options):
    return train(None, None, output, preset=preset, data=data, **options)


def weights(model):
    return np.concatenate([array.ravel() for rule in model.cascade.rules for array in vars(rule).values()])


def log_of(folder):
    with (folder / "training" / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_training_on_collections_learns_and_fills_the_card_by_collection(data, tmp_path):
    settings = {**collections_settings(), "learning_rate": 0.02}
    trained(data, tmp_path / "model", written(tmp_path / "fast.json", settings), batches=96)
    card = load_model(tmp_path / "model").card
    collections = card.scores.collections
    assert list(collections) == ["blocks", "heads", "maps"]
    assert [len(scores.cases) for scores in collections.values()] == [1, 2, 2]
    assert collections["blocks"].whole > 0.4  # untrained: 0
    assert list(collections["blocks"].labels) == ["Label 1", "Label 2"]
    assert not collections["heads"].labels
    assert card.scores.cases == collections["blocks"].cases == ("block_2",)
    assert [(source.name, source.licence, source.cases) for source in card.training.data] == [
        ("Made-up blocks", "CC0", 2),
        ("heads", "", 2),
        ("maps", "", 2),
    ]
    rows = log_of(tmp_path / "model")
    names = ["dice_blocks_Label 1", "dice_blocks_Label 2", "dice_blocks_whole", "dice_heads_whole"]
    assert list(rows[0])[4:] == [*names, "score"]  # maps choose nothing
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    last = {name: float(value) for name, value in rows[-1].items()}
    blocks = (np.mean([last[name] for name in names[:2]]) + last[names[2]]) / 2
    assert last["score"] == pytest.approx((blocks + last[names[3]]) / 2, abs=2e-4)


@pytest.mark.usefixtures("unmeasured")
def test_a_killed_and_resumed_run_gives_the_weights_of_one_that_went_through(data, preset, tmp_path, monkeypatch):
    through = trained(data, tmp_path / "through", preset, batches=12, seed=3)
    training = import_module("MedNCALib.training.train_model")
    monkeypatch.setattr(training, "Trainer", partial(Trainer, checkpoint_seconds=0))

    def kill(done, message):
        if done > 0.5:
            raise Killed

    with pytest.raises(Killed):
        trained(data, tmp_path / "killed", preset, batches=12, seed=3, progress=kill)
    resumed = trained(data, tmp_path / "killed", preset, batches=12, seed=3, resume=True)
    np.testing.assert_array_equal(weights(resumed), weights(through))


@pytest.mark.usefixtures("unmeasured")
def test_collections_of_one_protocol_train_without_a_vote(data, tmp_path):
    settings = collections_settings()
    for collection in settings["collections"]:
        collection["protocol"] = 0
    del settings["collections"][0]["batch"][1]["protocol"]
    model = trained(data, tmp_path / "model", written(tmp_path / "preset.json", settings), batches=2)
    assert model.cascade.parameter_count > 0


@pytest.mark.usefixtures("unmeasured")
def test_a_smaller_model_is_widened_to_start_from(data, preset, tmp_path):
    trained(data, tmp_path / "first", preset, batches=16)
    settings = collections_settings()
    settings["architecture"].update(channels=20, hidden=32, filters=20, image_channels=5)
    wider = written(tmp_path / "wider.json", settings)
    model = trained(data, tmp_path / "second", wider, batches=1, start_from=str(tmp_path / "first"))
    assert model.card.training.started_from == str(tmp_path / "first")
    first = load_model(tmp_path / "first").cascade.rules[0]
    found = model.cascade.rules[0].hidden_bias[: len(first.hidden_bias)]
    assert np.abs(found - first.hidden_bias).max() < 0.1
    with pytest.raises(TrainingError, match="not a smaller one of the same stages"):
        trained(data, tmp_path / "third", preset, batches=1, start_from=str(tmp_path / "second"))


def test_a_labels_file_in_the_folder_names_the_parts(data, preset, tmp_path):
    (tmp_path / "model").mkdir()
    write_labels(tmp_path / "model" / "labels.csv", [Label(1, "front"), Label(2, "back")])
    model = trained(data, tmp_path / "model", preset, batches=1)
    assert list(model.card.scores.collections["blocks"].labels) == ["front", "back"]
    (tmp_path / "other").mkdir()
    write_labels(tmp_path / "other" / "labels.csv", [Label(1, "front")])
    with pytest.raises(TrainingError, match="1 labels, and the preset's collections know 2"):
        trained(data, tmp_path / "other", preset, batches=1)
