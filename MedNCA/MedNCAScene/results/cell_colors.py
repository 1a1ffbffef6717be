"""Cells as a volume: their grid, and colours that tell the labels and their probabilities apart in one byte."""

import numpy as np
import slicer

from ..inputs.geometry import ijkToRasOfPhysical

_FAINTEST = 0.1  # weaker cells are not shown
_DARKEST = 0.35  # brightness of the weakest


def encodeCells(probabilities: np.ndarray) -> np.ndarray:
    """Label and probability of each cell in one byte, for a table of `addCellColors`.

    :param probabilities: shape (..., K).
    :return: uint8, shape (...): 0 where no label has more than an undecided cell gives to each, else the likeliest
      label's colour in the strength in which it has more.
    """
    labels = probabilities.shape[-1]
    levels, undecided = _levels(labels), 1 / (labels + 1)
    likeliest = probabilities.argmax(axis=-1)
    strength = np.rint((probabilities.max(axis=-1) - undecided) / (1 - undecided) * levels)
    return np.where(strength > 0, likeliest * levels + strength, 0).astype(np.uint8)


def addCellColors(labels, hidden: bool):
    """Add a colour table for `encodeCells`: each label from transparent over dark to its full colour.

    :param hidden: only for the moment: not listed and not saved.
    """
    levels = _levels(len(labels))
    table = slicer.vtkMRMLColorTableNode()
    table.SetTypeToUser()
    table.SetName(slicer.mrmlScene.GenerateUniqueName("MedNCA cells"))
    table.SetHideFromEditors(hidden)
    table.SetSaveWithScene(not hidden)
    table.SetNumberOfColors(256)
    for value in range(256):
        table.SetColor(value, "", 0.0, 0.0, 0.0, 0.0)
    for index, label in enumerate(labels):
        for level in range(1, levels + 1):
            name = f"{label.name} {round(100 * level / levels)} %"
            color = [part / 255 for part in label.color]
            table.SetColor(index * levels + level, name, *_shade(color, level / levels))
    return slicer.mrmlScene.AddNode(table)


def addSignedColors():
    """Add a colour table for values around zero: blue below, transparent near zero, orange above."""
    table = slicer.vtkMRMLColorTableNode()
    table.SetTypeToUser()
    table.SetName(slicer.mrmlScene.GenerateUniqueName("MedNCA signed"))
    table.SetNumberOfColors(256)
    for value in range(256):
        share = (value - 127.5) / 127.5
        color = (0.9, 0.62, 0.0) if share > 0 else (0.34, 0.71, 0.91)
        table.SetColor(value, f"{share:.2f}", *_shade(color, abs(share)))
    return slicer.mrmlScene.AddNode(table)


def placeCells(node, space, volumeNode) -> None:
    """Put a volume node of cells (slices, rows, columns of the model's grid) where they are."""
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijkToRasOfPhysical(space.index_to_physical())))
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())


def showCellColors(node, table, window=(0, 255)) -> None:
    """Show values between the two of the window in the colours of the table, each cell as a square."""
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    with slicer.util.NodeModify(display):
        display.SetAndObserveColorNodeID(table.GetID())
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(*window)
        display.SetInterpolate(False)


def _shade(color, share: float) -> tuple:
    """A colour, red, green, blue and opacity, for a strength of 0 to 1.

    The slice views show a colour either whole or not at all, whatever its opacity in the table.
    """
    brightness = _DARKEST + (1 - _DARKEST) * share
    return (*(brightness * part for part in color), float(share >= _FAINTEST))


def _levels(labels: int) -> int:
    return 255 // labels
