"""One case: read, segmented, written, and recorded."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Generator
from functools import lru_cache
from pathlib import Path

from .._version import __version__
from ..errors import USER_ERRORS, MedNCAError, MedNCAWarning, failure_text
from ..io.image_sequence import ImageSequence, read_volumes
from ..model.model import Model, load_model
from ..progress import Progress, ignore_progress
from ..segmentation.steps import run_to_end
from .job import CaseFiles, CaseStep, Job
from .record import DONE, Record, discard_record, failed, new_record, write_record
from .sequence_case import SequenceCase
from .volume_case import VolumeCase

# Warnings are caught, and threads of BLAS are set, for the whole process: cases in its threads go one after the other.
_one_at_a_time = threading.Lock()


def segment_case(job: Job, progress: Progress = ignore_progress, model: Model | None = None) -> Record:
    """Do one case: write its results and, last, its record.

    Args:
        job: the case.
        progress: is called with the share that is done and with what is going on.
        model: the job's, if it is loaded already.

    Returns:
        The record, of a case that failed too.
    """
    with _one_at_a_time:
        return run_to_end(case_steps(job, model), lambda step: progress(step.fraction, step.text))


def case_steps(job: Job, model: Model | None = None) -> Generator[CaseStep, None, Record]:
    """Do one case as `segment_case` does, step by step; closing the generator leaves no results."""
    try:
        record = yield from _done(job, model or _model(job.settings.model, job.settings.model_sha256))
        if job.settings.keep_record:
            write_record(job, record)
    except USER_ERRORS as error:
        record = failed(job, failure_text(error))
        keep_failure(job, record)
    return record


def keep_failure(job: Job, record: Record) -> None:
    """Write the record of a case that failed, if it is kept and the disk takes it."""
    if job.settings.keep_record:
        try:
            job.record.parent.mkdir(parents=True, exist_ok=True)
            write_record(job, record)
        except (MedNCAError, OSError):
            discard_record(job.record)


def _done(job: Job, model: Model) -> Generator[CaseStep, None, Record]:
    settings = job.settings
    record = new_record(job)
    end = None if settings.timeout is None else time.monotonic() + settings.timeout
    yield CaseStep(0, f"reading {Path(job.image).name}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", MedNCAWarning)
        image = read_volumes(job.image, **settings.reading)
    case = SequenceCase(image, model, job) if isinstance(image, ImageSequence) else VolumeCase(image, model, job)
    started = time.perf_counter()
    try:
        yield from _until(end, case.steps(), job)
    except MedNCAError as error:
        raise MedNCAError(f"{job.image}: {error}") from error
    seconds = time.perf_counter() - started
    came_about = {
        "model": model.name,
        "model_sha256": model.sha256,
        "version": __version__,
        "seed": settings.options["seed"],
        "passes": settings.options["runs"],
    }
    job.record.parent.mkdir(parents=True, exist_ok=True)
    discard_record(job.record)
    files = CaseFiles(job)
    written = case.write(files, came_about)
    return {
        **record,
        "status": DONE,
        **came_about,
        **written,
        "seconds": seconds,
        "warnings": [*(str(each.message) for each in caught), *(f"{job.image}: {text}" for text in case.warnings)],
        "files": {path.name: path.stat().st_size for path in files.paths},
    }


def _until(end: float | None, steps: Generator[CaseStep, None, None], job: Job) -> Generator[CaseStep, None, None]:
    """The steps of a case, which is stopped after the first one that is later than its time."""
    for step in steps:
        if end is not None and time.monotonic() > end:
            raise MedNCAError(time_is_over(job.settings.timeout or 0))
        yield step


@lru_cache(maxsize=1)
def _model(name: str, sha256: str | None) -> Model:
    """The model of a job, loaded once a process."""
    model = load_model(name)
    if model.sha256 != sha256:
        raise MedNCAError(f"The model {name} is another one here than where the cohort was started. Copy it again.")
    return model


def time_is_over(timeout: float) -> str:
    """Why a case was stopped."""
    return f"it was stopped after {timeout:g} s. Give it more time, or choose a region."
