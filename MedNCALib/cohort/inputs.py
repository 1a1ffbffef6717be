"""Which images a cohort has: files, folders of images or with one DICOM series, lists, and shards of all these."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeVar

from ..errors import MedNCAError
from ..io.dicom_frames import is_dicom
from ..io.images import IMAGE_ENDINGS, image_stem
from .job import Job, Settings, file_name

Case = TypeVar("Case")

# Endings of images that are no volumes by themselves: results, the voxels of a pair of files, slices and pictures.
_NO_VOLUMES = (".seg.nrrd", ".img", ".img.gz", ".dcm", ".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp")


def listed_images(file: str) -> list[str]:
    """The paths that a text file lists, one a line, or each before a NUL byte as `find -print0` writes them.

    Empty lines and those that begin with `#` are left out. Paths are relative to the current folder.

    Args:
        file: name of the file; "-" is what is piped in.

    Raises:
        MedNCAError: it cannot be read.
    """
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise MedNCAError(f"The list {file} cannot be read: {error.strerror}. Check the name.") from error
    lines = data.split(b"\0") if b"\0" in data else data.removeprefix(b"\xef\xbb\xbf").splitlines()
    texts = (os.fsdecode(line) for line in lines)
    return [text for text in texts if text.strip() and not text.startswith("#")]


def images_in(folder: str, recursive: bool = False, pattern: str | None = None) -> list[str]:
    """The volumes in a folder, by name.

    They are the files whose endings are those of volumes, segmentations (`.seg.nrrd`) left out. A folder without such
    files that holds DICOM files is itself a case: its series. Names that begin with a dot do not count.

    Args:
        folder: where to look.
        recursive: whether to look into the folders below, too.
        pattern: shell pattern (`*_T1w.nii.gz`) that names have to match; with a slash, paths below the folder.
    """
    found: list[str] = []
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if recursive else []
        names = sorted(name for name in files if not name.startswith("."))
        volumes = [name for name in names if _is_volume(name)]
        if not volumes and _any_dicom(parent, names):
            found.append(parent)
        found += [str(Path(parent, name)) for name in volumes]
    return [path for path in found if pattern is None or _matches(path, folder, pattern)]


def is_folder_of_images(folder: str) -> bool:
    """Whether a folder holds volumes rather than the files of one DICOM series."""
    names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file() and not entry.name.startswith("."))
    others = [name for name in names if not _is_volume(name)]
    return len(others) < len(names) and not _any_dicom(folder, others)


def case_names(images: Sequence[str]) -> list[str]:
    """A name for each image that no other has: its stem; if stems come twice, its place below the folder of all.

    >>> case_names(["a/1.nii.gz", "b/2.nii.gz"])
    ['1', '2']
    >>> case_names(["data/a/scan.nii.gz", "data/b/scan.nii.gz"])
    ['a/scan', 'b/scan']

    Two images of one name in one folder keep their endings. An image that comes twice has its name twice.
    """
    stems = [image_stem(image) for image in images]
    if len(set(stems)) == len(stems):
        return stems
    paths = [Path(os.path.abspath(image)) for image in images]
    root = os.path.commonpath({path.parent for path in paths})
    places = [path.parent.relative_to(root) for path in paths]
    names = [str(place / stem) for place, stem in zip(places, stems)]
    owners = Counter(dict.fromkeys(zip(names, paths), 1))
    shared = {name for name, number in Counter(name for name, _ in owners).items() if number > 1}
    return [str(place / path.name) if name in shared else name for place, path, name in zip(places, paths, names)]


def jobs_for(images: Sequence[str], settings: Settings, model_name: str) -> list[Job]:
    """A job for each image of a cohort, by absolute paths; one for an image that comes twice.

    Args:
        images: files and folders.
        settings: of all of them.
        model_name: is a part of the names of the results.
    """
    paths = list(dict.fromkeys(map(os.path.abspath, images)))
    ending = f"_{file_name(model_name)}"
    return [Job(path, name, name + ending, settings) for path, name in zip(paths, case_names(paths))]


def shard_of(text: str, environment: Mapping[str, str] = os.environ) -> tuple[int, int]:
    """Which part of the cases this process does: its number from 1, and how many there are.

    Args:
        text: "3/8", or "auto" for what a job array of SLURM, SGE or LSF says, or "auto/8" for one of PBS, which says
            only the number.
        environment: variables of the process.

    Raises:
        MedNCAError: the text or the variables say nothing of the kind.
    """
    number, _, count = text.partition("/")
    try:
        if number == "auto":
            index, found = _array(environment)
            part = index, int(count) if count else found
        else:
            part = int(number), int(count)
    except ValueError:
        raise MedNCAError(
            f"The shard {text!r} is not known here: write I/N, as 3/8, or auto in a job array of SLURM, SGE or LSF, or "
            "auto/N in one of PBS."
        ) from None
    if number == "auto" and part[1] == 0:
        raise MedNCAError("This job array does not say how many shards there are: write auto/N.")
    if not 1 <= part[0] <= part[1]:
        raise MedNCAError(f"The shard {part[0]}/{part[1]} is none: shards of {part[1]} are numbered from 1.")
    return part


def shard(cases: Sequence[Case], number: int, count: int) -> Sequence[Case]:
    """Every `count`-th case, from the one of this number on: together the shards have each case once."""
    return cases[number - 1 :: count]


def _array(environment: Mapping[str, str]) -> tuple[int, int]:
    """Number from 1 of this task of a job array, and how many there are: 0 if that is not known."""

    def value(name: str, default: int | None = None) -> int:
        text = environment.get(name, "")
        return default if default is not None and text in ("", "undefined") else int(text)

    for task, first, last, step in (
        ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_STEP"),
        ("SGE_TASK_ID", "SGE_TASK_FIRST", "SGE_TASK_LAST", "SGE_TASK_STEPSIZE"),
    ):
        if environment.get(task, "undefined") != "undefined":
            low, high, by = value(first, 1), value(last), value(step, 1)
            return (value(task) - low) // by + 1, (high - low) // by + 1
    if environment.get("LSB_JOBINDEX", "0") != "0":
        return value("LSB_JOBINDEX"), value("LSB_JOBINDEX_END")
    return value("PBS_ARRAY_INDEX" if "PBS_ARRAY_INDEX" in environment else "PBS_ARRAYID"), 0


def _is_volume(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(IMAGE_ENDINGS) and not lower.endswith(_NO_VOLUMES)


def _any_dicom(folder: str, names: Iterable[str]) -> bool:
    for name in names:
        try:
            with Path(folder, name).open("rb") as file:
                if is_dicom(file.read(132)):
                    return True
        except OSError:
            continue
    return False


def _matches(path: str, folder: str, pattern: str) -> bool:
    return fnmatchcase(Path(path).relative_to(folder).as_posix() if "/" in pattern else Path(path).name, pattern)
