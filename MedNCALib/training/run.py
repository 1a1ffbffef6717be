"""From folders of images and labels to a model folder with a filled card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import TrainingError
from ..labels import read_labels
from ..model import LABELS, Model, load_model
from ..pairs import find_pairs
from ..segmenter import segment
from ..space import SliceSpace
from .data import Sampler, label_values, make_case, phantom_cases, read_checked, split, unnamed_data
from .network import Network
from .preset import Preset, load_preset
from .trainer import Length, Trainer, ValidationCase, generic_labels, validation_scores

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

    pairs = find_pairs(images, labels)
    report(0.0, f"reading {len(pairs)} cases")
    read = {pair.name: read_checked(pair) for pair in pairs}
    values = label_values(truth for _, truth in read.values())
    torch.manual_seed(seed)
    template = _template(settings, output, values, read, start_from)
    training, validation = split(pairs, settings.subject)
    build = (values, template.slice_format, template.normalisation)
    cases = [make_case(pair.name, *read[pair.name], *build) for pair in training]
    cases += phantom_cases(settings.phantoms, *build)
    cases = [case for case in cases if len(case.foreground)]  # a label may vanish on a coarser grid
    if not cases:
        raise TrainingError("No label is left on the model's grid: choose a preset with a finer spacing.")
    sampler = Sampler(cases, template.cascade.architecture.image_channels, settings.batch_size, settings.foreground)
    held_out = [ValidationCase(pair.name, *read[pair.name]) for pair in validation]
    mirror = template.slice_format.left_right
    trainer = Trainer(template, settings, sampler, held_out, output, seed, length, mirror, report)
    if resume:
        trainer.resume()
    model = trainer.run()
    report(1.0, "measuring the validation cases")
    history = {
        "data": [{**(settings.card.get("data") or unnamed_data(Path(images))), "cases": len(training)}],
        "synthetic_phantoms": settings.phantoms,
        "preset": preset,
        "seed": seed,
        "batches": trainer.batches,
        "minutes": round(trainer.minutes, 1),
    }
    return replace(model, card={**model.card, "training": history, **measured(model, held_out)}).save(output)


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


def _template(settings: Preset, output: Path, values: list[int], read: dict, start_from: str | None) -> Model:
    """The model before training: everything but learned weights."""
    names = read_labels(output / LABELS) if (output / LABELS).is_file() else generic_labels(values)
    if [label.value for label in names] != values:
        raise TrainingError(
            f"{output / LABELS} names the labels {[label.value for label in names]} and the data has {values}: "
            "correct one of them."
        )
    slice_format = settings.build_slice_format((1.0, 1.0, 1.0))
    if "median" in settings.preprocessing["spacing"]:
        slice_format = settings.build_slice_format(_median_spacing(settings, read))
    card = {name: value for name, value in settings.card.items() if name != "data"}
    card["name"] = output.resolve().name
    card.setdefault("title", card["name"])
    architecture = settings.build_architecture(len(values))
    cascade = Network(architecture).to_cascade()
    if start_from is not None:
        start = load_model(start_from).cascade
        if start.architecture.rule_shapes != architecture.rule_shapes or len(start.rules) != len(cascade.rules):
            raise TrainingError(f"The model {start_from!r} has another architecture than the preset; start without it.")
        cascade = replace(cascade, rules=start.rules)
    return Model(card, cascade, slice_format, settings.build_normalisation(), names)


def _median_spacing(settings: Preset, read: dict) -> tuple[float, float, float]:
    """Median spacing of the images between columns, rows and slices, in the axes that the preset names."""
    own = settings.build_slice_format((None, None, None))
    spacings = [SliceSpace(image, own).spacing[::-1] for image, _ in read.values()]
    return tuple(round(float(mm), 3) for mm in np.median(spacings, axis=0))
