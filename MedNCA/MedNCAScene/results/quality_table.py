"""The quality scores as a table node, which keeps the verdict too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import slicer
import vtk
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.segmentation.quality import VolumeEstimate

from ..derived_nodes import findOrAdd

# Digits after the decimal point, for each column of a table; a column of names has none.
DIGITS = (None, 3, 3, 1)

_RUNS, _AGREEMENT, _VERDICT = "MedNCA.Runs", "MedNCA.Agreement", "MedNCA.Verdict"
_PROTOCOL, _CORRECTED = "MedNCA.Protocol", "MedNCA.Corrected"


@dataclass(frozen=True)
class Verdict:
    """What a table says of the whole result.

    Attributes:
        runs: number of passes.
        agreement: of the passes, 0 to 1; None for a single one.
        verdict: "pass", "review", or None if the model has no thresholds or there was one pass.
        protocol: see `MedNCALib.Result`.
        isCorrected: whether a person has corrected the segments since, so that there are volumes, and no scores.
    """

    runs: int
    agreement: float | None = None
    verdict: str | None = None
    protocol: str | None = None
    isCorrected: bool = False


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
        node.SetAttribute(_CORRECTED, None)
    return node


def writeCorrectedVolumes(
    volumesMl: Mapping[str, float],
    model: mednca.Model,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    protocol: str | None = None,
) -> slicer.vtkMRMLTableNode:
    """Write the volumes of segments that a person has corrected; scores say nothing of what a person drew.

    Args:
        volumesMl: volume of each label in mL, by its name.
        model, volumeNode, protocol: as for `writeQuality`.
    """
    volumes = {name: VolumeEstimate(volume, None) for name, volume in volumesMl.items()}
    node = writeQuality(mednca.Quality(1, None, None, {}, volumes, None), model, volumeNode, protocol)
    node.SetAttribute(_CORRECTED, "true")
    return node


def verdictOf(tableNode: slicer.vtkMRMLTableNode) -> Verdict:
    """What a table of `writeQuality` says of the whole result."""
    agreement = tableNode.GetAttribute(_AGREEMENT)
    return Verdict(
        int(tableNode.GetAttribute(_RUNS) or 0),
        float(agreement) if agreement else None,
        tableNode.GetAttribute(_VERDICT) or None,
        tableNode.GetAttribute(_PROTOCOL) or None,
        tableNode.GetAttribute(_CORRECTED) is not None,
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
