"""From folders of images and labels to a model folder with a filled card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ..errors import TrainingError
from ..evaluation.card_scores import measured_card
from ..model.card import DataSource, TrainingHistory
from ..model.model import CARD, Model, load_model
from ..process_memory import peak_mb
from ..progress import Progress, ignore_progress
from .adapting import fitted, with_parts_of
from .collection_card import card_of_collections
from .collection_preparation import prepare_collections
from .events import Ended, Listener, Measuring, Proposed, ignore_events, never
from .length import Batches, Length, Minutes
from .preparation import Prepared, prepare_cases, read_cases
from .preset import Preset, load_preset
from .proposal import AUTO_PRESET, propose_preset, spread_over
from .recipe import standard_recipe
from .trainer import Trainer

_AUTO_BATCHES = 2000  # of a training by its own proposal, if nobody says how long


def train(
    images: str | Path | None,
    labels: str | Path | None,
    output: str | Path,
    preset: str = "general",
    minutes: float | None = None,
    batches: int | None = None,
    seed: int = 0,
    start_from: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress = ignore_progress,
    data: str | Path | None = None,
    listen: Listener = ignore_events,
    stop: Callable[[], bool] = never,
    threads: int | None = None,
    **reading: Any,
) -> Model:
    """Train a model.

    Args:
        images: folder of images; None if `data` is given.
        labels: folder of label images of the same names; None if `data` is given.
        output: the model folder. A `labels.csv` that is already there names the labels, else the label files do if they
            can (`.seg.nrrd`).
        preset: name of a preset, or a JSON file; "auto" proposes one from the cases, see `propose_preset`.
        minutes: length of the training, in place of the preset's number of batches.
        batches: another number of batches than the preset's.
        seed: with the same number of batches, the same seed gives the same weights on the same machine.
        start_from: model to start from (name or folder); None starts from random weights.
        resume: go on from the checkpoint in `output`.
        overwrite: replace a model that is in `output`.
        progress: called with the share that is done and a message.
        data: folder that holds the collections of a preset that names some.
        listen: called with each event, see `events.py`.
        stop: asked before each batch whether to end the training there; the best weights so far are then the model's.
        threads: that compute; by default as many as the processor has, up to four. Sums are rounded otherwise with
            another number.
        **reading: `axes` and `spacing` of `read_pair`, for files that do not say enough; not with `data`.

    Returns:
        The model, as saved: the weights with the best score, see `CasesValidation` and `CollectionsValidation`.

    Raises:
        MedNCAError: data, settings or folders that cannot be used, before the first batch.
    """
    if not hasattr(torch.optim, "Muon"):
        raise TrainingError(f"Training needs PyTorch 2.9 or newer, this is {torch.__version__}: pip install -U torch")
    output = Path(output)
    start = None if start_from is None else load_model(start_from)
    settings = None if preset == AUTO_PRESET else load_preset(preset)
    _check_folders(preset, settings, images, labels, data, reading)
    length = _length(minutes, batches, _AUTO_BATCHES if settings is None else settings.batches)
    if (output / CARD).exists() and not (resume or overwrite):
        raise TrainingError(
            f"{output} already holds a model. Choose another folder, go on with its training (--resume) or replace it "
            "(--overwrite)."
        )
    if data is not None:
        assert settings is not None
        prepared = prepare_collections(data, output, settings, seed, start, progress)
    else:
        assert images is not None
        assert labels is not None
        rules = (None, None) if settings is None else (settings.subject, settings.leave_out)
        read = read_cases(images, labels, output, *rules, reading, progress)
        if start is not None:
            read, start = fitted(read, start)
        sentences = read.notes
        if settings is None:
            cases = *read.training, *read.validation
            proposal = propose_preset(spread_over(cases), read.labels, start, len(cases))
            settings, sentences = proposal.preset, (*proposal.sentences, *sentences)
        if sentences:
            listen(Proposed(sentences))
        prepared = prepare_cases(read, output, settings, seed, start)
        source = settings.data or DataSource(Path(images).resolve().name, "the user's own", "not stated")
        prepared = replace(prepared, sources=(source,))
    recipe = standard_recipe(settings, prepared.model.cascade.architecture)
    trainer = Trainer(
        prepared,
        settings,
        recipe,
        output / "training",
        seed,
        length,
        keep=lambda model: model.save(output),
        progress=progress,
        listen=listen,
        stop=stop,
        threads=threads,
    )
    if resume:
        trainer.resume()
    model = trainer.run()
    peak = peak_mb()
    progress(1.0, "measuring the validation cases")
    listen(Measuring(0.0))
    history = TrainingHistory(
        data=_sources(prepared, trainer),
        synthetic_phantoms=settings.phantoms,
        preset=preset,
        started_from=start_from,
        seed=seed,
        batches=trainer.batches,
        minutes=round(trainer.minutes, 1),
        peak_mb=peak and round(peak),
        kept_aside_batches=trainer.kept_aside_batches,
    )
    if prepared.reporting:
        card = card_of_collections(model, prepared.reporting)
    else:
        card = measured_card(
            model, prepared.held_out, lambda done, _: listen(Measuring(round(done, 3))), trainer.held_out()
        )
        assert card.scores is not None
        by_label = {name: dice for name, dice in card.scores.labels.items() if name not in prepared.lacking}
        card = replace(card, scores=replace(card.scores, labels=by_label))
    model = replace(model, card=replace(card, training=history))
    if start is not None:
        all_known = [case for each in prepared.reporting if each.knows_parts for case in each.cases]
        model = with_parts_of(start, model, prepared.held_out or all_known)
    model = model.save(output)
    assert card.scores is not None
    listen(Ended(trainer.stopped, str(output.absolute()), trainer.batches, card.scores.labels, card.scores.whole))
    return model


def _sources(prepared: Prepared, trainer: Trainer) -> tuple[DataSource, ...]:
    """The data, with the number of cases that were trained on."""
    if prepared.reporting:
        return prepared.sources
    joined = 0 if trainer.kept_aside_batches is None else prepared.validation_count
    return tuple(replace(source, cases=prepared.case_count + joined) for source in prepared.sources)


def _check_folders(
    name: str,
    preset: Preset | None,
    images: str | Path | None,
    labels: str | Path | None,
    data: str | Path | None,
    reading: Mapping[str, Any],
) -> None:
    if data is None and (images is None or labels is None):
        raise TrainingError("Give the folders of images and labels, or for a preset with collections that of the data.")
    if data is not None and (images is not None or labels is not None):
        raise TrainingError("Give either the folders of images and labels or that of the data (--data), not both.")
    if data is None and preset is not None and preset.collections:
        raise TrainingError(
            f"The preset {name} is for collections: give the folder that holds them (--data). To train on images and "
            "labels of your own, take the collections out of a copy of the preset."
        )
    if data is not None and (preset is None or not preset.collections):
        raise TrainingError(f"The preset {name} names no collections: give the folders of images and labels.")
    if data is not None and reading:
        raise TrainingError("Axes and spacing cannot be stated for collections: correct the files.")


def _length(minutes: float | None, batches: int | None, default: int) -> Length:
    if minutes is not None and batches is not None:
        raise TrainingError("Give the length of the training in minutes or in batches, not both.")
    if (minutes is not None and minutes <= 0) or (batches is not None and batches <= 0):
        raise TrainingError("The length of the training must be positive.")
    return Batches(batches or default) if minutes is None else Minutes(minutes)
