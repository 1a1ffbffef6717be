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
from ..imaging.label_wholes import Whole, as_first_parts, split_wholes
from ..imaging.labels import Label, read_labels
from ..imaging.laterality import split_by_side
from ..imaging.slice_space import SliceSpace
from ..io.image_label_pairs import NAMES_SHOWN, Pair, find_pairs, labels_named_in, with_wholes
from ..model.card import AUTO, DataSource
from ..model.model import LABELS, Model
from ..progress import Progress, ignore_progress
from .batch import BatchSampler
from .dataset import Case, Sampler, label_values, make_case, phantom_cases, read_checked, split
from .preset import Preset
from .preview import PreviewCase
from .single_case import KeptAside, kept_aside
from .starting_model import generic_labels, starting_model
from .validation import CasesValidation, CollectionCases, CorrectedValidation, Validation


@dataclass(frozen=True)
class Prepared:
    """What a training needs of its data.

    Attributes:
        model: architecture, slices, labels and the card's texts; training starts from its weights.
        sampler: training slices.
        sampler_of_all: those and the slices of what chooses the weights; None if these are never trained on.
        canvas: rows and columns of a training slice.
        validation: chooses the best weights.
        case_count: number of volumes that are trained on.
        validation_count: number of volumes that choose the weights.
        mirror: which of "slices", "rows" and "columns" runs from left to right.
        held_out: volumes that the card's figures are measured on; none with collections.
        lacking: names of the labels that some of these volumes lack, whose figures say nothing.
        reporting: cases of collections that the card's figures are measured on.
        sources: the data of collections, for the card.
        preview: the case that is shown while the training goes on; None with collections.
        is_adapted: whether the weights before training are those of a model, so that they may be the best.
    """

    model: Model
    sampler: BatchSampler
    canvas: tuple[int, int]
    validation: Validation
    case_count: int
    validation_count: int
    mirror: str
    held_out: tuple[LabelledCase, ...] = ()
    lacking: frozenset[str] = frozenset()
    reporting: tuple[CollectionCases, ...] = ()
    sources: tuple[DataSource, ...] = ()
    preview: PreviewCase | None = None
    sampler_of_all: BatchSampler | None = None
    is_adapted: bool = False


@dataclass(frozen=True)
class ReadCases:
    """The cases of two folders, read and checked.

    Attributes:
        labels: of the data.
        training: cases that are trained on.
        validation: cases that choose the weights; none if there is only one case.
        shown: image file of the first validation case, or of the only case.
        notes: what there is to know of the cases, in sentences.
        wholes: what some cases have in place of several of the labels.
    """

    labels: tuple[Label, ...]
    training: tuple[LabelledCase, ...]
    validation: tuple[LabelledCase, ...]
    shown: Path
    notes: tuple[str, ...]
    wholes: tuple[Whole, ...] = ()


def prepare(
    images: str | Path,
    labels: str | Path,
    output: Path,
    preset: Preset,
    seed: int,
    start: Model | None = None,
    reading: Mapping[str, Any] = MappingProxyType({}),
    progress: Progress = ignore_progress,
) -> Prepared:
    """Read, check and split the data of a training; for the arguments see `train`.

    Raises:
        MedNCAError: data that cannot be used.
    """
    read = read_cases(images, labels, output, preset.subject, preset.leave_out, reading, progress)
    return prepare_cases(read, output, preset, seed, start)


def read_cases(
    images: str | Path,
    labels: str | Path,
    output: Path,
    subject: str | None = None,
    leave_out: str | None = None,
    reading: Mapping[str, Any] = MappingProxyType({}),
    progress: Progress = ignore_progress,
) -> ReadCases:
    """Read, check and split cases; `subject` and `leave_out` are a preset's, for the others see `train`.

    Raises:
        MedNCAError: data that cannot be used.
    """
    training, validation = split(find_pairs(images, labels), subject, leave_out)
    progress(0.0, f"reading {len(training) + len(validation)} cases")
    known, read = _read((*training, *validation), output, reading)
    learned, held_out = (
        tuple(LabelledCase(pair.name, *read[pair.name]) for pair in pairs) for pairs in (training, validation)
    )
    values = {case.name: label_values([case.labels]) for case in (*learned, *held_out)}
    names, wholes = split_wholes(known, values.values())
    notes = _missing(values, names, wholes)
    if not validation:
        notes.append(
            f"{training[0].name} is the only case, so the weights are chosen on slices of it that are kept aside: "
            "that says little of other images."
        )
    return ReadCases(names, learned, held_out, (*validation, *training)[0].image, tuple(notes), wholes)


def prepare_cases(read: ReadCases, output: Path, preset: Preset, seed: int, start: Model | None = None) -> Prepared:
    """Bring cases to the model's grid; for the arguments see `train`.

    Raises:
        MedNCAError: data that cannot be used with these settings.
    """
    torch.manual_seed(seed)
    preprocessing = preset.preprocessing
    read_images = [case.image for case in (*read.training, *read.validation)]
    median = _median_spacing(preset, read_images) if preprocessing.needs_median else (1.0, 1.0, 1.0)
    model = starting_model(preset, output, read.labels, preprocessing.slice_format(median), seed, start)
    values = [label.value for label in read.labels]
    slice_format, normalisation = model.slice_format, model.normalisation
    joins = preset.kept_aside_until < 1
    learned, joining = (
        [make_case(each.name, each.image, each.labels, values, slice_format, normalisation, read.wholes) for each in of]
        for of in (read.training, read.validation if joins else ())
    )
    held_out, first, cases = read.validation, True, learned
    if not held_out:
        aside = kept_aside(read.training[0], slice_format)
        cases, held_out, first = [_without(learned[0], aside)], (aside.case,), False
    phantoms = phantom_cases(preset.phantoms, values, slice_format, normalisation, read.wholes)
    wholes = tuple(tuple(read.labels.index(part) for part in whole.parts) for whole in read.wholes)
    sampler = _sampler((*cases, *phantoms), preset, model, wholes)
    sampler_of_all = _sampler((*learned, *joining, *phantoms), preset, model, wholes) if joins else None
    coarsest = model.cascade.architecture.stages[0].scale
    rows, columns = (-(-length // coarsest) * coarsest for length in sampler.size)
    measured = _complete(held_out, values) or tuple(
        replace(case, labels=as_first_parts(case.labels, read.wholes)) for case in held_out
    )
    complete = _complete(measured, values)
    lacking = {
        label.name for label in read.labels for case in measured if label.value not in label_values([case.labels])
    }
    return Prepared(
        model=model,
        sampler=sampler,
        sampler_of_all=sampler_of_all,
        canvas=preset.canvas or (rows, columns),
        validation=validation_of(
            preset, CasesValidation(read.labels, held_out, read.wholes), [(case, AUTO) for case in complete]
        ),
        case_count=len({case.name for case in read.training}),
        validation_count=len({case.name for case in read.validation}),
        mirror=model.slice_format.left_right,
        held_out=measured,
        lacking=frozenset(lacking),
        preview=PreviewCase((*read.validation, *read.training)[0], read.shown, first),
        is_adapted=start is not None,
    )


def _sampler(cases: Sequence[Case], preset: Preset, model: Model, wholes: tuple[tuple[int, ...], ...]) -> Sampler:
    cases = [case for case in cases if len(case.foreground)]  # a label may vanish on a coarser grid
    if not cases:
        raise TrainingError("No label is left on the model's grid: choose a preset with a finer spacing.")
    channels, hints = model.cascade.architecture.image_channels, preset.hint_reach
    shares = preset.foreground_share, preset.area_exponent
    return Sampler(cases, channels, preset.batch_size, *shares, hints, wholes)


def validation_of(preset: Preset, uncorrected: Validation, cases: Sequence[tuple[LabelledCase, str]]) -> Validation:
    """The validation of a training: for a preset with corrections also of what they are worth.

    Args:
        preset: of the training.
        uncorrected: of results that nobody has corrected.
        cases: all labels of which are known, and the protocol of each.
    """
    return CorrectedValidation(uncorrected, cases) if preset.corrections and cases else uncorrected


def _read(
    pairs: Sequence[Pair], output: Path, reading: Mapping[str, Any]
) -> tuple[tuple[Label, ...], dict[str, tuple[sitk.Image, sitk.Image]]]:
    """The labels of the data, and image and label image of each case by its name.

    `labels.csv` in the model folder names the labels, else one among the label files, else these do if they can, else
    they are numbered. What is the whole of some of them may be named in any of these places: once it is trained, the
    model's own table names it no more.
    """
    table, further = output / LABELS, pairs[0].label.parent / LABELS
    if not table.is_file() and further.is_file():
        table = further
    if table.is_file():
        known = split_by_side(read_labels(table))[0]
        known = with_wholes(known, pairs, read_labels(further) if further.is_file() else ())
    else:
        known = labels_named_in(pairs)
    read = {pair.name: read_checked(pair, known or None, reading) for pair in pairs}
    values = label_values(truth for _, truth in read.values())
    known = tuple(sorted(known, key=lambda label: label.value))
    if not table.is_file():
        known = tuple(label for label in known if label.value in values) or generic_labels(values)
    named = [label.value for label in known]
    if named != values:
        source = table if table.is_file() else "their names"
        raise TrainingError(f"By {source} the labels are {named}, and the data has {values}: correct one of them.")
    return known, read


def _missing(values: Mapping[str, Sequence[int]], labels: Sequence[Label], wholes: Sequence[Whole]) -> list[str]:
    """A sentence for each whole that takes the place of its parts in some cases, and for each label that some lack.

    Args:
        values: of each case by its name.
        labels: of the model.
        wholes: see `ReadCases`.
    """
    notes = []
    for whole in wholes:
        names = [name for name, known in values.items() if whole.is_in(known)]
        parts = " and ".join(part.name for part in whole.parts)
        notes.append(
            f"{len(names)} of {len(values)} cases have only {whole.label.name} ({_shown(names)}), the whole of "
            f"{parts}: they teach where these are together, not which is which."
        )
    for label in labels:
        instead = [whole for whole in wholes if label in whole.parts]
        names = [
            name
            for name, known in values.items()
            if label.value not in known and not any(whole.is_in(known) for whole in instead)
        ]
        if names:
            notes.append(
                f"{len(names)} of {len(values)} cases lack {label.name} ({_shown(names)}): they teach only what they "
                "have."
            )
    return notes


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")


def _complete(cases: Sequence[LabelledCase], values: Sequence[int]) -> tuple[LabelledCase, ...]:
    """The cases that have all labels, and each by itself."""
    return tuple(case for case in cases if set(label_values([case.labels])) == {*values})


def _without(case: Case, aside: KeptAside) -> Case:
    """A case without the slices that are kept aside."""
    slices = np.setdiff1d(np.arange(len(case.slices)), aside.slices_of(len(case.slices)))
    return replace(case, usable=slices, foreground=np.intersect1d(case.foreground, slices))


def _median_spacing(preset: Preset, images: Sequence[sitk.Image]) -> tuple[float, float, float]:
    """Median spacing of the images between columns, rows and slices, in the axes that the preset names."""
    own = preset.preprocessing.slice_format((None, None, None))
    spacings = [SliceSpace(image, own).spacing[::-1] for image in images]
    columns, rows, slices = (round(float(mm), 3) for mm in np.median(spacings, axis=0))
    return columns, rows, slices
