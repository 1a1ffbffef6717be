"""Loss and validation Dice of a training as a plot: two tables, since they are known at different batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import slicer
import vtk
from slicer.i18n import tr as _

from .quality_table import addColumn

# Of the nodes: the name of the model that is trained.
_TAG = "MedNCA.Learning"
_LOSSES_ROLE, _DICE_ROLE = "MedNCA.Losses", "MedNCA.Dice"
_LOSS_COLOR, _WHOLE_COLOR = (0.84, 0.37, 0.0), (0.0, 0.45, 0.7)
_GREYS = ((0.45, 0.45, 0.45), (0.6, 0.6, 0.6), (0.3, 0.3, 0.3))

Curve = Sequence[tuple[int, float]]  # batch and value
Dice = Sequence[tuple[int, float, Mapping[str, "float | None"]]]  # batch, that of all labels merged, that of each


def curvesOf(modelName: str) -> slicer.vtkMRMLPlotChartNode | None:
    """The plot of the training of a model; None if there is none."""
    charts = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    return next((chart for chart in charts if chart.GetAttribute(_TAG) == modelName), None)


def writeCurves(modelName: str, losses: Curve, dice: Dice) -> slicer.vtkMRMLPlotChartNode:
    """Fill the plot of the training of a model, a new one if there is none.

    Args:
        modelName: of the model.
        losses: mean loss by batch.
        dice: that of all labels merged, and of each by its name, by batch.

    Returns:
        The chart node.
    """
    chart = curvesOf(modelName)
    if chart is None:
        chart = _addChart(modelName)
    _fillTable(chart, _LOSSES_ROLE, [batch for batch, _loss in losses], {_("Loss"): [loss for _batch, loss in losses]})
    columns = {_("Dice, all labels"): [whole for _batch, whole, _each in dice]}
    labels = list(dict.fromkeys(label for _batch, _whole, each in dice for label in each))
    if len(labels) > 1:
        columns |= {_("Dice, {label}").format(label=n): [each.get(n) or 0.0 for _b, _w, each in dice] for n in labels}
    _fillTable(chart, _DICE_ROLE, [batch for batch, _whole, _each in dice], columns)
    _addMissingSeries(chart, _LOSSES_ROLE, [(_("Loss"), _LOSS_COLOR)], markers=False)
    greys = [_GREYS[index % len(_GREYS)] for index in range(len(labels))]
    _addMissingSeries(chart, _DICE_ROLE, list(zip(columns, (_WHOLE_COLOR, *greys))), markers=True)
    return chart


def _addChart(modelName: str) -> slicer.vtkMRMLPlotChartNode:
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", _("{model} training").format(model=modelName))
    chart.SetAttribute(_TAG, modelName)
    chart.SetTitle(_("Training of {model}").format(model=modelName))
    chart.SetXAxisTitle(_("Batch"))
    chart.SetYAxisTitle(_("Loss, Dice"))
    for role, name in ((_LOSSES_ROLE, _("{model} loss")), (_DICE_ROLE, _("{model} Dice"))):
        table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", name.format(model=modelName))
        table.SetAttribute(_TAG, modelName)
        table.SetLocked(True)
        table.SetUseColumnTitleAsColumnHeader(True)
        chart.SetNodeReferenceID(role, table.GetID())
    return chart


def _fillTable(
    chart: slicer.vtkMRMLPlotChartNode, role: str, batches: Iterable[int], columns: Mapping[str, Iterable[float]]
) -> None:
    table = chart.GetNodeReference(role)
    if table is None:  # the user has deleted it
        return
    with slicer.util.NodeModify(table):
        table.RemoveAllColumns()
        addColumn(table, _("Batch"), vtk.vtkIntArray(), batches)
        for title, values in columns.items():
            addColumn(table, title, vtk.vtkDoubleArray(), [round(value, 4) for value in values])


def _addMissingSeries(
    chart: slicer.vtkMRMLPlotChartNode,
    role: str,
    titles: Iterable[tuple[str, tuple[float, float, float]]],
    markers: bool,
) -> None:
    table = chart.GetNodeReference(role)
    there = {chart.GetNthPlotSeriesNode(index).GetYColumnName() for index in range(chart.GetNumberOfPlotSeriesNodes())}
    for title, color in titles:
        if title in there or table is None:
            continue
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", title)
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetXColumnName(_("Batch"))
        series.SetYColumnName(title)
        series.SetPlotType(series.PlotTypeScatter)
        series.SetMarkerStyle(series.MarkerStyleCircle if markers else series.MarkerStyleNone)
        series.SetColor(*color)
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
