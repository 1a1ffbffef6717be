"""From folders of images and labels to a model folder with a filled card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ..errors import TrainingError
from ..evaluation.card_scores import measured_card
from ..model.card import DataSource, TrainingHistory
from ..model.model import CARD, Model
from ..process_memory import peak_mb
from ..progress import Progress, ignore_progress
from .length import Batches, Length, Minutes
from .preparation import prepare
from .preset import load_preset
from .recipe import standard_recipe
from .trainer import Trainer


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
    overwrite: bool = False,
    progress: Progress = ignore_progress,
    **reading: Any,
) -> Model:
    """Train a model.

    Args:
        images: folder of images.
        labels: folder of label images of the same names.
        output: the model folder. A `labels.csv` that is already there names the labels, else the label files do if they
            can (`.seg.nrrd`).
        preset: name of a preset, or a JSON file.
        minutes: length of the training, in place of the preset's number of batches.
        batches: another number of batches than the preset's.
        seed: with the same number of batches, the same seed gives the same weights on the same machine.
        start_from: model to start from (name or folder); None starts from random weights.
        resume: go on from the checkpoint in `output`.
        overwrite: replace a model that is in `output`.
        progress: called with the share that is done and a message.
        **reading: `axes` and `spacing` of `read_pair`, for files that do not say enough.

    Returns:
        The model, as saved: the weights with the best mean Dice of the labels on the validation cases.

    Raises:
        MedNCAError: data, settings or folders that cannot be used, before the first batch.
    """
    if not hasattr(torch.optim, "Muon"):
        raise TrainingError(f"Training needs PyTorch 2.9 or newer, this is {torch.__version__}: pip install -U torch")
    settings, output = load_preset(preset), Path(output)
    length = _length(minutes, batches, settings.batches)
    if (output / CARD).exists() and not (resume or overwrite):
        raise TrainingError(
            f"{output} already holds a model. Choose another folder, go on with its training (--resume) or replace it "
            "(--overwrite)."
        )
    data = prepare(images, labels, output, settings, seed, start_from, reading, progress)
    recipe = standard_recipe(settings, data.model.cascade.architecture)
    trainer = Trainer(
        data,
        settings,
        recipe,
        output / "training",
        seed,
        length,
        keep=lambda model: model.save(output),
        progress=progress,
    )
    if resume:
        trainer.resume()
    model = trainer.run()
    peak = peak_mb()
    progress(1.0, "measuring the validation cases")
    source = settings.data or DataSource(Path(images).resolve().name, "the user's own", "not stated")
    history = TrainingHistory(
        data=(replace(source, cases=data.case_count),),
        synthetic_phantoms=settings.phantoms,
        preset=preset,
        started_from=start_from,
        seed=seed,
        batches=trainer.batches,
        minutes=round(trainer.minutes, 1),
        peak_mb=peak and round(peak),
    )
    card = replace(measured_card(model, data.validation), training=history)
    return replace(model, card=card).save(output)


def _length(minutes: float | None, batches: int | None, default: int) -> Length:
    if minutes is not None and batches is not None:
        raise TrainingError("Give the length of the training in minutes or in batches, not both.")
    if (minutes is not None and minutes <= 0) or (batches is not None and batches <= 0):
        raise TrainingError("The length of the training must be positive.")
    return Batches(batches or default) if minutes is None else Minutes(minutes)
