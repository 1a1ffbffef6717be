"""The frames of a DICOM cine: several phases at each position, sorted into one volume for each phase.

Attributes are those of DICOM PS3.3: Trigger Time and Temporal Position Identifier (C.8.3.1, C.7.6.1), in enhanced files
Nominal Cardiac Trigger Delay Time (C.7.6.16.2.7) and Temporal Position Index (C.7.6.16.2.2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError
from .dicom_frames import Frame, shown, tags_of
from .dicom_pixels import read_values, value_type
from .dicom_stack import POSITION_TOLERANCE, SAME_ORIENTATION, check_copies, check_same, header_of, in_order, normal_of
from .frame_times import FrameTimes

# What puts the phases of a position in order, the better first; names are those of `Frame.when` and `Frame.which`.
TRIGGER_TIMES, TEMPORAL_POSITIONS = "trigger times", "temporal positions"
_TIME_POINTS = "time points"

_NAMED = 3  # images that a message names


@dataclass(frozen=True)
class Phases:
    """A cine in order.

    Attributes:
        stacks: for each phase its frames, along the normal.
        times: when the phases are, and what they are sorted by.
        left_out: what does not belong to the stack or is not there in each phase, a sentence each.
    """

    stacks: tuple[tuple[Frame, ...], ...]
    times: FrameTimes
    left_out: tuple[str, ...]


def has_phases(frames: Sequence[Frame]) -> bool:
    """Whether frames that say where they lie show one position several times."""
    if not all(frame.position and frame.orientation and not frame.is_film for frame in frames):
        return False
    planes = {tuple(np.round(frame.position + frame.orientation, 3)) for frame in frames}
    return len(planes) < len(frames)


def slices_of_cine(series: Mapping[str, Sequence[Frame]]) -> list[Frame]:
    """The frames of all series if each is a cine of one slice; none otherwise."""
    for frames in series.values():
        positions = np.array([frame.position for frame in frames if frame.position])
        if not has_phases(frames) or np.ptp(positions, axis=0).max() > POSITION_TOLERANCE:
            return []
    return [frame for frames in series.values() for frame in frames]


def phases_of(frames: Sequence[Frame], where: str, leave_out: bool = False) -> Phases:
    """Sort the frames of a cine by phase and position.

    Args:
        frames: for which `has_phases` holds.
        where: names the cine in messages.
        leave_out: whether to go on without planes of another direction or size than most, and without slices that do
            not have all phases.

    Raises:
        ImageError: the first thing that is off.
    """
    check_copies(frames, where)
    slices, others = _stack_of(frames, where)
    slices, missing = _complete(slices, where)
    left_out = [note for note in (others, missing) if note]
    if left_out and not leave_out:
        raise ImageError(f"{left_out[0]} --leave-out goes on without them; or export the series again.")
    _check_alike([frame for each in slices for frame in each], where)
    sorted_by = _sort_key(slices, where)
    ordered = [sorted(each, key=lambda frame: _number(frame, sorted_by)) for each in slices]
    stacks = []
    for number, stack in enumerate(zip(*ordered), 1):
        stacks.append(tuple(in_order(stack, f"{where}, phase {number},")))
    return Phases(tuple(stacks), _times(ordered, sorted_by), tuple(left_out))


class DicomCine:
    """DICOM images whose headers have been read and make up several volumes of one place.

    Args:
        frames, where, leave_out: as for `phases_of`.

    Raises:
        ImageError: the first thing that is off.
    """

    def __init__(self, frames: Sequence[Frame], where: str, leave_out: bool = False) -> None:
        phases = phases_of(frames, where, leave_out)
        self._stacks = phases.stacks
        self._kind = value_type([frame for stack in self._stacks for frame in stack])
        self.times, self.left_out = phases.times, phases.left_out
        self.header = replace(header_of(self._stacks[0], self._kind.itemsize, where), frames=(len(self._stacks),))

    def frames(self) -> Iterator[sitk.Image]:
        """See `SequenceFile.frames`."""
        tags = tags_of(self._stacks[0][0].file)
        # A file with many frames is read once, whatever order they lie in.
        together = any(frame.count > 1 for stack in self._stacks for frame in stack)
        values = read_values([frame for stack in self._stacks for frame in stack], self._kind) if together else None
        for number, stack in enumerate(self._stacks):
            depth = len(stack)
            voxels = read_values(stack, self._kind) if values is None else values[number * depth : (number + 1) * depth]
            image = sitk.GetImageFromArray(voxels)
            for tag, value in tags.items():
                image.SetMetaData(tag, value)
            yield image


def _stack_of(frames: Sequence[Frame], where: str) -> tuple[list[list[Frame]], str]:
    """The frames of each position along the normal, of the planes that most positions share; and a word on others."""
    groups: list[list[Frame]] = []
    for frame in frames:
        for group in groups:
            if _same_plane(frame, group[0]):
                group.append(frame)
                break
        else:
            groups.append([frame])
    stacks = [_by_position(group) for group in groups]
    largest = max(range(len(stacks)), key=lambda number: (len(stacks[number]), len(groups[number])))
    others = [frame for number, group in enumerate(groups) if number != largest for frame in group]
    if not others:
        return stacks[largest], ""
    return stacks[largest], (
        f"{where} has {len(others)} images whose planes do not belong to the stack ({_names(others)}): they point "
        "elsewhere or have another size, as those along the long axis do."
    )


def _same_plane(first: Frame, second: Frame) -> bool:
    apart = np.abs(np.subtract(first.orientation, second.orientation)).max()
    return bool(apart <= SAME_ORIENTATION) and (first.rows, first.columns) == (second.rows, second.columns)


def _by_position(frames: Sequence[Frame]) -> list[list[Frame]]:
    heights = np.array([frame.position for frame in frames]) @ normal_of(frames[0])
    order = np.argsort(heights, kind="stable")
    starts = np.flatnonzero(np.diff(heights[order]) > POSITION_TOLERANCE) + 1
    return [[frames[number] for number in numbers] for numbers in np.split(order, starts)]


def _complete(slices: Sequence[list[Frame]], where: str) -> tuple[list[list[Frame]], str]:
    """The slices that have as many phases as most, and a word on others."""
    lengths = Counter(map(len, slices))
    phases = max(lengths, key=lambda length: (lengths[length], length))
    others = [(number, each) for number, each in enumerate(slices, 1) if len(each) != phases]
    if not others:
        return list(slices), ""
    named = ", ".join(f"slice {number} has {len(each)}" for number, each in others[:_NAMED])
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    return [each for each in slices if len(each) == phases], (
        f"{where} has {phases} phases, but not in every one of its {len(slices)} slices: {named}{more}."
    )


def _check_alike(frames: Sequence[Frame], where: str) -> None:
    """Refuse images of several patients, and of several kinds other than phases."""
    for name in frames[0].whose:
        check_same(frames, where, name, [frame.whose[name] for frame in frames])
    for name in frames[0].which:
        if name != _TIME_POINTS:
            check_same(frames, where, name, [frame.which[name] for frame in frames])


def _sort_key(slices: Sequence[Sequence[Frame]], where: str) -> str:
    """What tells the phases of each position apart."""
    for name in (TRIGGER_TIMES, TEMPORAL_POSITIONS):
        values = [[_number(frame, name) for frame in each] for each in slices]
        if all(np.isfinite(each).all() and len(set(each)) == len(each) for each in values):
            return name
    first, second = next(each for each in slices if len(each) > 1)[:2]
    raise ImageError(
        f"{where} has several images at one position ({first.name} and {second.name}), and neither trigger times nor "
        "temporal positions that put them in order. Save the images of one phase as a series of their own, and name "
        "that."
    )


def _number(frame: Frame, name: str) -> float:
    """What a frame is sorted by; not a number if it does not say."""
    text = frame.when[TRIGGER_TIMES] if name == TRIGGER_TIMES else frame.which[_TIME_POINTS]
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _times(ordered: Sequence[Sequence[Frame]], sorted_by: str) -> FrameTimes:
    beats = [frame.beat_ms for each in ordered for frame in each if frame.beat_ms]
    milliseconds = None
    if sorted_by == TRIGGER_TIMES:
        of_slices = [[_number(frame, sorted_by) for frame in each] for each in ordered]
        milliseconds = tuple(np.mean(of_slices, axis=0).tolist())
    return FrameTimes(milliseconds, sorted_by, float(np.mean(beats)) if beats else None)


def _names(frames: Sequence[Frame]) -> str:
    """Some frames, for messages: their series if that has a name, else their own."""
    names = list(dict.fromkeys(shown(frame.description) or frame.name for frame in frames))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
