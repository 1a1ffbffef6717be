"""A volume on which the cells of a run are drawn: those of the finder, or those of all places that it has found."""

from __future__ import annotations

from itertools import product

import numpy as np
import slicer

import MedNCALib as mednca
from MedNCALib.imaging.slice_space import SliceSpace

from ..derived_nodes import removeNodes, tagAsDerived
from ..inputs.geometry import physicalOfRas
from ..results.cell_colors import addCellColors, encodeCells, isOfLabels, placeCells, showCellColors


class CellCanvas:
    """A hidden volume node over the anatomy, in the colours of the labels.

    The grid is that of the first step that is drawn, made larger so that it holds all boxes in which structures were
    found: cells of the others go to the nearest of its cells, less than one away.

    Args:
        volumeNode: the volume of the run.
        model: the model of the run.
        step: the first step to be drawn.

    Attributes:
        node: the volume node.
    """

    _MARGIN = 2  # cells around the boxes: the grid in a box begins and ends with whole voxels

    def __init__(self, volumeNode: slicer.vtkMRMLScalarVolumeNode, model: mednca.Model, step: mednca.Step) -> None:
        self._isOfFinder = step.is_finding
        sides = [structure.side for structure in step.found]
        tables = [model.labels_on(side) for side in sides] or [step.label_table]
        labels = [label for table in tables for label in table]
        self._labelCount = len(labels)
        self._firstLabels = {structure: n * len(model.labels) for n, structure in enumerate(step.found)}
        self._toGrid = np.linalg.inv(step.space.index_to_physical())
        self._origin, shape = self._extent(step)
        self._colors = addCellColors(labels, hidden=True)
        node = slicer.vtkMRMLScalarVolumeNode()
        node.SetName(slicer.mrmlScene.GenerateUniqueName("MedNCA live preview"))
        node.SetHideFromEditors(True)
        node.SetSaveWithScene(False)
        self.node = slicer.mrmlScene.AddNode(node)
        tagAsDerived(self.node, model.name, volumeNode)
        slicer.util.updateVolumeFromArray(self.node, np.zeros(shape, np.uint8))
        placeCells(self.node, step.space, volumeNode, self._origin)
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
        begin = self._offsetOf(step.space) - self._origin + (step.slices[0], 0, 0)
        voxels = slicer.util.arrayFromVolume(self.node)
        low, high = np.maximum(begin, 0), np.minimum(begin + cells.shape, voxels.shape)
        here = voxels[tuple(map(slice, low, high))]
        new = cells[tuple(map(slice, low - begin, high - begin))]
        # What another structure's cells say stays if these say nothing: boxes may overlap.
        own = isOfLabels(here, first, first + step.probabilities().shape[-1], self._labelCount)
        here[...] = np.where((new > 0) | own, new, here)
        slicer.util.arrayFromVolumeModified(self.node)

    def remove(self) -> None:
        """Remove the volume and its colours from the scene."""
        removeNodes([self.node, self._colors])

    def _extent(self, step: mednca.Step) -> tuple[np.ndarray, np.ndarray]:
        """First cell and shape along slices, rows and columns of the grid, counted from the first cell of the step."""
        low, high = np.zeros(3, int), np.array(step.space.inside_shape)
        for structure in step.found:
            corners = [physicalOfRas(corner) for corner in product(*zip(structure.box[::2], structure.box[1::2]))]
            cells = (np.column_stack([corners, np.ones(8)]) @ self._toGrid.T)[:, 2::-1]
            low = np.minimum(low, np.floor(cells.min(axis=0)).astype(int) - self._MARGIN)
            high = np.maximum(high, np.ceil(cells.max(axis=0)).astype(int) + self._MARGIN)
        return low, high - low

    def _offsetOf(self, space: SliceSpace) -> np.ndarray:
        """Where the first cell of a grid lies, in slices, rows and columns from the first cell of the first step."""
        return np.rint((self._toGrid @ space.index_to_physical()[:, 3])[2::-1]).astype(int)
