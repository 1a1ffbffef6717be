"""A preset that trains on phantoms in seconds, and a card that is filled without measuring."""

import json
from dataclasses import replace
from importlib import import_module

from MedNCALib.model.card import Scores
from support.shared_data import REPOSITORY


def write_small_preset(path, **changes):
    """Write settings for sagittal slices of phantoms of 8 x 40 x 28 voxels; the file's name."""
    presets = REPOSITORY / "MedNCALib" / "training" / "presets"
    settings = json.loads((presets / "hippocampus-mr.json").read_text(encoding="utf-8"))
    settings["architecture"].update(channels=16, hidden=32, filters=16, image_channels=3)
    settings["architecture"]["stages"] = [{"scale": 4, "steps": 6}, {"scale": 1, "steps": 4}]
    settings["preprocessing"]["spacing"] = [1.5, 1.5, 2.0]
    settings.update(
        canvas=[28, 40], crops=[None, [16, 24]], batch_size=4, phantoms=0, ema_decay=0.9, learning_rate=0.01
    )
    settings.update(augmentation={"rotation": 5, "scale": 1.1, "chance": 0.1}, restart=0)
    settings.update(final_phase=0, final_phase_augmentation={}, foreground_share=0.25, collections=[])
    del settings["stage_starts"]
    path.write_text(json.dumps({**settings, **changes}), encoding="utf-8")
    return str(path)


def fill_cards_unmeasured(monkeypatch):
    """Have a training fill its card with made-up figures: measuring them takes longer than such a short training."""
    scores = Scores(0.5, {"Label 1": 0.25, "Label 2": 0.75})
    training = import_module("MedNCALib.training.train_model")
    for function in ("measured_card", "card_of_collections"):
        monkeypatch.setattr(training, function, lambda model, *_: replace(model.card, scores=scores))
