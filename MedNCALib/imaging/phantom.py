"""A synthetic T1-weighted block of the medial temporal lobe with a hippocampus whose truth is known.

Nothing here comes from a person. The shapes are functions of physical coordinates (`phantom_anatomy`), so that every
spacing, size and storage order samples the same anatomy. A seed varies that anatomy within the range of healthy adults.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import SimpleITK as sitk

from ..checks import require, require_choice, require_list, require_number, require_text, require_whole_number
from ..errors import ArgumentError
from .anatomical_axes import DIRECTIONS_LPS
from .laterality import Side
from .phantom_anatomy import Anatomy, tissue

Size = tuple[int, int, int]
Spacing = tuple[float, float, float]

ANTERIOR = 1
POSTERIOR = 2

# Where the middle of a block lies in the head (RAS, mm) for the left side: about the middle of the hippocampus.
BLOCK_CENTRE_LEFT = (-26.0, -22.0, -14.0)

# Voxels longer than this (mm) are averaged from several samples, as a scanner averages over a thick slice.
LONGEST_SAMPLE = 1.25

# Samples computed at a time, in whole planes. It bounds the memory: some thirty arrays of this length live at once.
SAMPLES_AT_ONCE = 500_000

# Each letter's axis in a block stored as RAS, and whether the letter runs along that axis or against it.
RAS_AXES = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}


@dataclass(frozen=True)
class Phantom:
    """A synthetic image and its truth on the same grid.

    Attributes:
        image: float32, arbitrary units as in MR.
        labels: uint8, 1 anterior, 2 posterior, 0 elsewhere.
    """

    image: sitk.Image
    labels: sitk.Image


def make_phantom(
    size: Sequence[int] = (40, 56, 40),
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    axes: str = "RAS",
    side: Side = "left",
    bias: float = 0.0,
    noise: float = 0.02,
    seed: int = 0,
) -> Phantom:
    """Make a synthetic T1-weighted block of the medial temporal lobe.

    >>> make_phantom(size=(40, 56, 40), axes="PIR").image.GetSize()
    (56, 40, 40)

    Args:
        size: voxels along right, anterior and superior, before `axes` reorders the storage.
        spacing: mm along right, anterior and superior, before `axes` reorders the storage.
        axes: where the first, the second and the third voxel index run to: "RAS" means to the right, to anterior and to
            superior. Any of the 48 orders; the direction matrix says the same, so the physical content does not change.
        side: "left" or "right"; the right side is the mirror image of the left.
        bias: amplitude of a smooth multiplicative field, 0 to below 1; 0.5 lets intensities vary by 50 % either way.
        noise: standard deviation of Gaussian noise, relative to the intensity of white matter. Values that it would
            push below zero become zero, since a magnitude image has none.
        seed: chooses anatomy, tissue contrast, bias field and noise. Anatomy does not depend on the other arguments.

    Raises:
        ArgumentError: an argument of the wrong type or outside these ranges.
    """
    voxels, lengths = checked_grid(size, spacing, axes, side, bias, noise, seed)
    anatomy = Anatomy.draw(np.random.default_rng([seed, 0]))
    mirror = 1.0 if side == "left" else -1.0

    image, labels = _sample(anatomy, voxels, lengths, mirror)
    if bias > 0:
        image *= _bias_field(voxels, bias, np.random.default_rng([seed, 1]))
    if noise > 0:
        draws = np.random.default_rng([seed, 2]).standard_normal(voxels, dtype=np.float32)
        image += np.float32(noise * anatomy.white) * draws
        np.maximum(image, 0, out=image)

    centre = np.array(BLOCK_CENTRE_LEFT) * (mirror, 1, 1)
    return Phantom(stored(image, lengths, centre, axes), stored(labels, lengths, centre, axes))


def checked_grid(
    size: Any, spacing: Any, axes: Any, side: Any, bias: Any, noise: Any, seed: Any
) -> tuple[Size, Spacing]:
    """Size and spacing of a block; see `make_phantom` for what may be wrong."""
    try:
        require_list(size, "size", 3)
        for voxels in size:
            require_whole_number(voxels, "each size")
        require_list(spacing, "spacing", 3)
        for mm in spacing:
            require_number(mm, "each spacing")
            require(mm > 0, f"each spacing must be a positive length in mm, not {mm!r}")
        require_text(axes, "axes")
        named = sorted(RAS_AXES.get(letter, (-1,))[0] for letter in axes)
        require(named == [0, 1, 2], f"axes must name each of R/L, A/P and S/I once, as 'RAS' does, not {axes!r}")
        require_choice(side, "side", get_args(Side))
        require_number(bias, "bias")
        require(0 <= bias < 1, f"bias must be at least 0 and below 1, or intensities turn negative, not {bias!r}")
        require_number(noise, "noise")
        require(noise >= 0, f"noise must be at least 0, not {noise!r}")
        require_whole_number(seed, "seed", 0)
    except ValueError as error:
        raise ArgumentError(f"There is no such phantom: {error}.") from error
    return (int(size[0]), int(size[1]), int(size[2])), (float(spacing[0]), float(spacing[1]), float(spacing[2]))


def _sample(anatomy: Anatomy, size: Size, spacing: Spacing, mirror: float) -> tuple[np.ndarray, np.ndarray]:
    """Image (float32) and labels (uint8) with indices (R, A, S), averaged over samples within each voxel."""
    samples = [int(np.ceil(length / LONGEST_SAMPLE)) for length in spacing]
    r, a, s = (_positions(n, length, count) for n, length, count in zip(size, spacing, samples))
    border = (np.arange(size[1]) - (size[1] - 1) / 2) * spacing[1] - anatomy.shift[1]
    part = np.where(border > 0, ANTERIOR, POSTERIOR).astype(np.uint8)[None, :, None]

    image, labels = np.empty(size, np.float32), np.empty(size, np.uint8)
    slab = max(1, SAMPLES_AT_ONCE // (len(r) * len(a) * samples[2]))
    for first in range(0, size[2], slab):
        here = slice(first, min(first + slab, size[2]))
        heights = s[here.start * samples[2] : here.stop * samples[2]]
        values, inside = tissue(anatomy, mirror * r[:, None, None], a[None, :, None], heights[None, None, :])
        image[:, :, here] = _averaged(values, samples)
        labels[:, :, here] = np.where(_averaged(inside, samples) >= 0.5, part, 0)
    return image, labels


def _positions(voxels: int, spacing: float, samples: int) -> np.ndarray:
    """Sample positions in mm around the middle of an axis, `samples` evenly within each voxel."""
    index = (np.arange(voxels * samples) + 0.5) / samples - voxels / 2
    return (index * spacing).astype(np.float32)


def _averaged(values: np.ndarray, samples: Sequence[int]) -> np.ndarray:
    """Means over the samples of each voxel."""
    r, a, s = (n // count for n, count in zip(values.shape, samples))
    return values.reshape(r, samples[0], a, samples[1], s, samples[2]).mean(axis=(1, 3, 5), dtype=np.float32)


def _bias_field(size: Size, amplitude: float, random: np.random.Generator) -> np.ndarray:
    """A smooth field with indices (R, A, S) between 1 - amplitude and 1 + amplitude; it reaches one of the two."""
    profiles = []
    for voxels in size:
        position = np.linspace(-1, 1, voxels) if voxels > 1 else np.zeros(1)
        profile = np.sin(0.5 * np.pi * (random.choice((-1, 1)) * position + random.uniform(-0.5, 0.5)))
        profiles.append(profile / max(np.abs(profile).max(), 1e-6))
    r, a, s = profiles
    field = r[:, None, None] + a[None, :, None] + s[None, None, :]
    return (1 + amplitude * field / np.abs(field).max()).astype(np.float32)


def stored(array: np.ndarray, spacing: Spacing, centre: np.ndarray, axes: str) -> sitk.Image:
    """A SimpleITK image of an array with indices (R, A, S), its voxels stored in the order that `axes` names."""
    order, signs = zip(*(RAS_AXES[letter] for letter in axes))
    stored = array.transpose(order)[tuple(slice(None, None, sign) for sign in signs)]
    # SimpleITK's first index is NumPy's last.
    image = sitk.GetImageFromArray(np.ascontiguousarray(stored.transpose(2, 1, 0)))
    steps = np.array([DIRECTIONS_LPS[letter] for letter in axes], float).T
    lengths = np.array([spacing[axis] for axis in order])
    middle = np.array(centre) * (-1, -1, 1)
    origin = middle - steps @ (lengths * (np.array(stored.shape) - 1) / 2)
    image.SetSpacing(lengths.tolist())
    image.SetDirection(steps.ravel().tolist())
    image.SetOrigin(origin.tolist())
    return image
