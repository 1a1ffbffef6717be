"""The live preview: the slice views show the cells while a run is on."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import TypeVar

import slicer

import MedNCALib as mednca
from MedNCALib.segmentation.steps import tap

from ..derived_nodes import removeNodes
from ..inputs.region import placeBox
from ..results.found_boxes import boxColor, boxesOf
from .cell_canvas import CellCanvas
from .slice_foreground import TemporaryForeground

ResultT = TypeVar("ResultT")


class LiveOverlay:
    """Lays the cells of a run over the slice views, in the labels' colours, for as long as the run is on.

    If a finder runs, its cells are seen over the whole volume first, then the boxes that it has found, in which the
    structures grow one after the other.

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
    REST = 15  # times the duration of a picture

    def __init__(self, volumeNode: slicer.vtkMRMLScalarVolumeNode, model: mednca.Model) -> None:
        self._volumeNode = volumeNode
        self._model = model
        self._canvas: CellCanvas | None = None
        self._boxes: list[slicer.vtkMRMLMarkupsROINode] = []
        self._foreground: TemporaryForeground | None = None
        self._began: float | None = None  # of the picture that the application draws now
        self._next = 0.0

    def follow(self, steps: Generator[mednca.Step, None, ResultT]) -> Generator[mednca.Step, None, ResultT]:
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
        isOther = self._canvas is not None and not self._canvas.isFor(step)  # the search is over
        if now >= self._next or isOther:
            self._began = now
            self._show(step)

    def _onDrawn(self) -> None:
        """The event loop had its turn, and so the views were drawn."""
        if self._began is not None:
            now = time.monotonic()
            self._next = max(self._began + self.SHORTEST_INTERVAL, now + self.REST * (now - self._began))
            self._began = None

    def _show(self, step: mednca.Step) -> None:
        if self._canvas is None or not self._canvas.isFor(step):
            self._remove()
            self._canvas = CellCanvas(self._volumeNode, self._model, step)
            self._addBoxes(step)
        self._canvas.draw(step)
        if self._foreground is None:
            self._foreground = TemporaryForeground(self._canvas.node, self.OPACITY)

    def _addBoxes(self, step: mednca.Step) -> None:
        """Show the boxes of what was found, unless the user's own are there."""
        if boxesOf(self._model.name, self._volumeNode):
            return
        for structure in step.found:
            node = slicer.vtkMRMLMarkupsROINode()
            node.SetName(slicer.mrmlScene.GenerateUniqueName("MedNCA live box"))
            node.SetHideFromEditors(True)
            node.SetSaveWithScene(False)
            node.SetLocked(True)
            self._boxes.append(slicer.mrmlScene.AddNode(node))
            node.SetAndObserveTransformNodeID(self._volumeNode.GetTransformNodeID())
            placeBox(node, structure.box, boxColor(structure, self._model))
            node.GetDisplayNode().SetHandlesInteractive(False)
            node.GetDisplayNode().SetSaveWithScene(False)

    def _remove(self) -> None:
        if self._foreground is not None:
            self._foreground.restore()
        if self._canvas is not None:
            self._canvas.remove()
        removeNodes(self._boxes)
        self._canvas = self._foreground = None
        self._boxes = []
