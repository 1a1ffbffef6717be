"""The frames of one DICOM series as one volume: in order, or what is the first thing that is off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import ImageError
from .dicom_frames import Frame, shown
from .image_header import ORTHOGONAL, ImageHeader

# How far (mm) a slice may lie from where equal spacing puts it. Scanners round positions to a tenth of a millimetre; a
# missing slice is off by a whole spacing.
POSITION_TOLERANCE = 0.1
# The same as a share of the spacing, for thick slices, and of the length of the stack for one that is slanted.
POSITION_TOLERANCE_SHARE = 0.05
SLANT_SHARE = 0.01
# How far a slice may lie aside of its neighbours, as a share of a pixel.
ASIDE_SHARE = 0.25
# Positions (mm) that differ by less are the same: no scanner makes slices so thin.
SAME_POSITION = 0.001
# Direction cosines and pixel sizes of one stack agree to the digits that are written.
SAME_ORIENTATION = 1e-3
SAME_SPACING = 1e-3


def in_order(frames: Sequence[Frame], where: str) -> list[Frame]:
    """Check that frames make up one volume, and sort them by position.

    Args:
        frames: of one series, at least one.
        where: names the series in messages.

    Returns:
        The frames along the normal of the first one.

    Raises:
        ImageError: the first thing that is off.
    """
    film = next((frame for frame in frames if frame.is_film), None)
    if film:
        raise ImageError(
            f"{where} has {film.count} frames and does not say where they lie in the patient: it is a film or a "
            "capture of the screen. Export the images themselves."
        )
    for name in frames[0].whose:
        check_same(frames, where, name, [frame.whose[name] for frame in frames])
    check_same(frames, where, "sizes", [f"{frame.columns} x {frame.rows} pixels" for frame in frames])
    for frame in frames:
        axes = np.reshape(frame.orientation or (1, 0, 0, 0, 1, 0), (2, 3))
        if np.abs(axes @ axes.T - np.eye(2)).max() > ORTHOGONAL:
            raise ImageError(f"{where}: its axes are not at right angles ({frame.name}). Export the series again.")
    if len(frames) == 1:
        return list(frames)
    _check_placed(frames, where)
    check_copies(frames, where)
    positions = np.array([frame.position for frame in frames])
    if np.ptp(positions, axis=0).max() < SAME_POSITION:
        raise ImageError(
            f"{where} shows one slice {len(frames)} times: a cine, several echoes or the like. Save the image that you "
            "want by itself, and name that."
        )
    for name in frames[0].which:
        check_same(frames, where, name, [frame.which[name] for frame in frames])
    _check_same_spacing(frames, where)
    heights = positions @ normal_of(frames[0])
    ordered = [frames[number] for number in np.argsort(heights, kind="stable")]
    _check_positions(ordered, where)
    _check_scaling(ordered, where)
    return ordered


def header_of(ordered: Sequence[Frame], voxel_bytes: int, where: str) -> ImageHeader:
    """Where a checked stack lies.

    A single image has no neighbour: its voxels are as thick as the file says.
    """
    first, last = ordered[0], ordered[-1]
    header = ImageHeader(
        size=(first.columns, first.rows, len(ordered)),
        spacing=(1.0, 1.0, 1.0),
        origin=(0.0, 0.0, 0.0),
        direction=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
        voxel_bytes=voxel_bytes,
        components=first.samples,
    )
    if not (first.orientation and first.position):
        header = replace(header, axes_missing="Image Position or Image Orientation (Patient) is missing")
    else:
        x, y, z = first.position
        header = replace(header, origin=(x, y, z), direction=_direction(first))
    thickness = first.thickness or 1.0
    if len(ordered) > 1:
        thickness = float(np.linalg.norm(np.subtract(last.position, first.position))) / (len(ordered) - 1)
    elif not first.thickness:
        note = f"{where} does not say how thick its one slice is: taken as 1 mm. --spacing states it."
        header = replace(header, spacing_note=note)
    if not first.pixel_spacing:
        return replace(header, spacing=(1.0, 1.0, thickness), spacing_missing=first.no_spacing)
    between_rows, between_columns = first.pixel_spacing
    return replace(header, spacing=(between_columns, between_rows, thickness))


def _direction(frame: Frame) -> tuple[float, ...]:
    """The directions of columns, rows and slices, at right angles whatever the digits that are written."""
    columns, _ = np.reshape(frame.orientation, (2, 3))
    columns, normal = columns / np.linalg.norm(columns), normal_of(frame)
    return tuple(np.column_stack([columns, np.cross(normal, columns), normal]).ravel().tolist())


def check_same(frames: Sequence[Frame], where: str, name: str, values: Sequence[str]) -> None:
    """Refuse values that differ; what a frame does not say is not held against it.

    Args:
        frames: as many as there are values.
        where: names the series in messages.
        name: of what the values are.
        values: of each frame; empty for one that does not say.

    Raises:
        ImageError: two of them differ.
    """
    known = [(value, frame.name) for value, frame in zip(values, frames) if value]
    other = next((pair for pair in known if pair[0] != known[0][0]), None)
    if other:
        (first, first_name), (second, second_name) = known[0], other
        raise ImageError(
            f"{where} mixes {name}: {shown(first)} ({first_name}) and {shown(second)} ({second_name}). Save the images "
            "of one volume as a series of their own, and name that."
        )


def _check_placed(frames: Sequence[Frame], where: str) -> None:
    for frame in frames:
        if not (frame.position and frame.orientation):
            raise ImageError(
                f"{where} does not say where all its images lie in the patient ({frame.name} does not), so they cannot "
                "be put in order. Export the series again from the scanner or the archive."
            )
    apart = np.abs(np.subtract([frame.orientation for frame in frames], frames[0].orientation)).max(axis=1)
    if apart.max() > SAME_ORIENTATION:
        raise ImageError(
            f"{where} has images that point in different directions ({frames[0].name} and "
            f"{frames[int(np.argmax(apart > SAME_ORIENTATION))].name}): they are no stack. Save the images of one "
            "direction as a series of their own, and name that."
        )


def check_copies(frames: Sequence[Frame], where: str) -> None:
    """Refuse an image that is there twice.

    Raises:
        ImageError: two files, or two frames, are the same.
    """
    seen: dict[tuple[str, int], Frame] = {}
    for frame in frames:
        key = (frame.uid, frame.number)
        if frame.uid and key in seen:
            raise ImageError(
                f"{where} has one image twice: {seen[key].file.name} and {frame.file.name} are copies. Delete one of "
                "them."
            )
        seen[key] = frame


def _check_same_spacing(frames: Sequence[Frame], where: str) -> None:
    """That all images have the pixel size of the first; whether that is known is the header's business."""
    first = frames[0].pixel_spacing
    for frame in frames:
        spacing = frame.pixel_spacing
        if len(spacing) != len(first) or (spacing and np.abs(np.divide(spacing, first) - 1).max() > SAME_SPACING):
            one, other = (
                " x ".join(f"{mm:g}" for mm in known) + " mm" if known else "none" for known in (first, spacing)
            )
            raise ImageError(
                f"{where} mixes pixel sizes: {one} ({frames[0].name}) and {other} ({frame.name}). Save the images of "
                "one volume as a series of their own, and name that."
            )


def _check_positions(ordered: Sequence[Frame], where: str) -> None:
    normal, count = normal_of(ordered[0]), len(ordered)
    positions = np.array([frame.position for frame in ordered])
    heights = positions @ normal
    steps = np.diff(heights)
    if steps.min() < SAME_POSITION:
        same = int(np.argmin(steps))
        first, second = ordered[same], ordered[same + 1]
        apart = next((f": their {name} differ" for name in first.when if first.when[name] != second.when[name]), "")
        raise ImageError(
            f"{where} has several images at one position ({first.name} and {second.name}{apart}): phases, time points "
            "or the like. Save the images of one of them as a series of their own, and name that."
        )
    spacing = float(np.median(steps))
    tolerance = min(max(POSITION_TOLERANCE, POSITION_TOLERANCE_SHARE * spacing), spacing / 2)
    widest = int(np.argmax(np.abs(steps - spacing)))
    if abs(steps[widest] - spacing) > tolerance:
        raise ImageError(
            f"{where} has a gap: slices lie {spacing:.2f} mm apart, but {steps[widest]:.2f} mm between slice "
            f"{widest + 1} and slice {widest + 2} of {count}. Copy the missing files, or export the series again."
        )
    aside = positions - positions[0] - np.outer(heights - heights[0], normal)
    moves = np.diff(aside, axis=0)
    jumps = np.linalg.norm(moves - np.median(moves, axis=0), axis=1)
    if jumps.max() > max(POSITION_TOLERANCE, ASIDE_SHARE * min(ordered[0].pixel_spacing, default=1.0)):
        jump = int(np.argmax(jumps))
        raise ImageError(
            f"{where} has slices that are shifted against each other: slice {jump + 2} of {count} "
            f"({ordered[jump + 1].name}) lies {jumps[jump]:.2f} mm aside of the one before. Export the series again."
        )
    if np.linalg.norm(aside[-1]) > max(POSITION_TOLERANCE, SLANT_SHARE * (heights[-1] - heights[0])):
        raise ImageError(
            f"{where} is a slanted stack (tilted gantry): its slices are shifted against each other. Correct the tilt "
            "first; 3D Slicer does so when it loads the series."
        )


def _check_scaling(ordered: Sequence[Frame], where: str) -> None:
    scaled = [frame for frame in ordered if frame.slope is not None or frame.intercept is not None]
    bare = next((frame for frame in ordered if frame.slope is None and frame.intercept is None), None)
    if bare and any((frame.slope or 1.0, frame.intercept or 0.0) != (1.0, 0.0) for frame in scaled):
        raise ImageError(
            f"{where} scales the values of some images but not of all ({scaled[0].name} has a Rescale Slope, "
            f"{bare.name} has none). Export the series again."
        )


def normal_of(frame: Frame) -> np.ndarray:
    """The unit normal of a placed frame, in LPS."""
    normal = np.cross(*np.reshape(frame.orientation, (2, 3)))
    return normal / np.linalg.norm(normal)
