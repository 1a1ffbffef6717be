"""A case that is one volume: segmented, measured, and written."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import SimpleITK as sitk

from ..errors import MedNCAError
from ..evaluation.stress_table import write_stress_table
from ..evaluation.stress_test import stress_test_steps
from ..io.images import read_image, write_image
from ..io.segmentation_file import write_label_table, write_segmentation
from ..measurement.volumes import measure
from ..model.card import AUTO
from ..model.model import Model
from ..segmentation.corrected import corrected_steps
from ..segmentation.input_checks import check_input
from ..segmentation.segmenter import segment_steps
from ..segmentation.steps import Result, map_steps
from .job import FORMATS, CaseFiles, CaseStep, Job, file_name
from .picture import write_case_picture
from .record import Record, labels_of

if TYPE_CHECKING:
    from ..evaluation.stress_test import StressTest


class VolumeCase:
    """One volume.

    Args:
        image: the volume.
        model: finds the labels.
        job: of the case.

    Attributes:
        warnings: what has to be known of input and result, a sentence each.
    """

    def __init__(self, image: sitk.Image, model: Model, job: Job) -> None:
        self._image, self._model, self._job = image, model, job
        self._result: Result | None = None
        self._test: StressTest | None = None
        self.warnings: list[str] = []

    def steps(self) -> Generator[CaseStep, None, None]:
        """Segment it.

        Raises:
            MedNCAError: the image or an option cannot be used.
        """
        settings = self._job.settings
        if settings.slices is not None:
            raise _for_sequences("--slices")
        if settings.reading.get("interval_ms") is not None:
            raise _for_sequences("--frame-interval")
        options = dict(settings.options)
        self.warnings += check_input(self._image, self._model, options.get("region"), options.get("find", AUTO))
        name = Path(self._job.image).name
        if settings.stress:
            self._test = yield from map_steps(
                stress_test_steps(self._image, self._model, **options),
                lambda step: CaseStep(step.fraction, f"{name}, {step.perturbation or 'unperturbed'}"),
            )
            self._result = self._test.result
        elif settings.corrections is not None:
            corrections = read_image(settings.corrections)
            self._result = yield from map_steps(
                corrected_steps(self._image, self._model, corrections, **options),
                lambda step: CaseStep(step.fraction, name),
            )
        else:
            self._result = yield from map_steps(
                segment_steps(self._image, self._model, every_step=False, **options),
                lambda step: CaseStep(step.fraction, name),
            )
        self.warnings += self._result.notes

    def write(self, files: CaseFiles, came_about: Record) -> Record:
        """Write the results.

        Args:
            files: of the case.
            came_about: model, version, seed and passes.

        Returns:
            The part of the record that says what was found.

        Raises:
            MedNCAError: a file cannot be written, with the reason.
        """
        result = self._result
        assert result is not None
        if result.protocol:
            came_about = {**came_about, "protocol": result.protocol}
        quality = result.quality.as_dict()
        return {
            "protocol": result.protocol,
            **self._written(result, files, came_about),
            "volumes_ml": {label: volume["mean"] for label, volume in quality["volumes_ml"].items()},
            "found": [structure.as_dict() for structure in result.found],
            "brain_ml": result.brain_ml,
            "notes": list(result.notes),
            "quality": quality,
            "measurements": [asdict(measurement) for measurement in measure(result)],
            "labels": labels_of(result.label_table),
        }

    def _written(self, result: Result, files: CaseFiles, came_about: Record) -> dict[str, Any]:
        settings = self._job.settings
        stress = None
        if self._test:
            table = files.new("_stress.csv")
            write_stress_table(table, self._test)
            stress = {"table": str(table), **self._test.as_dict()}
        names = {label.name: file_name(label.file_name) for label in result.label_table}
        probabilities = {name: files.new(f"_{names[name]}_probability.nrrd") for name in result.probabilities}
        for name, path in probabilities.items():
            write_image(path, result.probabilities[name], came_about)
        uncertainty = None
        if result.uncertainty:
            uncertainty = files.new("_uncertainty.nrrd")
            write_image(uncertainty, result.uncertainty, came_about)
        if settings.picture:
            write_case_picture(files.new(".jpg"), self._image, result.labels, result.label_table)
        if "nii.gz" in settings.formats:
            write_label_table(files.new(".tsv"), result.label_table)
        segmentations = [files.new(FORMATS[name]) for name in settings.formats]
        for name, path in zip(settings.formats, segmentations):
            self._write_labels(path, name, result, came_about)
        return {
            "segmentation": str(segmentations[0]),
            "probabilities": {name: str(path) for name, path in probabilities.items()},
            "uncertainty": str(uncertainty) if uncertainty else None,
            "stress": stress,
        }

    def _write_labels(self, path: Path, kind: str, result: Result, came_about: Record) -> None:
        if kind == "dicom-seg":
            from ..io.dicom_seg import write_dicom_seg

            job = self._job
            series = job.settings.reading.get("series")
            write_dicom_seg(path, result.labels, result.label_table, job.image, self._model.name, series)
        elif kind == "nii.gz":
            write_image(path, result.labels)
        else:
            write_segmentation(path, result.labels, result.label_table, came_about)


def _for_sequences(option: str) -> MedNCAError:
    return MedNCAError(f"{option} is for sequences of volumes, and this is one volume.")
