"""From folders of images and labels to a model folder with a filled card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrainingError
from ..model import Model
from ..segmenter import segment
from .data import unnamed_data
from .prepared import ValidationCase, prepare
from .preset import load_preset
from .trainer import Length, Trainer, validation_scores

_QUALITY_RUNS = 5  # ten pairs: enough for a mean, and five times the cost of a single run


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
    report(1.0, "measuring the validation cases")
    history = {
        "data": [{**(settings.card.get("data") or unnamed_data(Path(images))), "cases": data.cases}],
        "synthetic_phantoms": settings.phantoms,
        "preset": preset,
        "seed": seed,
        "batches": trainer.batches,
        "minutes": round(trainer.minutes, 1),
    }
    return replace(model, card={**model.card, "training": history, **measured(model, data.validation)}).save(output)


def measured(model: Model, held_out: Sequence[ValidationCase]) -> dict[str, Any]:
    """The parts of the card that are measured: `scores` of a single run, and thresholds of `quality`.

    The thresholds leave the lowest 5 % of the held-out cases, by agreement and by NQM each, for review.
    """
    scores = validation_scores(model, held_out)
    quality = [segment(case.image, model, runs=_QUALITY_RUNS).quality for case in held_out]
    return {
        "scores": {
            "what": "hard Dice on the input's grid, single run, mean over held-out cases",
            "cases": [case.name for case in held_out],
            "labels": {label.name: round(score, 4) for label, score in zip(model.labels, scores)},
            "whole": round(scores[-1], 4),
        },
        "quality": {
            "what": f"lowest agreement and highest NQM that pass, from {_QUALITY_RUNS} runs on the held-out cases",
            "runs": _QUALITY_RUNS,
            "agreement": round(float(np.percentile([each.agreement for each in quality], 5)), 4),
            "nqm": round(float(np.percentile([each.nqm for each in quality], 95)), 4),
        },
    }
