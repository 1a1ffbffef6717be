"""Cells as a volume: their grid, and colours that show a label and its probability in one byte."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.segmentation.common_grid import CommonGrid

from ..inputs.geometry import ijkToRasOfPhysical

# Voxels with a label: in both results the same; only without, only with the change; another label. 0 is none in both.
CHANGES = (1, 2, 3, 4)
# Colour-blind people tell them apart (Okabe and Ito 2008).
CHANGE_COLORS = ((0.0, 0.62, 0.45), (0.34, 0.71, 0.91), (0.84, 0.37, 0.0), (0.8, 0.47, 0.65))

_FAINTEST = 0.1  # weaker cells are not shown
_DARKEST = 0.35  # brightness of the weakest


def encodeCells(probabilities: np.ndarray, first: int = 0, labelCount: int | None = None) -> np.ndarray:
    """Label and probability of each cell in one byte, for a table of `addCellColors`.

    Args:
        probabilities: shape (..., K).
        first: place of the first of these labels among those of the table.
        labelCount: number of labels of the table; None if it has only these.

    Returns:
        uint8, shape (...): 0 if no label has more than an undecided cell gives to each, else the likeliest label's
        colour in the strength of what it has above that.
    """
    count = probabilities.shape[-1]
    levels, undecided = _levels(labelCount or count), 1 / (count + 1)
    likeliest = first + probabilities.argmax(axis=-1)
    strength = np.rint((probabilities.max(axis=-1) - undecided) / (1 - undecided) * levels)
    return np.where(strength > 0, likeliest * levels + strength, 0).astype(np.uint8)


def isOfLabels(cells: np.ndarray, first: int, stop: int, labelCount: int) -> np.ndarray:
    """Which cells of `encodeCells` show one of the labels from `first` to before `stop` of a table."""
    levels = _levels(labelCount)
    return (cells > first * levels) & (cells <= stop * levels)


def addCellColors(labels: Sequence[mednca.Label], hidden: bool) -> slicer.vtkMRMLColorTableNode:
    """Add a colour table for `encodeCells`: each label from transparent over dark to its full colour.

    Args:
        labels: the labels, in the order of the probabilities.
        hidden: whether the table is neither listed nor saved.
    """
    table = _colorTable("MedNCA cells")
    table.SetHideFromEditors(hidden)
    table.SetSaveWithScene(not hidden)
    for value in range(256):
        table.SetColor(value, "", 0.0, 0.0, 0.0, 0.0)
    levels = _levels(len(labels))
    for index, label in enumerate(labels):
        for level in range(1, levels + 1):
            name = f"{label.name} {round(100 * level / levels)} %"
            table.SetColor(index * levels + level, name, *_shade(rgb(label), level / levels))
    return slicer.mrmlScene.AddNode(table)


def addSignedColors() -> slicer.vtkMRMLColorTableNode:
    """Add a colour table for values around zero: blue below, transparent near zero, orange above."""
    table = _colorTable("MedNCA signed")
    for value in range(256):
        share = (value - 127.5) / 127.5
        color = (0.9, 0.62, 0.0) if share > 0 else (0.34, 0.71, 0.91)
        table.SetColor(value, f"{share:.2f}", *_shade(color, abs(share)))
    return slicer.mrmlScene.AddNode(table)


def addChangeColors() -> slicer.vtkMRMLColorTableNode:
    """Add a colour table for `CHANGES`."""
    table = _colorTable("MedNCA changes")
    for value in range(256):
        table.SetColor(value, "", 0.0, 0.0, 0.0, 0.0)
    for value, name, color in zip(CHANGES, changeNames(), CHANGE_COLORS):
        table.SetColor(value, name, *color, 1.0)
    return slicer.mrmlScene.AddNode(table)


def addLabelColors(labels: Sequence[mednca.Label]) -> slicer.vtkMRMLColorTableNode:
    """Add a colour table for the labels' values, which is neither listed nor saved."""
    table = _colorTable("MedNCA labels")
    table.SetHideFromEditors(True)
    table.SetSaveWithScene(False)
    for value in range(256):
        table.SetColor(value, "", 0.0, 0.0, 0.0, 0.0)
    for label in labels:
        table.SetColor(label.value, label.name, *rgb(label), 1.0)
    return slicer.mrmlScene.AddNode(table)


def changeNames() -> tuple[str, ...]:
    """What the values of `CHANGES` mean, for the user."""
    return _("unchanged"), _("lost"), _("new"), _("another label")


def rgb(label: mednca.Label) -> tuple[float, float, float]:
    """A label's colour: red, green and blue, 0 to 1."""
    red, green, blue = label.color
    return red / 255, green / 255, blue / 255


def placeCells(
    node: slicer.vtkMRMLScalarVolumeNode, grid: CommonGrid, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> None:
    """Put a volume node of cells, whose voxels are those of the grid, on the anatomy of a run's volume."""
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijkToRasOfPhysical(grid.index_to_physical())))
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())


def showCellColors(
    node: slicer.vtkMRMLScalarVolumeNode,
    table: slicer.vtkMRMLColorTableNode,
    window: tuple[float, float] = (0, 255),
) -> None:
    """Show values between the two of the window in the colours of the table, each cell as a square."""
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    with slicer.util.NodeModify(display):
        display.SetAndObserveColorNodeID(table.GetID())
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(*window)
        display.SetInterpolate(False)


def _colorTable(name: str) -> slicer.vtkMRMLColorTableNode:
    table = slicer.vtkMRMLColorTableNode()
    table.SetTypeToUser()
    table.SetName(slicer.mrmlScene.GenerateUniqueName(name))
    table.SetNumberOfColors(256)
    return table


def _shade(color: tuple[float, float, float], share: float) -> tuple[float, float, float, float]:
    """A colour, red, green, blue and opacity, for a strength of 0 to 1.

    The slice views show a colour either fully or not at all, whatever its opacity in the table.
    """
    brightness = _DARKEST + (1 - _DARKEST) * share
    red, green, blue = (brightness * part for part in color)
    return red, green, blue, float(share >= _FAINTEST)


def _levels(labelCount: int) -> int:
    return 255 // labelCount
