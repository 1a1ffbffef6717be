"""The live preview: the slice views show the cells while a run is on."""

from __future__ import annotations

import time
from collections.abc import Generator

import numpy as np
import slicer

import MedNCALib as mednca
from MedNCALib.imaging.slice_space import SliceSpace
from MedNCALib.segmentation.steps import tap

from ..derived_nodes import removeNodes, tagAsDerived
from ..results.cell_colors import addCellColors, encodeCells, placeCells, showCellColors
from .slice_foreground import TemporaryForeground


class LiveOverlay:
    """Lays the cells of a run over the slice views, in the labels' colours, for as long as the run is on.

    Nothing of it stays in the scene, and the views show again what they showed before. After the first picture, drawing
    takes a small share of the run's time: the pause before the next picture grows with the time that one takes, the
    application's drawing included.

    Example::

        for step in LiveOverlay(volumeNode, model).follow(steps):
            slicer.app.processEvents()

    Args:
        volumeNode: the volume of the run.
        model: the model of the run.
    """

    SHORTEST_INTERVAL = 0.05  # seconds
    OPACITY = 0.75
    _REST = 15  # times the duration of a picture

    def __init__(self, volumeNode: slicer.vtkMRMLScalarVolumeNode, model: mednca.Model) -> None:
        self._volumeNode = volumeNode
        self._model = model
        self._node: slicer.vtkMRMLScalarVolumeNode | None = None
        self._colors: slicer.vtkMRMLColorTableNode | None = None
        self._foreground: TemporaryForeground | None = None
        self._began: float | None = None  # of the picture that the application draws now
        self._next = 0.0

    def follow(self, steps: Generator[mednca.Step, None, mednca.Result]) -> Generator[mednca.Step, None, mednca.Result]:
        """Pass the steps of a run on and show them; a generator with the same return value."""
        try:
            # Not shown: the volume was prepared in the same turn of the event loop, which must not get longer still.
            yield next(steps)
            return (yield from tap(steps, self._onStep, self._onDrawn))
        finally:
            steps.close()
            self._remove()

    def _onStep(self, step: mednca.Step) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._began = now
            self._show(step)

    def _onDrawn(self) -> None:
        """The event loop had its turn, and so the views were drawn."""
        if self._began is not None:
            now = time.monotonic()
            self._next = max(self._began + self.SHORTEST_INTERVAL, now + self._REST * (now - self._began))
            self._began = None

    def _show(self, step: mednca.Step) -> None:
        if self._node is None:
            self._add(step.space)
        first, stop, _total = step.slices
        slicer.util.arrayFromVolume(self._node)[first:stop] = step.full_size(encodeCells(step.probabilities()))
        slicer.util.arrayFromVolumeModified(self._node)
        if self._foreground is None:
            self._foreground = TemporaryForeground(self._node, self.OPACITY)

    def _add(self, space: SliceSpace) -> None:
        self._colors = addCellColors(self._model.labels, hidden=True)
        node = slicer.vtkMRMLScalarVolumeNode()
        node.SetName(slicer.mrmlScene.GenerateUniqueName("MedNCA live preview"))
        node.SetHideFromEditors(True)
        node.SetSaveWithScene(False)
        self._node = slicer.mrmlScene.AddNode(node)
        tagAsDerived(self._node, self._model.name, self._volumeNode)
        slicer.util.updateVolumeFromArray(self._node, np.zeros(space.inside_shape, np.uint8))
        placeCells(self._node, space, self._volumeNode)
        showCellColors(self._node, self._colors)
        self._node.GetDisplayNode().SetHideFromEditors(True)
        self._node.GetDisplayNode().SetSaveWithScene(False)

    def _remove(self) -> None:
        if self._foreground is not None:
            self._foreground.restore()
        removeNodes(filter(None, (self._node, self._colors)))
        self._node = self._colors = self._foreground = None
