"""The measurements in a table node: of all kinds, filled anew, and gone if there are none."""

import numpy as np
import pytest
from support.brightness_model import brightness_model
from support.scene_assertions import add_volume

from MedNCALib import Measurement

MEASUREMENTS = (
    Measurement("left hippocampus", "volume", 2.7004, "mL", 0.1),
    Measurement("left hippocampus", "anterior/posterior ratio", 0.8, "", None),
    Measurement("hippocampus", "asymmetry index", -20.0, "%", 1.5),
    Measurement("hippocampus", "share of the brain", 0.5, "%", 0.01),
)


@pytest.fixture
def write(host, tmp_path):
    """Writes measurements of one model and one volume."""
    from MedNCAScene.results.measurement_table import writeMeasurements

    model, volume_node = brightness_model(tmp_path), add_volume(name="head")
    return lambda measurements: writeMeasurements(measurements, model, volume_node)


def column(table, name):
    import slicer

    return slicer.util.arrayFromTableColumn(table, name)


def texts(table, index):
    return [table.GetCellText(row, index) for row in range(table.GetNumberOfRows())]


def test_each_measurement_is_a_row_with_its_unit(write):
    table = write(MEASUREMENTS)
    assert table.GetName() == "head measurements"
    assert table.GetLocked()
    assert texts(table, 0) == [each.structure for each in MEASUREMENTS]
    assert texts(table, 1) == ["Volume (mL)", "Anterior/posterior", "Asymmetry (%)", "Share of the brain (%)"]
    np.testing.assert_array_equal(column(table, "Value"), [2.7, 0.8, -20, 0.5])
    np.testing.assert_array_equal(column(table, "SD"), [0.1, np.nan, 1.5, 0.01])


def test_the_next_measurements_fill_the_same_table(write):
    table = write(MEASUREMENTS)
    assert write([Measurement("hippocampus", "volume", 6.0, "mL", None)]) is table
    assert [table.GetColumnName(index) for index in range(table.GetNumberOfColumns())] == [
        "Structure", "Measurement", "Value",
    ]  # fmt: skip
    np.testing.assert_array_equal(column(table, "Value"), [6.0])


def test_without_measurements_there_is_no_table(write):
    assert write(()) is None


def test_a_result_without_measurements_leaves_none_of_the_one_before(write):
    table = write(MEASUREMENTS)
    assert write(()) is None
    assert table.GetNumberOfRows() == 0
