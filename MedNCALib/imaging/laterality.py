"""Sides of paired structures: which side a label is on, and what a label is called, coded and coloured on a side.

A model that knows no sides may be run on one side and on the other. Its labels then have the values 10 * side + value,
with 1 for left and 2 for right: label 2 is 12 on the left and 22 on the right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal, Optional, get_args

import numpy as np
import SimpleITK as sitk

from .anatomical_axes import image_on_grid_of
from .labels import CodedConcept, Label

Side = Literal["left", "right"]
SIDES: tuple[Side, ...] = get_args(Side)
AnySide = Optional[Side]  # None if the side is not known

# SNOMED CT's qualifiers, as DICOM's context group 244 (PS3.16) has them.
LATERALITY: dict[Side, CodedConcept] = {
    "left": CodedConcept("SCT", "7771000", "Left"),
    "right": CodedConcept("SCT", "24028007", "Right"),
}

# Labels that have a value for each side have values below this.
FACTOR = 10

# Share of a colour's lightness on the right: pairs stay alike in hue, and are told apart without seeing hues.
_RIGHT_SHADE = 0.6


def side_of(label: Label) -> AnySide:
    """The side that a label's terminology names; without any terminology "left" or "right" at the name's beginning.

    The left ventricle of the heart is coded without a side: it is a structure of its own, not the left one of a pair.
    """
    if label.terminology:
        modifiers = [label.terminology.get(key) for key in ("type_modifier", "region_modifier")]
        codes = {concept[:2] for concept in modifiers if concept}
        return next((side for side in SIDES if LATERALITY[side][:2] in codes), None)
    first = label.name.casefold().partition(" ")[0]
    return next((side for side in SIDES if side == first), None)


def name_without_side(label: Label) -> str:
    """The name of a label without "left" or "right" at its beginning.

    >>> name_without_side(Label(1, "left hippocampus"))
    'hippocampus'
    """
    first, _, rest = label.name.partition(" ")
    return rest if first.casefold() in SIDES else label.name


def on_side(label: Label, side: AnySide) -> Label:
    """A label that knows no side, on one: with its own value, name, colour and laterality; unchanged for None.

    >>> on_side(Label(2, "posterior hippocampus"), "left").value
    12
    """
    if side is None:
        return label
    shade = _RIGHT_SHADE if side == "right" else 1.0
    red, green, blue = (round(shade * part) for part in label.color)
    coded = {name: LATERALITY[side] for name in ("type", "region") if name in label.terminology}
    return replace(
        label,
        value=FACTOR * (1 + SIDES.index(side)) + label.value,
        name=f"{side} {label.name}",
        color=(red, green, blue),
        terminology={**label.terminology, **{f"{name}_modifier": code for name, code in coded.items()}},
    )


def can_have_sides(labels: Iterable[Label]) -> bool:
    """Whether each label has a value of its own on either side."""
    return all(label.value < FACTOR for label in labels)


def split_by_side(labels: Sequence[Label]) -> tuple[tuple[Label, ...], tuple[Label, ...]]:
    """The labels that a model finds, and those that stand for one of them on a side, by value and name."""
    values = {on_side(label, side).value: side for side in SIDES for label in labels if label.value < FACTOR}
    is_sided = [label.value in values and side_of(label) == values[label.value] for label in labels]
    own, sided = (tuple(label for label, is_it in zip(labels, is_sided) if is_it == wanted) for wanted in (False, True))
    return own, sided


def without_sides(labels: sitk.Image) -> sitk.Image:
    """A label image, uint8, in which the values on either side became those of labels that know no side."""
    lookup = np.arange(256, dtype=np.uint8)
    lookup[FACTOR : FACTOR * (len(SIDES) + 1)] %= FACTOR
    return image_on_grid_of(labels, lookup[sitk.GetArrayViewFromImage(labels)])
