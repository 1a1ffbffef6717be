"""Images and their label images, paired by the names of their files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError, MedNCAWarning
from ..imaging.anatomical_axes import same_grid
from ..imaging.label_wholes import key_of, parts_of
from ..imaging.labels import Label
from .images import IMAGE_ENDINGS, image_stem, read_image
from .segmentation_file import read_segments

# Names listed in a message; the rest is counted.
NAMES_SHOWN = 5


@dataclass(frozen=True)
class Pair:
    """An image file and the file with its labels; name: what both are called, without the ending."""

    name: str
    image: Path
    label: Path


def find_pairs(images_dir: str | os.PathLike[str], labels_dir: str | os.PathLike[str]) -> list[Pair]:
    """Pair the files of two folders by name: `a.nii.gz` with `a.nii.gz`, `a.nrrd` or `a.seg.nrrd`.

    Returns:
        Pairs sorted by name, at least one.

    Raises:
        ImageError: a folder is missing or without images, two files have one name, or a file has no partner.
    """
    images, labels = _files_by_name(Path(images_dir)), _files_by_name(Path(labels_dir))
    unpaired = []
    if images.keys() - labels.keys():
        unpaired.append(f"images without labels: {_listed(images.keys() - labels.keys())}")
    if labels.keys() - images.keys():
        unpaired.append(f"labels without an image: {_listed(labels.keys() - images.keys())}")
    if unpaired:
        raise ImageError(
            f"The files in {images_dir} and {labels_dir} do not pair by name; {'; '.join(unpaired)}. Rename them, or "
            "move away what has no partner."
        )
    return [Pair(name, images[name], labels[name]) for name in sorted(images)]


def read_pair(
    pair: Pair,
    labels: Sequence[Label] | None = None,
    axes: str | None = None,
    spacing: Sequence[float] | None = None,
) -> tuple[sitk.Image, sitk.Image]:
    """Read an image and its labels, which must lie on one grid.

    Args:
        pair: the files.
        labels: a model's. If the label file names its values, as Slicer's segmentations do, those of the result are the
            model's values for these names; else a value means the same in both.
        axes, spacing: of both files, if they do not say it; see `read_image`.

    Returns:
        The image, and the labels as uint8 with the image's geometry.

    Raises:
        ImageError: a file cannot be read, the grids differ, the labels are not whole numbers from 0 to 255, or have
            names that the model does not have.
    """
    segments = read_segments(pair.label)
    image = read_image(pair.image, axes=axes, spacing=spacing)
    with warnings.catch_warnings():  # what is to be said of the grid has been said of the image
        warnings.simplefilter("ignore", MedNCAWarning)
        truth = read_image(pair.label, axes=axes, spacing=spacing)
    _check_same_grid(pair, image, truth)
    values = sitk.GetArrayViewFromImage(truth)
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 255 and (values % 1 == 0).all()):
        raise ImageError(f"{pair.label} is no label image: its voxels are not whole numbers from 0 to 255.")
    truth = sitk.Cast(truth, sitk.sitkUInt8)
    if labels is not None and segments:
        truth = _renamed(truth, segments, labels, pair.label)
    truth.CopyInformation(image)
    return image, truth


def labels_named_in(pairs: Iterable[Pair]) -> tuple[Label, ...]:
    """The labels that label files name, one for each name; empty if no file names any.

    Returns:
        By value. A label has the value that it has in the first file that names it or, if another has that, the next
        that is free.

    Raises:
        ImageError: the files give names different values, and one of them has no names.
    """
    files = {pair.label: read_segments(pair.label) for pair in pairs}
    found: dict[str, Label] = {}
    agree = True
    for segments in files.values():
        for value, label in sorted(segments.items()):
            taken = {known.value for known in found.values()}
            free = next((number for number in (value, *range(1, 256)) if number not in taken), None)
            if free is None:
                raise ImageError("The label files name more than 255 labels. Leave out what is not to be learned.")
            known = found.setdefault(key_of(label.name), replace(label, value=free))
            agree = agree and known.value == value
    unnamed = next((path for path, segments in files.items() if not segments), None)
    if found and not agree and unnamed:
        raise ImageError(
            f"{unnamed} does not name its labels, and the other files give names different values. Save it as a "
            "segmentation (.seg.nrrd) with the same names."
        )
    return tuple(sorted(found.values(), key=lambda label: label.value))


def with_wholes(labels: Sequence[Label], pairs: Iterable[Pair], table: Sequence[Label] = ()) -> tuple[Label, ...]:
    """The labels of a model, and those that are the whole of some of them, see `label_wholes`.

    Args:
        labels: of the model.
        pairs: of the files, which may name wholes. If they contradict each other, as they may if all that counts is
            their values, they name none.
        table: names others.

    Raises:
        TrainingError: see `parts_of`.
    """
    others = list(table)
    with suppress(ImageError):
        others += labels_named_in(pairs)
    found = list(labels)
    for other in others:
        if key_of(other.name) not in {key_of(label.name) for label in found} and parts_of(other, labels):
            taken = {label.value for label in found}
            free = next((number for number in (other.value, *range(1, 256)) if number not in taken), other.value)
            found.append(replace(other, value=free))
    return tuple(found)


def _renamed(truth: sitk.Image, segments: Mapping[int, Label], labels: Sequence[Label], path: Path) -> sitk.Image:
    """The labels with the values that a model has for their names."""
    values = {key_of(label.name): label.value for label in labels}
    voxels = sitk.GetArrayViewFromImage(truth)
    lookup = np.zeros(256, np.uint8)
    for value in (int(value) for value in np.unique(voxels) if value):
        name = segments[value].name if value in segments else ""
        if key_of(name) not in values:
            called = f"a segment {name!r}" if name else f"voxels of value {value} that no segment names"
            known = ", ".join(repr(label.name) for label in labels)
            raise ImageError(
                f"{path} has {called}, and the model knows {known}. Rename or remove it, or save the labels as a plain "
                "label image to go by their values."
            )
        lookup[value] = values[key_of(name)]
    return sitk.GetImageFromArray(lookup[voxels])


def _files_by_name(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise ImageError(f"There is no folder {folder}. Check the name.")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.is_file() or not path.name.lower().endswith(IMAGE_ENDINGS):
            continue
        name = image_stem(path)
        if name in files:
            raise ImageError(f"{files[name]} and {path} have the same name. Keep one of them.")
        files[name] = path
    if not files:
        raise ImageError(f"{folder} holds no images. Name the folder that holds them itself; formats: NIfTI, NRRD, ...")
    return files


def _listed(names: Iterable[str]) -> str:
    names = sorted(names)
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _check_same_grid(pair: Pair, image: sitk.Image, labels: sitk.Image) -> None:
    if image.GetSize() != labels.GetSize():
        raise ImageError(
            f"{pair.label} has {_size(labels)} voxels but its image {pair.image} has {_size(image)}. Resample the "
            "labels to the image's grid."
        )
    if not same_grid(image, labels):
        raise ImageError(
            f"{pair.label} lies elsewhere in space than its image {pair.image} (origin, spacing or directions "
            "differ). Resample the labels to the image's grid."
        )


def _size(image: sitk.Image) -> str:
    return " x ".join(str(length) for length in image.GetSize())
