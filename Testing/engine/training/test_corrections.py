"""Simulated corrections: what is said is true, lies where the result is wrong, and is not in the loss."""

import json
from copy import deepcopy
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.phantom_folders import write_phantoms
from support.random_models import random_model
from support.shared_data import REPOSITORY

from MedNCALib import load_model, segment
from MedNCALib.automaton.hints import HintFormat
from MedNCALib.errors import TrainingError
from MedNCALib.imaging.phantom import make_phantom

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.model.card import Scores
from MedNCALib.training import train
from MedNCALib.training.batch import Batch, Knowledge, slice_beside
from MedNCALib.training.correction_rounds import hints_of_rounds
from MedNCALib.training.corrections import SimulatedCorrections
from MedNCALib.training.dataset import Case, Sampler
from MedNCALib.training.loss import dice_and_cross_entropy
from MedNCALib.training.network import Network
from MedNCALib.training.preset import load_preset
from MedNCALib.training.recipe import Randomness, standard_recipe
from MedNCALib.training.widening import can_be_widened, widened
from MedNCALib.training.windows import crop

PRESETS = REPOSITORY / "MedNCALib" / "training" / "presets"
HINTS = {"slices": 2, "fade": 1.5}


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """Sagittal slices of the phantoms, with a simulated person, small enough to train in seconds."""
    settings = json.loads((PRESETS / "hippocampus-mr.json").read_text(encoding="utf-8"))
    settings["architecture"].update(
        channels=24,
        hidden=32,
        image_channels=3,
        hints=HINTS,
        stages=[{"scale": 4, "steps": 6}, {"scale": 1, "steps": 4}],
    )
    settings["preprocessing"]["spacing"] = [1.5, 1.5, 2.0]
    settings.update(
        canvas=[28, 40], crops=[None, [16, 24]], batch_size=8, phantoms=0, ema_decay=0.9, learning_rate=0.01,
        augmentation={"rotation": 5, "scale": 1.1, "chance": 0.1}, restart=0, final_phase=0,
        final_phase_augmentation={}, foreground_share=0.25, collections=[], stage_starts=[],
        corrections={"none": 0.25, "from_nothing": 0.25},
    )  # fmt: skip
    path = tmp_path_factory.mktemp("preset") / "tiny.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return str(path)


def square(shape=(32, 32), first=8, last=20, label=1):
    truth = np.zeros(shape, int)
    truth[first:last, first:last] = label
    return truth


def test_what_is_said_is_true_and_lies_deep_in_what_is_wrong():
    truth, found = square(), square(last=12)
    settings = SimulatedCorrections(right=0, wrong_only=1, strokes=1)
    for seed in range(20):
        said = settings.says(found, truth, None, 0.5, 3, np.random.default_rng(seed))
        assert said.shape == (3, 32, 32)
        assert said[1].any()
        assert set(np.unique(said)) == {0, 1}
        assert (truth[said[1] == 1] == 1).all()
        assert (found[said[1] == 1] == 0).all()
        assert not said[[0, 2]].any()


def test_without_errors_and_now_and_then_with_them_what_is_right_is_said_near_the_label():
    truth = square()
    for found, settings in ((truth, SimulatedCorrections(right=0)), (square(last=12), SimulatedCorrections(right=1))):
        said = settings.says(found, truth, None, 0.5, 2, np.random.default_rng(0))
        rows, columns = np.nonzero(said.any(axis=0))
        assert len(rows)
        assert (said[truth[rows, columns], rows, columns] == 1).all()
        assert min(rows) >= 0
        assert max(np.hypot(rows - 14, columns - 14)) < 32


def test_what_is_said_of_a_slice_beside_comes_in_weaker_and_goes_by_its_own_truth():
    truth, beside = square(last=12), square(label=2)
    settings = SimulatedCorrections(beside=1, right=0, wrong_only=1, strokes=1)
    said = settings.says(truth, truth, beside, 0.25, 3, np.random.default_rng(1))
    assert set(np.unique(said)) == {0, 0.25}
    assert (beside[said[2] > 0] == 2).all()


def test_nothing_is_said_of_pixels_whose_label_is_not_known():
    truth = square()
    truth[truth == 1] = -1
    for seed in range(10):
        said = SimulatedCorrections(right=0).says(square(last=24), truth, None, 0.5, 2, np.random.default_rng(seed))
        assert not said[:, truth == -1].any()


@pytest.mark.parametrize(
    "settings", [{"none": 2}, {"rounds": 0}, {"strokes": 1.5}, {"radius": [3, 1]}, {"radius": 3}, {"length": -1}]
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        SimulatedCorrections.from_json(settings)


def test_corrections_need_hints_and_hints_need_corrections(preset, tmp_path):
    settings = json.loads(Path(preset).read_text(encoding="utf-8"))
    assert load_preset(preset).to_json()["corrections"]["none"] == 0.25
    for part, key in ((settings, "corrections"), (settings["architecture"], "hints")):
        kept = part.pop(key)
        path = tmp_path / "preset.json"
        path.write_text(json.dumps(settings), encoding="utf-8")
        with pytest.raises(TrainingError, match="must be given together"):
            load_preset(str(path))
        part[key] = kept


def test_a_slice_beside_is_another_one_within_reach():
    random = np.random.default_rng(0)
    assert {slice_beside(1, 9, 3, random) for _ in range(200)} == {0, 2, 3, 4}
    assert slice_beside(0, 1, 3, random) == 0


def test_a_sampler_gives_the_truth_of_a_slice_beside_with_its_distance():
    target = (np.arange(5, dtype=np.uint8) * 10)[:, None, None, None] * np.ones((1, 1, 8, 8), np.uint8)
    case = Case("a", np.zeros((5, 8, 8), np.float32), target, np.arange(5))
    batch = Sampler([case], 1, 16, 0.5, 0.0, reach=2).draw_batch(0, np.random.default_rng(0))
    steps = (batch.beside - batch.target)[:, 0, 0, 0] * 25.5
    np.testing.assert_allclose(steps.abs().numpy(), batch.distances.numpy(), atol=1e-4)
    assert set(batch.distances.tolist()) == {1, 2}
    assert Sampler([case], 1, 16, 0.5, 0.0).draw_batch(0, np.random.default_rng(0)).beside is None


def batch_of(network, knowledge=None, count=6):
    image = torch.rand(count, network.architecture.image_channels, 28, 40, generator=torch.Generator().manual_seed(0))
    channels = network.architecture.label_count + (knowledge is not None)
    target = torch.zeros(count, channels, 28, 40)
    target[:, 0, 8:20, 10:30] = 1
    return Batch(image, target, knowledge, beside=target.clone(), distances=torch.tensor([1, 2] * (count // 2)))


def trained_on(preset):
    torch.manual_seed(0)
    settings = load_preset(preset)
    return settings, Network(settings.architecture_for(2))


def test_rounds_give_true_hints_and_show_what_is_present(preset):
    settings, network = trained_on(preset)
    corrections = replace(settings.corrections, none=0, from_nothing=0, beside=0)
    batch = batch_of(network)
    hints = hints_of_rounds(
        replace(settings, corrections=corrections), network, batch, np.random.default_rng(0), torch.Generator()
    )
    said, present = hints[:, :3], hints[:, 3:]
    truth = torch.cat([1 - batch.target.sum(dim=1, keepdim=True), batch.target], dim=1)
    assert said.flatten(1).any(dim=1).all()
    assert (truth[said == 1] == 1).all()
    assert (present.sum(dim=1) == 1).all()
    assert (present[said == 1] == 1).all()  # what is painted is in the labels that are grown on from


def test_a_sample_that_nobody_corrects_has_no_hints_and_one_that_grows_from_nothing_shows_nothing(preset):
    settings, network = trained_on(preset)
    batch, random = batch_of(network), np.random.default_rng(0)
    nobody = replace(settings, corrections=replace(settings.corrections, none=1))
    assert not hints_of_rounds(nobody, network, batch, random, torch.Generator()).any()
    nothing = replace(settings, corrections=replace(settings.corrections, none=0, from_nothing=1))
    hints = hints_of_rounds(nothing, network, batch, random, torch.Generator())
    assert hints[:, :3].any()
    assert not hints[:, 3:].any()


def test_samples_that_know_only_the_sum_of_the_labels_are_told_only_of_background(preset):
    settings, network = trained_on(preset)
    knowledge = Knowledge(torch.ones(6, dtype=torch.bool), torch.ones(6), torch.ones(6, dtype=torch.bool))
    settings = replace(settings, corrections=replace(settings.corrections, none=0))
    hints = hints_of_rounds(
        settings, network, batch_of(network, knowledge), np.random.default_rng(0), torch.Generator()
    )
    assert not hints[:, 1:3].any()


def test_what_is_painted_is_not_in_the_loss():
    generator = torch.Generator().manual_seed(0)
    logits, target = torch.randn(2, 3, 8, 8, generator=generator), torch.zeros(2, 2, 8, 8)
    target[:, 0, 2:5] = 1
    scored = torch.ones(2, 1, 8, 8)
    whole = dice_and_cross_entropy(logits, target, "softmax", 1.0, "batch")
    assert torch.allclose(dice_and_cross_entropy(logits, target, "softmax", 1.0, "batch", scored=scored), whole)
    scored[:, :, :, :3] = 0
    other = logits.clone()
    other[..., :3] += 5 * torch.randn(2, 3, 8, 3, generator=generator)
    losses = [dice_and_cross_entropy(each, target, "softmax", 1.0, "batch", scored=scored) for each in (logits, other)]
    assert torch.allclose(*losses)
    assert torch.allclose(losses[0], dice_and_cross_entropy(logits[..., 3:], target[..., 3:], "softmax", 1.0, "batch"))


def test_windows_are_drawn_around_what_is_said():
    image, target, around = (
        torch.zeros(1, 1, 32, 32),
        torch.zeros(1, 1, 32, 32),
        torch.zeros(1, 32, 32, dtype=torch.bool),
    )
    image[0, 0, 3, 29] = 1
    around[0, 3, 29] = True
    for seed in range(10):
        found, _, _ = crop(image, target, None, (8, 8), 2, 0.0, np.random.default_rng(seed), around, 1.0)
        assert found.sum() == 1


def test_hints_of_the_network_are_those_of_the_engine():
    cascade = random_model(hints=HintFormat(2, 1.5), channels=17).cascade
    network = Network(cascade.architecture)
    image, hints = torch.rand(2, 3, 16, 24), torch.rand(2, 6, 16, 24)
    for stage in range(3):
        found = network.initial_state(image, stage, None, hints).permute(0, 2, 3, 1).numpy()
        arrays = [each.permute(0, 2, 3, 1).numpy() for each in (image, hints)]
        expected = cascade.architecture.initial_state(arrays[0], stage, None, hints=arrays[1])
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_bundled_model_that_gets_hints_gives_the_same_labels_as_long_as_nobody_says_anything():
    model = load_model("hippocampus-mr")
    model = replace(model, cascade=model.cascade.without_hints)
    old = model.cascade.architecture
    new = replace(old, channels=old.channels + 6, hints=HintFormat(3, 1.5))
    assert can_be_widened(old, new)
    assert not can_be_widened(new, replace(new, hints=HintFormat(2, 1.5)))
    assert not can_be_widened(new, old)
    wide = replace(model, cascade=widened(model.cascade, new, seed=1))
    for one, other in zip(wide.cascade.without_hints.rules, model.cascade.rules):
        for name, array in vars(other).items():
            np.testing.assert_array_equal(getattr(one, name), array)
    image = make_phantom(size=(12, 40, 28), spacing=(2.0, 1.0, 1.0)).image
    labels = [sitk.GetArrayFromImage(segment(image, each, find="never").labels) for each in (model, wide)]
    np.testing.assert_array_equal(*labels)


def test_only_weights_that_read_hints_are_learned_if_that_is_asked_for(preset):
    settings, network = trained_on(preset)
    settings = replace(settings, corrections=replace(settings.corrections, none=0, only_hints=True))
    with torch.no_grad():
        for automaton in network.automata:
            torch.nn.init.normal_(automaton.update, std=0.1)
    before = deepcopy(network).to_cascade()
    recipe = standard_recipe(settings, network.architecture)
    (optimiser,) = recipe.build_optimisers(network)
    random = Randomness(np.random.default_rng(0), torch.Generator())
    for _ in range(2):
        network.zero_grad()
        recipe.loss(network, batch_of(network), random).backward()
        optimiser.step()
    after = network.to_cascade()
    for one, other in zip(before.without_hints.rules, after.without_hints.rules):
        for name, array in vars(one).items():
            np.testing.assert_array_equal(array, getattr(other, name))
    for one, other in zip(before.rules, after.rules):
        hints = slice(3, 9)
        assert (one.perception[:, hints] != other.perception[:, hints]).mean() > 0.8  # the second label is never said
        assert (one.hidden[:, hints] != other.hidden[:, hints]).mean() > 0.8


def test_a_training_with_corrections_starts_from_a_model_without_and_gives_one_that_regrows(
    preset, tmp_path, monkeypatch
):
    # What the card measures takes longer than such a short training.
    monkeypatch.setattr(
        import_module("MedNCALib.training.train_model"),
        "measured_card",
        lambda model, *_: replace(model.card, scores=Scores(0.5)),
    )
    folders = write_phantoms(tmp_path, 2, ".nii.gz", size=(12, 40, 28), spacing=(2.0, 1.5, 1.5))
    settings = json.loads(Path(preset).read_text(encoding="utf-8"))
    del settings["architecture"]["hints"], settings["corrections"]
    settings["architecture"]["channels"] -= 6
    plain = tmp_path / "plain.json"
    plain.write_text(json.dumps(settings), encoding="utf-8")
    train(*folders, tmp_path / "plain", preset=str(plain), batches=2)
    model = train(*folders, tmp_path / "model", preset=preset, batches=2, start_from=str(tmp_path / "plain"))
    assert load_model(tmp_path / "model").can_regrow
    assert not load_model(tmp_path / "plain").can_regrow
    assert model.cascade.architecture.hints == HintFormat(**HINTS)
    head = (tmp_path / "model" / "training" / "log.csv").read_text(encoding="utf-8").splitlines()[0]
    assert "dice_whole_after_3" in head
