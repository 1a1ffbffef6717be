"""The comparison with the published recipe and a large UNet: that it runs, goes on, and says what it found."""

import argparse
import json
import subprocess
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from io import StringIO
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from support.packages import needs
from support.phantom_folders import write_phantoms
from support.small_preset import fill_cards_unmeasured

from MedNCALib import load_model, make_phantom, segment
from MedNCALib.evaluation import evaluate
from MedNCALib.evaluation.perturbations import UNPERTURBED

torch = pytest.importorskip("torch", reason="training needs torch")

from tools import comparison
from tools.baselines import TIMES_LARGER, UNetNetwork, reference_preset, unet_canvas, unet_levels

from MedNCALib.training import train
from MedNCALib.training.preset import load_preset

pytestmark = needs("monai", reason="the comparison's UNet needs monai")


@pytest.fixture(autouse=True)
def few_perturbations(monkeypatch):
    """All of them take minutes."""
    names = (UNPERTURBED, "noise 0.1", "axis order")
    monkeypatch.setattr(evaluate, "trials", partial(evaluate.trials, names=names))


@pytest.fixture(scope="module")
def arguments(tmp_path_factory):
    """Two phantoms, and a model of the bundled preset that was trained on them for a moment."""
    root = tmp_path_factory.mktemp("comparison")
    images, labels = write_phantoms(root, 2, size=(4, 48, 32), spacing=(4.0, 1.0, 1.0))
    preset = json.loads((comparison.REPOSITORY / "MedNCALib/training/presets/hippocampus-mr.json").read_text("utf-8"))
    preset.update(phantoms=0, batch_size=2, collections=[])
    preset["card"]["protocols"] = []  # a UNet that is asked for each protocol takes long
    stages = [{**stage, "steps": 4} for stage in preset["architecture"]["stages"]]
    preset["architecture"].update(channels=12, hidden=8, filters=8, image_channels=3)  # the UNet grows with them
    preset["architecture"].update(stages=stages)
    (root / "preset.json").write_text(json.dumps(preset), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        fill_cards_unmeasured(patch)
        train(images, labels, root / "model", preset=str(root / "preset.json"), batches=2)
    return argparse.Namespace(
        model=str(root / "model"),
        images=images,
        labels=labels,
        preset=None,
        minutes=[0.005, 0.005, 0.005],
        output=root / "out",
    )


@pytest.fixture
def measured(monkeypatch):
    """The commands that measure a cost: that of the UNet is run; the others work here, as starting takes longest."""
    commands = []

    def run(command, **options):
        commands.append(command)
        if len(commands) == 3:
            return subprocess.run(command, **options)  # noqa: PLW1510 (among the options)
        with redirect_stdout(StringIO()) as said:
            comparison.cost_here(*command[3:])
        return SimpleNamespace(stdout=said.getvalue())

    monkeypatch.setattr(comparison, "subprocess", SimpleNamespace(run=run))
    return commands


def test_all_are_trained_and_measured_alike(arguments, measured, capsys):
    comparison.main(arguments)
    assert len(measured) == 4
    folder = arguments.output / "model"
    rows = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    model, preset, reference, unet = rows.values()
    assert unet["parameters"] >= TIMES_LARGER * model["parameters"] == TIMES_LARGER * reference["parameters"]
    assert preset["parameters"] == model["parameters"]
    assert 0 <= unet["dice"] <= 1
    for row in (model, preset, reference, unet):
        assert min(row["seconds"], row["megabytes"]) > 0
        assert row["dice_drop"]["axis order"] == pytest.approx(0, abs=1e-6)
        assert isinstance(row["training_minutes"], (int, float))
    printed = capsys.readouterr().out
    assert f"{unet['parameters']:,}" in printed
    assert "| noise 0.1 |" in printed


def test_a_unet_stands_where_a_cascade_stands(arguments):
    model = load_model(arguments.model)
    unet = UNetNetwork(load_preset(model.card.training.preset).architecture_for(2), 1000, levels=4)
    image = make_phantom(size=(6, 45, 31), spacing=(4.0, 1.0, 1.0)).image
    result = segment(image, replace(model, cascade=unet.to_cascade()), engine="torch")
    assert result.labels.GetSize() == image.GetSize()
    assert np.unique(sitk.GetArrayFromImage(result.labels)).max() <= 2


@pytest.mark.parametrize(("canvas", "whole"), [((120, 96), (128, 96)), ((40, 24), (40, 24)), ((50, 47), (64, 48))])
def test_each_level_of_a_unet_halves_the_canvas(canvas, whole):
    assert unet_canvas(canvas) == whole
    architecture = load_preset("general").architecture_for(1)
    network = UNetNetwork(architecture, 1000, unet_levels(whole))
    image = torch.zeros(1, architecture.image_channels, *whole)
    assert network(image).shape == (1, architecture.outputs, *whole)


def test_the_published_recipe_has_none_of_what_was_added():
    preset = reference_preset(load_preset("hippocampus-mr"))
    assert (preset.deep_supervision_weight, preset.persistence, preset.step_jitter, preset.ema_decay) == (0, 0, 0, 0)
    assert preset.phantoms == 0
    assert preset.architecture_for(2).firing == "independent"
    assert preset.crops == (None, None, (10, 14))  # a window as large as the coarsest stage's image
