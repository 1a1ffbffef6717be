"""The history of one cell as a plot."""

import numpy as np
import pytest
from support.brightness_model import MODULE, boxes_image, brightness_model
from support.scene_assertions import add_transform, add_volume

from MedNCALib import MedNCAError
from MedNCALib.segmentation.cell_history import cell_history


@pytest.fixture
def logic(host):
    host.loadModule(MODULE)
    import MedNCA

    return MedNCA.MedNCALogic()


def world_of(index, offset=(0, 0, 0)):
    x, y, z = boxes_image().TransformIndexToPhysicalPoint(index)
    return np.add((-x, -y, z), offset)


def columns(chart):
    table = chart.GetNodeReference("MedNCA.Table")
    numbers = [
        [float(table.GetCellText(row, c)) for row in range(table.GetNumberOfRows())]
        for c in range(table.GetNumberOfColumns())
    ]
    return {table.GetColumnName(index): values for index, values in enumerate(numbers)}


def test_chart_shows_the_cell_under_the_point(logic, tmp_path):
    model = brightness_model(tmp_path, steps=4)
    volume_node = add_volume()
    volume_node.SetAndObserveTransformNodeID(add_transform(np.eye(3), (50, 0, 0)).GetID())
    chart = logic.plotCell(volume_node, world_of((5, 6, 4), (50, 0, 0)), model=str(model.folder))
    shown = columns(chart)
    assert next(iter(shown)) == "Step"
    assert shown["Step"] == list(range(1, 9))
    history = cell_history(boxes_image(), model, boxes_image().TransformIndexToPhysicalPoint((5, 6, 4)))
    assert shown["Probability of anterior hippocampus"] == pytest.approx(history.probabilities[:, 0].tolist(), abs=1e-4)
    assert shown["Probability of anterior hippocampus"][-1] > 0.9
    assert chart.GetNumberOfPlotSeriesNodes() == len(shown) - 1


def test_next_cell_takes_the_same_chart(logic, tmp_path):
    import slicer

    model = brightness_model(tmp_path)
    volume_node = add_volume()
    first = logic.plotCell(volume_node, world_of((5, 6, 4)), model=str(model.folder))
    before = slicer.mrmlScene.GetNumberOfNodes()
    assert logic.plotCell(volume_node, world_of((5, 15, 4)), model=str(model.folder)) is first
    assert slicer.mrmlScene.GetNumberOfNodes() == before
    assert columns(first)["Probability of posterior hippocampus"][-1] > 0.9


def test_point_outside_of_the_volume_is_refused(logic, tmp_path):
    model = brightness_model(tmp_path)
    with pytest.raises(MedNCAError, match="outside"):
        logic.plotCell(add_volume(), (500, 0, 0), model=str(model.folder))
