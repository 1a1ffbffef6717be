"""A model as a zip file: what goes out comes in, and nothing else does."""

import io
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from support.random_models import random_model

from MedNCALib.errors import ModelError
from MedNCALib.model.model import CARD, LABELS, WEIGHTS, list_models, load_model
from MedNCALib.model.model_archive import add_model, export_model, remove_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return random_model(name="mine").save(tmp_path_factory.mktemp("models") / "mine")


@pytest.fixture(scope="module")
def archive(model, tmp_path_factory):
    return export_model(model, tmp_path_factory.mktemp("archives") / "mine.zip")


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "directory"


def entries(archive):
    with zipfile.ZipFile(archive) as file:
        return {entry.filename: file.read(entry) for entry in file.infolist()}


def written(path, files):
    with zipfile.ZipFile(path, "w") as file:
        for name, data in files.items():
            file.writestr(name, data)
    return path


def assert_refused(source, directory, words, **options):
    with pytest.raises(ModelError, match=words):
        add_model(source, directory, **options)
    assert [path.name for path in directory.iterdir()] == []


def test_a_model_goes_out_and_comes_in(model, archive, directory):
    added = add_model(archive, directory)
    assert added.name == "mine"
    assert added.sha256 == model.sha256
    assert added.card == model.card
    assert "mine" in [each.name for each in list_models(directory)]
    assert sorted(path.name for path in directory.iterdir()) == ["mine"]


def test_the_same_model_gives_the_same_bytes(model, archive, tmp_path):
    assert export_model(model, tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_a_finder_goes_with_its_model(directory, tmp_path):
    bundled = load_model("hippocampus-mr")
    added = add_model(export_model(bundled, tmp_path / "h.zip"), directory, name="copy")
    assert added.finder.sha256 == bundled.finder.sha256


def test_a_folder_comes_in_without_what_is_no_model(model, directory, tmp_path):
    folder = tmp_path / "theirs"
    for name, data in entries(export_model(model, tmp_path / "m.zip")).items():
        folder.mkdir(exist_ok=True)
        (folder / Path(name).name).write_bytes(data)
    (folder / "setup.py").write_text("raise SystemExit")
    (folder / "training").mkdir()
    (folder / "training" / "checkpoint.pt").write_bytes(b"pickle")
    add_model(folder, directory)
    assert sorted(path.name for path in (directory / "theirs").rglob("*")) == [CARD, LABELS, WEIGHTS]


def test_a_name_is_taken_once(archive, directory):
    add_model(archive, directory)
    with pytest.raises(ModelError, match="already: remove it first"):
        add_model(archive, directory)
    assert add_model(archive, directory, replace=True).name == "mine"
    assert add_model(archive, directory, name="other").name == "other"


@pytest.mark.parametrize("name", ["../out", "a/b", "", ".hidden", "C:", "x" * 81, "hippocampus-mr"])
def test_a_name_is_one_that_a_folder_can_have(archive, directory, name):
    with pytest.raises(ModelError, match=r"named|comes with MedNCA"):
        add_model(archive, directory, name=name or " ")
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["../mine/card.json", "/card.json", "mine/../../card.json", "C:\\card.json", "mine\\card.json", "mine/a.py"],
)
def test_no_path_leads_out_of_the_folder_and_no_other_file_comes_in(archive, directory, tmp_path, name):
    files = {**entries(archive), name: b"{}"}
    assert_refused(written(tmp_path / "bad.zip", files), directory, "was not added: (it holds|two)")
    assert not (tmp_path / "card.json").exists()


def test_a_link_is_refused(archive, directory, tmp_path):
    path = written(tmp_path / "link.zip", {k: v for k, v in entries(archive).items() if not k.endswith(LABELS)})
    with zipfile.ZipFile(path, "a") as file:
        entry = zipfile.ZipInfo(f"mine/{LABELS}")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(entry, "/etc/passwd")
    assert_refused(path, directory, "which is no file of a model")


def test_changed_weights_are_refused(archive, directory, tmp_path):
    files = entries(archive)
    arrays = io.BytesIO()
    np.savez(arrays, **{"stage1.x": np.zeros(3)})
    files[f"mine/{WEIGHTS}"] = arrays.getvalue()
    assert_refused(written(tmp_path / "bad.zip", files), directory, "was not added")


def test_weights_of_another_shape_are_refused_though_the_checksum_is_right(model, directory, tmp_path):
    import hashlib
    import json

    folder = tmp_path / "shaped"
    model.save(folder)
    with np.load(folder / WEIGHTS) as file:
        arrays = {name: np.zeros((2, 2), np.float32) for name in file}
    np.savez(folder / WEIGHTS, **arrays)
    card = json.loads((folder / CARD).read_text())
    card["sha256"] = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    (folder / CARD).write_text(json.dumps(card))
    assert_refused(folder, directory, "was not added")


def test_what_unpacks_to_more_than_a_model_is_refused(archive, directory, tmp_path):
    files = {**entries(archive), "mine/TRAINING.md": bytes(65 << 20)}
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    assert_refused(tmp_path / "bomb.zip", directory, "larger than a model")


@pytest.mark.parametrize("data", [b"", b"no zip file", "cut"])
def test_a_damaged_file_is_refused(archive, directory, tmp_path, data):
    path = tmp_path / "bad.zip"
    path.write_bytes(archive.read_bytes()[:-200] if data == "cut" else data)
    assert_refused(path, directory, "no zip file")


def test_only_models_of_the_folder_are_removed(archive, directory):
    added = add_model(archive, directory)
    with pytest.raises(ModelError, match="not in"):
        remove_model(load_model("hippocampus-mr"), directory)
    remove_model(added, directory)
    assert list(directory.iterdir()) == []
