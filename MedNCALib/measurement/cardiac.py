"""Volumes of a heart's chamber over the beat, and what follows from them.

- Volume of a frame = sum over the counted slices of area x distance between slices, gaps included: Simpson's method of
  discs, as the Society for Cardiovascular Magnetic Resonance has it (Schulz-Menger et al. 2020, doi
  10.1186/s12968-020-00610-6).
- End-diastole is the frame with the largest volume, end-systole the one with the smallest (the same source).
- Stroke volume = EDV - ESV; ejection fraction = stroke volume / EDV, in percent; cardiac output = stroke volume x heart
  rate.
- The spread of each is its standard deviation over the passes, with end-diastole and end-systole in the same frames.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import MedNCAError
from ..imaging.labels import Label
from ..io.frame_times import FrameTimes
from ..model.model import Model
from ..segmentation.slice_volumes import slice_volumes
from ..segmentation.steps import Result

# SNOMED CT: left ventricle, as the region of a label.
_LEFT_VENTRICLE = "87878005"
_NAME = re.compile(r"left ventric|ventric\w* left|\blv\b", re.IGNORECASE)
_WALL = re.compile(r"myocard|wall|muscle", re.IGNORECASE)

# Beats a minute that a heart may have.
_HEART_RATES = (20.0, 300.0)
# A frame jumps if it lies outside of both neighbours by more than these shares of the stroke volume and of the largest
# volume. The largest value of a sine over the least number of frames lies outside by a seventh of the stroke volume.
_JUMP_OF_STROKE, _JUMP_OF_LARGEST, _LEAST_FRAMES = 0.25, 0.03, 8
# Volumes that differ by less than this share are the same.
_SAME = 0.01
_LEAST_ML = 1e-9  # of a pass that finds nothing


@dataclass(frozen=True)
class Estimate:
    """A figure and its spread.

    Attributes:
        value: of the result.
        sd: standard deviation over the passes; None for one pass.
    """

    value: float
    sd: float | None = None


@dataclass(frozen=True)
class Beat:
    """What the frames of a beat give.

    Attributes:
        label: name of the chamber.
        times: when the frames are.
        volumes: of each frame, in mL.
        slices: first and last slice that are counted, from 1, and how many there are.
        ed_frame, es_frame: numbers of the frames of end-diastole and end-systole, from 0.
        edv, esv, stroke_volume: in mL.
        ejection_fraction: in percent; None if nothing is found in any frame.
        heart_rate: beats a minute; None if unknown.
        cardiac_output: litres a minute; None if unknown.
        warnings: what makes the figures doubtful, a sentence each.
    """

    label: str
    times: FrameTimes
    volumes: tuple[Estimate, ...]
    slices: tuple[int, int, int]
    ed_frame: int
    es_frame: int
    edv: Estimate
    esv: Estimate
    stroke_volume: Estimate
    ejection_fraction: Estimate | None
    heart_rate: float | None
    cardiac_output: Estimate | None
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain dictionaries and numbers, for JSON; frames without a time have null."""
        figures = {
            "edv_ml": self.edv,
            "esv_ml": self.esv,
            "stroke_volume_ml": self.stroke_volume,
            "ejection_fraction": self.ejection_fraction,
            "cardiac_output_l_min": self.cardiac_output,
        }
        times = self.times.milliseconds or (None,) * len(self.volumes)
        return {
            "label": self.label,
            "frames": [
                {"time_ms": time, "volume_ml": volume.value, "volume_sd_ml": volume.sd}
                for time, volume in zip(times, self.volumes)
            ],
            "sorted_by": self.times.sorted_by,
            "ed_frame": self.ed_frame,
            "es_frame": self.es_frame,
            **{name: figure and figure.value for name, figure in figures.items()},
            "heart_rate_bpm": self.heart_rate,
            "spread": {name: figure and figure.sd for name, figure in figures.items()},
            "slices": dict(zip(("first", "last", "count"), self.slices)),
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class ChamberVolumes:
    """mL of a chamber in each slice of each frame, from which a beat is measured again for other slices.

    Attributes:
        label: name of the chamber.
        found: of the results, shape (frames, slices).
        by_pass: of each pass, shape (passes, frames, slices); None for one pass.
        times: when the frames are.
    """

    label: str
    found: np.ndarray
    by_pass: np.ndarray | None
    times: FrameTimes

    @property
    def proposed_slices(self) -> tuple[int, int]:
        """First and last slice, from 1, of the run around the fullest one in which something is found in any frame."""
        shown = self.found.max(axis=0) > 0
        first = last = int(self.found.sum(axis=0).argmax())
        if not shown.any():
            return 1, len(shown)
        while first > 0 and shown[first - 1]:
            first -= 1
        while last < len(shown) - 1 and shown[last + 1]:
            last += 1
        return first + 1, last + 1

    def measure(self, slices: tuple[int, int] | None = None) -> Beat:
        """The figures of the beat.

        Args:
            slices: first and last slice to count, from 1; None takes `proposed_slices`.

        Raises:
            MedNCAError: there are no such slices.
        """
        count = self.found.shape[1]
        first, last = slices or self.proposed_slices
        check_slices((first, last), count)
        counted = slice(first - 1, last)
        volumes = self.found[:, counted].sum(axis=1)
        ed, es = int(volumes.argmax()), int(volumes.argmin())
        warnings = [*_edge_warnings(self.found[ed], first, last, self.label), *_curve_warnings(volumes)]
        if slices is None:
            warnings += _stray_warnings(self.found, first, last, self.label)
        beat_ms, of_times = _beat(self.times)
        rate = 60_000 / beat_ms if beat_ms else None
        if rate is not None and not _HEART_RATES[0] <= rate <= _HEART_RATES[1]:
            warnings.append(f"The {of_times} give {rate:.3g} beats a minute, which cannot be: heart rate left out.")
            rate = None
        # The result in the first row, the passes in the others: each figure is computed alike for all.
        rows = np.vstack([volumes] if self.by_pass is None else [volumes, self.by_pass[:, :, counted].sum(axis=2)])
        edv, esv = rows[:, ed], rows[:, es]
        stroke = edv - esv
        fraction = _estimate(100 * stroke / np.maximum(edv, _LEAST_ML)) if volumes[ed] > 0 else None
        return Beat(
            label=self.label,
            times=self.times,
            volumes=tuple(_estimate(frame) for frame in rows.T),
            slices=(first, last, count),
            ed_frame=ed,
            es_frame=es,
            edv=_estimate(edv),
            esv=_estimate(esv),
            stroke_volume=_estimate(stroke),
            ejection_fraction=fraction,
            heart_rate=rate,
            cardiac_output=None if rate is None else _estimate(stroke * rate / 1000),
            warnings=tuple(warnings),
        )


def check_slices(slices: Sequence[int], count: int) -> None:
    """Refuse a first and a last slice, from 1, that are not among so many.

    Raises:
        MedNCAError: there are no such slices.
    """
    first, last = slices
    if not 1 <= first <= last <= count:
        raise MedNCAError(f"There are no slices {first} to {last}: choose from 1 to {count}, the first one first.")


def chamber_of(labels: Sequence[Label]) -> Label | None:
    """The label that is the cavity of the left ventricle, by its codes or its name; None if not just one is."""
    found = [label for label in labels if _is_left_ventricle(label) and not _WALL.search(label.name)]
    return found[0] if len(found) == 1 else None


def chamber_volumes(results: Sequence[Result], model: Model, times: FrameTimes) -> ChamberVolumes | None:
    """The volumes of the chamber that a model finds, from the results of all frames; None if it finds none.

    Args:
        results: one a frame, of volumes on one grid.
        model: their model.
        times: when the frames are.
    """
    label = chamber_of(model.labels)
    if label is None:
        return None
    axes, place = model.slice_format.axes, list(model.labels).index(label)
    found = np.array([slice_volumes(result.labels, label.value, axes) for result in results])
    of_passes = [result.pass_slices[:, place] for result in results if result.pass_slices is not None]
    by_pass = np.stack(of_passes, axis=1) if len(of_passes) == len(results) else None
    return ChamberVolumes(label.name, found, by_pass, times)


def _is_left_ventricle(label: Label) -> bool:
    codes = {concept.value for concept in label.terminology.values()}
    return _LEFT_VENTRICLE in codes or _NAME.search(label.name) is not None


def _estimate(values: np.ndarray) -> Estimate:
    """A figure of the result, which comes first, with its spread over the passes, which follow."""
    return Estimate(float(values[0]), float(np.std(values[1:], ddof=1)) if len(values) > 1 else None)


def _beat(times: FrameTimes) -> tuple[float | None, str]:
    """Milliseconds of a beat, and what says so: the header, or the frames, which then cover one whole beat."""
    if times.beat_ms:
        return times.beat_ms, "beats in the header"
    if times.milliseconds is None or len(times.milliseconds) < 2:
        return None, ""
    count = len(times.milliseconds)
    return (times.milliseconds[-1] - times.milliseconds[0]) * count / (count - 1), "times of the frames"


def _edge_warnings(end_diastole: np.ndarray, first: int, last: int, label: str) -> list[str]:
    """The stack may be too short if one of its ends shows the chamber when it is largest."""
    count = len(end_diastole)
    ends = [number for number in dict.fromkeys((1, count)) if first <= number <= last and end_diastole[number - 1] > 0]
    if not ends:
        return []
    named = " and ".join(f"slice {number}" for number in ends)
    return [
        f"The {label} reaches the end of the stack ({named} of {count}): it may go on beyond base or apex, and the "
        "volumes are then too small."
    ]


def _curve_warnings(volumes: np.ndarray) -> list[str]:
    largest, stroke = volumes.max(), np.ptp(volumes)
    if largest <= 0:
        return ["Nothing was found in any frame."]
    if stroke <= _SAME * largest:
        return ["End-diastole and end-systole are the same: the volume does not change."]
    if len(volumes) < _LEAST_FRAMES:
        return []
    before, after = np.roll(volumes, 1), np.roll(volumes, -1)  # the beat begins anew after the last frame
    outside = np.maximum(volumes - np.maximum(before, after), np.minimum(before, after) - volumes)
    jumps = np.flatnonzero(outside > max(_JUMP_OF_STROKE * stroke, _JUMP_OF_LARGEST * largest))
    return [
        f"Frame {jump + 1} jumps: its {volumes[jump]:.0f} mL lie far from the {before[jump]:.0f} and {after[jump]:.0f} "
        "mL of the frames beside it. Look at its segmentation."
        for jump in jumps
    ]


def _stray_warnings(found: np.ndarray, first: int, last: int, label: str) -> list[str]:
    shown = found.max(axis=0) > 0
    strays = [number for number in np.flatnonzero(shown) + 1 if not first <= number <= last]
    if not strays:
        return []
    named = ", ".join(map(str, strays))
    return [f"Slices {named} show something apart from the rest of the {label} and are not counted."]
