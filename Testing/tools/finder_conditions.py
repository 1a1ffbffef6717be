"""Whole heads whose hippocampi are known: as they are, turned, cut, of thick slices, of other contrast, and drawn.

Labels have the numbers of the parts in a preset's structures: 1 left, 2 right, 3 all else that is brain.
"""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import SimpleITK as sitk
import torch

import MedNCALib as mednca
from MedNCALib.evaluation.perturbations import LabelledCase
from MedNCALib.imaging.anatomical_axes import orientation
from MedNCALib.training.collection import values_of
from MedNCALib.training.collection_reading import find_subjects
from MedNCALib.training.scanner import rician
from MedNCALib.training.synthetic import VALUES, Contrast, draw_image, random_contrast

LEFT, RIGHT = 1, 2

_FAR = 1000.0  # mm, beyond any head
_BESIDE = np.array([2.0, -3.0, 2.0])  # mm along left, posterior and superior

# --- Heads as they are ---


def read_heads(collection, data):
    """The heads of a collection that choose nothing."""
    pairs = find_subjects(collection, data).reporting
    return [
        LabelledCase(
            pair.name,
            sitk.Cast(mednca.read_image(pair.image), sitk.sitkFloat32),
            _truth(mednca.read_image(pair.label), collection),
        )
        for pair in pairs
    ]


def _truth(labels, collection):
    """The parts of the collection's first structure by their numbers, and 0 elsewhere."""
    numbers = np.zeros(VALUES, np.uint8)
    for number, part in enumerate(collection.structures[0], 1):
        for low, high in values_of(part):
            numbers[low : high + 1] = number
    return _with_voxels(labels, numbers[np.rint(sitk.GetArrayViewFromImage(labels)).astype(int)])


def _with_voxels(image, voxels):
    changed = sitk.GetImageFromArray(voxels)
    changed.CopyInformation(image)
    return changed


def centre(mask):
    """Of a mask's voxels, in LPS mm."""
    shapes = sitk.LabelShapeStatisticsImageFilter()
    shapes.Execute(mask)
    return np.array(shapes.GetCentroid(1))


# --- Another position, and parts ---


def _rotated(case, axis, degrees):
    """About an axis (0 left, 1 posterior, 2 superior) through the middle of the volume."""
    middle = [(length - 1) / 2 for length in case.image.GetSize()]
    turn = sitk.Euler3DTransform()
    turn.SetCenter(case.image.TransformContinuousIndexToPhysicalPoint(middle))
    turn.SetRotation(*(math.radians(degrees) if each == axis else 0.0 for each in range(3)))
    image = sitk.Resample(case.image, case.image, turn, sitk.sitkLinear)
    yield replace(case, image=image, labels=sitk.Resample(case.labels, case.labels, turn, sitk.sitkNearestNeighbor))


def _part(case, place, low, high):
    """What lies between two corners, in mm from a place in LPS."""
    corners = (np.add(place, corner).tolist() for corner in (low, high))
    ends = [case.image.TransformPhysicalPointToContinuousIndex(corner) for corner in corners]
    size = case.image.GetSize()
    first, last = (np.clip(np.rint(each(ends, axis=0)), 0, size).astype(int) for each in (np.min, np.max))
    image, labels = (
        sitk.RegionOfInterest(each, (last - first).tolist(), first.tolist()) for each in (case.image, case.labels)
    )
    return replace(case, image=image, labels=labels)


def _halves(case):
    middle = centre(case.labels > 0)
    yield _part(case, middle, (0, -_FAR, -_FAR), (_FAR, _FAR, _FAR))
    yield _part(case, middle, (-_FAR, -_FAR, -_FAR), (0, _FAR, _FAR))


def _blocks(case, size):
    """Around each hippocampus, a little beside its middle."""
    half = np.array(size) / 2
    for side in (LEFT, RIGHT):
        yield _part(case, centre(case.labels == side), _BESIDE - half, _BESIDE + half)


def _without_face(case):
    yield _part(case, centre(case.labels > 0), (-_FAR, -55, -50), (_FAR, 115, 130))


def _neck(case):
    """What lies at least 25 mm below the hippocampi."""
    middle = centre((case.labels == LEFT) | (case.labels == RIGHT))
    yield _part(case, middle, (-_FAR, -_FAR, -_FAR), (_FAR, _FAR, -25))


def _stripped(case):
    brain = sitk.BinaryDilate(case.labels > 0, [1] * 3)
    yield replace(case, image=sitk.Mask(case.image, brain))


# --- Other slices and intensities ---


def _thick(case, letter, mm=6.0):
    """Slices of a thickness across the axis of the image that is nearest to one of L, P and S."""
    slices, rows, columns = orientation(case.image, "LPS").order
    axis = 2 - {"L": columns, "P": rows, "S": slices}[letter]
    factors = [1, 1, 1]
    factors[axis] = max(1, round(mm / case.image.GetSpacing()[axis]))
    yield replace(case, image=sitk.BinShrink(case.image, factors), labels=sitk.Shrink(case.labels, factors))


def _with_intensities(case, change):
    yield replace(case, image=_with_voxels(case.image, change(sitk.GetArrayFromImage(case.image)).astype(np.float32)))


def _noisy(voxels, sd):
    """Rician noise, as a share of the 99.5th percentile."""
    scaled = torch.from_numpy(voxels / np.float32(np.percentile(voxels, 99.5)))
    return rician(scaled, sd, torch.Generator().manual_seed(0)).numpy()


def _biased(voxels):
    """From one corner to the other the intensity rises by a factor of five."""
    planes, rows, columns = np.meshgrid(*(np.linspace(-1, 1, count) for count in voxels.shape), indexing="ij")
    return voxels * np.exp(0.3 * planes + 0.3 * rows + 0.2 * columns)


def _exchanged(voxels):
    """Dark and bright exchanged inside the head, and air left dark."""
    scaled = np.clip(voxels / np.percentile(voxels, 99), 0, 1).astype(np.float32)
    smooth = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(sitk.GetImageFromArray(scaled), 2.0))
    return np.where(smooth > 0.12, 1.05 - scaled, 0.02)


# What is made of a head: a function that yields cases.
CONDITIONS = {
    "as they are": lambda case: [case],
    **{
        f"rotated by {degrees} degrees about {name}": partial(_rotated, axis=axis, degrees=degrees)
        for axis, name in enumerate(("left", "posterior", "superior"))
        for degrees in (30, -30)
    },
    "left half alone, right half alone": _halves,
    "blocks of 80 x 90 x 80 mm around one": partial(_blocks, size=(80, 90, 80)),
    "blocks of 40 x 55 x 40 mm around one": partial(_blocks, size=(40, 55, 40)),
    "without face and neck": _without_face,
    "neck and face alone": _neck,
    "skull-stripped": _stripped,
    "coronal slices of 6 mm": partial(_thick, letter="P"),
    "axial slices of 6 mm": partial(_thick, letter="S"),
    "sagittal slices of 6 mm": partial(_thick, letter="L"),
    "noise of 0.1": partial(_with_intensities, change=partial(_noisy, sd=0.1)),
    "bias field": partial(_with_intensities, change=_biased),
    "dark and bright exchanged inside the head": partial(_with_intensities, change=_exchanged),
}

# --- Drawn heads ---

KINDS = ("T1-like", "T2-like", "FLAIR-like", "any contrast")

# Values of FreeSurfer's label maps, and rough means of grey matter, white matter and fluid, 0 to 255.
_GREY = (3, 42, 8, 47, 10, 49, 11, 50, 12, 51, 17, 53, 18, 54, 26, 58)
_WHITE = (2, 41, 7, 46, 16, 28, 60, 13, 52, 85)
_FLUID = (4, 43, 5, 44, 14, 15, 24, 31, 63, 72)
_MEANS = {"T2-like": (110, 75, 230), "FLAIR-like": (130, 95, 25)}
_OTHER = 80
_DARK, _SOFT = {507: 15, 511: 40, 530: 15}, (502, 514, 515, 516)


def read_maps(collection, data):
    """The label maps of a collection that are held out, as (name, image): every other voxel, values of tissues."""
    subjects = find_subjects(collection, data)
    maps = ((pair.name, mednca.read_image(pair.label)) for pair in (*subjects.reporting, *subjects.choosing))
    return [(name, sitk.Shrink(sitk.DICOMOrient(labels, "RAS"), [2] * 3)) for name, labels in maps]


def drawn_heads(maps, collection, kind, seeds=(0, 1)):
    """A head of each map and seed, with a contrast of one of `KINDS`."""
    for seed in seeds:
        choices = np.random.default_rng(seed)
        for name, labels in maps:
            tissues = torch.from_numpy(np.rint(sitk.GetArrayViewFromImage(labels)).astype(np.int64))
            contrast, generator = _contrast(kind, choices), torch.Generator().manual_seed(seed)
            image = draw_image(tissues, contrast, choices, generator).numpy()
            yield LabelledCase(f"{name} {seed}", _with_voxels(labels, image), _truth(labels, collection))


def _contrast(kind, choices):
    """Of the kind: one of `random_contrast`, or the rough means, with grey and white matter a little otherwise."""
    contrast = random_contrast(choices, t1_share=float(kind == "T1-like"), stripped_share=0.0)
    if kind not in _MEANS:
        return contrast
    mean = np.full(VALUES, _OTHER, np.float32)
    grey, white, fluid = _MEANS[kind]
    for values, tissue in ((_GREY, grey), (_WHITE, white)):
        for value in values:
            mean[value] = tissue + choices.normal(0, 4)
    mean[list(_FLUID)] = fluid
    for value, tissue in _DARK.items():
        mean[value] = tissue
    for value in _SOFT:
        mean[value] = choices.uniform(90, 180)
    mean /= 255
    mean[0] = contrast.mean[0]
    return Contrast(mean, np.full(VALUES, 8 / 255, np.float32))


# --- All images ---


def whole_heads(heads, maps):
    """The heads of each collection, and T1-like and T2-like ones drawn from its maps, as (name, cases).

    Args:
        heads: pairs of a collection and what `read_heads` gives.
        maps: pairs of a collection and what `read_maps` gives.
    """
    for collection, cases in heads:
        yield f"{collection.name}, heads", cases
    for collection, labels in maps:
        for kind in KINDS[:2]:
            yield f"{collection.name}, drawn, {kind}", drawn_heads(labels, collection, kind)


def conditions(heads, maps):
    """All heads in each condition and of each drawn contrast, as (name, cases); see `whole_heads`."""
    for name, changed in CONDITIONS.items():
        yield name, (case for _, cases in heads for head in cases for case in changed(head))
    for kind in KINDS:
        yield f"drawn, {kind}", (case for collection, each in maps for case in drawn_heads(each, collection, kind))
