"""What files in formats that ITK reads leave out, and ITK makes up without a word.

- NRRD: https://teem.sourceforge.net/nrrd/format.html
- MetaImage: https://itk.org/Wiki/ITK/MetaIO/Documentation
- VTK: "VTK File Formats", legacy: header lines, the last before the voxels of a binary file is LOOKUP_TABLE.
- GIPL: a header of 256 bytes with a magic number at its end.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from .frame_times import TRIGGER_TIME, UNIT_MS, FrameTimes, labelled_times, regular_times
from .image_header import ImageHeader

# Bytes at the start of a file that hold all of a header that is looked at here.
HEADER_BYTES = 1 << 16

_SIGNATURES = (
    (rb"NRRD\d{4}", "NrrdImageIO"),
    (rb"(?s)\s*(Comment|ObjectType|NDims)\s*=(?=.{,4096}?\bElementDataFile\s*=)", "MetaImageIO"),
    (rb"# vtk DataFile", "VTKImageIO"),
    (rb"(?s).{252}(\xef\xff\xe9\xb0|\x2a\xe3\x89\xb8)", "GiplImageIO"),
)
# Formats that are known by how they start, here or before a file comes here: ITK goes by the name of some.
WITH_SIGNATURE = (
    *(name for _, name in _SIGNATURES),
    "NiftiImageIO",
    "GDCMImageIO",
    "PNGImageIO",
    "JPEGImageIO",
    "TIFFImageIO",
    "BMPImageIO",
)
# Formats that never have directions, and those that have no distance between slices either.
_WITHOUT_DIRECTIONS = ("VTKImageIO", "GiplImageIO", "LSMImageIO", "MRCImageIO", "BioRadImageIO")
_WITHOUT_SPACING = ("BioRadImageIO",)
# Formats in which the size of the file bounds what it can hold.
_BOUNDED = ("NrrdImageIO", "MetaImageIO", "VTKImageIO", "GiplImageIO")

_ANATOMICAL_SPACE = re.compile(r"(left|right)-(anterior|posterior)-superior(-time)?|[rl][ap]st?", re.IGNORECASE)
_GIPL_HEADER = 256
_VTK_HEADER = 1024


def format_of(start: bytes) -> str:
    """ITK's name for the format of a file by its first bytes, whatever it is called; empty if they say nothing."""
    return next((name for signature, name in _SIGNATURES if re.match(signature, start)), "")


def check_text(file_format: str, start: bytes) -> None:
    """Refuse headers of text that ITK takes without a look: a dimension that is none ends the process.

    Raises:
        ValueError: numbers are missing, or cannot be.
    """
    if file_format == "MetaImageIO":
        fields = _fields(start, "=")
        dimension, lengths = int(fields.get("ndims", "")), fields.get("dimsize", "").split()
        _require(2 <= dimension <= 5 and len(lengths) == dimension and min(map(int, lengths)) >= 0)
    if file_format == "VTKImageIO":
        lines = (line.split() for line in start[:_VTK_HEADER].decode("latin-1").splitlines())
        words = {line[0].upper(): line[1:] for line in lines if line}
        lengths = words.get("DIMENSIONS", [])
        _require(len(lengths) == 3 and min(map(int, lengths)) >= 0)
        for values in (words.get("ORIGIN", []), words.get("SPACING") or words.get("ASPECT_RATIO") or []):
            _require(len([float(value) for value in values]) == 3)


def _require(condition: bool) -> None:
    if not condition:
        raise ValueError("numbers that cannot be")


def with_gaps(header: ImageHeader, file_format: str, start: bytes, path: Path) -> ImageHeader:
    """ITK's reading of a header, with what the file itself does not say.

    A single picture has no place in space, and none is missed.
    """
    if header.size[2] == 1 and file_format not in ("NrrdImageIO", "MetaImageIO"):
        return header
    if file_format == "NrrdImageIO":
        return _nrrd(header, _fields(start, ":"))
    if file_format == "MetaImageIO":
        return _metaimage(header, _fields(start, "="), path)
    axes = "its format has no directions" if file_format in _WITHOUT_DIRECTIONS else ""
    spacing = "its format has no distance between slices" if file_format in _WITHOUT_SPACING else ""
    return replace(header, axes_missing=axes, spacing_missing=spacing)


def lists_frames(file_format: str, start: bytes) -> bool:
    """Whether the values that ITK takes for components of a voxel are frames.

    They are if one of four axes of an NRRD file is of the kind "list": 3D Slicer and its MultiVolume importer write
    sequences so.
    """
    fields = _fields(start, ":") if file_format == "NrrdImageIO" else {}
    return fields.get("dimension") == "4" and fields.get("kinds", "").split().count("list") == 1


def times_of(header: ImageHeader, file_format: str, start: bytes, interval: float) -> FrameTimes:
    """When the frames of a file are: as NRRD has them with a unit of time; MetaImage and others know none.

    Args:
        header: of the file.
        file_format, start: as elsewhere.
        interval: distance of two frames along a fourth axis, in the unit of that axis.
    """
    if file_format != "NrrdImageIO" or len(header.frames) != 1:
        return FrameTimes()
    fields = {name: value.removeprefix("=").strip() for name, value in _fields(start, ":").items()}
    count = header.frames[0]
    units = re.findall(r'"([^"]*)"', fields.get("units", "") or fields.get("space units", ""))
    by_trigger = fields.get("multivolume.frameidentifyingdicomtagname") == TRIGGER_TIME
    lists = {
        "axis 0 index values": units[0] if units else "",
        "axis 3 index values": units[3] if len(units) == 4 else "",
        "multivolume.framelabels": fields.get("multivolume.frameidentifyingdicomtagunits", "") if by_trigger else "",
    }
    for name, unit in lists.items():
        labels = fields.get(name, "").replace(",", " ").split()
        times = labelled_times(labels, unit)
        if times.milliseconds and len(labels) == count:
            return times
    unit = units[3].lower() if len(units) == 4 else ""
    return regular_times(interval * UNIT_MS[unit], count) if unit in UNIT_MS else FrameTimes()


def is_cut_short(path: Path, header: ImageHeader, file_format: str, start: bytes) -> bool:
    """Whether a file holds fewer bytes than it announces, in the formats whose readers do not look."""
    voxels = header.voxel_bytes * header.voxel_count
    if file_format == "GiplImageIO":
        return path.stat().st_size < _GIPL_HEADER + voxels
    if file_format == "VTKImageIO" and b"\nBINARY" in start[:_VTK_HEADER]:
        last_line = re.search(rb"\n(LOOKUP_TABLE|VECTORS|TENSORS|COLOR_SCALARS)[^\n]*\n", start)
        return path.stat().st_size < (last_line.end() if last_line else 0) + voxels
    return False


def is_bounded(file_format: str, start: bytes) -> bool:
    """Whether the size of the file bounds what it can hold: its voxels lie in it, packed no more than Deflate can."""
    elsewhere = re.search(rb"(?im)^data ?file:|^ElementDataFile\s*=(?!\s*LOCAL)|^encoding: bz", start)
    return file_format in _BOUNDED and not elsewhere


def _fields(start: bytes, separator: str) -> dict[str, str]:
    """The lines "field separator value" of a header of text, up to an empty line; the field in lower case."""
    text = start.decode("latin-1").replace("\r\n", "\n").partition("\n\n")[0]
    parts = (line.partition(separator) for line in text.splitlines())
    return {name.strip().lower(): value.strip() for name, _, value in parts if value}


def _nrrd(header: ImageHeader, fields: dict[str, str]) -> ImageHeader:
    if fields.get("dimension") == "2":
        return header
    directions = fields.get("space directions", "")
    units = set(re.findall(r'"([^"]*)"', fields.get("space units", ""))) - {"", "mm", "millimeter", "millimeters"}
    axes = spacing = ""
    if not _ANATOMICAL_SPACE.fullmatch(fields.get("space", "")):
        axes = "its header names no anatomical space"
    elif not directions:
        axes = "its header has no space directions"
    if units:
        spacing = f"its unit is {', '.join(sorted(units))}"
    elif not directions and ("spacings" not in fields or "nan" in fields["spacings"].lower()):
        spacing = "its header has no spacings"
    return replace(header, axes_missing=axes, spacing_missing=spacing)


def _metaimage(header: ImageHeader, fields: dict[str, str], path: Path) -> ImageHeader:
    note = spacing = ""
    if not fields.keys() & {"transformmatrix", "rotation", "orientation"}:
        note = (
            f"{path} does not say which way its axes point (its header has no TransformMatrix): taken as left, "
            "posterior, superior, as MetaImage has it. --axes states others."
        )
    if not fields.keys() & {"elementspacing", "elementsize"}:
        spacing = "its header has no ElementSpacing"
    return replace(header, axes_note=note, spacing_missing=spacing)
