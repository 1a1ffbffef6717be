"""Sides of labels: by code or by name, with values of their own, and back."""

import numpy as np
import pytest
import SimpleITK as sitk

from MedNCALib import Label
from MedNCALib.imaging.laterality import (
    LATERALITY,
    can_have_sides,
    name_without_side,
    on_side,
    side_of,
    split_by_side,
    without_sides,
)

WHOLE = {"type": ("SCT", "5366008", "Hippocampus"), "region": ("SCT", "279215006", "Temporal lobe")}


@pytest.mark.parametrize(
    ("label", "side"),
    [
        (Label(1, "hippocampus"), None),
        (Label(1, "Left hippocampus"), "left"),
        (Label(1, "right hippocampus"), "right"),
        (Label(1, "leftover"), None),
        (Label(1, "hippocampus", terminology={**WHOLE, "type_modifier": LATERALITY["right"]}), "right"),
        (Label(1, "hippocampus", terminology={**WHOLE, "region_modifier": LATERALITY["left"]}), "left"),
    ],
)
def test_a_side_is_known_by_code_or_by_name(label, side):
    assert side_of(label) == side


def test_a_label_on_a_side_has_its_value_name_code_and_shade():
    label = Label(2, "posterior part", (100, 50, 200), WHOLE)
    left, right = on_side(label, "left"), on_side(label, "right")
    assert (left.value, left.name, left.color) == (12, "left posterior part", (100, 50, 200))
    assert (right.value, right.name, right.color) == (22, "right posterior part", (60, 30, 120))
    for sided, code in ((left, ("SCT", "7771000", "Left")), (right, ("SCT", "24028007", "Right"))):
        assert sided.terminology["type_modifier"] == sided.terminology["region_modifier"] == code
        assert sided.terminology["type"] == WHOLE["type"]
    assert side_of(left) == "left"
    assert name_without_side(left) == label.name
    assert on_side(label, None) is label
    assert on_side(Label(1, "part"), "left").terminology == {}


def test_a_table_of_labels_is_split_by_side():
    own = (Label(1, "front"), Label(2, "back"))
    sided = tuple(on_side(label, side) for side in ("left", "right") for label in own)
    assert split_by_side((*own, *sided)) == (own, sided)
    others = (Label(1, "front"), Label(11, "another"), Label(23, "right front"))
    assert split_by_side(others) == (others, ())
    assert can_have_sides(own)
    assert not can_have_sides(others)


def test_values_on_a_side_become_those_of_labels_without_one():
    labels = sitk.GetImageFromArray(np.array([[[0, 1, 2, 11, 12, 21, 22, 31, 200]]], np.uint8))
    labels.SetSpacing((1.0, 2.0, 3.0))
    found = without_sides(labels)
    assert sitk.GetArrayFromImage(found).tolist() == [[[0, 1, 2, 1, 2, 1, 2, 31, 200]]]
    assert found.GetSpacing() == labels.GetSpacing()
