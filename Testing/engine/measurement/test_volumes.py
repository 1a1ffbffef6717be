"""Measurements from the volumes of labels, against figures that are worked out by hand."""

import statistics
from dataclasses import replace

import pytest
from support.threshold_model import LABELS, case, threshold_model

from MedNCALib import Label, measure, segment
from MedNCALib.imaging.labels import CodedConcept
from MedNCALib.measurement.volumes import asymmetry_index, measure_volumes
from MedNCALib.segmentation.quality import VolumeEstimate

LEFT, RIGHT = CodedConcept("SCT", "7771000", "Left"), CodedConcept("SCT", "24028007", "Right")
HIPPOCAMPI = (
    Label(11, "left anterior hippocampus", terminology={"region_modifier": LEFT}),
    Label(12, "left posterior hippocampus", terminology={"region_modifier": LEFT}),
    Label(21, "right anterior hippocampus", terminology={"region_modifier": RIGHT}),
    Label(22, "right posterior hippocampus", terminology={"region_modifier": RIGHT}),
)
VOLUMES = {
    "left anterior hippocampus": 1.2,
    "left posterior hippocampus": 1.5,
    "right anterior hippocampus": 1.6,
    "right posterior hippocampus": 1.7,
}


def figures(measurements):
    return {(each.structure, each.quantity, each.unit): each.value for each in measurements}


def spreads(measurements):
    return {(each.structure, each.quantity): each.spread for each in measurements}


def scaled(**factors):
    """The volumes with those of a side multiplied."""
    return {name: ml * factors.get(name.split()[0], 1) for name, ml in VOLUMES.items()}


def test_both_sides_with_parts_and_the_brain_give_all_measurements():
    assert figures(measure_volumes(HIPPOCAMPI, VOLUMES, brain_ml=1200)) == pytest.approx(
        {
            ("left hippocampus", "volume", "mL"): 2.7,
            ("right hippocampus", "volume", "mL"): 3.3,
            ("hippocampus", "volume", "mL"): 6.0,
            ("left hippocampus", "anterior/posterior ratio", ""): 0.8,
            ("right hippocampus", "anterior/posterior ratio", ""): 1.6 / 1.7,
            ("hippocampus", "asymmetry index", "%"): -20.0,
            ("left hippocampus", "share of the brain", "%"): 0.225,
            ("right hippocampus", "share of the brain", "%"): 0.275,
            ("hippocampus", "share of the brain", "%"): 0.5,
        }
    )


def test_the_asymmetry_index_is_positive_if_the_left_side_is_larger():
    assert asymmetry_index(3, 1) == 100
    assert asymmetry_index(1, 3) == -100
    assert asymmetry_index(2, 2) == 0


def test_without_the_brain_there_is_no_share():
    assert {quantity for _, quantity, _ in figures(measure_volumes(HIPPOCAMPI, VOLUMES))} == {
        "volume", "anterior/posterior ratio", "asymmetry index",
    }  # fmt: skip


def test_a_structure_whose_side_is_not_known_has_volume_and_ratio():
    labels = (Label(1, "anterior hippocampus"), Label(2, "posterior hippocampus"))
    found = measure_volumes(labels, {"anterior hippocampus": 1.2, "posterior hippocampus": 1.5})
    assert figures(found) == pytest.approx(
        {("hippocampus", "volume", "mL"): 2.7, ("hippocampus", "anterior/posterior ratio", ""): 0.8}
    )


@pytest.mark.parametrize("right", ["absent", "empty"])
def test_a_side_that_was_not_found_is_not_compared(right):
    volumes = scaled(right=0)
    if right == "absent":
        volumes = {name: ml for name, ml in volumes.items() if ml}
    assert list(figures(measure_volumes(HIPPOCAMPI, volumes, brain_ml=1200))) == [
        ("left hippocampus", "volume", "mL"),
        ("left hippocampus", "anterior/posterior ratio", ""),
        ("left hippocampus", "share of the brain", "%"),
    ]


def test_a_part_that_was_not_found_has_no_ratio():
    found = figures(measure_volumes(HIPPOCAMPI, {**VOLUMES, "left posterior hippocampus": 0.0}))
    assert ("left hippocampus", "anterior/posterior ratio", "") not in found
    assert found["left hippocampus", "volume", "mL"] == 1.2


def test_nothing_found_gives_no_measurement():
    assert measure_volumes(HIPPOCAMPI, scaled(left=0, right=0), brain_ml=1200) == ()


def test_sides_without_parts_are_compared():
    labels = (
        Label(1, "Left amygdala", terminology={"type_modifier": LEFT}),
        Label(2, "Right amygdala", terminology={"type_modifier": RIGHT}),
    )
    found = figures(measure_volumes(labels, {"Left amygdala": 1.5, "Right amygdala": 0.5}))
    assert found == {("amygdala", "volume", "mL"): 2.0, ("amygdala", "asymmetry index", "%"): 100.0}


def test_labels_without_a_coded_concept_go_by_their_names():
    labels = (Label(1, "left amygdala"), Label(2, "right amygdala"), Label(3, "leftover"))
    found = figures(measure_volumes(labels, {"left amygdala": 1.5, "right amygdala": 0.5, "leftover": 1.0}))
    assert found == {("amygdala", "volume", "mL"): 2.0, ("amygdala", "asymmetry index", "%"): 100.0}


def test_a_label_alone_has_no_measurement_but_its_share():
    label = Label(1, "prostate")
    assert measure_volumes([label], {"prostate": 40.0}) == ()
    assert figures(measure_volumes([label], {"prostate": 40.0}, brain_ml=1000)) == {
        ("prostate", "share of the brain", "%"): 4.0
    }


def test_left_and_right_that_are_no_laterality_are_not_compared():
    """The ventricles of the heart are no pair."""
    codes = CodedConcept("SCT", "87878005", "Left Ventricle"), CodedConcept("SCT", "53085002", "Right Ventricle")
    labels = tuple(
        Label(value, name, terminology={"type": code})
        for value, name, code in zip((1, 2), ("left ventricle", "right ventricle"), codes)
    )
    assert measure_volumes(labels, {"left ventricle": 120.0, "right ventricle": 140.0}) == ()


def test_a_part_without_its_counterpart_keeps_its_name():
    labels = (
        Label(1, "left posterior cingulate", terminology={"region_modifier": LEFT}),
        Label(2, "right posterior cingulate", terminology={"region_modifier": RIGHT}),
    )
    found = measure_volumes(labels, {"left posterior cingulate": 4.0, "right posterior cingulate": 4.0})
    assert {each.structure for each in found} == {"posterior cingulate"}


def test_several_structures_are_measured_one_by_one():
    labels = (*HIPPOCAMPI, Label(1, "anterior commissure"), Label(2, "posterior commissure"))
    found = figures(measure_volumes(labels, {**VOLUMES, "anterior commissure": 0.1, "posterior commissure": 0.2}))
    assert found["hippocampus", "volume", "mL"] == pytest.approx(6)
    assert found["commissure", "anterior/posterior ratio", ""] == 0.5


def test_the_spread_is_the_standard_deviation_of_the_measurement_of_each_pass():
    passes = [scaled(), scaled(left=1.1), scaled(left=0.9, right=1.1)]
    found = spreads(measure_volumes(HIPPOCAMPI, VOLUMES, passes, brain_ml=1200))
    left, right = [2.7, 2.97, 2.43], [3.3, 3.3, 3.63]
    asymmetries = [200 * (a - b) / (a + b) for a, b in zip(left, right)]
    assert found["left hippocampus", "volume"] == pytest.approx(statistics.stdev(left))
    assert found["hippocampus", "asymmetry index"] == pytest.approx(statistics.stdev(asymmetries))
    assert found["right hippocampus", "share of the brain"] == pytest.approx(statistics.stdev(right) / 12)
    assert found["left hippocampus", "anterior/posterior ratio"] == pytest.approx(0)


def test_one_pass_has_no_spread():
    assert set(spreads(measure_volumes(HIPPOCAMPI, VOLUMES, [VOLUMES])).values()) == {None}


def test_a_pass_without_the_value_leaves_no_spread():
    found = spreads(measure_volumes(HIPPOCAMPI, VOLUMES, [scaled(), scaled(right=0), scaled(left=1.1)]))
    assert found["hippocampus", "asymmetry index"] is None
    assert found["left hippocampus", "volume"] > 0


def test_a_result_is_measured_with_the_volumes_that_it_holds():
    result = segment(case()[0], threshold_model())
    labels = (replace(LABELS[0], name="anterior box"), replace(LABELS[1], name="posterior box"))
    volumes = {
        "anterior box": VolumeEstimate(1.0, 0.1, (1.0, 1.2)),
        "posterior box": VolumeEstimate(2.0, 0.1, (2.0, 2.0)),
    }
    result = replace(result, quality=replace(result.quality, volumes_ml=volumes), label_table=labels)
    whole, ratio = measure(result)
    assert (whole.structure, whole.value, whole.spread) == ("box", 3.0, pytest.approx(statistics.stdev([3.0, 3.2])))
    assert (ratio.value, ratio.spread) == (0.5, pytest.approx(statistics.stdev([0.5, 0.6])))
    assert [each.value for each in measure(replace(result, brain_ml=300))][-1] == 1.0
