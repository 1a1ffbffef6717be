"""The model that a training starts from: everything but learned weights, or those of another model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..automaton.architecture import Architecture
from ..automaton.cascade import Cascade
from ..errors import TrainingError
from ..imaging.label_wholes import key_of
from ..imaging.labels import Label
from ..imaging.slice_format import SliceFormat
from ..model.model import Model
from .network import Network
from .preset import Preset
from .widening import can_be_relabelled, can_be_widened, relabelled, widened


def starting_model(
    preset: Preset,
    output: Path,
    labels: Sequence[Label],
    slice_format: SliceFormat,
    seed: int,
    start: Model | None,
) -> Model:
    """The model before training.

    If it starts from a model of other labels, see `label_sources`. If its architecture has no hints, it starts without
    the weights that read them.

    Args:
        preset: its architecture, normalisation and texts.
        output: the model folder, whose name is the model's.
        labels: of the model.
        slice_format: its slices.
        seed: of new weights, if a smaller model is widened; other random weights follow from PyTorch's own generator.
        start: model whose weights are taken; None takes random ones.

    Raises:
        MedNCAError: the architecture of the model to start from does not fit.
    """
    name = output.resolve().name
    card = replace(preset.card, name=name, title=preset.card.title or name)
    architecture = preset.architecture_for(len(labels))
    cascade = Network(architecture).to_cascade()
    if start is not None:
        cascade = _started(start, architecture, labels, seed)
    return Model(card, cascade, slice_format, preset.preprocessing.normalisation, tuple(labels))


def generic_labels(values: Sequence[int]) -> tuple[Label, ...]:
    """Labels for data that comes without a `labels.csv`: numbered, in well distinguishable colours (Okabe and Ito)."""
    colours = [
        (230, 159, 0),
        (86, 180, 233),
        (0, 158, 115),
        (240, 228, 66),
        (0, 114, 178),
        (213, 94, 0),
        (204, 121, 167),
    ]
    return tuple(Label(value, f"Label {value}", colours[index % len(colours)]) for index, value in enumerate(values))


def label_sources(before: Sequence[Label], labels: Sequence[Label]) -> list[list[int]]:
    """For each label the numbers, from 0, of those before that it begins as the mean of.

    One of a name that was known begins as that label, any other as the mean of all; if no name was known and there are
    as many, each begins as the one in its place.
    """
    names = [key_of(label.name) for label in before]
    every = list(range(len(names)))
    if len(labels) == len(names) and not any(key_of(label.name) in names for label in labels):
        return [[number] for number in every]
    return [[names.index(name)] if (name := key_of(label.name)) in names else every for label in labels]


def _started(model: Model, architecture: Architecture, labels: Sequence[Label], seed: int) -> Cascade:
    start = model.cascade if architecture.hints else model.cascade.without_hints
    sources = label_sources(model.labels, labels)
    keeps_order = sources == [[number] for number in range(len(model.labels))]
    if not keeps_order and can_be_relabelled(start.architecture, architecture):
        return relabelled(start, architecture, sources)
    same_stages = len(start.rules) == len(architecture.stages)
    if same_stages and start.architecture.rule_shapes == architecture.rule_shapes:
        return Cascade(architecture, start.rules)
    if can_be_widened(start.architecture, architecture):
        return widened(start, architecture, seed)
    raise TrainingError(
        f"The model {model.name} has another architecture than the preset, and not a smaller one of the same stages; "
        "start without it, or with --preset auto, which keeps its architecture."
    )
