"""Training: it learns, it can be killed and resumed, it repeats itself, and it refuses bad data by name."""

import csv
import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.phantom_folders import write_phantoms
from support.random_models import random_model

from MedNCALib import load_model
from MedNCALib.errors import MedNCAError, TrainingError
from MedNCALib.evaluation import calibration, evaluate

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.evaluation.metrics import dice  # noqa: E402
from MedNCALib.evaluation.perturbations import trials  # noqa: E402
from MedNCALib.imaging.labels import Label, write_labels  # noqa: E402
from MedNCALib.imaging.normalisation import Normalisation  # noqa: E402
from MedNCALib.imaging.slice_space import SliceFormat, SliceSpace  # noqa: E402
from MedNCALib.io.image_label_pairs import Pair  # noqa: E402
from MedNCALib.training import train, trainer  # noqa: E402
from MedNCALib.training.dataset import Case, Sampler, make_case, split  # noqa: E402
from MedNCALib.training.network import Network  # noqa: E402
from MedNCALib.training.preparation import ValidationCase  # noqa: E402
from MedNCALib.training.preset import load_preset, preset_names  # noqa: E402
from MedNCALib.training.trainer import validation_scores  # noqa: E402


class Killed(BaseException):
    """Stands for a run that ends in the middle."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Eight small synthetic phantoms with their labels."""
    root = tmp_path_factory.mktemp("data")
    return write_phantoms(root, 8, ".nii.gz", size=(12, 40, 28), spacing=(2.0, 1.5, 1.5))


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """Sagittal slices of the phantoms, small enough to train in seconds."""
    settings = json.loads(
        (trainer.Path(trainer.__file__).parent / "presets" / "hippocampus-mr.json").read_text(encoding="utf-8")
    )
    settings["architecture"].update(hidden=32, stages=[{"scale": 4, "steps": 6}, {"scale": 1, "steps": 4}])
    settings["preprocessing"]["spacing"] = [1.5, 1.5, 2.0]
    settings.update(
        canvas=[28, 40], crops=[None, [16, 24]], batch_size=8, phantoms=0, averaging=0.9, learning_rate=0.01
    )
    settings.update(
        augmentation={"rotation": 5, "scale": 1.1, "chance": 0.1}, finish=0, finish_augmentation={}, restart=0
    )
    path = tmp_path_factory.mktemp("preset") / "tiny.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return str(path)


@pytest.fixture
def unperturbed_only(monkeypatch):
    """The card's figures from the cases as they are: perturbing them takes longer than such a short training."""
    for module in (evaluate, calibration):
        monkeypatch.setattr(module, "trials", lambda *of, **options: islice(trials(*of, **options), 1))


def weights(model):
    return np.concatenate([array.ravel() for rule in model.cascade.rules for array in vars(rule).values()])


def test_training_learns_and_fills_the_card(folders, preset, tmp_path):
    model = train(*folders, tmp_path / "model", preset=preset, batches=160)
    card = load_model(tmp_path / "model").card
    assert card["scores"]["whole"] > 0.3  # untrained: 0
    assert card["scores"]["cases"] == ["case_3"]
    assert card["training"]["batches"] == 160
    assert card["training"]["peak_mb"] is None or 100 < card["training"]["peak_mb"] < 4000
    assert card["training"]["data"][0]["cases"] == 7
    assert card["name"] == "model"
    assert 0 < card["quality"]["agreement"] <= 1
    assert card["quality"]["nqm"] > 0
    assert card["robustness"]["axis order"] == 0
    assert card["robustness"]["noise 0.2"] == round(card["robustness"]["noise 0.2"], 4) != 0
    held_out = [ValidationCase("case_3", *(sitk.ReadImage(str(f / "case_3.nii.gz")) for f in folders))]
    assert validation_scores(model, held_out)[-1] == pytest.approx(card["scores"]["whole"], abs=1e-3)
    untrained = replace(model, cascade=Network(model.cascade.architecture).to_cascade())
    assert validation_scores(untrained, held_out)[-1] < 0.1
    with open(tmp_path / "model" / "training" / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["batch"]) for row in rows] == list(range(10, 161, 10))
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


@pytest.mark.usefixtures("unperturbed_only")
def test_a_killed_and_resumed_run_gives_the_weights_of_one_that_went_through(folders, preset, tmp_path, monkeypatch):
    through = train(*folders, tmp_path / "through", preset=preset, batches=48, seed=3)
    monkeypatch.setattr(trainer.Trainer, "checkpoint_seconds", 0)

    def kill(done, message):
        if done > 0.5:
            raise Killed

    with pytest.raises(Killed):
        train(*folders, tmp_path / "killed", preset=preset, batches=48, seed=3, report=kill)
    load_model(tmp_path / "killed")  # the best so far
    resumed = train(*folders, tmp_path / "killed", preset=preset, batches=48, seed=3, resume=True)
    np.testing.assert_array_equal(weights(resumed), weights(through))
    logs = [(tmp_path / name / "training" / "log.csv").read_text().splitlines() for name in ("through", "killed")]
    assert [row.split(",")[0] for row in logs[0]] == [row.split(",")[0] for row in logs[1]]
    other = train(*folders, tmp_path / "other", preset=preset, batches=48, seed=4)
    assert np.abs(weights(other) - weights(through)).max() > 1e-3


@pytest.mark.usefixtures("unperturbed_only")
def test_at_the_end_the_images_are_changed_as_the_preset_says_for_the_end(folders, preset, tmp_path):
    settings = json.loads(Path(preset).read_text(encoding="utf-8"))
    mild, strong = settings["augmentation"], {"rotation": 90, "scale": 2.0, "chance": 1.0}

    def trained(name, **changes):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({**settings, **changes}), encoding="utf-8")
        train(*folders, tmp_path / name, preset=str(path), batches=8)
        return torch.load(tmp_path / name / "training" / "checkpoint.pt", weights_only=True)["average"]

    def alike(one, other):
        return all(torch.equal(one[name], other[name]) for name in one)

    always_mild = trained("mild")
    always_strong = trained("strong", augmentation=strong)
    all_finish = trained("all", augmentation=strong, finish=1, finish_augmentation=mild)
    half_finish = trained("half", augmentation=strong, finish=0.5, finish_augmentation=mild)
    assert alike(all_finish, always_mild)
    assert not alike(half_finish, always_mild)
    assert not alike(half_finish, always_strong)


@pytest.mark.usefixtures("unperturbed_only")
def test_the_learning_rate_falls_and_starts_again_where_the_preset_says_so(folders, preset, tmp_path):
    settings = json.loads(Path(preset).read_text(encoding="utf-8"))
    path = tmp_path / "restarting.json"
    path.write_text(json.dumps({**settings, "restart": 0.5, "restart_learning_rate": 0.004}), encoding="utf-8")
    train(*folders, tmp_path / "model", preset=str(path), batches=16)
    with open(tmp_path / "model" / "training" / "log.csv", newline="") as file:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(file)]  # of each batch
    assert 0.009 < max(rates[:8]) <= 0.01
    assert rates[7] < 0.001
    np.testing.assert_allclose(rates[8:], 0.4 * np.array(rates[:8]), atol=1e-6)


@pytest.mark.usefixtures("unperturbed_only")
def test_a_run_that_goes_on_for_longer_than_it_began_is_validated_to_its_end(folders, preset, tmp_path):
    train(*folders, tmp_path / "model", preset=preset, batches=16)
    train(*folders, tmp_path / "model", preset=preset, batches=32, resume=True)
    rows = (tmp_path / "model" / "training" / "log.csv").read_text().splitlines()[1:]
    assert [int(row.split(",")[0]) for row in rows] == [*range(1, 17), *range(18, 33, 2)]


@pytest.mark.usefixtures("unperturbed_only")
def test_resuming_needs_a_checkpoint_of_the_same_settings(folders, preset, tmp_path):
    with pytest.raises(TrainingError, match="nothing to resume"):
        train(*folders, tmp_path / "model", preset=preset, batches=2, resume=True)
    train(*folders, tmp_path / "model", preset=preset, batches=2)
    with pytest.raises(TrainingError, match="other settings"):
        train(*folders, tmp_path / "model", preset=preset, batches=2, seed=1, resume=True)


@pytest.mark.usefixtures("unperturbed_only")
def test_training_can_start_from_another_model(folders, preset, tmp_path):
    first = train(*folders, tmp_path / "first", preset=preset, batches=60)
    second = train(*folders, tmp_path / "second", preset=preset, batches=1, start_from=str(tmp_path / "first"))
    assert second.card["scores"]["whole"] == pytest.approx(first.card["scores"]["whole"], abs=0.1)
    random_model().save(tmp_path / "different")
    with pytest.raises(TrainingError, match="another architecture"):
        train(*folders, tmp_path / "third", preset=preset, batches=1, start_from=str(tmp_path / "different"))


@pytest.mark.usefixtures("unperturbed_only")
def test_the_general_preset_trains_on_axial_slices_of_any_data(folders, tmp_path):
    model = train(*folders, tmp_path / "model", batches=2)
    assert model.slice_format.axes == "LPS"
    assert model.slice_format.spacing == (2.0, 1.5, None)
    assert [label.name for label in model.labels] == ["Label 1", "Label 2"]


@pytest.mark.usefixtures("unperturbed_only")
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
    assert list(train(*folders, tmp_path / "model", preset=preset, batches=1).card["scores"]["labels"]) == [
        "front",
        "back",
    ]
    write_labels(tmp_path / "model" / "labels.csv", [Label(1, "front"), Label(7, "back")])
    with pytest.raises(TrainingError, match=r"\[1, 7\].*\[1, 2\]"):
        train(*folders, tmp_path / "model", preset=preset, batches=1)


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


def test_lengths_and_presets_that_make_no_sense_are_refused(folders, preset, tmp_path):
    with pytest.raises(TrainingError, match="not both"):
        train(*folders, tmp_path / "model", preset=preset, batches=1, minutes=1)
    with pytest.raises(TrainingError, match="positive"):
        train(*folders, tmp_path / "model", preset=preset, batches=0)
    with pytest.raises(TrainingError, match="general, hippocampus-mr"):
        train(*folders, tmp_path / "model", preset="liver")
    settings = json.loads(Path(preset).read_text(encoding="utf-8"))
    for changes, message in (
        ({"crops": [None]}, "one entry a stage"),
        ({"crops": [None, [16, 22]]}, "multiples of the scale 4"),
        ({"leave_out": "case_("}, "'case_.' is not a regular expression"),
    ):
        (tmp_path / "bad.json").write_text(json.dumps({**settings, **changes}), encoding="utf-8")
        with pytest.raises(TrainingError, match=message):
            load_preset(str(tmp_path / "bad.json"))


def test_validation_takes_whole_blocks_of_neighbouring_names():
    pairs = [Pair(f"{number:03}", None, None) for number in range(180)]
    training, validation = split(pairs)
    numbers = [int(pair.name) for pair in validation]
    assert len(numbers) == 30
    assert sum(b - a > 1 for a, b in zip(numbers, numbers[1:])) == 2  # three blocks
    assert {pair.name for pair in training}.isdisjoint(pair.name for pair in validation)
    assert len(training) + len(validation) == 180
    for count in (2, 3, 5, 20):
        assert all(split(pairs[:count]))
    with pytest.raises(TrainingError, match="two volumes"):
        split(pairs[:1])


def test_cases_of_one_subject_are_never_on_both_sides():
    pairs = [Pair(f"HF-{subject:02}-slice-{number}", None, None) for subject in range(30) for number in range(7)]
    training, validation = split(pairs, subject="HF-[0-9]+")
    subjects = [{pair.name[:5] for pair in part} for part in (training, validation)]
    assert subjects[0].isdisjoint(subjects[1])
    assert sorted(subjects[1]) == ["HF-03", "HF-09", "HF-15", "HF-21", "HF-27"]  # from all over
    assert len(validation) == 35
    with pytest.raises(TrainingError, match="case_1"):
        split([*pairs, Pair("case_1", None, None)], subject="HF-[0-9]+")


def test_cases_with_little_labelled_are_drawn_more_often():
    targets = [np.zeros((1, 1, 8, 8), np.uint8) for _ in range(2)]
    targets[0][..., :1, :4] = 255
    targets[1][..., :8, :8] = 255  # sixteen times as much
    cases = [Case("", np.full((1, 8, 8), number, np.float32), t, np.array([0])) for number, t in enumerate(targets)]
    for small_first, share in ((0, 1 / 2), (0.5, 1 / 5), (1, 1 / 17)):
        images, _ = Sampler(cases, 1, 2000, 1.0, small_first).draw(np.random.default_rng(0))
        assert images[:, 0, 0, 0].mean().item() == pytest.approx(share, abs=0.04)


def test_what_is_left_out_is_on_neither_side():
    pairs = [Pair(f"{number:03}", None, None) for number in range(36)]
    training, validation = split(pairs, leave_out="^00[67]$")
    assert {pair.name for pair in pairs} - {pair.name for pair in (*training, *validation)} == {"006", "007"}
    with pytest.raises(TrainingError, match="two volumes"):
        split(pairs, leave_out="0")


@pytest.mark.usefixtures("unperturbed_only")
def test_cases_that_the_preset_leaves_out_take_no_part(folders, preset, tmp_path):
    settings = json.loads(Path(preset).read_text(encoding="utf-8"))
    path = tmp_path / "without.json"
    path.write_text(json.dumps({**settings, "leave_out": "_[36]$"}), encoding="utf-8")
    card = train(*folders, tmp_path / "model", preset=str(path), batches=1).card
    assert card["training"]["data"][0]["cases"] + len(card["scores"]["cases"]) == 6
    assert "case_3" not in card["scores"]["cases"]


def test_a_window_is_the_same_place_in_image_target_and_state():
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(48), indexing="ij")
    places = (100 * rows + columns).repeat(4, 1, 1)
    target = ((rows == 20) & (columns == 9)).float().repeat(4, 1, 1, 1)
    image, state = places[:, None].float(), places[:, None, ::4, ::4].float()
    image, cropped, state = trainer.crop(image, target, state, (16, 24), 4, 1.0, np.random.default_rng(0))
    assert image.shape == (4, 1, 16, 24)
    np.testing.assert_array_equal(state, image[:, :, ::4, ::4])
    assert (cropped.sum(dim=(1, 2, 3)) == 1).all()  # the labelled pixel is in each window
    assert (image[cropped == 1] == 2009).all()
    assert len({tuple(window[0, 0].tolist()) for window in image}) > 1


def test_a_border_within_coarse_cells_stays_where_it_is():
    rows, columns = np.mgrid[:64, :64]
    truth = np.hypot(rows - 30.6, columns - 33.2) < 9
    labels = sitk.GetImageFromArray(truth[None].astype(np.uint8))
    coarse = SliceFormat(axes="LPS", spacing=(2.0, 2.0, None))
    case = make_case("", sitk.Cast(labels, sitk.sitkFloat32), labels, [1], coarse, Normalisation("volume", (0, 100)))
    assert case.target.shape == (1, 1, 32, 32)
    assert list(case.foreground) == [0]
    space = SliceSpace(labels, coarse)

    def back(shares):
        return space.writer(1).add(np.moveaxis(shares, 1, -1).astype(np.float32))[1][0, ..., 0] > 0.5

    lost = 1 - dice(truth, back(case.target / 255))
    assert lost < 0.02
    assert lost < 0.5 * (1 - dice(truth, back(case.target > 127)))


def test_every_preset_builds_its_architecture():
    assert "general" in preset_names()
    for name in preset_names():
        architecture = load_preset(name).build_architecture(2)
        assert architecture.outputs == 3
