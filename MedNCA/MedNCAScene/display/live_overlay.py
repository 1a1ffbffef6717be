"""The living picture: the slice views show the cells while a run is on."""

import time

import numpy as np
import slicer

from ..results.cell_colors import addCellColors, encodeCells, placeCells, showCellColors
from ..results.segments import INPUT_ROLE, MODEL_TAG
from .slice_foreground import BorrowedForeground


class LiveOverlay:
    """Lays the cells of a run over the slice views, in the labels' colours, for as long as the run is on.

    Nothing of it stays in the scene, and the views get back what they showed. But for its first appearance it takes a
    fifteenth of the time at most: the longer a picture takes, what the application then needs to draw it included, the
    longer the next one waits.

    Example::

        for step in LiveOverlay(volumeNode, model).follow(steps):
            slicer.app.processEvents()
    """

    SHORTEST_INTERVAL = 0.05  # seconds
    OPACITY = 0.75
    _REST = 15  # times the duration of a picture

    def __init__(self, volumeNode, model):
        self._volumeNode = volumeNode
        self._model = model
        self._node = self._colors = self._foreground = None
        self._next = 0.0

    def follow(self, steps):
        """Pass the steps of a run on and show them; a generator with the same return value."""
        try:
            # Not shown: the volume was prepared in the same turn of the event loop, which must not get longer still.
            yield next(steps)
            while True:
                try:
                    step = next(steps)
                except StopIteration as end:
                    return end.value
                began = time.monotonic()
                isShown = began >= self._next
                if isShown:
                    self._show(step)
                yield step
                if isShown:
                    # The event loop had its turn, and so the views were drawn.
                    now = time.monotonic()
                    self._next = max(began + self.SHORTEST_INTERVAL, now + self._REST * (now - began))
        finally:
            steps.close()
            self._remove()

    def _show(self, step) -> None:
        if self._node is None:
            self._add(step.space)
        first, stop, _ = step.slices
        slicer.util.arrayFromVolume(self._node)[first:stop] = step.full_size(encodeCells(step.probabilities()))
        slicer.util.arrayFromVolumeModified(self._node)
        if self._foreground is None:
            self._foreground = BorrowedForeground(self._node, self.OPACITY)

    def _add(self, space) -> None:
        self._colors = addCellColors(self._model.labels, hidden=True)
        node = slicer.vtkMRMLScalarVolumeNode()
        node.SetName(slicer.mrmlScene.GenerateUniqueName("MedNCA living picture"))
        node.SetHideFromEditors(True)
        node.SetSaveWithScene(False)
        node.SetAttribute(MODEL_TAG, self._model.name)
        self._node = slicer.mrmlScene.AddNode(node)
        self._node.SetNodeReferenceID(INPUT_ROLE, self._volumeNode.GetID())
        slicer.util.updateVolumeFromArray(self._node, np.zeros(space.inside_shape, np.uint8))
        placeCells(self._node, space, self._volumeNode)
        showCellColors(self._node, self._colors)
        self._node.GetDisplayNode().SetHideFromEditors(True)
        self._node.GetDisplayNode().SetSaveWithScene(False)

    def _remove(self) -> None:
        if self._foreground is not None:
            self._foreground.restore()
        display = self._node.GetDisplayNode() if self._node is not None else None
        for node in (self._node, display, self._colors):
            if node is not None and node.GetScene() is not None:
                slicer.mrmlScene.RemoveNode(node)
        self._node = self._colors = self._foreground = None
