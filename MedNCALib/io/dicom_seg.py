"""Segmentations as DICOM SEG objects (PS3.3, A.51) beside the series that they were made from.

highdicom writes them; it is an optional package, which Slicer does not need: it exports segmentations by itself.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk

from .._version import __version__
from ..atomic_write import written_whole
from ..errors import ImageError, MedNCAError
from ..imaging.labels import CodedConcept, Label
from .dicom_frames import lenient_pydicom
from .dicom_series import DicomSeries

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# What a label without codes of its own is.
_TISSUE = CodedConcept("SCT", "85756007", "Tissue")
# Attributes that every object of a study has, if only empty (type 2 of modules C.7.1.1 and C.7.2.1).
_NEVER_MISSING = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate", "StudyTime",
    "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
_SERIES_NUMBER = 9000  # far from those of scanners


def require_highdicom() -> None:
    """Refuse to write DICOM SEG without the package for it, before the work rather than afterwards.

    Raises:
        MedNCAError: it is not installed.
    """
    if find_spec("highdicom") is None:
        raise MedNCAError("DICOM SEG needs the package highdicom: pip install 'mednca[dicom]'.")


def write_dicom_seg(
    path: str | os.PathLike[str],
    labels: sitk.Image,
    model_labels: Sequence[Label],
    source: str | os.PathLike[str],
    model_name: str,
    series: str | int | None = None,
) -> None:
    """Write labels as a DICOM SEG object with a binary segment each; the file is whole or not there.

    Its UIDs follow from source, labels and model, so that the same result is the same object.

    Args:
        path: ends with `.dcm`.
        labels: on the grid of the source.
        model_labels: each becomes a segment, numbered from 1, even if the image has no voxel of it.
        source: the file or folder that the image was read from.
        model_name: of the algorithm.
        series: as for `read_image`.

    Raises:
        ImageError: the source is no DICOM series.
        MedNCAError: highdicom is not installed, or the file cannot be written.
    """
    require_highdicom()
    import highdicom

    where = Path(source)
    try:
        stack = DicomSeries.of_folder(where, series) if where.is_dir() else DicomSeries.of_file(where)
    except ImageError as error:
        raise ImageError(
            f"{source} is no DICOM series, which a DICOM SEG has to refer to. Choose another format."
        ) from error
    with lenient_pydicom():
        datasets, pixels = _sources(stack, sitk.GetArrayViewFromImage(labels))
        segments = np.stack([pixels == label.value for label in model_labels], axis=-1).astype(np.uint8)
        digest = [datasets[0].SeriesInstanceUID, model_name, hashlib.sha256(segments.tobytes()).hexdigest()]
        segmentation = highdicom.seg.Segmentation(
            source_images=datasets,
            pixel_array=segments,
            segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=[
                _description(number, label, model_name) for number, label in enumerate(model_labels, 1)
            ],
            series_instance_uid=_uid("series", *digest),
            series_number=_SERIES_NUMBER,
            sop_instance_uid=_uid("instance", *digest),
            instance_number=1,
            manufacturer="MedNCA",
            manufacturer_model_name=model_name,
            software_versions=__version__,
            device_serial_number="1",
            content_label="SEGMENTATION",
            content_description=f"MedNCA {model_name}",
            series_description=f"MedNCA {model_name}",
        )
        with written_whole(path) as beside:
            segmentation.save_as(beside)


def _sources(stack: DicomSeries, voxels: np.ndarray) -> tuple[list[Dataset], np.ndarray]:
    """The files of a series and the labels of their frames, in one order."""
    import pydicom

    frames = stack.frames
    files = list(dict.fromkeys(frame.file for frame in frames))
    datasets = [_complete(pydicom.dcmread(file, force=True)) for file in files]
    if len(files) == len(frames):
        return datasets, voxels
    if len(files) > 1:
        raise ImageError("A DICOM SEG of several enhanced files is not written here. Choose another format.")
    ordered = np.zeros((frames[0].count, *voxels.shape[1:]), voxels.dtype)
    ordered[[frame.number for frame in frames]] = voxels
    return datasets, ordered


def _complete(dataset: Dataset) -> Dataset:
    if not dataset.get("FrameOfReferenceUID"):  # one of its own for the series
        dataset.FrameOfReferenceUID = _uid("frame of reference", dataset.SeriesInstanceUID)
    for keyword in _NEVER_MISSING:
        if keyword not in dataset:
            setattr(dataset, keyword, "")
    return dataset


def _description(number: int, label: Label, model_name: str) -> Any:
    import highdicom
    from pydicom.sr.codedict import codes

    codes_of = label.terminology
    region = codes_of.get("region")
    description = highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=label.name,
        segmented_property_category=_code(codes_of.get("category") or _TISSUE),
        segmented_property_type=_code(codes_of.get("type") or _TISSUE),
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name=f"MedNCA {model_name}", version=__version__, family=codes.DCM.ArtificialIntelligence
        ),
        tracking_id=label.name,
        tracking_uid=_uid("tracking", model_name, label.name),
        anatomic_regions=[_code(region)] if region else None,
        display_color=_cielab(label.color),
    )
    if "type_modifier" in codes_of:
        (kind,) = description.SegmentedPropertyTypeCodeSequence
        kind.SegmentedPropertyTypeModifierCodeSequence = [_code(codes_of["type_modifier"])]
    if region and "region_modifier" in codes_of:
        (place,) = description.AnatomicRegionSequence
        place.AnatomicRegionModifierSequence = [_code(codes_of["region_modifier"])]
    return description


def _code(concept: CodedConcept) -> Any:
    from highdicom.sr import CodedConcept as HighdicomConcept

    return HighdicomConcept(concept.value, concept.scheme, concept.meaning)


def _cielab(color: tuple[int, int, int]) -> Any:
    import highdicom

    return highdicom.color.CIELabColor.from_rgb(*color)


def _uid(*sources: str) -> str:
    from pydicom.uid import generate_uid

    return str(generate_uid(entropy_srcs=list(sources)))
