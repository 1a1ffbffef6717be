"""What is to be done with one case, so that any process on any machine can do it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Files that a segmentation can be written as, by what their names end with.
FORMATS = {"seg.nrrd": ".seg.nrrd", "nii.gz": ".nii.gz", "dicom-seg": ".dcm"}


@dataclass(frozen=True)
class Settings:
    """What all cases of a cohort have in common; of plain values, so that it can be sent anywhere.

    Attributes:
        output: folder for the results.
        model: name or folder of the model, as `load_model` takes it.
        model_sha256: checksum of its weights.
        options: keyword arguments of `segment_steps`.
        reading: keyword arguments of `read_volumes`.
        formats: of the segmentation, some of `FORMATS`.
        slices: of a heart's sequence, first and last slice whose volume counts, from 1; None for those proposed.
        stress: whether each case is segmented again with perturbations.
        corrections: file with corrections, see `corrected_steps`; None without.
        picture: whether a picture for the report is written.
        keep_record: whether a record is written beside the results.
        timeout: seconds after which a case is stopped; None for never.
    """

    output: str
    model: str
    model_sha256: str | None
    options: Mapping[str, Any] = field(default_factory=dict)
    reading: Mapping[str, Any] = field(default_factory=dict)
    formats: tuple[str, ...] = ("seg.nrrd",)
    slices: tuple[int, int] | None = None
    stress: bool = False
    corrections: str | None = None
    picture: bool = False
    keep_record: bool = True
    timeout: float | None = None


@dataclass(frozen=True)
class Job:
    """One case.

    Attributes:
        image: file, or folder with DICOM files.
        name: of the case, which no other case has.
        base: name of the results without their endings, with the folder below `settings.output` that they go to.
        settings: those of the cohort.
        extra: what the record has to hold besides.
    """

    image: str
    name: str
    base: str
    settings: Settings
    extra: Mapping[str, Any] = field(default_factory=dict)

    def file(self, ending: str) -> Path:
        """A file of the results."""
        path = Path(self.settings.output) / self.base
        return path.with_name(path.name + ending)

    @property
    def record(self) -> Path:
        """The file of the record."""
        return self.file(".json")


@dataclass(frozen=True)
class CaseStep:
    """Where a case stands.

    Attributes:
        fraction: share that is done, 0 to 1.
        text: what is going on.
    """

    fraction: float
    text: str


class CaseFiles:
    """The results of a case, as they are written.

    Attributes:
        paths: of all results so far.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self.paths: list[Path] = []

    def new(self, ending: str) -> Path:
        """The file of this ending, from now on one of the results."""
        self.paths.append(self._job.file(ending))
        return self.paths[-1]


def plain_name(name: str) -> str:
    """A name without characters that mean something else to file systems or shells.

    >>> plain_name("left / anterior")
    'left-anterior'
    """
    return re.sub(r"[^\w.-]+", "-", name)


def file_name(name: str) -> str:
    """A plain name as file systems take it, also if the locale's encoding lacks its letters."""
    return os.fsdecode(plain_name(name).encode("utf-8", "surrogateescape"))
