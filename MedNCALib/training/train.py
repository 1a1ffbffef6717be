"""From folders of images and labels to a model folder with a filled card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from ..errors import TrainingError
from ..evaluation.card_scores import measured
from ..model.model import Model
from ..process_memory import peak_mb
from .dataset import unnamed_data
from .preparation import prepare
from .preset import load_preset
from .trainer import Length, Trainer


def train(
    images: str | Path,
    labels: str | Path,
    output: str | Path,
    preset: str = "general",
    minutes: float | None = None,
    batches: int | None = None,
    seed: int = 0,
    start_from: str | None = None,
    resume: bool = False,
    report: Callable[[float, str], None] = lambda done, message: None,
) -> Model:
    """Train a model.

    Args:
        images, labels: folders with files paired by name.
        output: the model folder; a `labels.csv` that is already there names the labels.
        preset: name of a preset, or a JSON file.
        minutes, batches: length of the training; default: the preset's number of batches.
        seed: with the same number of batches, the same seed gives the same weights on the same machine.
        start_from: model to start from (name or folder) instead of random weights.
        resume: go on from the checkpoint in `output`.
        report: called with (share done, message).

    Returns:
        The model, as saved: the weights with the best mean Dice of the labels on the validation cases.

    Raises:
        MedNCAError: data, settings or folders that cannot be used, before the first batch.
    """
    if not hasattr(torch.optim, "Muon"):
        raise TrainingError(f"Training needs PyTorch 2.9 or newer, this is {torch.__version__}: pip install -U torch")
    settings, output = load_preset(preset), Path(output)
    if minutes is not None and batches is not None:
        raise TrainingError("Give the length of the training in minutes or in batches, not both.")
    if (minutes is not None and minutes <= 0) or (batches is not None and batches <= 0):
        raise TrainingError("The length of the training must be positive.")
    length = Length(minutes=minutes) if minutes is not None else Length(batches=batches or settings.batches)
    data = prepare(images, labels, output, settings, seed, start_from, report)
    trainer = Trainer(data, settings, output, seed, length, report)
    if resume:
        trainer.resume()
    model = trainer.run()
    peak = peak_mb()
    report(1.0, "measuring the validation cases")
    history = {
        "data": [{**(settings.card.get("data") or unnamed_data(Path(images))), "cases": data.cases}],
        "synthetic_phantoms": settings.phantoms,
        "preset": preset,
        "started_from": start_from,
        "seed": seed,
        "batches": trainer.batches,
        "minutes": round(trainer.minutes, 1),
        "peak_mb": peak and round(peak),
    }
    figures = measured(model, {case.name: (case.image, case.labels) for case in data.validation})
    return replace(model, card={**model.card, "training": history, **figures}).save(output)
