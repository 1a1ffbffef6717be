"""Model folders: what is saved is what is loaded, and what is damaged is refused by name."""

import json
import shutil

import numpy as np
import pytest
from support.random_models import random_model

from MedNCALib import check_model, list_models, load_model
from MedNCALib.errors import ModelError
from MedNCALib.imaging.labels import Label, read_labels, write_labels
from MedNCALib.model.model import bundled_models_directory


@pytest.fixture
def folder(tmp_path):
    return random_model().save(tmp_path / "mödel").folder


def edit_card(folder, **changes):
    path = folder / "card.json"
    card = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    path.write_text(json.dumps(card), encoding="utf-8")


def edit_weights(folder, change):
    """Change an array and write the card's checksum anew, as a broken training would."""
    import hashlib

    arrays = dict(np.load(folder / "weights.npz"))
    change(arrays)
    np.savez(folder / "weights.npz", **arrays)
    edit_card(folder, sha256=hashlib.sha256((folder / "weights.npz").read_bytes()).hexdigest())


def test_a_saved_model_loads_as_it_was(folder):
    saved, loaded = random_model(), load_model(folder)
    assert loaded.cascade.architecture == saved.cascade.architecture
    assert loaded.slice_format == saved.slice_format
    assert loaded.normalisation == saved.normalisation
    assert loaded.labels == saved.labels
    for one, other in zip(saved.cascade.rules, loaded.cascade.rules):
        for name, array in vars(one).items():
            np.testing.assert_array_equal(getattr(other, name), array)
    assert loaded.size_bytes == sum(path.stat().st_size for path in folder.iterdir())


def test_saving_leaves_the_three_files_and_nothing_else(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "labels.csv", "weights.npz"]


@pytest.mark.parametrize("file", ["card.json", "weights.npz", "labels.csv"])
def test_a_missing_file_is_named(folder, file):
    (folder / file).unlink()
    assert file in check_model(folder)
    with pytest.raises(ModelError, match=file.replace(".", r"\.")):
        load_model(folder)


def test_a_wrong_checksum_is_refused(folder):
    weights = bytearray((folder / "weights.npz").read_bytes())
    weights[-100] ^= 1
    (folder / "weights.npz").write_bytes(weights)
    with pytest.raises(ModelError, match="checksums differ"):
        load_model(folder)


def test_truncated_weights_are_refused(folder):
    import hashlib

    weights = (folder / "weights.npz").read_bytes()[:500]
    (folder / "weights.npz").write_bytes(weights)
    edit_card(folder, sha256=hashlib.sha256(weights).hexdigest())
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(folder)


def test_wrong_shapes_are_refused_with_the_right_ones(folder):
    edit_weights(folder, lambda arrays: arrays.update({"stage2.update": np.zeros((3, 3), np.float32)}))
    with pytest.raises(ModelError, match=r"stage 2 \(update .* float32 \(10, 24\) is needed"):
        load_model(folder)


def test_weights_that_are_not_numbers_are_refused(folder):
    def break_one(arrays):
        arrays["stage1.hidden"][0, 0] = np.nan

    edit_weights(folder, break_one)
    with pytest.raises(ModelError, match="not numbers in stage 1"):
        load_model(folder)


def test_pickled_weights_are_refused(folder):
    edit_weights(folder, lambda arrays: arrays.update({"stage1.hidden": np.array([{}], dtype=object)}))
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(folder)


def test_a_newer_format_asks_to_update(folder):
    edit_card(folder, format=2)
    with pytest.raises(ModelError, match="update MedNCA"):
        load_model(folder)


@pytest.mark.parametrize("change", [{"architecture": {"channels": 3}}, {"preprocessing": {}}, {"architecture": "none"}])
def test_a_card_that_describes_no_model_is_refused(folder, change):
    edit_card(folder, **change)
    with pytest.raises(ModelError, match="describes no model"):
        load_model(folder)


def test_a_card_that_is_no_json_is_refused(folder):
    (folder / "card.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(folder)


def test_labels_that_do_not_fit_the_outputs_are_refused(folder):
    write_labels(folder / "labels.csv", [Label(1, "only one")])
    with pytest.raises(ModelError, match="names 1 labels and the model finds 2"):
        load_model(folder)


def test_a_folder_in_the_models_directory_is_a_model_by_its_name(folder, monkeypatch):
    assert folder.name not in [model.folder.name for model in list_models()]
    assert load_model("mödel", folder.parent).folder == folder
    monkeypatch.setenv("MEDNCA_MODELS", str(folder.parent))
    assert load_model("mödel").folder == folder
    assert [model.folder for model in list_models()][-1] == folder


def test_a_renamed_folder_is_a_model_by_its_new_name(folder, monkeypatch):
    renamed = folder.rename(folder.parent / "my hippocampus")
    (name,) = [model.name for model in list_models(renamed.parent) if model.folder == renamed]
    assert name == "my hippocampus"
    assert load_model(name, renamed.parent).folder == renamed
    monkeypatch.chdir(renamed)
    assert load_model(".").name == name


def test_a_damaged_folder_does_not_hide_the_others(folder):
    shutil.copytree(folder, folder.parent / "other")
    (folder / "weights.npz").write_bytes(b"")
    listed = [model.folder.name for model in list_models(folder.parent)]
    assert "other" in listed
    assert folder.name not in listed


def test_an_unknown_name_lists_the_choices(folder):
    with pytest.raises(ModelError, match=r"There is no model .liver.*mödel"):
        load_model("liver", folder.parent)


def test_a_folder_without_a_card_is_no_model(tmp_path):
    with pytest.raises(ModelError, match="not a model folder"):
        load_model(tmp_path)


def test_every_bundled_model_is_whole_small_and_carries_its_card():
    models = list_models()
    assert {model.folder for model in models} == {
        path.parent for path in bundled_models_directory().glob("*/labels.csv")
    }
    for model in models:
        assert model.name == model.folder.name
        assert model.size_bytes < 450_000
        assert model.cascade.parameter_count < 150_000
        assert model.card.limits
        assert model.card.scores.whole > 0.5
        assert model.card.training.data[0].licence


def test_terminology_survives_writing_and_reading(tmp_path):
    terminology = {
        "category": ("SCT", "123037004", "Anatomical Structure"),
        "type": ("99MEDNCA", "X", "Some part, left"),
    }
    labels = (Label(3, "Größe, links", (1, 2, 255), terminology),)
    write_labels(tmp_path / "labels.csv", labels)
    assert read_labels(tmp_path / "labels.csv") == labels


@pytest.mark.parametrize("given", [5, None, ["hippocampus-mr"]])
def test_what_is_no_name_and_no_folder_is_refused(given):
    for call in (load_model, random_model().save):
        with pytest.raises(ModelError, match="must be named by a text or a path"):
            call(given)
    assert "must be named" in check_model(given)
    with pytest.raises(ModelError, match="must be named"):
        list_models(given or 5)
