"""Segments as outlines while an overlay of theirs is visible, so that they do not hide it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
import vtk

from ..derived_nodes import inputOf, modelOf
from ..results.segments import segmentationsOf


class SegmentOutlines:
    """Removes the fill of segments as soon as a slice view has an overlay of theirs as its foreground.

    Overlays of segments are the volumes that the same model has made for the same input. The fill comes back when no
    view shows such a volume any more, however it was removed, or when the user switches it on. A loaded scene is shown
    as it was saved.
    """

    def __init__(self) -> None:
        # Display node of a segmentation under an overlay -> its hidden fill, None if the fill is left as it is.
        self._covering: dict[slicer.vtkMRMLSegmentationDisplayNode, HiddenFill | None] = {}
        self._viewTags: dict[slicer.vtkMRMLSliceCompositeNode, int] = {}
        self._sceneTag = slicer.mrmlScene.AddObserver(slicer.mrmlScene.EndImportEvent, self._leaveAsItIs)
        self._leaveAsItIs()

    def update(self, *_args: Any) -> None:
        """Go by what the views show now; called by itself whenever a view has changed."""
        self._follow(HiddenFill)

    def end(self) -> None:
        """Fill all segments again, and observe nothing any more."""
        for fill in filter(None, self._covering.values()):
            fill.restore()
        for view, tag in self._viewTags.items():
            view.RemoveObserver(tag)
        slicer.mrmlScene.RemoveObserver(self._sceneTag)
        self._covering, self._viewTags = {}, {}

    def _leaveAsItIs(self, *_args: Any) -> None:
        self._follow(lambda display: None)

    def _follow(self, hideFill: Callable[[slicer.vtkMRMLSegmentationDisplayNode], HiddenFill | None]) -> None:
        self._observeViews()
        if slicer.mrmlScene.IsImporting():
            return
        covering = _coveringDisplays()
        for display in self._covering.keys() - covering:
            fill = self._covering.pop(display)
            if fill is not None:
                fill.restore()
        for display in covering - self._covering.keys():
            self._covering[display] = hideFill(display)

    def _observeViews(self) -> None:
        for view in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            if view not in self._viewTags:
                self._viewTags[view] = view.AddObserver(vtk.vtkCommand.ModifiedEvent, self.update)


class HiddenFill:
    """The fill of a segmentation in the slice views: off, and the outlines on, until `restore`.

    If the user had switched the fill off before, nothing is changed.

    Args:
        display: display node of the segmentation.
    """

    def __init__(self, display: slicer.vtkMRMLSegmentationDisplayNode) -> None:
        self._display = display
        self._tag: int | None = None
        if display.GetVisibility2DFill():
            self._hadOutline = display.GetVisibility2DOutline()
            with slicer.util.NodeModify(display):
                display.SetVisibility2DFill(False)
                display.SetVisibility2DOutline(True)
            self._tag = display.AddObserver(vtk.vtkCommand.ModifiedEvent, self._onModified)

    def restore(self) -> None:
        """Fill the segments again; nothing, if the user has done so since."""
        if self._tag is None:
            return
        self._display.RemoveObserver(self._tag)
        self._tag = None
        with slicer.util.NodeModify(self._display):
            self._display.SetVisibility2DFill(True)
            if not self._hadOutline:
                self._display.SetVisibility2DOutline(False)

    def _onModified(self, *_args: Any) -> None:
        if self._display.GetVisibility2DFill():
            self.restore()


def _coveringDisplays() -> set[slicer.vtkMRMLSegmentationDisplayNode]:
    """The display nodes of the segmentations that lie over an overlay of theirs in a slice view."""
    covering = []
    for view in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        volumeNode = slicer.mrmlScene.GetNodeByID(view.GetForegroundVolumeID() or "")
        modelName = volumeNode and modelOf(volumeNode)
        if modelName:
            covering += segmentationsOf(modelName, inputOf(volumeNode))
    displays = slicer.util.getNodesByClass("vtkMRMLSegmentationDisplayNode")
    return {display for display in displays if display.GetDisplayableNode() in covering}
