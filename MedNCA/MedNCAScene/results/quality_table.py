"""The engine's scores as a table node, which keeps the verdict too."""

from dataclasses import dataclass

import slicer
import vtk
from slicer.i18n import tr as _

from .segments import INPUT_ROLE, MODEL_TAG
from .subject_hierarchy import placeBeside

# After the point, for each column of a table; those of names have none.
DIGITS = (None, 3, 3, 1)

_RUNS, _AGREEMENT, _VERDICT = "MedNCA.Runs", "MedNCA.Agreement", "MedNCA.Verdict"


@dataclass(frozen=True)
class Verdict:
    """What a table says of the whole result.

    Attributes:
        runs: how many there were.
        agreement: of the runs, 0 to 1; None for a single run.
        verdict: "pass", "review", or None where the model has no thresholds or there was one run.
    """

    runs: int
    agreement: float | None = None
    verdict: str | None = None


def writeQuality(quality, model, volumeNode):
    """A table with a row for each label: its volume and, for several runs, how far that varies and the runs agree.

    The table that the same model made for the same volume before is filled anew.
    """
    node = _tableFor(model, volumeNode)
    with slicer.util.NodeModify(node):
        node.RemoveAllColumns()
        names = list(quality.volumes_ml)
        _addColumn(node, _("Structure"), vtk.vtkStringArray(), names)
        _addNumbers(node, _("Volume (mL)"), [quality.volumes_ml[name].mean for name in names])
        if quality.runs > 1:
            _addNumbers(node, _("SD (mL)"), [quality.volumes_ml[name].sd for name in names])
            _addNumbers(node, _("Agreement (%)"), [100 * quality.label_agreement[name] for name in names])
        node.SetAttribute(_RUNS, str(quality.runs))
        node.SetAttribute(_AGREEMENT, None if quality.agreement is None else repr(float(quality.agreement)))
        node.SetAttribute(_VERDICT, quality.verdict)
    return node


def verdictOf(tableNode) -> Verdict:
    """What a table of `writeQuality` says of the whole result."""
    agreement = tableNode.GetAttribute(_AGREEMENT)
    return Verdict(
        int(tableNode.GetAttribute(_RUNS) or 0),
        float(agreement) if agreement else None,
        tableNode.GetAttribute(_VERDICT) or None,
    )


def _tableFor(model, volumeNode):
    for node in slicer.util.getNodesByClass("vtkMRMLTableNode"):
        if node.GetAttribute(MODEL_TAG) == model.name and node.GetNodeReference(INPUT_ROLE) is volumeNode:
            return node
    name = _("{volume} quality").format(volume=volumeNode.GetName())
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", slicer.mrmlScene.GenerateUniqueName(name))
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetAttribute(MODEL_TAG, model.name)
    node.SetNodeReferenceID(INPUT_ROLE, volumeNode.GetID())
    placeBeside(node, volumeNode)
    return node


def _addNumbers(node, name: str, values) -> None:
    digits = DIGITS[node.GetNumberOfColumns()]
    _addColumn(node, name, vtk.vtkDoubleArray(), [round(float(value), digits) for value in values])


def _addColumn(node, name: str, column, values) -> None:
    column.SetName(name)
    for value in values:
        column.InsertNextValue(value)
    node.AddColumn(column)
