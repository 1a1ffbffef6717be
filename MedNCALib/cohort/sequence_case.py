"""A case that is a sequence of volumes: all frames segmented, the beat measured, and both written."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from ..errors import MedNCAError
from ..io.image_sequence import ImageSequence
from ..io.label_sequence import write_label_sequence
from ..io.segmentation_file import write_label_table
from ..measurement.cardiac import Beat, chamber_of, chamber_volumes, check_slices
from ..measurement.volume_curve import VOLUME_PICTURE, write_volume_picture, write_volume_table
from ..model.card import AUTO
from ..model.model import Model
from ..segmentation.input_checks import check_input
from ..segmentation.packed_results import PackedResults
from ..segmentation.sequence import frame_steps
from ..segmentation.slice_volumes import slice_count
from ..segmentation.steps import map_steps
from .job import CaseFiles, CaseStep, Job
from .picture import write_case_picture
from .record import Record, labels_of

_SINGLE_ONLY = {"probabilities": "--probability", "uncertainty": "--uncertainty"}
# Keys of the record of a volume; that of a sequence has null there, and what there is for each frame.
_OF_SINGLE_VOLUMES = (
    "protocol",
    "probabilities",
    "uncertainty",
    "volumes_ml",
    "found",
    "brain_ml",
    "notes",
    "quality",
    "measurements",
    "stress",
)


class SequenceCase:
    """Volumes of one place; arguments and attributes as for `VolumeCase`."""

    def __init__(self, frames: ImageSequence, model: Model, job: Job) -> None:
        self._frames, self._model, self._job = frames, model, job
        self._results = PackedResults()
        self._beat: Beat | None = None
        self.warnings = [f"{note} They are left out." for note in frames.left_out]

    def steps(self) -> Generator[CaseStep, None, None]:
        """Segment and measure it.

        Raises:
            MedNCAError: a frame or an option cannot be used.
        """
        self._check_options()
        name, count = Path(self._job.image).name, len(self._frames)
        options = {key: value for key, value in self._job.settings.options.items() if key not in _SINGLE_ONLY}
        steps = frame_steps(self._checked(), count, self._model, self._results.append, **options)
        yield from map_steps(
            steps, lambda step: CaseStep(step.fraction, f"{name}, frame {1 + int(step.fraction * count - 1e-9)}")
        )
        for number, result in enumerate(self._results, 1):
            self.warnings += [f"Frame {number} of {count}: {note}" for note in result.notes]
        chamber = chamber_volumes(self._results, self._model, self._frames.times)
        if chamber:
            self._beat = chamber.measure(self._job.settings.slices)
            self.warnings += self._beat.warnings

    def write(self, files: CaseFiles, came_about: Record) -> Record:
        """Write the results; arguments, result and errors as for `VolumeCase`."""
        label_table = self._results[0].label_table
        settings = self._job.settings
        table = picture = None
        if self._beat:
            table, picture = files.new("_volumes.csv"), files.new(VOLUME_PICTURE)
            write_volume_table(table, self._beat)
            write_volume_picture(picture, self._beat)
        shown = self._beat.ed_frame if self._beat else 0
        if settings.picture:
            frame = next(islice(self._frames, shown, None))
            write_case_picture(files.new(".jpg"), frame, self._results[shown].labels, label_table)
        if "nii.gz" in settings.formats:
            write_label_table(files.new(".tsv"), label_table)
        segmentation = files.new(".nii.gz")
        write_label_sequence(segmentation, self._results.labels, self._frames.times)
        return {
            **dict.fromkeys(_OF_SINGLE_VOLUMES),
            "segmentation": str(segmentation),
            "sequence": {
                "table": str(table) if table else None,
                "picture": str(picture) if picture else None,
                **self._figures(),
            },
            "shown_frame": shown,
            "labels": labels_of(label_table),
        }

    def _check_options(self) -> None:
        settings = self._job.settings
        asked = [option for key, option in _SINGLE_ONLY.items() if settings.options.get(key)]
        asked += ["--stress"] if settings.stress else []
        asked += ["--corrections"] if settings.corrections else []
        asked += ["--format dicom-seg"] if "dicom-seg" in settings.formats else []
        if asked:
            raise MedNCAError(
                f"{asked[0]} is for single volumes, and this is a sequence of {len(self._frames)} frames."
            )
        if settings.slices and chamber_of(self._model.labels) is None:
            raise MedNCAError(f"--slices is for models that find the left ventricle, and {self._model.name} does not.")

    def _checked(self) -> Iterator[sitk.Image]:
        """The frames; what does not fit the model or the options is said of the first."""
        settings, model = self._job.settings, self._model
        for number, image in enumerate(self._frames):
            if number == 0:
                region, find = settings.options.get("region"), settings.options.get("find", AUTO)
                self.warnings += check_input(image, model, region, find)
                if settings.slices:
                    check_slices(settings.slices, slice_count(image, model.slice_format.axes))
            yield image

    def _figures(self) -> dict[str, Any]:
        """The figures of each frame, and those of the beat."""
        results, frames = self._results, self._frames
        times = frames.times.milliseconds or (None,) * len(results)
        measured = self._beat.as_dict() if self._beat else {}
        of_frames = measured.get("frames") or [{"time_ms": time_ms} for time_ms in times]
        qualities = [result.quality.as_dict() for result in results]
        return {
            "sorted_by": frames.times.sorted_by,
            **measured,
            "frames": [
                {
                    **of_frame,
                    "volumes_ml": {name: volume["mean"] for name, volume in quality["volumes_ml"].items()},
                    "quality": quality,
                    "protocol": result.protocol,
                    "notes": list(result.notes),
                }
                for of_frame, quality, result in zip(of_frames, qualities, results)
            ],
            "left_out": list(frames.left_out),
        }
