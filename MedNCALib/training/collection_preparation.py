"""What a training on collections needs of its data: read, checked, split by subject, and put into pools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from ..errors import TrainingError
from ..imaging.labels import Label, read_labels
from ..imaging.laterality import split_by_side
from ..model.card import DataSource
from ..model.model import LABELS, Model
from ..progress import Progress, ignore_progress
from .block_pool import Pool, PooledSlices, PoolSampler
from .blocks import Structure
from .collection import Collection
from .collection_reading import (
    find_subjects,
    model_spacing,
    read_structures,
    structures_in,
    validation_cases,
)
from .preparation import Prepared, validation_of
from .preset import Preset
from .starting_model import generic_labels, starting_model
from .validation import CollectionCases, CollectionsValidation


def prepare_collections(
    data: str | Path,
    output: Path,
    preset: Preset,
    seed: int,
    start: Model | None = None,
    progress: Progress = ignore_progress,
) -> Prepared:
    """Read, check and split the collections of a preset; for the arguments see `train`.

    Raises:
        MedNCAError: data that cannot be used.
    """
    data = Path(data)
    if not data.is_dir():
        raise TrainingError(f"There is no folder {data}. Name the folder that holds the preset's collections.")
    subjects = {collection.name: find_subjects(collection, data) for collection in preset.collections}
    torch.manual_seed(seed)
    slice_format = preset.preprocessing.slice_format((None, None, None))
    model = starting_model(preset, output, _labels(preset, output), slice_format, seed, start)
    architecture = model.cascade.architecture
    if architecture.channels == architecture.first_hidden:
        raise TrainingError("The preset's architecture has no hidden channel, which collections need: add channels.")
    parts: list[PooledSlices] = []
    choosing: list[CollectionCases] = []
    reporting: list[CollectionCases] = []
    for collection in preset.collections:
        progress(0.0, f"reading the collection {collection.name}")
        training, *held_out = read_structures(collection, subjects[collection.name], slice_format)
        parts += _parts(collection, training, model_spacing(slice_format), seed, len(parts))
        for cases, structures in zip((choosing, reporting), held_out):
            found = validation_cases(collection, structures, slice_format, model.labels)
            if found:
                cases.append(CollectionCases(collection, tuple(found)))
    for share, held_out_cases in (("choosing", choosing), ("reporting", reporting)):
        if not held_out_cases:
            raise TrainingError(f"No subject that is held out for {share} has a structure that is large enough.")
    progress(0.0, "drawing the first blocks")
    assert preset.slice_size is not None  # the preset has checked it, and the canvas
    assert preset.canvas is not None
    sampler = PoolSampler(
        parts,
        architecture.image_channels,
        len(model.labels),
        preset.slice_size,
        preset.foreground_share,
        preset.hint_reach,
    )
    return Prepared(
        model=model,
        sampler=sampler,
        canvas=preset.canvas,
        validation=validation_of(
            preset,
            CollectionsValidation(model.labels, choosing),
            [
                (case, model.card.protocol_name(each.collection.protocol))
                for each in choosing
                if each.knows_parts
                for case in each.cases
            ],
        ),
        case_count=sum(len(files.training) for files in subjects.values()),
        validation_count=sum(len(each.cases) for each in choosing),
        mirror=slice_format.left_right,
        reporting=tuple(reporting),
        sources=tuple(
            replace(collection.data or DataSource(collection.name), cases=len(subjects[collection.name].training))
            for collection in preset.collections
        ),
    )


def reporting_cases(data: Path, preset: Preset, labels: tuple[Label, ...]) -> tuple[CollectionCases, ...]:
    """The cases of each collection that choose nothing, for a model that is trained already.

    Args:
        data: folder that holds the collections.
        preset: names them.
        labels: the model's.

    Raises:
        MedNCAError: data that cannot be used.
    """
    slice_format = preset.preprocessing.slice_format((None, None, None))
    found = []
    for collection in preset.collections:
        structures = structures_in(collection, find_subjects(collection, data).reporting, slice_format)
        cases = validation_cases(collection, structures, slice_format, labels)
        if cases:
            found.append(CollectionCases(collection, tuple(cases)))
    return tuple(found)


def _labels(preset: Preset, output: Path) -> tuple[Label, ...]:
    """Of `labels.csv` in the model folder, else numbered as the parts of the first collection that knows them are."""
    parts = [collection.structures[0] for collection in preset.collections if collection.known == "parts"]
    values = range(1, 1 + len(parts[0])) if parts else (1,)
    table = output / LABELS
    if not table.is_file():
        return generic_labels(values)
    known, _ = split_by_side(read_labels(table))
    if len(known) != len(values):
        raise TrainingError(
            f"{table} has {len(known)} labels, and the preset's collections know {len(values)}: correct one of them."
        )
    return known


def _parts(
    collection: Collection,
    structures: Sequence[Structure],
    spacing: Sequence[float],
    seed: int,
    first: int,
) -> list[PooledSlices]:
    """The collection's parts of each batch; `first` is the number of parts before it, and seeds its pools."""
    parts = []
    for number, (share, protocol) in enumerate(zip(collection.batch, collection.batch_protocols), first):
        pool = Pool(structures, share.drawing, spacing, share.pool, share.renewed, (seed, number))
        parts.append(PooledSlices(pool, share.slices, protocol, share.votes))
    return parts
