"""The history of one cell as a plot."""

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.segmentation.cell_history import cell_history

from ..application.settings import modelsFolder
from ..inputs.region import regionInVolume
from ..inputs.volumes import imageFromVolume
from .segments import INPUT_ROLE, MODEL_TAG

_TABLE_ROLE = "MedNCA.Table"


def plotCell(volumeNode, point, model, region=None, seed=0):
    """Plot the labels' probabilities and the hidden channels of the cell at a point, over the steps of a run.

    The chart that the same model made for the same volume before shows the new cell.

    :param point: RAS in the world, in mm.
    :return: the chart node.
    :raises MedNCAError: the point is not in the volume, or the volume or the model cannot be used.
    """
    loaded = mednca.load_model(model, modelsFolder())
    image = imageFromVolume(volumeNode)
    box = regionInVolume(region, volumeNode) if region else None
    toVolume = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(None, volumeNode.GetParentTransformNode(), toVolume)
    right, anterior, superior = toVolume.TransformPoint(point)
    history = cell_history(image, loaded, (-right, -anterior, superior), box, seed)
    chart = _chartFor(loaded, volumeNode)
    place = ", ".join(f"{letter} {value:.1f}" for letter, value in zip("RAS", point))
    chart.SetTitle(_("Cell at {place} mm").format(place=place))
    _fill(chart.GetNodeReference(_TABLE_ROLE), chart, _columns(history, loaded))
    return chart


def _columns(history, model) -> dict:
    """Title -> values and colour, in the order in which they are plotted."""
    columns = {}
    for index, label in enumerate(model.labels):
        title = _("Probability of {label}").format(label=label.name)
        columns[title] = history.probabilities[:, index], [part / 255 for part in label.color]
    architecture = model.cascade.architecture
    first = architecture.image_channels + architecture.outputs
    hidden = architecture.channels - first
    for number in range(hidden):
        title = _("Hidden channel {number}").format(number=number + 1)
        columns[title] = history.channels[:, first + number], [0.35 + 0.4 * number / hidden] * 3
    return columns


def _chartFor(model, volumeNode):
    scene = slicer.mrmlScene
    for chart in slicer.util.getNodesByClass("vtkMRMLPlotChartNode"):
        if chart.GetAttribute(MODEL_TAG) == model.name and chart.GetNodeReference(INPUT_ROLE) is volumeNode:
            return chart
    name = scene.GenerateUniqueName(_("{volume} cell").format(volume=volumeNode.GetName()))
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", name)
    table = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    chart.SetAttribute(MODEL_TAG, model.name)
    chart.SetNodeReferenceID(INPUT_ROLE, volumeNode.GetID())
    chart.SetNodeReferenceID(_TABLE_ROLE, table.GetID())
    chart.SetXAxisTitle(_("Step"))
    chart.SetYAxisTitle(_("Value"))
    return chart


def _fill(table, chart, columns: dict) -> None:
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
    for title, (_column, color) in columns.items():
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", title)
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetXColumnName(_("Step"))
        series.SetYColumnName(title)
        series.SetPlotType(series.PlotTypeScatter)
        series.SetMarkerStyle(series.MarkerStyleNone)
        series.SetColor(*color)
        chart.AddAndObservePlotSeriesNodeID(series.GetID())


def showChart(chart) -> None:
    """Show a chart in the layout, which gets a plot view if it has none."""
    slicer.modules.plots.logic().ShowChartInLayout(chart)
