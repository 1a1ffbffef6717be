"""Training cases: checked by name before the first batch, split by case, and drawn as batches of slices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch

from ..errors import ImageError, TrainingError
from ..imaging.anatomical_axes import image_on_grid_of
from ..imaging.label_wholes import Whole
from ..imaging.labels import Label
from ..imaging.normalisation import Normalisation
from ..imaging.oblique_slice_space import slice_space
from ..imaging.phantom import make_phantom
from ..imaging.slice_format import SliceFormat
from ..io.image_label_pairs import Pair, read_pair
from .batch import Batch, slice_beside

_VALIDATION_EVERY = 6  # one block in six is kept for validation
_BLOCKS = 18  # so the validation share is three blocks of neighbouring names


@dataclass(frozen=True)
class Case:
    """One volume on the model's grid.

    Attributes:
        name: of the pair of files.
        slices: intensities scaled to 0..1, before local contrast normalisation, float32, shape (n, H, W).
        target: share of each cell that is each label (soft targets), in 255ths, uint8, shape (n, K, H, W). So a border
            that runs through cells stays in its place. With wholes there is one channel more for each, and a case that
            knows only the whole has it there and nothing in its parts.
        foreground: numbers of the slices in which some cell is at least half labelled.
        usable: numbers of the slices that are trained on; None for all.
        known: bool, (K,), labels and wholes that the case has; of the others it says nothing.
    """

    name: str
    slices: np.ndarray
    target: np.ndarray
    foreground: np.ndarray
    usable: np.ndarray | None = None
    known: np.ndarray | None = None


def split(
    pairs: Sequence[Pair], subject: str | None = None, leave_out: str | None = None
) -> tuple[list[Pair], list[Pair]]:
    """Training and validation pairs: blocks of neighbouring names, since neighbours may show the same subject.

    A single pair is trained on, and validation takes slices of it.

    If the names tell the subjects apart, a block is one subject: the blocks then come from all over the collection.

    Args:
        pairs: sorted by name.
        subject: regular expression that finds the subject in a name; cases of one subject stay together.
        leave_out: regular expression for the names of cases that are on neither side.

    Raises:
        TrainingError: no pairs, one subject with several, or a name in which no subject is found.
    """
    if leave_out is not None:
        pairs = [pair for pair in pairs if not re.search(leave_out, pair.name)]
    subjects = [subject_in(pair.name, subject) for pair in pairs]
    order = {name: number for number, name in enumerate(dict.fromkeys(subjects))}
    if len(pairs) == 1:
        return list(pairs), []
    if len(order) < 2:
        raise TrainingError("Training needs cases of at least two subjects, one of them for validation.")
    size = 1 if subject else -(-len(order) // _BLOCKS)
    middle = min(_VALIDATION_EVERY // 2, (len(order) - 1) // size)
    kept = [order[name] // size % _VALIDATION_EVERY == middle for name in subjects]
    return (
        [pair for pair, out in zip(pairs, kept) if not out],
        [pair for pair, out in zip(pairs, kept) if out],
    )


def subject_in(name: str, expression: str | None) -> str:
    """The subject in a case's name: what the expression finds, or without one the name.

    Raises:
        TrainingError: nothing is found.
    """
    if expression is None:
        return name
    found = re.search(expression, name)
    if not found:
        raise TrainingError(f"The preset's subject {expression!r} is not found in the name {name!r}: correct either.")
    return found.group()


def read_checked(
    pair: Pair, labels: Sequence[Label] | None = None, reading: Mapping[str, Any] = MappingProxyType({})
) -> tuple[sitk.Image, sitk.Image]:
    """Image and label image of one case, fit for training; for the arguments see `read_pair`.

    Raises:
        ImageError, TrainingError: unreadable, on different grids, no label voxel, or voxels that are not numbers; with
            the name.
    """
    image, truth = read_pair(pair, labels, **reading)
    if not np.isfinite(sitk.GetArrayViewFromImage(image)).all():
        raise TrainingError(f"{pair.image} has voxels that are not numbers (NaN or infinite). Replace them.")
    if not sitk.GetArrayViewFromImage(truth).any():
        raise TrainingError(f"{pair.label} is empty. Draw the labels, or take the case out.")
    return image, truth


def label_values(images: Iterable[sitk.Image]) -> list[int]:
    """The values that some label images use, background excluded."""
    values = {int(value) for image in images for value in np.unique(sitk.GetArrayViewFromImage(image))}
    return sorted(values - {0})


def make_case(
    name: str,
    image: sitk.Image,
    labels: sitk.Image,
    values: Sequence[int],
    slice_format: SliceFormat,
    normalisation: Normalisation,
    wholes: Sequence[Whole] = (),
) -> Case:
    """Bring one volume and its labels to the model's grid."""
    present = label_values([labels])
    merged = [whole for whole in wholes if whole.is_in(present)]
    parts = {part.value for whole in merged for part in whole.parts}
    groups: list[tuple[int, ...]] = [() if value in parts else (value,) for value in values]
    groups += [whole.values if whole in merged else () for whole in wholes]
    try:
        space = slice_space(image, slice_format)
        slices = normalisation.scale(space.read(0, space.count), normalisation.limits(space.voxels))
    except ImageError as error:
        raise TrainingError(f"{name}: {error}") from error
    shares = []
    voxels = sitk.GetArrayViewFromImage(labels)
    for group in groups:
        mask = image_on_grid_of(labels, np.isin(voxels, group).astype(np.float32))
        mask_space = slice_space(mask, slice_format, outside=0.0)
        shares.append(mask_space.read(0, mask_space.count))
    shares = np.clip(np.stack(shares, axis=1), 0, 1)  # cubic interpolation goes beyond
    shown = (shares.sum(axis=1) >= 0.5).any(axis=(1, 2))
    known = np.array([bool({*group} & {*present}) for group in groups])
    return Case(name, slices, np.rint(255 * shares).astype(np.uint8), np.flatnonzero(shown), known=known)


def phantom_cases(
    count: int,
    values: Sequence[int],
    slice_format: SliceFormat,
    normalisation: Normalisation,
    wholes: Sequence[Whole] = (),
) -> list[Case]:
    """Synthetic phantoms as cases, with various noise and bias field.

    Raises:
        TrainingError: the labels in the data are not the phantom's.
    """
    cases = []
    for seed in range(count):
        phantom = make_phantom(seed=1000 + seed, noise=0.01 + 0.04 * (seed % 4) / 3, bias=0.3 * (seed % 3) / 2)
        name = f"phantom-{seed}"
        if not set(label_values([phantom.labels])) <= set(values):
            raise TrainingError(
                "The preset adds phantoms, whose labels 1 and 2 the data does not have: set phantoms to 0."
            )
        cases.append(make_case(name, phantom.image, phantom.labels, values, slice_format, normalisation, wholes))
    return cases


class Sampler:
    """Draws batches of slices with their neighbours; the generator alone decides what is drawn.

    Args:
        cases: the training cases.
        image_channels: slices in a stack.
        batch_size: slices in a batch.
        foreground_share: share of slices that show a label.
        area_exponent: cases are drawn in proportion to their labelled area to the power of minus this.
        reach: how many slices away the slice beside each sample may be; 0 for batches without such slices.
        wholes: as of `Batch`.

    Attributes:
        size: rows and columns of the largest slices.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        image_channels: int,
        batch_size: int,
        foreground_share: float,
        area_exponent: float,
        reach: int = 0,
        wholes: tuple[tuple[int, ...], ...] = (),
    ) -> None:
        self._cases, self._reach, self._wholes = cases, reach, wholes
        weights = np.array([case.target.sum() for case in cases], float) ** -area_exponent
        self._chances = weights / weights.sum()
        self._offsets = np.arange(image_channels) - image_channels // 2
        self._batch_size, self._foreground_share = batch_size, foreground_share
        self.size: tuple[int, ...] = tuple(max(case.slices.shape[axis] for case in cases) for axis in (1, 2))

    def draw_batch(self, number: int, choices: np.random.Generator) -> Batch:
        """A batch, which follows from the generator alone; small slices are centred."""
        images, targets, beside, distances, known = [], [], [], [], []
        for _ in range(self._batch_size):
            case = self._cases[choices.choice(len(self._cases), p=self._chances)]
            anywhere = len(case.slices) if case.usable is None else case.usable
            among = case.foreground if choices.random() < self._foreground_share else anywhere
            index = choices.choice(among)
            stack = np.clip(index + self._offsets, 0, len(case.slices) - 1)
            images.append(self._padded(case.slices[stack]))
            targets.append(self._padded(case.target[index]))
            known.append(np.ones(case.target.shape[1], bool) if case.known is None else case.known)
            if self._reach:
                other = slice_beside(index, len(case.slices), self._reach, choices)
                beside.append(self._padded(case.target[other]))
                distances.append(abs(other - index))
        batch = Batch(torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(targets)).float() / 255)
        if not np.all(known):
            batch = replace(batch, known=torch.from_numpy(np.stack(known)), wholes=self._wholes)
        if not self._reach:
            return batch
        return replace(
            batch, beside=torch.from_numpy(np.stack(beside)).float() / 255, distances=torch.tensor(distances)
        )

    def _padded(self, planes: np.ndarray) -> np.ndarray:
        margins = [(total - length) for total, length in zip(self.size, planes.shape[1:])]
        return np.pad(planes, [(0, 0), *((margin // 2, margin - margin // 2) for margin in margins)], mode="edge")
