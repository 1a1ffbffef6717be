"""mednca train and mednca import-reference: the commands that make models pass their options on."""

from pathlib import Path

import pytest
from support.command_line import refused
from support.threshold_model import threshold_model

from MedNCALib.cli.main import main


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
    pytest.importorskip("torch", reason="training needs torch")
    from MedNCALib import training

    given = {}

    def train(images, labels, output, **options):
        given.update(options, images=images, labels=labels, output=output)
        return threshold_model().save(output)

    monkeypatch.setattr(training, "train", train)
    options = ["--preset", "p", "--minutes", "2", "--seed", "7", "--from", "hippocampus-mr", "--resume"]
    assert main(["train", *cohort, "-o", str(tmp_path / "m"), *options]) == 0
    for name in ("progress", "listen", "stop"):
        assert callable(given.pop(name))
    assert given == {
        "images": tmp_path / "images",
        "labels": tmp_path / "labels",
        "data": None,
        "output": tmp_path / "m",
        "preset": "p",
        "minutes": 2.0,
        "batches": None,
        "seed": 7,
        "start_from": "hippocampus-mr",
        "resume": True,
        "overwrite": False,
    }
    assert "Threshold" in capsys.readouterr().out


def test_a_folder_that_holds_a_model_is_refused(capsys, model_folder, cohort):
    pytest.importorskip("torch")
    message = refused(capsys, "train", *cohort, "-o", model_folder, "--batches", "1")
    assert f"{model_folder} already holds a model" in message
    assert "--resume" in message
    assert "--overwrite" in message
    options = ["-o", model_folder, "--size", "64", "--steps", "16"]
    message = refused(capsys, "import-reference", "one.pth", "two.pth", *options)
    assert f"{model_folder} already holds a model. Choose another folder; --overwrite replaces it." in message


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


def test_train_takes_minutes_or_batches_not_both(capsys, cohort, tmp_path):
    options = ["-o", tmp_path / "m", "--minutes", "1", "--batches", "5"]
    assert "not allowed with" in refused(capsys, "train", *cohort, *options)


def test_train_takes_either_images_and_labels_or_the_folder_of_collections(capsys, cohort, tmp_path):
    pytest.importorskip("torch")
    output = ["-o", tmp_path / "m", "--batches", "1"]
    collections = ["--preset", "hippocampus-mr", *output]
    assert "not both" in refused(capsys, "train", *cohort, "--data", tmp_path, *collections)
    assert "Give the folders of images and labels" in refused(capsys, "train", *output)
    assert "names no collections" in refused(capsys, "train", "--data", tmp_path, *output)
    assert "is for collections" in refused(capsys, "train", *cohort, *collections)
    assert "no folder" in refused(capsys, "train", "--data", tmp_path / "none", *collections)
    stated = ["--spacing", "1", "1", "1"]
    assert "cannot be stated" in refused(capsys, "train", "--data", tmp_path, *collections, *stated)
    assert not (tmp_path / "m").exists()
