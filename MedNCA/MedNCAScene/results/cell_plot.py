"""The history of one cell as a plot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.model.card import AUTO
from MedNCALib.segmentation.cell_history import CellHistory, cell_history

from ..application.settings import modelsFolder
from ..derived_nodes import findOrAdd
from ..inputs.geometry import physicalOfRas
from ..inputs.region import regionInVolume
from ..inputs.volumes import imageFromVolume
from ..transforms import fromWorld
from .cell_colors import rgb
from .found_boxes import foundAt

_TABLE_ROLE = "MedNCA.Table"

# Title of a column -> its values, one a step, and its colour.
_Columns = dict[str, tuple[np.ndarray, Sequence[float]]]


def plotCell(
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    point: Sequence[float],
    model: str,
    region: slicer.vtkMRMLMarkupsROINode | None = None,
    seed: int = 0,
    protocol: str = AUTO,
) -> slicer.vtkMRMLPlotChartNode:
    """Plot the labels' probabilities and the hidden channels of the cell at a point, over the steps of a run.

    The chart that the same model made for the same volume before shows the new cell. If the model's finder has found
    something there and no region is given, the run is that in the box at the point.

    Args:
        volumeNode, model, region, seed, protocol: of the run.
        point: RAS in the world, in mm.

    Returns:
        The chart node.

    Raises:
        MedNCAError: the point is not in the volume, or the volume or the model cannot be used.
    """
    loaded = mednca.load_model(model, modelsFolder())
    image = imageFromVolume(volumeNode)
    inVolume = fromWorld(volumeNode).TransformPoint(point)
    box = regionInVolume(region, volumeNode)
    found = None if box else foundAt(inVolume, loaded.name, volumeNode)
    box, turn = (found.box, found.contrast_turn) if found else (box, None)
    history = cell_history(image, loaded, physicalOfRas(inVolume), box, seed, protocol, turn)
    chart = _chartFor(loaded, volumeNode)
    place = ", ".join(f"{letter} {value:.1f}" for letter, value in zip("RAS", point, strict=True))
    chart.SetTitle(_("Cell at {place} mm").format(place=place))
    _fill(chart, _columns(history, loaded))
    return chart


def showChart(chart: slicer.vtkMRMLPlotChartNode) -> None:
    """Show a chart in the layout, which gets a plot view if it has none."""
    slicer.modules.plots.logic().ShowChartInLayout(chart)


def _columns(history: CellHistory, model: mednca.Model) -> _Columns:
    """The columns in the order in which they are plotted."""
    columns: _Columns = {}
    for index, label in enumerate(model.labels):
        title = _("Probability of {label}").format(label=label.name)
        columns[title] = history.probabilities[:, index], rgb(label)
    architecture = model.cascade.without_hints.architecture
    first = architecture.first_hidden
    hidden = architecture.channels - first
    for number in range(hidden):
        title = _("Hidden channel {number}").format(number=number + 1)
        columns[title] = history.channels[:, first + number], [0.35 + 0.4 * number / hidden] * 3
    return columns


def _chartFor(model: mednca.Model, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLPlotChartNode:
    name = _("{volume} cell").format(volume=volumeNode.GetName())
    chart, isNew = findOrAdd("vtkMRMLPlotChartNode", name, model.name, volumeNode)
    if isNew:
        table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", chart.GetName())
        chart.SetNodeReferenceID(_TABLE_ROLE, table.GetID())
        chart.SetXAxisTitle(_("Step"))
        chart.SetYAxisTitle(_("Value"))
    return chart


def _fill(chart: slicer.vtkMRMLPlotChartNode, columns: _Columns) -> None:
    table = chart.GetNodeReference(_TABLE_ROLE)
    steps = len(next(iter(columns.values()))[0])
    with slicer.util.NodeModify(table):
        table.RemoveAllColumns()
        named = {_("Step"): np.arange(1, steps + 1)} | {title: values for title, (values, _color) in columns.items()}
        for title, values in named.items():
            column = vtk.vtkFloatArray()
            column.SetName(title)
            for value in values:
                column.InsertNextValue(float(value))
            table.AddColumn(column)
    if chart.GetNumberOfPlotSeriesNodes() == len(columns):
        return
    for title, (_values, color) in columns.items():
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", title)
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetXColumnName(_("Step"))
        series.SetYColumnName(title)
        series.SetPlotType(series.PlotTypeScatter)
        series.SetMarkerStyle(series.MarkerStyleNone)
        series.SetColor(*color)
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
