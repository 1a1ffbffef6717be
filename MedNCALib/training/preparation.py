"""What a training needs of its data: read, checked, split, and brought to the model's grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch

from ..errors import TrainingError
from ..imaging.labels import Label, read_labels
from ..imaging.slice_space import SliceSpace
from ..io.image_label_pairs import find_pairs
from ..model.model import LABELS, Model, load_model
from .dataset import Sampler, label_values, make_case, phantom_cases, read_checked, split
from .network import Network
from .preset import Preset


@dataclass(frozen=True)
class ValidationCase:
    """A volume that training never sees."""

    name: str
    image: sitk.Image
    labels: sitk.Image


@dataclass(frozen=True)
class Prepared:
    """What a training needs of its data.

    Attributes:
        model: architecture, slices, labels and the card's texts; its weights are where training starts.
        sampler: training slices.
        validation: volumes for choosing the best weights.
        cases: number of volumes that are trained on.
        mirror: which of "slices", "rows" and "columns" runs from left to right.
    """

    model: Model
    sampler: Sampler
    validation: tuple[ValidationCase, ...]
    cases: int
    mirror: str


def prepare(
    images: str | Path,
    labels: str | Path,
    output: Path,
    settings: Preset,
    seed: int,
    start_from: str | None = None,
    report: Callable[[float, str], None] = lambda done, message: None,
) -> Prepared:
    """Read, check and split the data of a training; for the arguments see `train`.

    Raises:
        MedNCAError: data that cannot be used.
    """
    training, validation = split(find_pairs(images, labels), settings.subject, settings.leave_out)
    report(0.0, f"reading {len(training) + len(validation)} cases")
    read = {pair.name: read_checked(pair) for pair in (*training, *validation)}
    values = label_values(truth for _, truth in read.values())
    torch.manual_seed(seed)
    template = _template(settings, output, values, read, start_from)
    build = (values, template.slice_format, template.normalisation)
    cases = [make_case(pair.name, *read[pair.name], *build) for pair in training]
    cases += phantom_cases(settings.phantoms, *build)
    cases = [case for case in cases if len(case.foreground)]  # a label may vanish on a coarser grid
    if not cases:
        raise TrainingError("No label is left on the model's grid: choose a preset with a finer spacing.")
    channels = template.cascade.architecture.image_channels
    sampler = Sampler(cases, channels, settings.batch_size, settings.foreground, settings.small_first)
    held_out = tuple(ValidationCase(pair.name, *read[pair.name]) for pair in validation)
    mirror = template.slice_format.left_right
    return Prepared(template, sampler, held_out, len(training), mirror)


def _template(settings: Preset, output: Path, values: list[int], read: dict, start_from: str | None) -> Model:
    """The model before training: everything but learned weights."""
    names = read_labels(output / LABELS) if (output / LABELS).is_file() else _generic_labels(values)
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


def _generic_labels(values: Sequence[int]) -> tuple[Label, ...]:
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
