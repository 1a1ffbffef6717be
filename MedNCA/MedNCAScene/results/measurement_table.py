"""The measurements as a table node, beside the one with the scores."""

from __future__ import annotations

from collections.abc import Sequence

import slicer
import vtk
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.measurement.volumes import ASYMMETRY, RATIO, SHARE, VOLUME

from ..derived_nodes import derivedNode, findOrAdd, inputOf, modelOf
from .quality_table import addColumn

# Digits after the decimal point, for each column; the first two are of names.
DIGITS = (None, None, 3, 3)

_MEASUREMENTS = "measurements"  # in place of a label's value


def writeMeasurements(
    measurements: Sequence[mednca.Measurement],
    model: mednca.Model,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    brainMl: float | None = None,
) -> slicer.vtkMRMLTableNode | None:
    """Write a row for each measurement: its value and, for several passes, its standard deviation.

    The table that the same model made for the same volume before is filled anew.

    Args:
        measurements: what follows from the volumes of the labels.
        model, volumeNode: of the result.
        brainMl: volume of the brain, which has a row too; None if it is not known.

    Returns:
        The table node; None if there are no measurements: a table of earlier ones is empty then.
    """
    if brainMl is not None:
        measurements = [*measurements, mednca.Measurement(_("brain"), VOLUME, brainMl, "mL", None)]
    if not measurements and derivedNode("vtkMRMLTableNode", model.name, volumeNode, _MEASUREMENTS) is None:
        return None
    name = _("{volume} measurements").format(volume=volumeNode.GetName())
    node, _isNew = findOrAdd("vtkMRMLTableNode", name, model.name, volumeNode, _MEASUREMENTS)
    columns = {_("Value"): [each.value for each in measurements]}
    if any(each.spread is not None for each in measurements):
        columns[_("SD")] = [float("nan") if each.spread is None else each.spread for each in measurements]
    with slicer.util.NodeModify(node):
        node.SetLocked(True)  # for the user, who could overwrite a figure by a key
        node.SetUseColumnTitleAsColumnHeader(True)
        node.RemoveAllColumns()
        addColumn(node, _("Structure"), vtk.vtkStringArray(), [each.structure for each in measurements])
        addColumn(node, _("Measurement"), vtk.vtkStringArray(), map(measurementName, measurements))
        for (title, values), digits in zip(columns.items(), DIGITS[2:]):
            addColumn(node, title, vtk.vtkDoubleArray(), [round(value, digits) + 0.0 for value in values])
    return node if measurements else None


def measurementTableBeside(qualityTable: slicer.vtkMRMLTableNode | None) -> slicer.vtkMRMLTableNode | None:
    """The table with the measurements of the result whose scores a table has; None if it has no measurements."""
    if qualityTable is None:
        return None
    modelName, volumeNode = modelOf(qualityTable), inputOf(qualityTable)
    if modelName is None or volumeNode is None:
        return None
    node = derivedNode("vtkMRMLTableNode", modelName, volumeNode, _MEASUREMENTS)
    return node if node and node.GetNumberOfRows() else None


def measurementName(measurement: mednca.Measurement) -> str:
    """What is measured, for the user, with its unit."""
    name = {
        VOLUME: _("Volume"),
        RATIO: _("Anterior/posterior"),
        ASYMMETRY: _("Asymmetry"),
        SHARE: _("Share of the brain"),
    }[measurement.quantity]
    return f"{name} ({measurement.unit})" if measurement.unit else name
