"""A synthetic T1-weighted whole head with two hippocampi whose truth is known.

Nothing here comes from a person. Around each hippocampus the head is the anatomy of the phantom (`phantom_anatomy`), on
the right its mirror image. Farther away simple shapes have the phantom's intensities: scalp, skull, fluid, a folded
cortex, white matter, ventricles, deep nuclei, brain stem, cerebellum, face and neck. Places are in mm along right,
anterior and superior from about the anterior commissure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .laterality import FACTOR, SIDES
from .phantom import ANTERIOR, BLOCK_CENTRE_LEFT, POSTERIOR, Phantom, checked_grid, stored
from .phantom_anatomy import Anatomy, paint, ramp, share_inside, smooth_maximum, tissue

# The volume.
CENTRE, EXTENT = (0.0, -10.0, -5.0), (186.0, 234.0, 204.0)

# How far fluid, skull and scalp reach outside of the brain, and where marrow begins and ends within the skull.
_FLUID, _MARROW, _SKULL, _SCALP, _SKIN = 2.5, (4.5, 7.0), 9.0, 15.0, 2.0

# Intensities of what the phantom does not show, as shares of white matter.
_FAT, _MUSCLE, _BONE, _AIR = 1.5, 0.5, 0.1, 0.02

# Half of the box in which the anatomy is that of the phantom, and the width over which it turns into simple shapes.
_BLOCK, _BLEND = (17.0, 27.0, 17.0), 6.0

# Intensities of a whole head are those of the phantom raised to this power, between nothing and white matter: scans of
# heads have less contrast. The blur in mm (standard deviation) is that of their voxels.
_POWER, _BLUR = 0.6, 1.0

# Voxels that are computed at a time, in whole planes.
_AT_ONCE = 500_000


class _Places(NamedTuple):
    """Coordinates in mm, as arrays that broadcast against each other."""

    right: np.ndarray
    anterior: np.ndarray
    superior: np.ndarray

    def ellipsoid(self, centre: Sequence[float], radii: Sequence[float]) -> np.ndarray:
        """Signed distance in mm to an ellipsoid, negative inside, after Taubin (1994)."""
        offsets = [each - np.float32(middle) for each, middle in zip(self, centre)]
        q = np.sqrt(sum((x / np.float32(k)) ** 2 for x, k in zip(offsets, radii))) + np.float32(1e-3)
        return (q - 1) * q / np.sqrt(sum((x / np.float32(k) ** 2) ** 2 for x, k in zip(offsets, radii)) + 1e-6)

    def pair(self, centre: Sequence[float], radii: Sequence[float]) -> np.ndarray:
        """Likewise for an ellipsoid on the right and its mirror image on the left."""
        return self._replace(right=np.abs(self.right)).ellipsoid(centre, radii)


def make_head(
    spacing: Sequence[float] = (1.5, 1.5, 1.5), axes: str = "LPS", noise: float = 0.02, seed: int = 0
) -> Phantom:
    """Make a synthetic T1-weighted whole head.

    >>> make_head((3.0, 3.0, 3.0)).image.GetSize()
    (62, 78, 68)

    Args:
        spacing, axes, noise, seed: as for `make_phantom`; both hippocampi are those of the phantom of the same seed.

    Returns:
        The image, and the labels on their sides: 11 and 12 on the left, 21 and 22 on the right.

    Raises:
        ArgumentError: an argument of the wrong type or out of range.
    """
    _, lengths = checked_grid((1, 1, 1), spacing, axes, "left", 0.0, noise, seed)
    size = tuple(round(mm / length) for mm, length in zip(EXTENT, lengths))
    anatomy = Anatomy.draw(np.random.default_rng([seed, 0]))
    right, anterior, superior = (
        (np.arange(count) - (count - 1) / 2).astype(np.float32) * np.float32(length) + np.float32(middle)
        for count, length, middle in zip(size, lengths, CENTRE)
    )
    image, labels = np.empty(size, np.float32), np.zeros(size, np.uint8)
    slab = max(1, _AT_ONCE // (size[0] * size[1]))
    for first in range(0, size[2], slab):
        heights = superior[None, None, first : first + slab]
        image[..., first : first + slab] = _simple_head(
            anatomy, _Places(right[:, None, None], anterior[None, :, None], heights)
        )
    for side in SIDES:
        _put_block(image, labels, anatomy, side, (right, anterior, superior))
    image = np.float32(anatomy.white) * (np.maximum(image, 0) / np.float32(anatomy.white)) ** np.float32(_POWER)
    for axis, length in enumerate(lengths):
        image = _blurred(image, axis, _BLUR / length)
    draws = np.random.default_rng([seed, 2]).standard_normal((2, *size), dtype=np.float32)
    draws *= np.float32(noise * anatomy.white)
    image = np.hypot(image + draws[0], draws[1])  # as in magnitude images
    return Phantom(stored(image, lengths, np.array(CENTRE), axes), stored(labels, lengths, np.array(CENTRE), axes))


def _blurred(image: np.ndarray, axis: int, voxels: float) -> np.ndarray:
    """An image blurred along one axis by a Gaussian of this standard deviation."""
    reach = math.ceil(3 * voxels)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / voxels) ** 2).astype(np.float32)
    weights /= weights.sum()
    padded = np.pad(image, [(reach, reach) if each == axis else (0, 0) for each in range(3)], mode="edge")
    count = image.shape[axis]
    return sum(weight * padded.take(range(n, n + count), axis) for n, weight in enumerate(weights))


def _simple_head(anatomy: Anatomy, at: _Places) -> np.ndarray:
    """Intensities of the shapes that stand for all but the surroundings of the hippocampi."""
    white, grey, fluid = anatomy.white, anatomy.grey, anatomy.fluid
    cerebrum = _cerebrum(at)
    cerebellum = at.ellipsoid((0, -62, -36), (52, 33, 25))
    stem = at.ellipsoid((0, -26, -34), (13, 12, 40))
    brain = np.minimum(np.minimum(cerebrum, cerebellum), stem)
    values = np.full(brain.shape, _AIR * white, np.float32)
    _paint_outside(values, anatomy, at, brain)
    paint(values, share_inside(brain - _FLUID), fluid)
    _paint_cortex(values, anatomy, at, cerebrum)
    _paint_inside(values, anatomy, at)
    tent = share_inside(cerebellum - 2) * ramp(-at.anterior, 25, 32)
    paint(values, tent, fluid)
    folia = 0.5 + 0.5 * np.cos(2 * np.pi * (at.superior + 0.5 * at.anterior + 0.2 * np.abs(at.right)) / 7)
    inner = share_inside(at.ellipsoid((0, -58, -34), (28, 18, 11)))
    paint(values, share_inside(cerebellum), grey + (white - grey) * (0.1 + 0.5 * folia))
    paint(values, inner, anatomy.nuclei * 1.05)
    paint(values, share_inside(stem - 2.5) * ramp(-at.superior, 5, 14), fluid)
    paint(values, share_inside(stem) * ramp(-at.superior, 2, 8), anatomy.stem)
    paint(values, share_inside(at.ellipsoid((0, -42, -30), (7, 4, 11))), fluid)
    return values


def _cerebrum(at: _Places) -> np.ndarray:
    """Signed distance to the surface of the hemispheres: an egg, lower at the temporal lobes than between them."""
    egg = at.ellipsoid((0, -17, 9), (65, 84, 63))
    temporal = at.pair((42, -8, -22), (24, 38, 22))
    base = -24 - at.superior + 0.12 * at.anterior
    return np.minimum(smooth_maximum(egg, base, 8.0), np.maximum(temporal, egg))


def _paint_outside(values: np.ndarray, anatomy: Anatomy, at: _Places, brain: np.ndarray) -> None:
    """Face, neck, scalp and skull."""
    white = np.float32(anatomy.white)
    face = at.ellipsoid((0, 38, -68), (56, 50, 66))
    nose = at.ellipsoid((0, 88, -52), (13, 18, 22))
    neck = np.maximum(np.hypot(at.right / 1.05, (at.anterior + 28) * 0.95) - 56, at.superior + 40)
    head = np.minimum(np.minimum(brain - _SCALP, nose), np.minimum(face, neck))
    paint(values, share_inside(head), 0.8 * white)
    paint(values, share_inside(head + _SKIN), _FAT * white)
    stripes = 0.15 * np.cos(at.right / 5.0 + 1.0) * np.cos(at.anterior / 7.0) * np.cos(at.superior / 9.0)
    paint(values, share_inside(head + 6.5), (_MUSCLE + stripes) * white)
    # Airways, sinuses, mouth, eyes and their fat, jaw and spine.
    orbit, eye = at.pair((31, 58, -30), (19, 20, 17)), at.pair((31, 66, -30), (12, 12, 12))
    paint(values, share_inside(orbit), _FAT * white)
    paint(values, share_inside(eye), anatomy.fluid)
    for cavity in (
        at.pair((30, 48, -56), (13, 16, 17)),
        at.ellipsoid((0, 56, -46), (13, 30, 20)),
        at.ellipsoid((0, 12, -72), (12, 9, 30)),
        at.ellipsoid((0, 62, -12), (20, 6, 9)),
        at.ellipsoid((0, 20, -34), (13, 13, 9)),
        at.pair((52, -28, -46), (9, 14, 12)),
    ):
        paint(values, share_inside(cavity), _AIR * white)
    jaw = np.abs(at.pair((0, 34, -92), (46, 42, 14))) - 4
    paint(values, share_inside(np.maximum(jaw, -at.anterior - 5)), 0.25 * white)
    spine = np.maximum(np.hypot(at.right, at.anterior + 14) - 12, at.superior + 62)
    paint(values, share_inside(spine), 0.35 * white)
    canal = np.maximum(np.hypot(at.right, at.anterior + 34) - 9, at.superior + 50)
    paint(values, share_inside(canal), anatomy.fluid)
    paint(values, share_inside(np.maximum(np.hypot(at.right, at.anterior + 34) - 5, at.superior + 50)), anatomy.stem)
    skull = share_inside(brain - _SKULL) * ramp(np.hypot(at.right, at.anterior + 32) + 0.6 * (at.superior + 70), 14, 22)
    paint(values, skull, _BONE * white)
    low, high = _MARROW
    paint(values, share_inside(np.abs(brain - (low + high) / 2) - (high - low) / 2) * skull, 0.5 * white)


def _paint_cortex(values: np.ndarray, anatomy: Anatomy, at: _Places, cerebrum: np.ndarray) -> None:
    """White matter under a folded cortex, and the cleft between the hemispheres."""
    bent = [each + 3 * np.sin(other / 11 + phase) for each, other, phase in zip(at, at[1:] + at[:1], anatomy.wobble)]
    x, y, z = (2 * np.pi / 34 * each for each in bent)
    fold = np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)
    sheet = np.abs(fold) * 4.2 + 3.0 * ramp(-cerebrum, 13, 20)
    cleft = np.hypot(at.right, np.maximum(14 - at.superior, 0) * (np.abs(at.anterior + 15) < 42))
    paint(values, share_inside(cerebrum), anatomy.white)
    for thickness, intensity in ((1.4 * anatomy.cortex, anatomy.grey), (0.0, anatomy.fluid)):
        crown = share_inside(-cerebrum - thickness) if thickness else 0.0
        inside = share_inside(cerebrum)
        paint(values, inside * np.maximum(share_inside(sheet - thickness - 0.7), crown), intensity)
        paint(values, inside * share_inside(cleft - thickness - 0.9), intensity)


def _paint_inside(values: np.ndarray, anatomy: Anatomy, at: _Places) -> None:
    """Corpus callosum, deep nuclei, ventricles and the cisterns at the base."""
    core = at.ellipsoid((0, -14, 12), (34, 50, 22))
    paint(values, share_inside(core / 2), anatomy.white)
    nuclei = np.float32(anatomy.nuclei)
    paint(values, share_inside(at.pair((11, -18, 7), (9, 15, 9))), nuclei)
    paint(values, share_inside(at.pair((26, 2, 2), (6, 17, 11))), 0.86 * nuclei)
    paint(values, share_inside(at.pair((14, 10, 12), (5, 14, 8))), 0.82 * nuclei)
    fluid = anatomy.fluid
    for ventricle in (
        at.pair((9, -8, 20), (6, 30, 6)),
        at.pair((9, 22, 12), (5, 12, 10)),
        at.pair((22, -44, 14), (6, 14, 8)),
        at.ellipsoid((0, -14, 2), (2.4, 14, 9)),
        at.ellipsoid((0, -4, -22), (14, 20, 7)),
    ):
        paint(values, share_inside(ventricle), fluid)


def _put_block(
    image: np.ndarray, labels: np.ndarray, anatomy: Anatomy, side: str, places: Sequence[np.ndarray]
) -> None:
    """Lay the phantom's anatomy around one hippocampus over the simple shapes, in place, and write its labels."""
    sign = 1 if side == "left" else -1
    middle = np.array(BLOCK_CENTRE_LEFT) * (sign, 1, 1)
    offsets = [each - np.float32(centre) for each, centre in zip(places, middle)]
    near = [np.flatnonzero(np.abs(each) < half + _BLEND) for each, half in zip(offsets, _BLOCK)]
    here = tuple(slice(indices[0], indices[-1] + 1) for indices in near)
    medial, anterior, superior = (
        np.expand_dims(each[part], [axis for axis in range(3) if axis != own])
        for own, (each, part) in enumerate(zip(offsets, here))
    )
    values, inside = tissue(anatomy, sign * medial, anterior, superior)
    share = np.float32(1)
    for each, half in zip((medial, anterior, superior), _BLOCK):
        share = share * (1 - ramp(np.abs(each), half, half + _BLEND))
    paint(image[here], share, values)
    part = np.where(anterior > anatomy.shift[1], ANTERIOR, POSTERIOR)
    value = FACTOR * (1 + SIDES.index(side)) + part
    labels[here] = np.where(inside * share >= 0.5, value, labels[here])
