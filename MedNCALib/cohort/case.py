"""One case: read, segmented, written, and recorded."""

from __future__ import annotations

import os
import threading
import time
import warnings
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._version import __version__
from ..errors import USER_ERRORS, MedNCAError, MedNCAWarning, failure_text
from ..evaluation.stress_table import write_stress_table
from ..evaluation.stress_test import stress_test_steps
from ..io.images import read_image, write_image
from ..io.segmentation_file import color_text, write_label_table, write_segmentation
from ..model.model import Model, load_model
from ..progress import Progress, ignore_progress
from ..segmentation.input_checks import check_input
from ..segmentation.segmenter import segment_steps
from ..segmentation.steps import Result, run_to_end
from .job import FORMATS, Job, plain_name
from .picture import write_case_picture
from .record import DONE, Record, discard_record, failed, new_record, write_record

if TYPE_CHECKING:
    import SimpleITK as sitk

    from ..evaluation.stress_test import StressTest

# Warnings are caught for the whole process: cases in its threads go one after the other.
_one_at_a_time = threading.Lock()


def segment_case(job: Job, progress: Progress = ignore_progress) -> Record:
    """Do one case: write its results and, last, its record.

    Args:
        job: the case.
        progress: is called with the share that is done and with what is going on.

    Returns:
        The record, of a case that failed too.
    """
    with _one_at_a_time, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", MedNCAWarning)
        try:
            record = {**_done(job, progress), "warnings": [str(each.message) for each in caught]}
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


def _done(job: Job, progress: Progress) -> Record:
    settings = job.settings
    record = new_record(job)
    model = _model(settings.model, settings.model_sha256)
    in_time = _with_time_limit(job, progress)
    progress(0, f"reading {Path(job.image).name}")
    image = read_image(job.image, **settings.reading)
    try:
        for reason in check_input(image, model, settings.options.get("region")):
            warnings.warn(f"{job.image}: {reason}", MedNCAWarning, stacklevel=2)
        started = time.perf_counter()
        result, test = _run(image, model, job, in_time)
    except MedNCAError as error:
        raise MedNCAError(f"{job.image}: {error}") from error
    seconds = time.perf_counter() - started
    came_about = {
        "model": model.name,
        "model_sha256": model.sha256,
        "version": __version__,
        "seed": settings.options["seed"],
        "passes": settings.options["runs"],
        **({"protocol": result.protocol} if result.protocol else {}),
    }
    job.record.parent.mkdir(parents=True, exist_ok=True)
    discard_record(job.record)
    written = _write(result, test, image, model, job, came_about)
    quality = result.quality.as_dict()
    return {
        **record,
        "status": DONE,
        **came_about,
        "protocol": result.protocol,
        **{key: value for key, value in written.items() if key != "files"},
        "seconds": seconds,
        "volumes_ml": {label: volume["mean"] for label, volume in quality["volumes_ml"].items()},
        "quality": quality,
        "labels": {each.name: {"value": each.value, "color": color_text(each.color)} for each in model.labels},
        "files": {path.name: path.stat().st_size for path in written["files"]},
    }


@lru_cache(maxsize=1)
def _model(name: str, sha256: str | None) -> Model:
    """The model of a job, loaded once a process."""
    model = load_model(name)
    if model.sha256 != sha256:
        raise MedNCAError(f"The model {name} is another one here than where the cohort was started. Copy it again.")
    return model


def _run(image: sitk.Image, model: Model, job: Job, progress: Progress) -> tuple[Result, StressTest | None]:
    """Segment an image; the result, and the stress test if that was asked for."""
    name, keywords = Path(job.image).name, dict(job.settings.options)
    if not job.settings.stress:
        return run_to_end(segment_steps(image, model, **keywords), lambda step: progress(step.fraction, name)), None
    test = run_to_end(
        stress_test_steps(image, model, **keywords),
        lambda step: progress(step.fraction, f"{name}, {step.perturbation or 'unperturbed'}"),
    )
    return test.result, test


def _write(
    result: Result, test: StressTest | None, image: sitk.Image, model: Model, job: Job, came_about: Record
) -> dict[str, Any]:
    """Write the segmentation and what else there is; the paths, by the keys of the record."""
    settings = job.settings
    files: list[Path] = []

    def file(ending: str) -> Path:
        files.append(job.file(ending))
        return files[-1]

    stress = None
    if test:
        table = file("_stress.csv")
        write_stress_table(table, test)
        stress = {"table": str(table), **test.as_dict()}
    names = {label.name: file_name(label.file_name) for label in model.labels}
    probabilities = {name: file(f"_{names[name]}_probability.nrrd") for name in result.probabilities}
    for name, path in probabilities.items():
        write_image(path, result.probabilities[name], came_about)
    uncertainty = file("_uncertainty.nrrd") if result.uncertainty else None
    if uncertainty and result.uncertainty:
        write_image(uncertainty, result.uncertainty, came_about)
    if settings.picture:
        write_case_picture(file(".jpg"), image, result.labels, model.labels)
    if "nii.gz" in settings.formats:
        write_label_table(file(".tsv"), model.labels)
    segmentations = [file(FORMATS[name]) for name in settings.formats]
    for name, path in zip(settings.formats, segmentations):
        _write_labels(path, name, result.labels, model, job, came_about)
    return {
        "segmentation": str(segmentations[0]),
        "probabilities": {name: str(path) for name, path in probabilities.items()},
        "uncertainty": str(uncertainty) if uncertainty else None,
        "stress": stress,
        "files": files,
    }


def _write_labels(path: Path, kind: str, labels: sitk.Image, model: Model, job: Job, came_about: Record) -> None:
    if kind == "dicom-seg":
        from ..io.dicom_seg import write_dicom_seg

        write_dicom_seg(path, labels, model.labels, job.image, model.name, job.settings.reading.get("series"))
    elif kind == "nii.gz":
        write_image(path, labels)
    else:
        write_segmentation(path, labels, model.labels, came_about)


def _with_time_limit(job: Job, progress: Progress) -> Progress:
    """A `Progress` that stops the case at its next step if its time is over."""
    timeout = job.settings.timeout
    if timeout is None:
        return progress
    end = time.monotonic() + timeout

    def limited(done: float, text: str) -> None:
        if time.monotonic() > end:
            raise MedNCAError(time_is_over(timeout))
        progress(done, text)

    return limited


def time_is_over(timeout: float) -> str:
    """Why a case was stopped."""
    return f"it was stopped after {timeout:g} s. Give it more time, or choose a region."


def file_name(name: str) -> str:
    """A plain name as file systems take it, also if the locale's encoding lacks its letters."""
    return os.fsdecode(plain_name(name).encode("utf-8", "surrogateescape"))
