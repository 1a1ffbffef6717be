"""The volumes of a heart's chamber over the beat: a table node that keeps what they are measured from, and a plot."""

from __future__ import annotations

import json

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.io.frame_times import FrameTimes
from MedNCALib.measurement.cardiac import Beat, ChamberVolumes, chamber_of, check_slices
from MedNCALib.segmentation.slice_volumes import slice_volumes

from ..derived_nodes import LABEL_TAG, derivedNodes, findOrAdd, inputOf, modelOf
from ..inputs.sequence import browserOf
from .quality_table import addColumn
from .segments import imageOfSegment

# Digits after the decimal point, for each column; there is no column of times if these are unknown.
DIGITS = (None, 1, 1, 1)

_BEAT, _MARKS = "beat", "marks of the beat"  # in place of a label's value
_VOLUMES, _SLICES = "MedNCA.ChamberVolumes", "MedNCA.CountedSlices"
_SEGMENTATION_ROLE = "MedNCA.Segmentation"
_LINE, _ED, _ES, _SHOWN = (0.0, 0.45, 0.7), (0.84, 0.37, 0.0), (0.0, 0.62, 0.45), (0.5, 0.5, 0.5)


def writeBeat(
    chamber: ChamberVolumes, model: mednca.Model, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLTableNode:
    """Write a row for each frame, and a plot; those that the model made for the volume before are filled anew.

    The slices that the user had chosen for as many slices stay chosen.

    Returns:
        The table node.
    """
    name = _("{volume} volumes over the beat").format(volume=volumeNode.GetName())
    node, _isNew = findOrAdd("vtkMRMLTableNode", name, model.name, volumeNode, _BEAT)
    before = _chamberOf(node)
    if before is not None and before.found.shape[1] != chamber.found.shape[1]:
        node.SetAttribute(_SLICES, None)
    byPass = None if chamber.by_pass is None else chamber.by_pass.tolist()
    label = chamber_of(model.labels)
    assert label is not None  # the chamber is of this model
    kept = {
        "label": chamber.label,
        "found": chamber.found.tolist(),
        "by_pass": byPass,
        "times": [chamber.times.milliseconds, chamber.times.sorted_by, chamber.times.beat_ms],
        "value": label.value,
        "axes": model.slice_format.axes,
    }
    node.SetAttribute(_VOLUMES, json.dumps(kept))
    _fill(node)
    return node


def followSegmentation(tableNode: slicer.vtkMRMLTableNode, segmentationNode: slicer.vtkMRMLSegmentationNode) -> None:
    """From now on `measureAgain` reads the frames of this segmentation."""
    tableNode.SetNodeReferenceID(_SEGMENTATION_ROLE, segmentationNode.GetID())


def measureAgain(tableNode: slicer.vtkMRMLTableNode | None) -> None:
    """Measure the segments of all frames as they are now; table and plot follow.

    There is no spread then: the passes are those of the model, not of what a user has corrected.

    Raises:
        MedNCAError: there is no table, or the segments of its frames are gone.
    """
    table, chamber = _required(tableNode)
    volumeNode, segmentationNode = inputOf(table), table.GetNodeReference(_SEGMENTATION_ROLE)
    browser, count = browserOf(volumeNode), len(chamber.found)
    sequence = browser.GetSequenceNode(segmentationNode) if browser and segmentationNode else None
    if browser is None or sequence is None or sequence.GetNumberOfDataNodes() != count:
        raise mednca.MedNCAError(_("The segments of the frames are gone: segment all frames again."))
    kept, found = json.loads(table.GetAttribute(_VOLUMES)), []
    for index in range(count):
        isShown = index == browser.GetSelectedItemNumber()
        frame = segmentationNode if isShown else sequence.GetNthDataNode(index)
        labels = imageOfSegment(frame, modelOf(table) or "", kept["value"], volumeNode, segmentationNode)
        found.append(slice_volumes(labels, 1, kept["axes"]).tolist())
    table.SetAttribute(_VOLUMES, json.dumps({**kept, "found": found, "by_pass": None}))
    _fill(table)


def beatTableOf(volumeNode: slicer.vtkMRMLScalarVolumeNode | None, modelName: str) -> slicer.vtkMRMLTableNode | None:
    """The table that a model has made for a volume, or None."""
    tables = derivedNodes(modelName, volumeNode, "vtkMRMLTableNode") if volumeNode else []
    return next((node for node in tables if node.GetAttribute(LABEL_TAG) == _BEAT), None)


def beatOf(tableNode: slicer.vtkMRMLTableNode) -> Beat:
    """The figures that a table stands for."""
    chamber, slices = _chamberOf(tableNode), tableNode.GetAttribute(_SLICES)
    assert chamber is not None
    return chamber.measure(tuple(json.loads(slices)) if slices else None)


def setCountedSlices(tableNode: slicer.vtkMRMLTableNode | None, first: int, last: int) -> None:
    """Count only these slices, from 1, in all frames; table and plot follow.

    Raises:
        MedNCAError: there are no such slices, or no table.
    """
    table, chamber = _required(tableNode)
    check_slices((first, last), chamber.found.shape[1])
    table.SetAttribute(_SLICES, json.dumps([first, last]))
    _fill(table)


def chartOf(tableNode: slicer.vtkMRMLTableNode) -> slicer.vtkMRMLPlotChartNode:
    """The plot of a table; a new one if there is none yet, or none any more."""
    name, beat, marks = tableNode.GetName(), beatOf(tableNode), _marksOf(tableNode)
    chart, isNew = findOrAdd("vtkMRMLPlotChartNode", name, modelOf(tableNode) or "", inputOf(tableNode), _BEAT)
    if isNew:
        chart.SetTitle(beat.label)
        chart.SetXAxisTitle(_timeTitle(beat))
        chart.SetYAxisTitle(_("Volume (mL)"))
        line = _addSeries(chart, tableNode, _timeTitle(beat), _("Volume (mL)"), _LINE)
        line.SetMarkerStyle(line.MarkerStyleCircle)
        for title, color in zip(_markNames(), (_ED, _ES, _SHOWN)):
            mark = _addSeries(chart, marks, f"{title} x", title, color)
            mark.SetLineStyle(mark.LineStyleNone)
            mark.SetMarkerStyle(mark.MarkerStyleDiamond if color is _SHOWN else mark.MarkerStyleSquare)
            mark.SetMarkerSize(12)
    return chart


def showFrame(tableNode: slicer.vtkMRMLTableNode, index: int) -> None:
    """Mark a frame, from 0, in the plot."""
    beat = beatOf(tableNode)
    if 0 <= index < len(beat.volumes):
        _fillMarks(_marksOf(tableNode), beat, index)


def _required(tableNode: slicer.vtkMRMLTableNode | None) -> tuple[slicer.vtkMRMLTableNode, ChamberVolumes]:
    chamber = _chamberOf(tableNode) if tableNode is not None else None
    if tableNode is None or chamber is None:
        raise mednca.MedNCAError(_("There are no volumes over a beat: segment all frames of a heart first."))
    return tableNode, chamber


def _chamberOf(node: slicer.vtkMRMLTableNode) -> ChamberVolumes | None:
    text = node.GetAttribute(_VOLUMES)
    if not text:
        return None
    kept = json.loads(text)
    milliseconds, sortedBy, beatMs = kept["times"]
    times = FrameTimes(None if milliseconds is None else tuple(milliseconds), sortedBy, beatMs)
    byPass = None if kept["by_pass"] is None else np.array(kept["by_pass"])
    return ChamberVolumes(kept["label"], np.array(kept["found"]), byPass, times)


def _fill(node: slicer.vtkMRMLTableNode) -> None:
    beat = beatOf(node)
    numbers = {_timeTitle(beat): _times(beat)} if beat.times.milliseconds else {}
    numbers[_("Volume (mL)")] = [volume.value for volume in beat.volumes]
    if beat.edv.sd is not None:
        numbers[_("SD (mL)")] = [volume.sd or 0.0 for volume in beat.volumes]
    with slicer.util.NodeModify(node):
        node.SetLocked(True)  # for the user, who could overwrite a figure by a key
        node.SetUseColumnTitleAsColumnHeader(True)
        node.RemoveAllColumns()
        addColumn(node, _("Frame"), vtk.vtkIntArray(), range(1, len(beat.volumes) + 1))
        for (title, values), digits in zip(numbers.items(), DIGITS[1:]):
            addColumn(node, title, vtk.vtkDoubleArray(), [round(value, digits) for value in values])
    _fillMarks(_marksOf(node), beat, 0)
    chart = chartOf(node)
    chart.SetXAxisTitle(_timeTitle(beat))
    chart.GetNthPlotSeriesNode(0).SetXColumnName(_timeTitle(beat))


def _marksOf(node: slicer.vtkMRMLTableNode) -> slicer.vtkMRMLTableNode:
    """The table of the single points of the plot."""
    name = _("{table} marks").format(table=node.GetName())
    return findOrAdd("vtkMRMLTableNode", name, modelOf(node) or "", inputOf(node), _MARKS)[0]


def _fillMarks(marks: slicer.vtkMRMLTableNode, beat: Beat, shown: int) -> None:
    times = _times(beat)
    with slicer.util.NodeModify(marks):
        marks.RemoveAllColumns()
        for name, frame in zip(_markNames(), (beat.ed_frame, beat.es_frame, shown)):
            addColumn(marks, f"{name} x", vtk.vtkDoubleArray(), [times[frame]])
            addColumn(marks, name, vtk.vtkDoubleArray(), [beat.volumes[frame].value])


def _addSeries(
    chart: slicer.vtkMRMLPlotChartNode, table: slicer.vtkMRMLTableNode, x: str, y: str, color: tuple[float, ...]
) -> slicer.vtkMRMLPlotSeriesNode:
    series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", y)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName(x)
    series.SetYColumnName(y)
    series.SetPlotType(series.PlotTypeScatter)
    series.SetColor(*color)
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    return series


def _markNames() -> tuple[str, str, str]:
    return _("End-diastole"), _("End-systole"), _("Shown frame")


def _timeTitle(beat: Beat) -> str:
    return _("Time (ms)") if beat.times.milliseconds else _("Frame")


def _times(beat: Beat) -> list[float]:
    return list(beat.times.milliseconds or range(1, len(beat.volumes) + 1))
