"""What follows from the volumes of the labels: volume of both sides, ratio of the parts, asymmetry, share of the brain.

Which labels belong together follows from the labels themselves.

- Side: see `side_of`.
- Part: the word "anterior" or "posterior" in the name.
- Structure: the other words of the name.

The measurements, from volumes in mL:

- Volume of a side that has parts, and of both sides together: the sum of the labels.
- Anterior/posterior ratio of a side: anterior / posterior (its inverse in Nordin et al., "Evaluating the position of
  the uncal apex as a predictor of episodic memory across the adult lifespan", bioRxiv). It depends on where the
  segmentation protocol draws the border between the two.
- Asymmetry index: see `asymmetry_index`.
- Share of the brain of each side and of both together, in percent: 100 * volume / volume of the brain (Whitwell et al.,
  American Journal of Neuroradiology 2001, 22:1483-1489).

The spread is the standard deviation of a measurement over the passes; the volume of the brain is the same in all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..imaging.labels import Label
from ..imaging.laterality import AnySide, side_of
from ..segmentation.steps import Result

VOLUME, RATIO, ASYMMETRY, SHARE = "volume", "anterior/posterior ratio", "asymmetry index", "share of the brain"

_PARTS = ("anterior", "posterior")
_UNITS = {VOLUME: "mL", RATIO: "", ASYMMETRY: "%", SHARE: "%"}


@dataclass(frozen=True)
class Measurement:
    """One figure of one structure.

    Attributes:
        structure: what is measured, "left hippocampus" for example, or "hippocampus" for both sides together.
        quantity: "volume", "anterior/posterior ratio", "asymmetry index" or "share of the brain".
        value: the figure.
        unit: "mL" or "%"; empty for a ratio.
        spread: standard deviation over the passes, in the same unit; None for one pass, or if a pass lacks the value.
    """

    structure: str
    quantity: str
    value: float
    unit: str
    spread: float | None


def measure(result: Result) -> tuple[Measurement, ...]:
    """What follows from the volumes of a result, beyond the volume of each label.

    Args:
        result: from `segment`.

    Returns:
        The measurements, see `MedNCALib.measurement.volumes`; what needs a side or a part that was not found is left
        out.
    """
    estimates = result.quality.volumes_ml
    passes = zip(*(estimate.by_pass for estimate in estimates.values()))
    return measure_volumes(
        result.label_table,
        {name: estimate.mean for name, estimate in estimates.items()},
        [dict(zip(estimates, volumes)) for volumes in passes],
        result.brain_ml,
    )


def measure_volumes(
    labels: Sequence[Label],
    volumes_ml: Mapping[str, float],
    passes_ml: Sequence[Mapping[str, float]] = (),
    brain_ml: float | None = None,
) -> tuple[Measurement, ...]:
    """What follows from volumes, beyond the volume of each label.

    Args:
        labels: what was segmented; those without a volume do not count.
        volumes_ml: volume of each label in mL, by its name.
        passes_ml: likewise for each pass; the spread needs at least two.
        brain_ml: volume of the brain in mL; None gives no share.

    Returns:
        The measurements, those of each structure in the order of the module's text. What needs a side or a part that
        was not found is left out.
    """
    values = _values(labels, volumes_ml, brain_ml)
    passes = [_values(labels, volumes, brain_ml) for volumes in passes_ml]
    return tuple(
        Measurement(
            structure, quantity, value, _UNITS[quantity], _spread([each.get((structure, quantity)) for each in passes])
        )
        for (structure, quantity), value in values.items()
    )


def asymmetry_index(left: float, right: float) -> float:
    """How much larger the left side is than the right, in percent of their mean; negative if the right one is larger.

    100 * (L - R) / (0.5 * (L + R)), from -200 to 200. The normalisation is that of Kurth, Gaser and Luders (Nature
    Protocols 2015, doi:10.1038/nprot.2015.014), the sign that of Cao et al. (Addiction Biology 2021, e13010); these
    divide by L + R, so that their figures are half as large.

    >>> asymmetry_index(3.0, 3.3)
    -9.523809523809518

    Args:
        left, right: volumes, not both zero.
    """
    return 100 * (left - right) / (0.5 * (left + right))


class _Member(NamedTuple):
    """A label in its structure: the part is empty if it has none."""

    name: str
    side: AnySide
    part: str
    ml: float


def _values(
    labels: Iterable[Label], volumes_ml: Mapping[str, float], brain_ml: float | None
) -> dict[tuple[str, str], float]:
    """The measurements of one set of volumes, by structure and quantity."""
    values = {}
    for members in _structures(labels, volumes_ml):
        left, right, unsided = (
            [member for member in members if member.side == side] for side in ("left", "right", None)
        )
        found = [side for side in (left, right, unsided) if _ml(side)]
        both = [left + right] if _ml(left) and _ml(right) else []
        for whole in found + both:
            if len(whole) > 1:
                values[_name(whole), VOLUME] = _ml(whole)
        for side in found:
            anterior, posterior = (_ml(member for member in side if member.part == part) for part in _PARTS)
            if anterior and posterior:
                values[_name(side), RATIO] = anterior / posterior
        for whole in both:
            values[_name(whole), ASYMMETRY] = asymmetry_index(_ml(left), _ml(right))
        for whole in found + both:
            if brain_ml:
                values[_name(whole), SHARE] = 100 * _ml(whole) / brain_ml
    return values


def _structures(labels: Iterable[Label], volumes_ml: Mapping[str, float]) -> list[list[_Member]]:
    """The labels that have a volume, together with those of the same structure."""
    structures: dict[str, list[_Member]] = {}
    for label in labels:
        if label.name in volumes_ml:
            side, words = side_of(label), label.name.split()
            part = next((word.lower() for word in words if word.lower() in _PARTS), "")
            structure = " ".join(word.lower() for word in words if word.lower() not in (side, part))
            structures.setdefault(structure, []).append(_Member(label.name, side, part, volumes_ml[label.name]))
    return list(structures.values())


def _ml(members: Iterable[_Member]) -> float:
    return sum(member.ml for member in members)


def _name(members: Sequence[_Member]) -> str:
    """The words that all names have."""
    return " ".join(word for word in members[0].name.split() if all(word in each.name.split() for each in members))


def _spread(values: Sequence[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return float(np.std(numbers, ddof=1)) if len(numbers) == len(values) > 1 else None
