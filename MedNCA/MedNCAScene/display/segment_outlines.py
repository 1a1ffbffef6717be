"""The segments as outlines, while the slice views show something that belongs to them: filled, they would cover it."""

import slicer
import vtk

from ..results.segments import INPUT_ROLE, MODEL_TAG, segmentationsOf


class Outlines:
    """Takes the fill from segments as soon as a slice view has a volume of their own as its foreground.

    Their own are the volumes that the same model has made for the same input. Segments get their fill back when no view
    has such a volume any more, whoever took it away, or when the user switches it on. What a loaded scene shows was
    chosen by whoever saved it, and stays.
    """

    def __init__(self):
        self._lent = {}  # display node of a segmentation -> LentFill, or None where the fill is left as it is
        self._views = {}  # slice composite node -> tag of the observer
        self._sceneTag = slicer.mrmlScene.AddObserver(slicer.mrmlScene.EndImportEvent, self._leaveAsItIs)
        self._leaveAsItIs()

    def update(self, *_args) -> None:
        """Look at what the views show now; called by itself whenever a view has changed."""
        self._follow(LentFill)

    def end(self) -> None:
        """Give back what is lent, and look no more."""
        for lent in filter(None, self._lent.values()):
            lent.restore()
        for view, tag in self._views.items():
            view.RemoveObserver(tag)
        slicer.mrmlScene.RemoveObserver(self._sceneTag)
        self._lent, self._views = {}, {}

    def _leaveAsItIs(self, *_args) -> None:
        self._follow(lambda display: None)

    def _follow(self, lend) -> None:
        self._observeViews()
        if slicer.mrmlScene.IsImporting():
            return
        covering = _coveringDisplays()
        for display in self._lent.keys() - covering:
            lent = self._lent.pop(display)
            if lent is not None:
                lent.restore()
        for display in covering - self._lent.keys():
            self._lent[display] = lend(display)

    def _observeViews(self) -> None:
        for view in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            if view not in self._views:
                self._views[view] = view.AddObserver(vtk.vtkCommand.ModifiedEvent, self.update)


class LentFill:
    """The fill of a segmentation in the slice views: off, and the outlines on, until `restore`.

    Where the user had switched the fill off before, nothing is changed.
    """

    def __init__(self, display):
        self._display = display
        self._tag = None
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

    def _onModified(self, *_args) -> None:
        if self._display.GetVisibility2DFill():
            self.restore()


def _coveringDisplays() -> set:
    """The display nodes of the segmentations that lie over a volume of their own in a slice view."""
    covering = []
    for view in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        volumeNode = slicer.mrmlScene.GetNodeByID(view.GetForegroundVolumeID() or "")
        modelName = volumeNode and volumeNode.GetAttribute(MODEL_TAG)
        if modelName:
            covering += segmentationsOf(modelName, volumeNode.GetNodeReference(INPUT_ROLE))
    displays = slicer.util.getNodesByClass("vtkMRMLSegmentationDisplayNode")
    return {display for display in displays if display.GetDisplayableNode() in covering}
