"""DICOM headers, taken apart into frames: a classic file has one, an enhanced (multi-frame) file has many.

Attributes are those of DICOM PS3.3: Image Plane (C.7.6.2), Multi-frame Functional Groups (C.7.6.16), Modality LUT
(C.11.1).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from .raw_voxels import damaged

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Modalities (C.7.3.1.1.1) of series that hold no images, though some of them hold pixels.
_NO_IMAGES = ("SEG", "PR", "SR", "KO", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTRECORD", "REG", "FID", "DOC", "PLAN", "ECG")

# The functional group that holds an attribute in an enhanced file; elsewhere it stands at the top.
_GROUPS = {
    "ImagePositionPatient": ("PlanePositionSequence",),
    "ImageOrientationPatient": ("PlaneOrientationSequence",),
    "PixelSpacing": ("PixelMeasuresSequence",),
    "SliceThickness": ("PixelMeasuresSequence",),
    "SpacingBetweenSlices": ("PixelMeasuresSequence",),
    "RescaleSlope": ("PixelValueTransformationSequence",),
    "RescaleIntercept": ("PixelValueTransformationSequence",),
    "RescaleType": ("PixelValueTransformationSequence",),
    "FrameType": ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence"),
    "EffectiveEchoTime": ("MREchoSequence",),
    "RepetitionTime": ("MRTimingAndRelatedParametersSequence",),
    "FlipAngle": ("MRTimingAndRelatedParametersSequence",),
    "InversionTimes": ("MRModifierSequence",),
    "DiffusionBValue": ("MRDiffusionSequence",),
    "StackID": ("FrameContentSequence",),
    "TemporalPositionIndex": ("FrameContentSequence",),
    "FrameAcquisitionNumber": ("FrameContentSequence",),
    "NominalCardiacTriggerDelayTime": ("CardiacSynchronizationSequence",),
    "RRIntervalTimeNominal": ("CardiacSynchronizationSequence",),
}

# What all images of one patient's stack share; then what those of one volume share. Keywords of which one is there.
_WHOSE = {
    "patients": ("PatientID",),
    "patients' names": ("PatientName",),
    "studies": ("StudyInstanceUID",),
    "frames of reference": ("FrameOfReferenceUID",),
    "modalities": ("Modality",),
}
_WHICH = {
    "image types": ("FrameType", "ImageType"),
    "echo times": ("EffectiveEchoTime", "EchoTime"),
    "echo numbers": ("EchoNumbers",),
    "time points": ("TemporalPositionIndex", "TemporalPositionIdentifier"),
    "b-values": ("DiffusionBValue",),
    "inversion times": ("InversionTimes", "InversionTime"),
    "flip angles": ("FlipAngle",),
    "stacks": ("StackID",),
    "units": ("RescaleType",),
    "meanings of a pixel": ("PhotometricInterpretation",),
}
# What may tell images at one position apart, and may differ within a volume.
_WHEN = {
    "trigger times": ("NominalCardiacTriggerDelayTime", "TriggerTime"),
    "acquisitions": ("FrameAcquisitionNumber", "AcquisitionNumber"),
    "acquisition times": ("AcquisitionTime",),
    "content times": ("ContentTime",),
}

# What an image keeps of its file.
_TAGS = {
    "0008|0060": ("Modality",),
    "0008|103e": ("SeriesDescription",),
    "0018|0015": ("BodyPartExamined",),
    "0018|0020": ("ScanningSequence", "EchoPulseSequence"),
    "0018|0080": ("RepetitionTime",),
    "0018|0081": ("EffectiveEchoTime", "EchoTime"),
}

# All that is asked of a header.
_KEYWORDS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "SeriesDescription",
    "SeriesNumber",
    "NumberOfFrames",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "SamplesPerPixel",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "ImagerPixelSpacing",
    "NominalInterval",
    "HeartRate",
    *_GROUPS,
    *(keyword for names in (_WHOSE, _WHICH, _WHEN, _TAGS) for keywords in names.values() for keyword in keywords),
)

# Letters of a text of a header that a message has.
_TEXT_SHOWN = 64


@dataclass(frozen=True)
class Frame:
    """One image of a series.

    Attributes:
        file: where it is.
        number, count: which frame of the file, from 0, and of how many.
        is_film: whether it stands for all of these, since the file does not say how they differ.
        uid: of the file's instance.
        series, description, series_number: of its series.
        rows, columns, samples: pixels, and values of each.
        bits_allocated, bits_stored, high_bit, signed: how a value is stored.
        position, orientation, pixel_spacing: as in the standard, empty if missing or unusable.
        no_spacing: why there is no pixel spacing.
        thickness: mm along the normal, for an image that has no neighbour; None if missing.
        slope, intercept: the value is slope times what is stored plus intercept; None if missing.
        whose, which, when: what images of one patient, of one volume and at one time share, by the name in messages.
        beat_ms: from one R wave to the next, as measured or as the heart rate has it; None if missing.
    """

    file: Path
    number: int
    count: int
    is_film: bool
    uid: str
    series: str
    description: str
    series_number: str
    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel_spacing: tuple[float, ...]
    no_spacing: str
    thickness: float | None
    slope: float | None
    intercept: float | None
    whose: dict[str, str]
    which: dict[str, str]
    when: dict[str, str]
    beat_ms: float | None = None

    @property
    def name(self) -> str:
        """The frame, for messages."""
        return self.file.name if self.count == 1 else f"frame {self.number + 1}"


def is_dicom(start: bytes) -> bool:
    """Whether a file starts as DICOM does: with a preamble (PS3.10, 7.1) or, in older files, at once with a group."""
    if start[128:132] == b"DICM":
        return True
    explicit = start[4:6].isalpha() and start[4:6].isupper()
    implicit = start[6:8] == b"\0\0"
    group = start[:2] in (b"\x02\0", b"\x08\0") and start[3:4] == b"\0"
    return group and (explicit or implicit)


def shown(text: str) -> str:
    """A text of a header, which may be damaged, for a message: one line, not too long."""
    line = "".join(letter if letter.isprintable() else " " for letter in text[: _TEXT_SHOWN + 1])
    return line if len(line) <= _TEXT_SHOWN else f"{line[:_TEXT_SHOWN]}..."


def read_header(path: Path, keywords: Sequence[str] = _KEYWORDS) -> Dataset:
    """Read a DICOM file: some of its attributes, without the pixels unless these are among them.

    Raises:
        ImageError: it is damaged.
    """
    import pydicom

    try:
        with lenient_pydicom():
            return pydicom.dcmread(
                path, stop_before_pixels="PixelData" not in keywords, force=True, specific_tags=list(keywords)
            )
    except Exception as error:  # what pydicom raises for damaged files is not documented
        raise damaged(path) from error


def read_frames(path: Path) -> tuple[list[Frame], str]:
    """The frames of a DICOM file.

    Returns:
        The frames, and the modality. A report, a segmentation, a plan or the like has no frames.

    Raises:
        ImageError: the file is damaged.
    """
    header = read_header(path)
    try:
        with lenient_pydicom():
            modality = "SEG" if "Segmentation" in _sop_class(header) else _text(header, "Modality")
            if not _is_image(header, modality):
                return [], modality
            return [_frame(header, path, *groups) for groups in _functional_groups(header)], modality
    except Exception as error:  # pydicom converts a value, and fails, when it is asked for
        raise damaged(path) from error


def tags_of(path: Path) -> dict[str, str]:
    """What an image keeps of its file, by tag as SimpleITK writes it: "0008|0060" for the modality."""
    header = read_header(path)
    try:
        with lenient_pydicom():
            _, _, *groups = next(iter(_functional_groups(header)))
            values = {tag: _as_text(_first_value(keywords, header, groups)) for tag, keywords in _TAGS.items()}
    except Exception:  # as in `read_frames`; none of them is needed to read the image
        return {}
    return {tag: value for tag, value in values.items() if value}


@contextmanager
def lenient_pydicom() -> Iterator[None]:
    """Let pydicom read what breaks a rule of the standard, and say nothing about it."""
    from pydicom import config

    mode = config.settings.reading_validation_mode
    config.settings.reading_validation_mode = config.IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        config.settings.reading_validation_mode = mode


def _is_image(header: Dataset, modality: str) -> bool:
    """Whether a file holds an image.

    Raises:
        ValueError: it holds so little that nothing can be said.
    """
    sop_class = _sop_class(header)
    if modality in _NO_IMAGES or ("Storage" in sop_class and "Image Storage" not in sop_class):
        return False
    if "Rows" not in header and (not sop_class or "Image Storage" in sop_class):
        raise ValueError("neither an image nor anything else")
    return "Rows" in header


def _sop_class(header: Dataset) -> str:
    from pydicom.uid import UID

    return UID(str(header.get("SOPClassUID", ""))).name


def _functional_groups(header: Dataset) -> Iterator[tuple[int, int, Dataset | None, Dataset | None]]:
    """For each frame its number, their count, and its own and the shared functional groups.

    Of many frames with nothing of their own, a film, only the first: it stands for all.

    Raises:
        ValueError: not all frames are described.
    """
    count = int(header.get("NumberOfFrames") or 1)
    own = header.get("PerFrameFunctionalGroupsSequence")
    shared = header.get("SharedFunctionalGroupsSequence")
    if count < 1 or (own and len(own) != count):
        raise ValueError(f"{count} frames, {len(own or ())} of them described")
    for number in range(count if own else 1):
        yield number, count, own[number] if own else None, shared[0] if shared else None


def _frame(header: Dataset, path: Path, number: int, count: int, own: Dataset | None, shared: Dataset | None) -> Frame:
    groups = (own, shared)

    def texts(names: Mapping[str, Sequence[str]]) -> dict[str, str]:
        return {name: _as_text(_first_value(keywords, header, groups)) for name, keywords in names.items()}

    def numbers(keyword: str, length: int) -> tuple[float, ...]:
        return _as_numbers(_value(keyword, header, groups), length)

    spacing = numbers("PixelSpacing", 2)
    if spacing and min(spacing) <= 0:
        spacing = ()
    no_spacing = "" if spacing else _why_no_spacing(header, _value("PixelSpacing", header, groups))
    thicknesses = (numbers(keyword, 1) for keyword in ("SpacingBetweenSlices", "SliceThickness"))
    slope, intercept = numbers("RescaleSlope", 1), numbers("RescaleIntercept", 1)
    return Frame(
        file=path,
        number=number,
        count=count,
        is_film=count > 1 and own is None,
        uid=_text(header, "SOPInstanceUID"),
        series=_text(header, "SeriesInstanceUID"),
        description=_text(header, "SeriesDescription"),
        series_number=_text(header, "SeriesNumber"),
        rows=int(header.Rows),
        columns=int(header.Columns),
        samples=int(header.get("SamplesPerPixel") or 1),
        bits_allocated=int(header.BitsAllocated),
        bits_stored=int(header.BitsStored),
        high_bit=int(header.HighBit),
        signed=bool(header.PixelRepresentation),
        position=numbers("ImagePositionPatient", 3),
        orientation=numbers("ImageOrientationPatient", 6),
        pixel_spacing=spacing,
        no_spacing=no_spacing,
        thickness=next((abs(values[0]) for values in thicknesses if values and values[0]), None),
        slope=slope[0] if slope else None,
        intercept=intercept[0] if intercept else None,
        whose=texts(_WHOSE),
        which=texts(_WHICH),
        when=texts(_WHEN),
        beat_ms=_beat_ms(numbers),
    )


def _beat_ms(numbers: Callable[[str, int], tuple[float, ...]]) -> float | None:
    """Milliseconds of a beat: RR Interval Time Nominal or Nominal Interval, else what Heart Rate (1/min) stands for."""
    for keyword in ("RRIntervalTimeNominal", "NominalInterval"):
        interval = numbers(keyword, 1)
        if interval and interval[0] > 0:
            return interval[0]
    rate = numbers("HeartRate", 1)
    return 60_000 / rate[0] if rate and rate[0] > 0 else None


def _why_no_spacing(header: Dataset, value: Any) -> str:
    if _as_text(value):
        return f"Pixel Spacing is {shown(_as_text(value))}"
    if header.get("ImagerPixelSpacing"):
        return "there is only Imager Pixel Spacing, which is measured at the detector"
    return "Pixel Spacing is missing"


def _first_value(keywords: Sequence[str], header: Dataset, groups: Sequence[Dataset | None]) -> Any:
    values = (_value(keyword, header, groups) for keyword in keywords)
    return next((value for value in values if value not in (None, "")), None)


def _value(keyword: str, header: Dataset, groups: Sequence[Dataset | None]) -> Any:
    """The value for a frame: from its own functional group, the one that all share, or the top of the file."""
    for group in groups:
        for sequence in _GROUPS.get(keyword, ()):
            items = group.get(sequence) if group is not None else None
            if items and keyword in items[0]:
                return items[0].get(keyword)
    return header.get(keyword)


def _text(header: Dataset, keyword: str) -> str:
    return _as_text(header.get(keyword))


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        return "\\".join(_as_text(part) for part in value)
    return f"{float(value):.6g}" if isinstance(value, (int, float)) else str(value).strip()


def _as_numbers(value: Any, length: int) -> tuple[float, ...]:
    """So many finite numbers; empty for anything else."""
    if value is None or value == "":
        return ()
    parts = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    numbers = tuple(float(part) for part in parts)
    return numbers if len(numbers) == length and all(map(math.isfinite, numbers)) else ()
