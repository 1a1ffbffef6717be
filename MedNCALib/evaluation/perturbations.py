"""Image perturbations (noise, bias field, ghosting, scale, shift, ...) for measuring robustness.

Every perturbation takes and gives a `Stack`: the image's own voxels and the true labels, in the axes of the model's
slices. "Slice", "row" and "column" are the model's, and nothing depends on the order in which a file stores its voxels.
Intensities are scaled so that the image's 0.5th and 99.5th percentiles are 0 and 1; they are not clipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Optional, Protocol

import numpy as np
import SimpleITK as sitk

from ..imaging.normalisation import Normalisation
from ..imaging.slice_format import SliceFormat
from ..imaging.slice_space import SliceSpace
from ..model.model import Model
from ..numerics.resampling import Method, resample_planes, sampling_matrix

UNPERTURBED = "unperturbed"

_INTENSITIES = Normalisation("volume", (0.5, 99.5))
_OPPOSITE = dict(zip("LRPASI", "RLAPIS"))


@dataclass(frozen=True)
class LabelledCase:
    """An image whose labels are known.

    Attributes:
        name: of the case.
        image: three-dimensional scalar image.
        labels: the true labels, on the same grid.
    """

    name: str
    image: sitk.Image
    labels: sitk.Image


class LabelledCases(Protocol):
    """Cases whose number is known; they need not all be in memory."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[LabelledCase]: ...


@dataclass(frozen=True)
class Trial:
    """A case with one perturbation.

    Attributes:
        name: of the perturbation.
        model: the model, which a perturbation may change too.
        image, labels: the image and its true labels, on one grid.
        to_anatomy: of the stack; None if the grid is where the anatomy lies.
    """

    name: str
    model: Model
    image: sitk.Image
    labels: sitk.Image
    to_anatomy: np.ndarray | None = None

    @property
    def voxel_ml(self) -> float:
        """Volume of the anatomy that a voxel shows, in mL."""
        if self.to_anatomy is None:
            return float(np.prod(self.image.GetSpacing())) / 1000
        return abs(float(np.linalg.det(self.to_anatomy[:3, :3]))) / 1000

    def onto(self, grid: sitk.Image, found: sitk.Image) -> sitk.Image:
        """A result of the trial, brought back to where the anatomy lies.

        Args:
            grid: the image without the perturbation, or one that it is a part of.
            found: labels on the grid of the trial's image.

        Returns:
            The labels on the other grid; 0 if the trial's image does not show what lies there.
        """
        if self.to_anatomy is not None:
            found = _placed(sitk.GetArrayViewFromImage(found), self.to_anatomy)
        return sitk.Resample(found, grid, sitk.Transform(), sitk.sitkNearestNeighbor, 0)


@dataclass(frozen=True)
class Stack:
    """An image and its labels in the axes of a model's slices.

    Attributes:
        image: intensities, float32, shape (slices, rows, columns).
        labels: the true labels, uint8, the same shape.
        to_physical: 4x4 matrix from (column, row, slice) to LPS mm.
        to_anatomy: likewise, to where that which the slices show lay before it was moved or scaled.
    """

    image: np.ndarray
    labels: np.ndarray
    to_physical: np.ndarray
    to_anatomy: np.ndarray

    @classmethod
    def of(cls, image: sitk.Image, truth: sitk.Image, axes: str) -> Stack:
        """The stack of an image and of the label image on its grid, in the axes of `SliceFormat`.

        Raises:
            ImageError: the image has no contrast, or voxels that are not numbers.
        """
        own_voxels = SliceFormat(axes, (None, None, None))
        space = SliceSpace(image, own_voxels)
        low, high = _INTENSITIES.limits(space.voxels)
        slices = (space.voxels.astype(np.float32) - np.float32(low)) / np.float32(high - low)
        labels = SliceSpace(truth, own_voxels).voxels.copy()  # a view would not outlive the image
        to_physical = space.index_to_physical()
        return cls(np.ascontiguousarray(slices), labels, to_physical, to_physical)

    def images(self) -> tuple[sitk.Image, sitk.Image]:
        """The image and the label image, stored in the order of the slices."""
        return _placed(self.image, self.to_physical), _placed(self.labels, self.to_physical)

    def moved(self, index_before: np.ndarray, image: np.ndarray, labels: np.ndarray) -> Stack:
        """The stack with other voxels, which lay elsewhere before.

        Args:
            index_before: 4x4 matrix from a voxel's (column, row, slice) to those of what it shows, before the change.
            image, labels: after the change.
        """
        return replace(self, image=image, labels=labels, to_anatomy=self.to_anatomy @ index_before)


def _placed(voxels: np.ndarray, to_physical: np.ndarray) -> sitk.Image:
    """An image of voxels, shape (slices, rows, columns), on the grid of a matrix from (column, row, slice) to LPS."""
    spacing = np.linalg.norm(to_physical[:3, :3], axis=0)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((to_physical[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(to_physical[:3, 3].tolist())
    return image


# --- Intensities ---


def noise(stack: Stack, random: np.random.Generator, sd: float) -> Stack:
    """Add Gaussian noise of a standard deviation, independent in each voxel."""
    return replace(stack, image=stack.image + sd * random.standard_normal(stack.image.shape, np.float32))


def bias_field(stack: Stack, random: np.random.Generator, amplitude: float) -> Stack:
    """Multiply by a smooth field from 1 / (1 + amplitude) to 1 + amplitude, both of which it reaches.

    Its logarithm is a random polynomial of third order in the three coordinates, as in TorchIO's RandomBiasField (after
    Van Leemput et al., IEEE TMI 1999).
    """
    axes = [np.linspace(-1, 1, length) if length > 1 else np.zeros(1) for length in stack.image.shape]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    field = np.zeros(stack.image.shape)
    for i, j, k in product(range(4), repeat=3):
        if 0 < i + j + k <= 3:
            field += random.uniform(-1, 1) * z**i * y**j * x**k
    field = 2 * (field - field.min()) / (field.max() - field.min()) - 1
    return replace(stack, image=stack.image * ((1 + amplitude) ** field).astype(np.float32))


def ghosting(stack: Stack, random: np.random.Generator, intensity: float) -> Stack:
    """Add two ghosts of each slice, moved by a quarter of its rows up and down (and around), each of an intensity.

    The lines of k-space are weighted by a cosine with a period of four lines, as if the signal rises and falls with
    breath or pulse while they are acquired one after the other (Wood and Henkelman 1986, doi 10.1118/1.595851;
    TorchIO's RandomGhosting weakens every n-th line). The phase is encoded from row to row.
    """
    rows = stack.image.shape[1]
    lines = np.fft.rfft(stack.image, axis=1)
    weights = 1 + 2 * intensity * np.cos(np.pi / 2 * np.arange(lines.shape[1]))
    ghosted = np.fft.irfft(lines * weights[:, None], n=rows, axis=1)
    return replace(stack, image=ghosted.astype(np.float32))


# --- Geometry: image and labels alike, on the same grid; outside, the border goes on. ---


def scale(stack: Stack, random: np.random.Generator, factor: float) -> Stack:
    """Enlarge what the slices show about their centre by a factor; below 1, make it smaller."""

    def resampled(planes: np.ndarray, method: Method) -> np.ndarray:
        matrices = [
            sampling_matrix(length, length, method, 1 / factor, (length - 1) / 2 * (1 - 1 / factor))
            for length in planes.shape[1:]
        ]
        return resample_planes(planes.astype(np.float32), *matrices)

    labels = resampled(stack.labels, "nearest").astype(np.uint8)
    before = np.diag([1 / factor, 1 / factor, 1, 1])
    before[:2, 3] = (np.array(stack.image.shape[:0:-1]) - 1) / 2 * (1 - 1 / factor)
    return stack.moved(before, resampled(stack.image, "linear"), labels)


def shift(stack: Stack, random: np.random.Generator, rows: int = 0, columns: int = 0) -> Stack:
    """Move what the slices show by whole rows and columns."""

    def moved(planes: np.ndarray) -> np.ndarray:
        row, column = (
            np.clip(np.arange(length) - by, 0, length - 1) for length, by in zip(planes.shape[1:], (rows, columns))
        )
        return planes[:, row[:, None], column]

    before = np.eye(4)
    before[:2, 3] = -columns, -rows
    return stack.moved(before, moved(stack.image), moved(stack.labels))


def mirror(stack: Stack, random: np.random.Generator, axis: str) -> Stack:
    """Turn around "columns", "rows" or "slices"; labels keep their values, so they should name no side."""
    number = ("slices", "rows", "columns").index(axis)
    before = np.eye(4)
    before[2 - number, 2 - number], before[2 - number, 3] = -1, stack.image.shape[number] - 1
    return stack.moved(before, np.flip(stack.image, number), np.flip(stack.labels, number))


def thick_slices(stack: Stack, random: np.random.Generator) -> Stack | None:
    """Average pairs of slices to slices twice as thick; a last one without a partner is left out.

    A thick voxel has a label if half of it has, and the first slice's if both have different ones. None for a single
    slice.
    """
    count = len(stack.image) // 2
    if count == 0:
        return None
    first, second = (slice(start, 2 * count, 2) for start in (0, 1))
    to_thin = np.eye(4)
    to_thin[2, 2:] = 2, 0.5  # slice 0 lies between slices 0 and 1
    return Stack(
        (stack.image[first] + stack.image[second]) / 2,
        np.where(stack.labels[first] > 0, stack.labels[first], stack.labels[second]),
        stack.to_physical @ to_thin,
        stack.to_anatomy @ to_thin,
    )


# --- What is no change of the slices ---


def other_order(image: sitk.Image) -> sitk.Image:
    """The same image, stored in another order: all axes in each other's place, and each one backwards."""
    own = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(image.GetDirection())
    return sitk.DICOMOrient(image, "".join(_OPPOSITE[letter] for letter in own[1:] + own[:1]))


def with_more_steps(model: Model, times: int) -> Model:
    """The same model with so many times the steps in its last stage: a result that has settled stays."""
    architecture = model.cascade.architecture
    last = architecture.stages[-1]
    stages = (*architecture.stages[:-1], replace(last, steps=times * last.steps))
    return replace(model, cascade=replace(model.cascade, architecture=replace(architecture, stages=stages)))


# Of a stack, with a random generator; None if it cannot be done to the stack.
Perturbation = Callable[[Stack, np.random.Generator], Optional[Stack]]

_OF_SLICES: Mapping[str, Perturbation] = {
    "noise 0.1": partial(noise, sd=0.1),
    "noise 0.2": partial(noise, sd=0.2),
    "bias field 0.5": partial(bias_field, amplitude=0.5),
    "ghosting 0.2": partial(ghosting, intensity=0.2),
    "scale 0.8": partial(scale, factor=0.8),
    "scale 0.9": partial(scale, factor=0.9),
    "scale 1.1": partial(scale, factor=1.1),
    "scale 1.2": partial(scale, factor=1.2),
    "shift 10 rows": partial(shift, rows=10),
    "shift 10 columns": partial(shift, columns=10),
    "thick slices": thick_slices,
}
# Twice as strong as in the table of robustness: calibration needs bad results too.
STRONGER: Mapping[str, Perturbation] = {
    "noise 0.4": partial(noise, sd=0.4),
    "ghosting 0.4": partial(ghosting, intensity=0.4),
    "scale 0.6": partial(scale, factor=0.6),
}
_MORE_STEPS = {"steps x 2": 2, "steps x 4": 4}
NAMES = (UNPERTURBED, *_OF_SLICES, "mirrored", "axis order", *_MORE_STEPS)


def trials(model: Model, case: LabelledCase, seed: int, names: Sequence[str] = NAMES) -> Iterator[Trial]:
    """A case with one perturbation after the other.

    Args:
        model: whose slices are perturbed.
        case: an image and its labels.
        seed: of the random perturbations.
        names: which, and in which order, of `NAMES` and `STRONGER`.

    Yields:
        The trials. A perturbation that cannot be done to the image, or leaves nothing to see (a shift of small slices),
        is left out.

    Raises:
        ImageError: the image has no contrast, or voxels that are not numbers.
    """
    stack = Stack.of(case.image, case.labels, model.slice_format.axes)
    mirrored = partial(mirror, axis=model.slice_format.left_right)
    of_slices: dict[str, Perturbation] = {**_OF_SLICES, **STRONGER, "mirrored": mirrored}
    for name in names:
        if name in of_slices:
            changed = of_slices[name](stack, np.random.default_rng([seed, *name.encode()]))
            if changed is not None and changed.image.min() < changed.image.max():
                yield Trial(name, model, *changed.images(), changed.to_anatomy)
        elif name == "axis order":
            yield Trial(name, model, other_order(case.image), other_order(case.labels))
        elif name == UNPERTURBED:
            yield Trial(name, model, case.image, case.labels)
        else:
            yield Trial(name, with_more_steps(model, _MORE_STEPS[name]), case.image, case.labels)
