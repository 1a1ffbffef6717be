"""Many volumes, of the scene and of the disk, one after the other: what fails is named, and the others go on."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import slicer
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.cohort.case import case_steps
from MedNCALib.cohort.inputs import jobs_for
from MedNCALib.cohort.job import Job, Settings
from MedNCALib.cohort.record import DONE, FAILED, is_done, read_record
from MedNCALib.errors import failure_text
from MedNCALib.segmentation.steps import map_steps

from .application.settings import modelsFolder
from .display.case_view import hideUnlessShown
from .inputs.many_volumes import Volume, withFilesOfFolders
from .results.case_table import SceneCase, writeCases
from .results.segments import segmentationsOf
from .segmentation_run import processSteps


@dataclass(frozen=True)
class ManyStep:
    """Where a run of many volumes stands.

    Attributes:
        fraction: share of all cases that is done, 0 to 1.
        number, count: number of the case, from 1, and how many there are.
        name: of the case.
    """

    fraction: float
    number: int
    count: int
    name: str


@dataclass(frozen=True)
class ManyResult:
    """What came of many volumes.

    Attributes:
        tableNode: a row for each.
        cases: in their order.
    """

    tableNode: slicer.vtkMRMLTableNode
    cases: tuple[SceneCase, ...]

    @property
    def failures(self) -> list[SceneCase]:
        """The cases that failed."""
        return [case for case in self.cases if case.error]


def processManySteps(
    volumes: Iterable[Volume],
    model: str = "",
    region: slicer.vtkMRMLMarkupsROINode | None = None,
    output: str | os.PathLike[str] | None = None,
    largestOnly: bool = False,
    allCells: bool = False,
    **options: Any,
) -> Generator[ManyStep, None, ManyResult]:
    """Segment many volumes step by step.

    Args:
        volumes: nodes, files, folders with DICOM files and folders of volumes.
        model, region, output, largestOnly, allCells: see `MedNCALogic.processManySteps`.
        options: those of `MedNCALib.RunOptions`: runs, seed, engine, threads, protocol.

    Yields:
        The steps of the run, with the share of all cases that is done.

    Returns:
        What came of each. The scene has the segmentation and the row of a case as soon as that is done, and keeps them
            if the run is cancelled then.

    Raises:
        MedNCAError: there are no volumes, or an option cannot be used; the scene is as it was.
    """
    items = withFilesOfFolders(list(volumes))
    paths = [item for item in items if isinstance(item, str)]
    if paths and output is None:
        raise mednca.ImageError(_("Segmentations of files are written to files: choose a folder for the results."))
    if paths and region is not None:
        raise mednca.ImageError(_("A region is for volumes of the scene: choose none for files."))
    loaded = mednca.load_model(model, modelsFolder())
    chosen = mednca.RunOptions(all_cells=allCells, **options)
    jobs = {job.image: job for job in _jobs(paths, loaded, output or "", largestOnly, chosen)}
    names = _names(items, jobs)
    cases: list[SceneCase] = []
    for index, (item, name) in enumerate(zip(items, names)):
        if isinstance(item, str):
            steps = _fileSteps(jobs[os.path.abspath(item)], name)
        else:
            steps = _nodeSteps(item, name, loaded, region, largestOnly=largestOnly, allCells=allCells, **options)
        case = yield from _part(steps, index, len(items), name)
        cases.append(case)
        tableNode = writeCases(cases, loaded)
    return ManyResult(tableNode, tuple(cases))


def _jobs(
    paths: list[str], model: mednca.Model, output: str | os.PathLike[str], largestOnly: bool, options: mednca.RunOptions
) -> list[Job]:
    """As the command line makes them, so that either goes on where the other ended."""
    settings = Settings(
        output=os.path.abspath(output),
        model=str(model.folder),
        model_sha256=model.sha256,
        options={"largest_only": largestOnly, **asdict(options)},
    )
    return jobs_for(paths, settings, model.name)


def _names(items: list[Any], jobs: dict[str, Job]) -> list[str]:
    """A name of each case that no other has."""
    names = [jobs[os.path.abspath(item)].name if isinstance(item, str) else item.GetName() for item in items]
    counts: Counter[str] = Counter()
    unique = []
    for name in names:
        counts[name] += 1
        unique.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    return unique


def _part(
    steps: Generator[Any, None, SceneCase], index: int, count: int, name: str
) -> Generator[ManyStep, None, SceneCase]:
    return map_steps(steps, lambda step: ManyStep((index + step.fraction) / count, index + 1, count, name))


def _fileSteps(job: Job, name: str) -> Generator[Any, None, SceneCase]:
    """A file, to files; one that an earlier run has done is not done again."""
    try:
        record = read_record(job.record) if is_done(job) else None
        if record is None:
            record = yield from case_steps(job)
    except Exception as error:  # the other cases go on
        record = _failure(error)
    return SceneCase(name, record, imagePath=job.image, segmentationPath=record.get("segmentation") or "")


def _nodeSteps(
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    name: str,
    model: mednca.Model,
    region: slicer.vtkMRMLMarkupsROINode | None,
    **options: Any,
) -> Generator[Any, None, SceneCase]:
    """A volume of the scene, to the segmentation that the model made for it before, or to a new one."""
    started = time.perf_counter()
    try:
        if volumeNode.GetScene() is None:
            raise mednca.ImageError(_("{name} was deleted during the run.").format(name=name))
        earlier = next(iter(segmentationsOf(model.name, volumeNode)), None)
        result = yield from processSteps(volumeNode, earlier, str(model.folder), region, **options)
    except Exception as error:  # the other cases go on
        return SceneCase(name, _failure(error), volumeNode if volumeNode.GetScene() else None)
    if earlier is None:
        hideUnlessShown(result.segmentationNode, volumeNode)
    quality = result.quality.as_dict()
    record = {
        "status": DONE,
        "error": None,
        "quality": quality,
        "volumes_ml": {label: volume["mean"] for label, volume in quality["volumes_ml"].items()},
        "seconds": time.perf_counter() - started,
    }
    return SceneCase(name, record, volumeNode, result.segmentationNode)


def _failure(error: Exception) -> dict[str, Any]:
    if not isinstance(error, (mednca.MedNCAError, OSError, MemoryError)):
        logging.error("MedNCA: a case failed", exc_info=error)
    return {"status": FAILED, "error": failure_text(error)}
