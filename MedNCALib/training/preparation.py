"""What a training needs of its data: read, checked, split, and brought to the model's grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch

from ..errors import TrainingError
from ..evaluation.perturbations import LabelledCase
from ..imaging.labels import Label, read_labels
from ..imaging.slice_space import SliceSpace
from ..io.image_label_pairs import Pair, find_pairs, labels_named_in
from ..model.model import LABELS, Model, load_model
from ..progress import Progress, ignore_progress
from .dataset import Sampler, label_values, make_case, phantom_cases, read_checked, split
from .network import Network
from .preset import Preset


@dataclass(frozen=True)
class Prepared:
    """What a training needs of its data.

    Attributes:
        model: architecture, slices, labels and the card's texts; training starts from its weights.
        sampler: training slices.
        canvas: rows and columns of a training slice.
        validation: volumes for choosing the best weights.
        case_count: number of volumes that are trained on.
        mirror: which of "slices", "rows" and "columns" runs from left to right.
    """

    model: Model
    sampler: Sampler
    canvas: tuple[int, int]
    validation: tuple[LabelledCase, ...]
    case_count: int
    mirror: str


def prepare(
    images: str | Path,
    labels: str | Path,
    output: Path,
    preset: Preset,
    seed: int,
    start_from: str | None = None,
    reading: Mapping[str, Any] = MappingProxyType({}),
    progress: Progress = ignore_progress,
) -> Prepared:
    """Read, check and split the data of a training; for the arguments see `train`.

    Raises:
        MedNCAError: data that cannot be used.
    """
    training, validation = split(find_pairs(images, labels), preset.subject, preset.leave_out)
    progress(0.0, f"reading {len(training) + len(validation)} cases")
    names, read = _read((*training, *validation), output, reading)
    torch.manual_seed(seed)
    model = _untrained(preset, output, names, read, start_from)
    values = [label.value for label in names]
    slice_format, normalisation = model.slice_format, model.normalisation
    cases = [make_case(pair.name, *read[pair.name], values, slice_format, normalisation) for pair in training]
    cases += phantom_cases(preset.phantoms, values, slice_format, normalisation)
    cases = [case for case in cases if len(case.foreground)]  # a label may vanish on a coarser grid
    if not cases:
        raise TrainingError("No label is left on the model's grid: choose a preset with a finer spacing.")
    architecture = model.cascade.architecture
    sampler = Sampler(
        cases, architecture.image_channels, preset.batch_size, preset.foreground_share, preset.area_exponent
    )
    coarsest = architecture.stages[0].scale
    rows, columns = (-(-length // coarsest) * coarsest for length in sampler.size)
    return Prepared(
        model=model,
        sampler=sampler,
        canvas=preset.canvas or (rows, columns),
        validation=tuple(LabelledCase(pair.name, *read[pair.name]) for pair in validation),
        case_count=len(training),
        mirror=model.slice_format.left_right,
    )


def _read(
    pairs: Sequence[Pair], output: Path, reading: Mapping[str, Any]
) -> tuple[tuple[Label, ...], dict[str, tuple[sitk.Image, sitk.Image]]]:
    """The labels of the data, and image and label image of each case by its name.

    `labels.csv` in the model folder names the labels, else the label files do if they can, else they are numbered.
    """
    table = output / LABELS
    known = read_labels(table) if table.is_file() else labels_named_in(pairs)
    read = {pair.name: read_checked(pair, known or None, reading) for pair in pairs}
    values = label_values(truth for _, truth in read.values())
    if not table.is_file():
        known = tuple(label for label in known if label.value in values) or _generic_labels(values)
    named = [label.value for label in known]
    if named != values:
        source = table if table.is_file() else "their names"
        raise TrainingError(f"By {source} the labels are {named}, and the data has {values}: correct one of them.")
    return known, read


def _untrained(
    preset: Preset,
    output: Path,
    labels: tuple[Label, ...],
    read: Mapping[str, tuple[sitk.Image, sitk.Image]],
    start_from: str | None,
) -> Model:
    """The model before training: everything but learned weights."""
    preprocessing = preset.preprocessing
    median = _median_spacing(preset, read) if preprocessing.needs_median else (1.0, 1.0, 1.0)
    slice_format = preprocessing.slice_format(median)
    name = output.resolve().name
    card = replace(preset.card, name=name, title=preset.card.title or name)
    architecture = preset.architecture_for(len(labels))
    cascade = Network(architecture).to_cascade()
    if start_from is not None:
        start = load_model(start_from).cascade
        if start.architecture.rule_shapes != architecture.rule_shapes or len(start.rules) != len(cascade.rules):
            raise TrainingError(f"The model {start_from!r} has another architecture than the preset; start without it.")
        cascade = replace(cascade, rules=start.rules)
    return Model(card, cascade, slice_format, preprocessing.normalisation, labels)


def _median_spacing(preset: Preset, read: Mapping[str, tuple[sitk.Image, sitk.Image]]) -> tuple[float, float, float]:
    """Median spacing of the images between columns, rows and slices, in the axes that the preset names."""
    own = preset.preprocessing.slice_format((None, None, None))
    spacings = [SliceSpace(image, own).spacing[::-1] for image, _ in read.values()]
    columns, rows, slices = (round(float(mm), 3) for mm in np.median(spacings, axis=0))
    return columns, rows, slices


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
