"""Training: it learns, it can be killed and resumed, it repeats itself, and it refuses bad data by name."""

import csv
import json
from dataclasses import replace
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.phantom_folders import write_phantoms
from support.random_models import random_model
from support.shared_data import REPOSITORY
from support.small_preset import fill_cards_unmeasured, write_small_preset

from MedNCALib import load_model
from MedNCALib.errors import MedNCAError, TrainingError
from MedNCALib.evaluation import calibration, evaluate
from MedNCALib.evaluation.perturbations import UNPERTURBED, LabelledCase, trials
from MedNCALib.imaging.labels import Label, write_labels
from MedNCALib.imaging.slice_space import SliceSpace

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training import train
from MedNCALib.training.network import Network
from MedNCALib.training.recipe import standard_recipe
from MedNCALib.training.trainer import Trainer
from MedNCALib.training.validation import validation_scores

PRESETS = REPOSITORY / "MedNCALib" / "training" / "presets"


class Killed(BaseException):
    """Stands for a run that ends in the middle."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Eight small synthetic phantoms with their labels."""
    root = tmp_path_factory.mktemp("data")
    return write_phantoms(root, 8, ".nii.gz", size=(8, 40, 28), spacing=(2.0, 1.5, 1.5))


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    return write_small_preset(tmp_path_factory.mktemp("preset") / "tiny.json")


@pytest.fixture
def unperturbed_only(monkeypatch):
    """The card's figures from the cases as they are: perturbing them takes longer than such a short training."""
    for module in (evaluate, calibration):
        monkeypatch.setattr(module, "trials", lambda *of, **options: islice(trials(*of, **options), 1))


@pytest.fixture
def unmeasured(monkeypatch):
    fill_cards_unmeasured(monkeypatch)


def weights(model):
    return np.concatenate([array.ravel() for rule in model.cascade.rules for array in vars(rule).values()])


def test_training_learns_and_fills_the_card(folders, tmp_path, monkeypatch):
    names = (UNPERTURBED, "axis order", "noise 0.2")
    monkeypatch.setattr(evaluate, "trials", partial(trials, names=names))
    monkeypatch.setattr(calibration, "CONDITIONS", names[:1])
    preset = write_small_preset(tmp_path / "fast.json", learning_rate=0.02)
    model = train(*folders, tmp_path / "model", preset=preset, batches=96)
    card = load_model(tmp_path / "model").card
    assert card.scores.whole > 0.3  # untrained: 0
    assert card.scores.cases == ("case_3",)
    assert card.training.batches == 96
    assert card.training.peak_mb is None or 100 < card.training.peak_mb < 4000
    assert card.training.data[0].cases == 7
    assert card.name == "model"
    assert 0 < card.thresholds.agreement <= 1
    assert card.thresholds.nqm > 0
    assert card.robustness["axis order"] == 0
    assert card.robustness["noise 0.2"] == round(card.robustness["noise 0.2"], 4) != 0
    held_out = [LabelledCase("case_3", *(sitk.ReadImage(str(f / "case_3.nii.gz")) for f in folders))]
    assert validation_scores(model, held_out)[-1] == pytest.approx(card.scores.whole, abs=1e-3)
    untrained = replace(model, cascade=Network(model.cascade.architecture).to_cascade())
    assert validation_scores(untrained, held_out)[-1] < 0.1
    with (tmp_path / "model" / "training" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["batch"]) for row in rows] == list(range(6, 97, 6))
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


@pytest.mark.usefixtures("unmeasured")
def test_a_killed_and_resumed_run_gives_the_weights_of_one_that_went_through(folders, preset, tmp_path, monkeypatch):
    through = train(*folders, tmp_path / "through", preset=preset, batches=12, seed=3)
    training = import_module("MedNCALib.training.train_model")
    monkeypatch.setattr(training, "Trainer", partial(Trainer, checkpoint_seconds=0))

    def kill(done, message):
        if done > 0.5:
            raise Killed

    with pytest.raises(Killed):
        train(*folders, tmp_path / "killed", preset=preset, batches=12, seed=3, progress=kill)
    load_model(tmp_path / "killed")  # the best so far
    resumed = train(*folders, tmp_path / "killed", preset=preset, batches=12, seed=3, resume=True)
    np.testing.assert_array_equal(weights(resumed), weights(through))
    logs = [(tmp_path / name / "training" / "log.csv").read_text().splitlines() for name in ("through", "killed")]
    assert [row.split(",")[0] for row in logs[0]] == [row.split(",")[0] for row in logs[1]]
    other = train(*folders, tmp_path / "other", preset=preset, batches=12, seed=4)
    assert np.abs(weights(other) - weights(through)).max() > 1e-3


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(("killed_at", "joined"), [(0.6, False), (0.7, True)])  # after 4 and after 5 batches
def test_stages_join_one_after_another_after_a_break_too(folders, preset, tmp_path, monkeypatch, killed_at, joined):
    settings = json.loads(Path(preset).read_text(encoding="utf-8"))
    path = tmp_path / "growing.json"
    path.write_text(json.dumps({**settings, "stage_starts": [0, 0.5]}), encoding="utf-8")
    through = train(*folders, tmp_path / "through", preset=str(path), batches=8)
    training = import_module("MedNCALib.training.train_model")
    monkeypatch.setattr(training, "Trainer", partial(Trainer, checkpoint_seconds=0))

    def kill(done, message):
        if done > killed_at:
            raise Killed

    with pytest.raises(Killed):
        train(*folders, tmp_path / "killed", preset=str(path), batches=8, progress=kill)
    coarse, fine = (
        torch.load(tmp_path / "killed" / "training" / "checkpoint.pt", weights_only=True)["network"][name].any()
        for name in ("automata.0.update", "automata.1.update")
    )
    assert coarse
    assert fine == joined
    resumed = train(*folders, tmp_path / "killed", preset=str(path), batches=8, resume=True)
    np.testing.assert_array_equal(weights(resumed), weights(through))


@pytest.mark.usefixtures("unmeasured")
def test_at_the_end_the_images_are_changed_as_the_preset_says_for_the_end(folders, preset, tmp_path):
    settings = json.loads(Path(preset).read_text(encoding="utf-8"))
    mild, strong = settings["augmentation"], {"rotation": 90, "scale": 2.0, "chance": 1.0}

    def trained(name, **changes):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({**settings, **changes}), encoding="utf-8")
        train(*folders, tmp_path / name, preset=str(path), batches=4)
        return torch.load(tmp_path / name / "training" / "checkpoint.pt", weights_only=True)["average"]

    def alike(one, other):
        return all(torch.equal(one[name], other[name]) for name in one)

    always_mild = trained("mild")
    always_strong = trained("strong", augmentation=strong)
    all_final = trained("all", augmentation=strong, final_phase=1, final_phase_augmentation=mild)
    half_final = trained("half", augmentation=strong, final_phase=0.5, final_phase_augmentation=mild)
    assert alike(all_final, always_mild)
    assert not alike(half_final, always_mild)
    assert not alike(half_final, always_strong)


@pytest.mark.usefixtures("unmeasured")
def test_a_training_sees_slices_from_which_the_structure_is_taken_out(folders, preset, tmp_path, monkeypatch):
    settings = json.loads(Path(preset).read_text(encoding="utf-8"))
    settings["augmentation"]["emptied"] = 1.0
    path = tmp_path / "emptied.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    labelled = []

    def watched(*of):
        recipe = standard_recipe(*of)

        def loss(network, batch, random):
            labelled.append(batch.target.sum().item())
            return recipe.loss(network, batch, random)

        return replace(recipe, loss=loss)

    monkeypatch.setattr(import_module("MedNCALib.training.train_model"), "standard_recipe", watched)
    train(*folders, tmp_path / "with", preset=preset, batches=2)
    assert min(labelled) > 0
    labelled.clear()
    train(*folders, tmp_path / "without", preset=str(path), batches=2)
    assert labelled == [0, 0]


@pytest.mark.usefixtures("unmeasured")
def test_the_learning_rate_falls_and_starts_again_where_the_preset_says_so(folders, preset, tmp_path):
    settings = json.loads(Path(preset).read_text(encoding="utf-8"))
    path = tmp_path / "restarting.json"
    path.write_text(json.dumps({**settings, "restart": 0.5, "restart_learning_rate": 0.004}), encoding="utf-8")
    train(*folders, tmp_path / "model", preset=str(path), batches=16)
    with (tmp_path / "model" / "training" / "log.csv").open(newline="") as file:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(file)]  # of each batch
    assert 0.009 < max(rates[:8]) <= 0.01
    assert rates[7] < 0.001
    np.testing.assert_allclose(rates[8:], 0.4 * np.array(rates[:8]), atol=1e-6)


@pytest.mark.usefixtures("unmeasured")
def test_a_training_that_goes_on_for_longer_than_it_began_is_validated_to_its_end(folders, preset, tmp_path):
    train(*folders, tmp_path / "model", preset=preset, batches=16)
    train(*folders, tmp_path / "model", preset=preset, batches=32, resume=True)
    rows = (tmp_path / "model" / "training" / "log.csv").read_text().splitlines()[1:]
    assert [int(row.split(",")[0]) for row in rows] == [*range(1, 17), *range(18, 33, 2)]


@pytest.mark.usefixtures("unmeasured")
def test_resuming_needs_a_checkpoint_of_the_same_settings(folders, preset, tmp_path):
    with pytest.raises(TrainingError, match="nothing to resume"):
        train(*folders, tmp_path / "model", preset=preset, batches=2, resume=True)
    train(*folders, tmp_path / "model", preset=preset, batches=2)
    with pytest.raises(TrainingError, match="other settings"):
        train(*folders, tmp_path / "model", preset=preset, batches=2, seed=1, resume=True)
    (tmp_path / "model" / "training" / "checkpoint.pt").write_bytes(b"cut")
    with pytest.raises(TrainingError, match=r"checkpoint\.pt cannot be read.*--overwrite"):
        train(*folders, tmp_path / "model", preset=preset, batches=2, resume=True)


@pytest.mark.usefixtures("unmeasured")
def test_a_training_goes_on_with_a_preset_of_other_texts_but_not_of_other_settings(folders, preset, tmp_path):
    settings = json.loads(Path(preset).read_text(encoding="utf-8"))
    texts, rate = tmp_path / "texts.json", tmp_path / "rate.json"
    texts.write_text(json.dumps({**settings, "card": {**settings["card"], "title": "Another"}}), encoding="utf-8")
    rate.write_text(json.dumps({**settings, "learning_rate": 0.02}), encoding="utf-8")
    train(*folders, tmp_path / "model", preset=preset, batches=2)
    with pytest.raises(TrainingError, match="other settings"):
        train(*folders, tmp_path / "model", preset=str(rate), batches=4, resume=True)
    model = train(*folders, tmp_path / "model", preset=str(texts), batches=4, resume=True)
    assert model.title == "Another"


@pytest.mark.usefixtures("unmeasured")
def test_a_model_is_replaced_only_when_asked_to(folders, preset, tmp_path):
    train(*folders, tmp_path / "model", preset=preset, batches=1)
    before = (tmp_path / "model" / "card.json").read_bytes()
    with pytest.raises(TrainingError, match=r"already holds a model.*--resume.*--overwrite"):
        train(*folders, tmp_path / "model", preset=preset, batches=1, seed=1)
    assert (tmp_path / "model" / "card.json").read_bytes() == before
    replaced = train(*folders, tmp_path / "model", preset=preset, batches=1, seed=1, overwrite=True)
    assert replaced.card.training.seed == 1


@pytest.mark.usefixtures("unperturbed_only")
def test_training_can_start_from_another_model(folders, preset, tmp_path):
    first = train(*folders, tmp_path / "first", preset=preset, batches=16)
    second = train(*folders, tmp_path / "second", preset=preset, batches=1, start_from=str(tmp_path / "first"))
    assert second.card.scores.whole == pytest.approx(first.card.scores.whole, abs=0.1)
    random_model().save(tmp_path / "different")
    with pytest.raises(TrainingError, match="another architecture"):
        train(*folders, tmp_path / "third", preset=preset, batches=1, start_from=str(tmp_path / "different"))


@pytest.mark.usefixtures("unmeasured")
def test_the_general_preset_trains_on_axial_slices_of_any_data(folders, tmp_path):
    model = train(*folders, tmp_path / "model", batches=2)
    assert model.slice_format.axes == "LPS"
    assert model.slice_format.spacing == (2.0, 1.5, None)
    assert [label.name for label in model.labels] == ["Label 1", "Label 2"]


@pytest.mark.usefixtures("unmeasured")
def test_a_preset_can_take_slices_as_they_were_acquired(folders, preset, tmp_path):
    settings = json.loads(Path(preset).read_text(encoding="utf-8"))
    settings["preprocessing"].update(axes="acquired", spacing=[1.5, 1.5, None])
    (tmp_path / "acquired.json").write_text(json.dumps(settings), encoding="utf-8")
    train(*folders, tmp_path / "model", preset=str(tmp_path / "acquired.json"), batches=1)
    model = load_model(tmp_path / "model")
    assert model.slice_format.axes == "acquired"
    image = sitk.ReadImage(str(folders[0] / "case_0.nii.gz"))
    assert SliceSpace(image, model.slice_format).count == image.GetSize()[0]  # sagittal slices, 2 mm thick


@pytest.mark.usefixtures("unperturbed_only")
def test_a_labels_file_in_the_folder_names_the_labels(folders, preset, tmp_path):
    (tmp_path / "model").mkdir()
    write_labels(tmp_path / "model" / "labels.csv", [Label(1, "front"), Label(2, "back")])
    assert list(train(*folders, tmp_path / "model", preset=preset, batches=1).card.scores.labels) == [
        "front",
        "back",
    ]
    (tmp_path / "other").mkdir()
    write_labels(tmp_path / "other" / "labels.csv", [Label(1, "front"), Label(7, "back")])
    with pytest.raises(TrainingError, match=r"\[1, 7\].*\[1, 2\]"):
        train(*folders, tmp_path / "other", preset=preset, batches=1)


def copy_case(folders, tmp_path, change_image=lambda i: i, change_labels=lambda i: i):
    """Two good cases and one changed one."""
    for source, name, change in zip(folders, ("images", "labels"), (change_image, change_labels)):
        (tmp_path / name).mkdir()
        for index in range(3):
            image = sitk.ReadImage(str(source / f"case_{index}.nii.gz"))
            sitk.WriteImage(change(image) if index == 1 else image, str(tmp_path / name / f"case_{index}.nrrd"))
    return tmp_path / "images", tmp_path / "labels"


def with_nan(image):
    image = sitk.Cast(image, sitk.sitkFloat32)
    image[3, 3, 3] = float("nan")
    return image


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"change_image": with_nan}, "case_1.*not numbers"),
        ({"change_labels": lambda labels: labels * 0}, "case_1.*empty"),
        ({"change_labels": lambda labels: labels[1:]}, "case_1.*voxels"),
        ({"change_image": lambda image: image * 0}, "case_1.*no contrast"),
    ],
)
def test_unusable_data_is_refused_by_name_before_the_first_batch(folders, preset, tmp_path, changes, message):
    images, labels = copy_case(folders, tmp_path, **changes)
    with pytest.raises(MedNCAError, match=message):
        train(images, labels, tmp_path / "model", preset=preset, batches=1)
    assert not (tmp_path / "model").exists()


def test_pairs_that_do_not_match_are_refused_by_name(folders, preset, tmp_path):
    images, labels = copy_case(folders, tmp_path)
    (labels / "case_1.nrrd").unlink()
    with pytest.raises(MedNCAError, match="case_1"):
        train(images, labels, tmp_path / "model", preset=preset, batches=1)


def test_a_pytorch_without_the_optimiser_is_refused_before_the_data_is_read(tmp_path, monkeypatch):
    monkeypatch.delattr(torch.optim, "Muon")
    with pytest.raises(TrainingError, match=r"PyTorch 2\.9 or newer.*pip install -U torch"):
        train(tmp_path / "none", tmp_path / "none", tmp_path / "model", batches=1)


def test_lengths_that_make_no_sense_and_unknown_presets_are_refused(folders, preset, tmp_path):
    with pytest.raises(TrainingError, match="not both"):
        train(*folders, tmp_path / "model", preset=preset, batches=1, minutes=1)
    with pytest.raises(TrainingError, match="positive"):
        train(*folders, tmp_path / "model", preset=preset, batches=0)
    with pytest.raises(TrainingError, match="general, hippocampus-finder, hippocampus-mr"):
        train(*folders, tmp_path / "model", preset="liver")


@pytest.mark.usefixtures("unperturbed_only")
def test_cases_that_the_preset_leaves_out_take_no_part(folders, preset, tmp_path):
    settings = json.loads(Path(preset).read_text(encoding="utf-8"))
    path = tmp_path / "without.json"
    path.write_text(json.dumps({**settings, "leave_out": "_[36]$"}), encoding="utf-8")
    card = train(*folders, tmp_path / "model", preset=str(path), batches=1).card
    assert card.training.data[0].cases + len(card.scores.cases) == 6
    assert "case_3" not in card.scores.cases
