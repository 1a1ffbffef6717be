"""The table of many volumes: a row each, as a table node that knows the nodes and files of its cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.cohort.table import BEAT, beat_of, quality_of

from ..derived_nodes import LABEL_TAG, MODEL_TAG, modelOf, uniqueName
from .quality_table import addColumn

# In the place of a label: the table is for many volumes.
_CASES = "cases"
# Node references of each row.
_VOLUME_ROLE, _SEGMENTATION_ROLE = "MedNCA.CaseVolume", "MedNCA.CaseSegmentation"


@dataclass(frozen=True)
class SceneCase:
    """What came of one of many volumes.

    Attributes:
        name: that no other case has.
        record: as the command line keeps it of a case, or of a volume of the scene those of its keys that are known:
            status, error, quality, volumes_ml, seconds.
        volumeNode, segmentationNode: of the scene; None if it is a file or, the second, if it failed.
        imagePath, segmentationPath: of the disk, likewise.
    """

    name: str
    record: dict[str, Any] = field(default_factory=dict)
    volumeNode: slicer.vtkMRMLScalarVolumeNode | None = None
    segmentationNode: slicer.vtkMRMLSegmentationNode | None = None
    imagePath: str = ""
    segmentationPath: str = ""

    @property
    def error(self) -> str:
        """Why it failed; empty if it did not."""
        return self.record.get("error") or ""


def writeCases(cases: Sequence[SceneCase], model: mednca.Model) -> slicer.vtkMRMLTableNode:
    """Write a row for each case: verdict, agreement, volumes, seconds, and why it failed.

    The table of many volumes that the same model made before is filled anew.

    Returns:
        The table node.
    """
    node = caseTableOf(model.name)
    if node is None:
        name = _("{model} volumes").format(model=model.name)
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", uniqueName(name))
        node.SetAttribute(MODEL_TAG, model.name)
        node.SetAttribute(LABEL_TAG, _CASES)
    with slicer.util.NodeModify(node):
        node.SetLocked(True)
        node.SetUseColumnTitleAsColumnHeader(True)
        node.RemoveAllColumns()
        for title, texts in _columns(cases).items():
            addColumn(node, title, vtk.vtkStringArray(), texts)
        for role in (_VOLUME_ROLE, _SEGMENTATION_ROLE):
            node.RemoveNodeReferenceIDs(role)
        for row, case in enumerate(cases):
            for role, of in ((_VOLUME_ROLE, case.volumeNode), (_SEGMENTATION_ROLE, case.segmentationNode)):
                node.SetNodeReferenceID(f"{role}{row}", of.GetID() if of is not None and of.GetScene() else None)
    return node


def caseTableOf(modelName: str) -> slicer.vtkMRMLTableNode | None:
    """The table of many volumes of a model; None if there is none."""
    tables = slicer.util.getNodesByClass("vtkMRMLTableNode")
    return next(
        (each for each in tables if modelOf(each) == modelName and each.GetAttribute(LABEL_TAG) == _CASES), None
    )


def caseNamed(tableNode: slicer.vtkMRMLTableNode, name: str) -> SceneCase | None:
    """The case of this name as the table knows it, with what of it is in the scene; None if there is no such row."""
    cells = [
        {tableNode.GetColumnName(column): tableNode.GetCellText(row, column) for column in range(_width(tableNode))}
        for row in range(tableNode.GetNumberOfRows())
    ]
    row = next((row for row, texts in enumerate(cells) if texts[_("Case")] == name), None)
    if row is None:
        return None
    return SceneCase(
        name,
        {"error": cells[row][_("Note")]},
        tableNode.GetNodeReference(f"{_VOLUME_ROLE}{row}"),
        tableNode.GetNodeReference(f"{_SEGMENTATION_ROLE}{row}"),
        cells[row].get(_("Image"), ""),
        cells[row].get(_("Segmentation"), ""),
    )


def segmentationsOfTable(tableNode: slicer.vtkMRMLTableNode) -> list[slicer.vtkMRMLSegmentationNode]:
    """The segmentations of all cases that are in the scene."""
    nodes = [tableNode.GetNodeReference(f"{_SEGMENTATION_ROLE}{row}") for row in range(tableNode.GetNumberOfRows())]
    return [node for node in nodes if node is not None]


def _width(tableNode: slicer.vtkMRMLTableNode) -> int:
    return tableNode.GetNumberOfColumns()


def _columns(cases: Sequence[SceneCase]) -> dict[str, list[str]]:
    """Title -> a text for each case; texts, since what is not known of a case is empty."""
    qualities = [quality_of(case.record) for case in cases]
    columns = {
        _("Case"): [case.name for case in cases],
        _("Verdict"): [
            _("failed") if case.error else _verdict(quality.get("verdict")) for case, quality in zip(cases, qualities)
        ],
        _("Agreement (%)"): [_number(quality.get("agreement"), 100, 1) for quality in qualities],
    }
    volumes = [case.record.get("volumes_ml") or {} for case in cases]
    for label in dict.fromkeys(label for each in volumes for label in each):
        columns[_("{label} (mL)").format(label=label)] = [_number(each.get(label), 1, 3) for each in volumes]
    beats = [beat_of(case.record) for case in cases]
    for name in (name for name in BEAT if any(name in beat for beat in beats)):
        title = "{} ({})".format(*BEAT[name])
        columns[title] = [_number(beat.get(name), 1, 1) for beat in beats]
    columns[_("Time (s)")] = [_number(case.record.get("seconds"), 1, 1) for case in cases]
    columns[_("Note")] = [case.error or " ".join(case.record.get("warnings") or ()) for case in cases]
    if any(case.imagePath for case in cases):
        columns[_("Image")] = [case.imagePath for case in cases]
        columns[_("Segmentation")] = [case.segmentationPath for case in cases]
    return columns


def _verdict(verdict: str | None) -> str:
    return {"pass": _("pass"), "review": _("review")}.get(verdict or "", "")


def _number(value: float | None, factor: float, digits: int) -> str:
    return "" if value is None else f"{factor * value:.{digits}f}"
