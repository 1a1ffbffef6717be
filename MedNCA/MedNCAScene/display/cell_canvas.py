"""A volume on which the cells of a run are drawn: those of the finder, or those of all places that it has found."""

from __future__ import annotations

import numpy as np
import slicer

import MedNCALib as mednca
from MedNCALib.segmentation.common_grid import CommonGrid

from ..derived_nodes import removeNodes, tagAsDerived
from ..results.cell_colors import addCellColors, encodeCells, isOfLabels, placeCells, showCellColors


class CellCanvas:
    """A hidden volume node over the anatomy, in the colours of the labels.

    Args:
        volumeNode: the volume of the run.
        model: the model of the run.
        step: the first step to be drawn.

    Attributes:
        node: the volume node.
    """

    def __init__(self, volumeNode: slicer.vtkMRMLScalarVolumeNode, model: mednca.Model, step: mednca.Step) -> None:
        self._isOfFinder = step.is_finding
        sides = [structure.side for structure in step.found]
        tables = [model.labels_on(side) for side in sides] or [step.label_table]
        labels = [label for table in tables for label in table]
        self._labelCount = len(labels)
        self._firstLabels = {structure: n * len(model.labels) for n, structure in enumerate(step.found)}
        self._grid = CommonGrid(step)
        self._colors = addCellColors(labels, hidden=True)
        node = slicer.vtkMRMLScalarVolumeNode()
        node.SetName(slicer.mrmlScene.GenerateUniqueName("MedNCA live preview"))
        node.SetHideFromEditors(True)
        node.SetSaveWithScene(False)
        self.node = slicer.mrmlScene.AddNode(node)
        tagAsDerived(self.node, model.name, volumeNode)
        slicer.util.updateVolumeFromArray(self.node, np.zeros(self._grid.shape, np.uint8))
        placeCells(self.node, self._grid, volumeNode)
        showCellColors(self.node, self._colors)
        self.node.GetDisplayNode().SetHideFromEditors(True)
        self.node.GetDisplayNode().SetSaveWithScene(False)

    def isFor(self, step: mednca.Step) -> bool:
        """Whether a step belongs on this volume: those of the finder are on one, all others on another."""
        return step.is_finding is self._isOfFinder

    def draw(self, step: mednca.Step) -> None:
        """Draw the cells of a step in their slices."""
        first = self._firstLabels[step.structure] if step.structure else 0
        cells = step.full_size(encodeCells(step.probabilities(), first, self._labelCount))
        place, part = self._grid.places(step)
        here, new = slicer.util.arrayFromVolume(self.node)[place], cells[part]
        # What another structure's cells say stays if these say nothing: boxes may overlap.
        own = isOfLabels(here, first, first + step.probabilities().shape[-1], self._labelCount)
        here[...] = np.where((new > 0) | own, new, here)
        slicer.util.arrayFromVolumeModified(self.node)

    def remove(self) -> None:
        """Remove the volume and its colours from the scene."""
        removeNodes([self.node, self._colors])
