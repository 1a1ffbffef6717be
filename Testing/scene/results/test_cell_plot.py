"""The history of one cell as a plot."""

import numpy as np
import pytest
from support.brightness_model import MODULE, boxesImage, brightnessModel
from support.scene_assertions import addTransform, addVolume

from MedNCALib import MedNCAError
from MedNCALib.segmentation.cell_history import cell_history


@pytest.fixture
def logic(host):
    host.loadModule(MODULE)
    import MedNCA

    return MedNCA.MedNCALogic()


def worldOf(index, offset=(0, 0, 0)):
    x, y, z = boxesImage().TransformIndexToPhysicalPoint(index)
    return np.add((-x, -y, z), offset)


def columns(chart):
    table = chart.GetNodeReference("MedNCA.Table")
    numbers = [
        [float(table.GetCellText(row, c)) for row in range(table.GetNumberOfRows())]
        for c in range(table.GetNumberOfColumns())
    ]
    return {table.GetColumnName(index): values for index, values in enumerate(numbers)}


def test_chartShowsTheCellUnderThePoint(logic, tmp_path):
    model = brightnessModel(tmp_path, steps=4)
    volumeNode = addVolume()
    volumeNode.SetAndObserveTransformNodeID(addTransform(np.eye(3), (50, 0, 0)).GetID())
    chart = logic.plotCell(volumeNode, worldOf((5, 6, 4), (50, 0, 0)), model=str(model.folder))
    shown = columns(chart)
    assert next(iter(shown)) == "Step"
    assert shown["Step"] == list(range(1, 9))
    history = cell_history(boxesImage(), model, boxesImage().TransformIndexToPhysicalPoint((5, 6, 4)))
    assert shown["Probability of anterior hippocampus"] == pytest.approx(history.probabilities[:, 0].tolist(), abs=1e-4)
    assert shown["Probability of anterior hippocampus"][-1] > 0.9
    assert chart.GetNumberOfPlotSeriesNodes() == len(shown) - 1


def test_nextCellTakesTheSameChart(logic, tmp_path):
    import slicer

    model = brightnessModel(tmp_path)
    volumeNode = addVolume()
    first = logic.plotCell(volumeNode, worldOf((5, 6, 4)), model=str(model.folder))
    before = slicer.mrmlScene.GetNumberOfNodes()
    assert logic.plotCell(volumeNode, worldOf((5, 15, 4)), model=str(model.folder)) is first
    assert slicer.mrmlScene.GetNumberOfNodes() == before
    assert columns(first)["Probability of posterior hippocampus"][-1] > 0.9


def test_pointOutsideOfTheVolumeIsRefused(logic, tmp_path):
    model = brightnessModel(tmp_path)
    with pytest.raises(MedNCAError, match="outside"):
        logic.plotCell(addVolume(), (500, 0, 0), model=str(model.folder))
