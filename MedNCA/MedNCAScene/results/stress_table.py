"""The changes that a stress test finds as a table node, which keeps the verdict too."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import slicer
import vtk
from slicer.i18n import tr as _

import MedNCALib as mednca

from ..derived_nodes import derivedNode, findOrAdd
from .quality_table import addColumn

# Digits after the decimal point, for each column; the first is of names.
DIGITS = (None, 3, 2, 1)

_STRESS_TEST = "stress test"  # in place of a label's value
_SUMMARY = "MedNCA.StressTest"


@dataclass(frozen=True)
class StressSummary:
    """What a stress test says of the whole result; see `MedNCALib.StressTest`.

    Attributes:
        verdict: "stable", "depends" or "empty".
        kinds: of perturbations that the result depends on.
        worst: name of the perturbation with the lowest Dice.
        dice: the lowest.
        volumePercent: largest change of the volume.
    """

    verdict: str
    kinds: tuple[str, ...]
    worst: str
    dice: float
    volumePercent: float


def writeStressTable(
    test: mednca.StressTest, model: mednca.Model, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLTableNode:
    """Write a row for each perturbation: Dice with the unperturbed result, and change of the volume.

    The table of the model's stress test of the same volume before is filled anew.

    Returns:
        The table node.
    """
    name = _("{volume} stress test").format(volume=volumeNode.GetName())
    node, _isNew = findOrAdd("vtkMRMLTableNode", name, model.name, volumeNode, _STRESS_TEST)
    summary = StressSummary(
        test.verdict, test.depends_on, test.worst.perturbation, test.worst.dice, test.largest_volume_percent
    )
    numbers = {
        _("Dice"): [change.dice for change in test.changes],
        _("Change (mL)"): [change.volume_ml for change in test.changes],
        _("Change (%)"): [change.volume_percent or 0.0 for change in test.changes],
    }
    with slicer.util.NodeModify(node):
        node.SetLocked(True)  # for the user, who could overwrite a figure by a key
        node.SetUseColumnTitleAsColumnHeader(True)
        node.RemoveAllColumns()
        names = [perturbationName(change.perturbation) for change in test.changes]
        addColumn(node, _("Perturbation"), vtk.vtkStringArray(), names)
        for (title, values), digits in zip(numbers.items(), DIGITS[1:]):
            addColumn(node, title, vtk.vtkDoubleArray(), [round(value, digits) + 0.0 for value in values])
        node.SetAttribute(_SUMMARY, json.dumps(asdict(summary)))
    return node


def stressTableOf(volumeNode: slicer.vtkMRMLScalarVolumeNode | None, modelName: str) -> slicer.vtkMRMLTableNode | None:
    """The table of a model's stress test of a volume, or None."""
    if volumeNode is None:
        return None
    return derivedNode("vtkMRMLTableNode", modelName, volumeNode, _STRESS_TEST)


def stressSummaryOf(tableNode: slicer.vtkMRMLTableNode) -> StressSummary:
    """What a table of `writeStressTable` says of the whole result."""
    values = json.loads(tableNode.GetAttribute(_SUMMARY))
    return StressSummary(**{**values, "kinds": tuple(values["kinds"])})


def perturbationName(perturbation: str) -> str:
    """The name of a perturbation of `MedNCALib.evaluation.stress_test` for the user."""
    return {
        "noise 0.1": _("Noise, 10 %"),
        "noise 0.2": _("Noise, 20 %"),
        "bias field 0.5": _("Bias field, 50 %"),
        "ghosting 0.2": _("Ghosts, 20 %"),
        "scale 0.9": _("Scale 0.9"),
        "scale 1.1": _("Scale 1.1"),
        "shift 10 rows": _("Shift, rows"),
        "shift 10 columns": _("Shift, columns"),
        "seed + 1": _("Another seed"),
        "seed + 2": _("A third seed"),
    }.get(perturbation, perturbation)
