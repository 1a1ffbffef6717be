"""The quality scores as a table node, which keeps the verdict too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import slicer
import vtk
from slicer.i18n import tr as _

import MedNCALib as mednca

from ..derived_nodes import findOrAdd

# Digits after the decimal point, for each column of a table; a column of names has none.
DIGITS = (None, 3, 3, 1)

_RUNS, _AGREEMENT, _VERDICT = "MedNCA.Runs", "MedNCA.Agreement", "MedNCA.Verdict"
_PROTOCOL = "MedNCA.Protocol"


@dataclass(frozen=True)
class Verdict:
    """What a table says of the whole result.

    Attributes:
        runs: number of passes.
        agreement: of the passes, 0 to 1; None for a single one.
        verdict: "pass", "review", or None if the model has no thresholds or there was one pass.
        protocol: see `MedNCALib.Result`.
    """

    runs: int
    agreement: float | None = None
    verdict: str | None = None
    protocol: str | None = None


def writeQuality(
    quality: mednca.Quality,
    model: mednca.Model,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    protocol: str | None = None,
) -> slicer.vtkMRMLTableNode:
    """Write a row for each label: its volume and, for several passes, how far that varies and the passes agree.

    The table that the same model made for the same volume before is filled anew.

    Returns:
        The table node.
    """
    name = _("{volume} quality").format(volume=volumeNode.GetName())
    node, _isNew = findOrAdd("vtkMRMLTableNode", name, model.name, volumeNode)
    with slicer.util.NodeModify(node):
        node.SetLocked(True)  # for the user, who could overwrite a score by a key
        node.SetUseColumnTitleAsColumnHeader(True)
        node.RemoveAllColumns()
        names = list(quality.volumes_ml)
        addColumn(node, _("Structure"), vtk.vtkStringArray(), names)
        _addNumbers(node, _("Volume (mL)"), [quality.volumes_ml[name].mean for name in names])
        if quality.runs > 1:
            _addNumbers(node, _("SD (mL)"), [quality.volumes_ml[name].sd or 0.0 for name in names])
            _addNumbers(node, _("Agreement (%)"), [100 * quality.label_agreement[name] for name in names])
        node.SetAttribute(_RUNS, str(quality.runs))
        node.SetAttribute(_AGREEMENT, None if quality.agreement is None else repr(float(quality.agreement)))
        node.SetAttribute(_VERDICT, quality.verdict)
        node.SetAttribute(_PROTOCOL, protocol)
    return node


def verdictOf(tableNode: slicer.vtkMRMLTableNode) -> Verdict:
    """What a table of `writeQuality` says of the whole result."""
    agreement = tableNode.GetAttribute(_AGREEMENT)
    return Verdict(
        int(tableNode.GetAttribute(_RUNS) or 0),
        float(agreement) if agreement else None,
        tableNode.GetAttribute(_VERDICT) or None,
        tableNode.GetAttribute(_PROTOCOL) or None,
    )


def _addNumbers(node: slicer.vtkMRMLTableNode, name: str, values: Iterable[float]) -> None:
    digits = DIGITS[node.GetNumberOfColumns()]
    addColumn(node, name, vtk.vtkDoubleArray(), [round(float(value), digits) for value in values])


def addColumn(
    node: slicer.vtkMRMLTableNode, name: str, column: vtk.vtkAbstractArray, values: Iterable[str | float]
) -> None:
    """Add a column of strings or numbers to a table."""
    column.SetName(name)
    for value in values:
        column.InsertNextValue(value)
    node.AddColumn(column)
