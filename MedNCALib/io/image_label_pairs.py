"""Images and their label images, paired by the names of their files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError
from .images import IMAGE_ENDINGS, image_stem, read_image

# Grids that differ by less than this share of a voxel over the whole image are one grid, written with different
# rounding.
GRID_TOLERANCE = 0.1

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


def read_pair(pair: Pair) -> tuple[sitk.Image, sitk.Image]:
    """Read an image and its labels, which must lie on one grid.

    Returns:
        The image, and the labels as uint8 with the image's geometry.

    Raises:
        ImageError: a file cannot be read, the grids differ, or the labels are not whole numbers from 0 to 255.
    """
    image, labels = read_image(pair.image), read_image(pair.label)
    _check_same_grid(pair, image, labels)
    values = sitk.GetArrayViewFromImage(labels)
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 255 and (values % 1 == 0).all()):
        raise ImageError(f"{pair.label} is no label image: its voxels are not whole numbers from 0 to 255.")
    labels = sitk.Cast(labels, sitk.sitkUInt8)
    labels.CopyInformation(image)
    return image, labels


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
    # Two grids of one size are the same where their corners are.
    for corner in np.ndindex(2, 2, 2):
        index = [int(end * (length - 1)) for end, length in zip(corner, image.GetSize())]
        found = labels.TransformPhysicalPointToContinuousIndex(image.TransformIndexToPhysicalPoint(index))
        if np.abs(np.subtract(found, index)).max() > GRID_TOLERANCE:
            raise ImageError(
                f"{pair.label} lies elsewhere in space than its image {pair.image} (origin, spacing or directions "
                "differ). Resample the labels to the image's grid."
            )


def _size(image: sitk.Image) -> str:
    return " x ".join(str(length) for length in image.GetSize())
