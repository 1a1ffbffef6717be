"""From the folders of a collection to structures, and to cases for validation."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ..errors import TrainingError
from ..evaluation.perturbations import LabelledCase
from ..imaging.labels import Label
from ..imaging.slice_format import SliceFormat
from ..imaging.slice_space import SliceSpace
from ..io.image_label_pairs import Pair, find_pairs
from ..io.images import read_image
from .blocks import Drawing, Structure
from .collection import Collection, Part, values_of
from .dataset import read_checked, subject_in
from .synthetic import VALUES

_PERCENTILES = (0.5, 99.5)
_MAP_VOXEL = 2 / 3  # largest voxel of a thinned label map, in voxels of the model's grid
_ROOM = 4 / 3  # around the largest block, for blocks that are rotated and enlarged

# Where each letter of a model's axes points to in physical space (LPS).
_DIRECTIONS = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}


@dataclass(frozen=True)
class Subjects:
    """The files of a collection.

    Attributes:
        training, choosing, reporting: the pairs of each share; of a label map image and label are one file.
    """

    training: tuple[Pair, ...]
    choosing: tuple[Pair, ...]
    reporting: tuple[Pair, ...]


def find_subjects(collection: Collection, data: Path) -> Subjects:
    """The files of a collection, by share; the split is by subject.

    Raises:
        MedNCAError: a folder is missing or has no images, files do not pair, a held-out subject is not there, or nobody
            is left for training.
    """
    labels = data / collection.labels
    pairs = find_pairs(labels if collection.images is None else data / collection.images, labels)
    leave_out = collection.leave_out
    pairs = [pair for pair in pairs if leave_out is None or not re.search(leave_out, pair.name)]
    subjects = [subject_in(pair.name, collection.subject) for pair in pairs]
    for held_out in (*collection.choosing, *collection.reporting):
        if held_out not in subjects:
            raise TrainingError(
                f"The collection {collection.name} holds out the subject {held_out!r}, which {labels} does not have. "
                "Correct the preset, or complete the data."
            )
    shares: tuple[list[Pair], list[Pair], list[Pair]] = ([], [], [])
    for pair, subject in zip(pairs, subjects):
        shares[1 if subject in collection.choosing else 2 if subject in collection.reporting else 0].append(pair)
    if not shares[0]:
        raise TrainingError(f"The collection {collection.name} has no subject left for training in {labels}.")
    return Subjects(*map(tuple, shares))


def read_structures(
    collection: Collection, subjects: Subjects, slice_format: SliceFormat
) -> tuple[list[Structure], list[Structure], list[Structure]]:
    """The structures in a collection's files, in the model's axes: for training, choosing and reporting.

    Raises:
        MedNCAError: a file that cannot be used, or a structure that none of the files has.
    """
    shares = (subjects.training, subjects.choosing, subjects.reporting)
    found = [structures_in(collection, pairs, slice_format) for pairs in shares]
    names = [structure.name for structures in found for structure in structures]
    for values in collection.structures:
        if not any(name.endswith(_suffix(collection, values)) for name in names):
            raise TrainingError(
                f"The collection {collection.name} has no structure of the label values {_listed(values)} in "
                f"{subjects.training[0].label.parent}. Correct the preset's structures."
            )
    training, choosing, reporting = found
    if not training:
        raise TrainingError(f"The collection {collection.name} has no structure that is large enough for training.")
    return training, choosing, reporting


def structures_in(collection: Collection, pairs: Iterable[Pair], slice_format: SliceFormat) -> list[Structure]:
    """The structures in some of a collection's files that are there and large enough.

    Raises:
        MedNCAError: a file that cannot be used.
    """
    return [structure for pair in pairs for structure in _structures(collection, pair, slice_format)]


def validation_cases(
    collection: Collection, structures: Sequence[Structure], slice_format: SliceFormat, labels: Sequence[Label]
) -> list[LabelledCase]:
    """What is segmented of structures in validation; the same in each training.

    Labels have the model's values. If only the whole is known it has the first label's.
    """
    settings = collection.validation
    values = np.array([label.value for label in labels], np.uint8)
    cases = []
    for structure in structures:
        choices = np.random.default_rng(zlib.crc32(structure.name.encode()))
        for draw in range(settings.draws if structure.image is None else 1):
            if structure.image is None:
                image, target, spacing = _drawn(collection, structure, slice_format, choices)
            else:
                image, target, spacing = _cut(collection, structure, choices)
            truth = (values[: len(target), None, None, None] * target).sum(axis=0).astype(np.uint8)
            name = structure.name if settings.draws == 1 else f"{structure.name} draw {draw + 1}"
            cases.append(LabelledCase(name, *(_as_image(each, spacing, slice_format.axes) for each in (image, truth))))
    return cases


def _drawn(
    collection: Collection, structure: Structure, slice_format: SliceFormat, choices: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, tuple[float, ...]]:
    """Image (D, H, W) and labels (K, D, H, W) of a block that is drawn from a label map, on the model's grid."""
    settings, spacing = collection.validation, model_spacing(slice_format)
    assert settings.field_mm is not None
    lengths = [max(1, round(mm / step)) for mm, step in zip(settings.field_mm, spacing)]
    drawing = Drawing(
        size=((lengths[0],) * 2, (lengths[1],) * 2, (lengths[2],) * 2),
        shift=settings.shift,
        cut=0.0,
        upright=1.0,
        changes=settings.changes,
        t1_share=1.0,
        stripped=0.0,
    )
    block = drawing.draw(structure, spacing, choices)
    return block.image, (block.target >= 128).swapaxes(0, 1), spacing


def _cut(
    collection: Collection, structure: Structure, choices: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, tuple[float, ...]]:
    """Image (D, H, W) and labels (K, D, H, W) of a box around a structure, on the image's own grid."""
    settings = collection.validation
    assert structure.image is not None
    image, target = structure.image[0].numpy(), structure.target.numpy() > 0
    if settings.field_mm is not None:
        shift = choices.uniform(-settings.shift, settings.shift, 3) / structure.spacing
        half = np.array(settings.field_mm) / 2 / structure.spacing
        box = _box(structure.centre + shift, half, image.shape)
        image, target = image[box], np.stack([part[box] for part in target])
    return image, target, structure.spacing


def _structures(collection: Collection, pair: Pair, slice_format: SliceFormat) -> list[Structure]:
    """The structures of one file or pair."""
    if collection.images is None:
        image, labels = None, read_image(pair.label)
    else:
        image, labels = read_checked(pair)
    values, spacing = _oriented(labels, slice_format)
    values = np.rint(values)
    if image is None:
        values, spacing = _thinned(values, spacing, model_spacing(slice_format))
    if values.min() < 0 or (image is None and values.max() >= VALUES):
        raise TrainingError(f"{pair.label} is no label map: its values are not from 0 to {VALUES - 1}.")
    whole_image = None if image is None else _scaled(_oriented(image, slice_format)[0], pair)
    strips = image is not None and any(share.drawing.stripped for share in collection.batch)
    # Without holes between labels.
    brain = F.max_pool3d(_tensor(values > 0)[None], 3, 1, 1)[0].byte() if strips else None
    found = []
    for wanted in collection.structures:
        shown = [_shows(values, part) for part in wanted]
        mask = np.logical_or.reduce(shown)
        if not mask.any() or mask.sum() * np.prod(spacing) / 1000 < collection.least_ml:
            continue
        centre = np.argwhere(mask).mean(axis=0)
        box = _room(collection, centre, spacing, model_spacing(slice_format), mask.shape)
        parts = [part[box] for part in shown] if collection.known == "parts" else [mask[box]]
        found.append(
            Structure(
                name=pair.name + _suffix(collection, wanted),
                image=None if whole_image is None else _tensor(whole_image[box]),
                labels=_tensor(values[box]) if image is None else None,
                target=torch.from_numpy(np.stack(parts).astype(np.uint8)),
                brain=None if brain is None else brain[0][box][None].clone(),
                spacing=spacing,
                centre=centre - [cut.start for cut in box],
            )
        )
    return found


def _room(
    collection: Collection,
    centre: np.ndarray,
    spacing: Sequence[float],
    model_spacing: Sequence[float],
    shape: tuple[int, ...],
) -> tuple[slice, ...]:
    """The part of an image that blocks around a structure are drawn from: all of it if one of them takes all."""
    whole = (slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2]))
    reaches = []  # mm
    for share in collection.batch:
        if share.drawing.size is None:
            return whole
        largest = np.array([high for _, high in share.drawing.size]) * model_spacing
        reaches.append(_ROOM * largest / 2 + 2 * share.drawing.shift)
    if collection.choosing or collection.reporting:
        if collection.validation.field_mm is None:
            return whole
        reaches.append(np.array(collection.validation.field_mm) / 2 + collection.validation.shift)
    return _box(centre, np.max(reaches, axis=0) / spacing, shape) if reaches else whole


def _box(centre: np.ndarray, half: np.ndarray, shape: Sequence[int]) -> tuple[slice, ...]:
    """The voxels that are up to `half` away from a centre, all in voxels along D, H and W."""
    low = np.maximum(0, np.rint(centre - half)).astype(int)
    high = np.minimum(shape, np.rint(centre + half)).astype(int)
    return tuple(slice(int(first), int(last)) for first, last in zip(low, high))


def _oriented(image: sitk.Image, slice_format: SliceFormat) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Voxels (D, H, W) and mm between them in the model's axes, on the image's own grid."""
    space = SliceSpace(sitk.Cast(image, sitk.sitkFloat32), SliceFormat(slice_format.axes, (None, None, None)))
    return np.ascontiguousarray(space.voxels), space.spacing


def _thinned(
    values: np.ndarray, spacing: tuple[float, float, float], wanted: Sequence[float]
) -> tuple[np.ndarray, tuple[float, float, float]]:
    """A label map without voxels that a much coarser grid does not need, so that many maps fit into memory."""
    steps = [max(1, int(_MAP_VOXEL * model / own)) for model, own in zip(wanted, spacing)]
    slices, rows, columns = (own * step for own, step in zip(spacing, steps))
    return values[tuple(slice(None, None, step) for step in steps)], (slices, rows, columns)


def _shows(values: np.ndarray, part: Part) -> np.ndarray:
    """Which voxels have a label value of a part."""
    shown: np.ndarray = np.logical_or.reduce([(values >= low) & (values <= high) for low, high in values_of(part)])
    return shown


def _scaled(voxels: np.ndarray, pair: Pair) -> np.ndarray:
    low, high = np.percentile(voxels, _PERCENTILES)
    if not low < high:
        raise TrainingError(f"{pair.image} has no contrast. Take the case out.")
    scaled: np.ndarray = (voxels - low) / (high - low)
    return scaled


def _as_image(voxels: np.ndarray, spacing: Sequence[float], axes: str) -> sitk.Image:
    """An image of (D, H, W) in a model's axes."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels))
    image.SetSpacing(tuple(spacing)[::-1])
    image.SetDirection(np.array([_DIRECTIONS[letter] for letter in axes], float).T.ravel().tolist())
    return image


def model_spacing(slice_format: SliceFormat) -> tuple[float, float, float]:
    """Of the model's grid, in mm between slices, rows and columns; a preset with collections knows all."""
    columns, rows, slices = (mm for mm in slice_format.spacing if mm is not None)
    return slices, rows, columns


def _tensor(array: np.ndarray) -> Tensor:
    """One channel more in front, and float32."""
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))[None]


def _suffix(collection: Collection, values: Sequence[Part]) -> str:
    """What a structure's name has after that of its file, if there are several in a file."""
    return f" [{_listed(values)}]" if len(collection.structures) > 1 else ""


def _listed(values: Sequence[Part]) -> str:
    return ", ".join(map(str, values))
