"""The foreground of the slice views: one volume for a while, and then again what was there before."""

from __future__ import annotations

from collections.abc import Callable

import slicer


class TemporaryForeground:
    """Shows a volume as the foreground of all slice views until `restore` is called.

    A view in which the user has meanwhile chosen another foreground is left as the user has set it.

    Args:
        volumeNode: the volume.
        opacity: of the foreground, 0 to 1.
    """

    def __init__(self, volumeNode: slicer.vtkMRMLVolumeNode, opacity: float) -> None:
        self.volumeNode = volumeNode
        self._volumeId = volumeNode.GetID()
        self._before = []
        for view in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            before = view.GetForegroundVolumeID(), view.GetForegroundOpacity()
            self._before.append((view, *(before if before[0] != self._volumeId else (None, 0.0))))
            with slicer.util.NodeModify(view):
                view.SetForegroundVolumeID(self._volumeId)
                view.SetForegroundOpacity(opacity)

    def restore(self) -> None:
        """Put back what each view had; to be called while the volume is still in the scene."""
        for view, volumeId, opacity in self._before:
            if view.GetForegroundVolumeID() == self._volumeId:
                with slicer.util.NodeModify(view):
                    stillThere = volumeId and slicer.mrmlScene.GetNodeByID(volumeId)
                    view.SetForegroundVolumeID(volumeId if stillThere else None)
                    view.SetForegroundOpacity(opacity)
        self._before = []


class Overlay:
    """Shows one volume at a time over the slice views, and puts back what was there."""

    OPACITY = 0.75

    def __init__(self) -> None:
        self._foreground: TemporaryForeground | None = None
        self._listeners: list[Callable[[], None]] = []

    def onChanged(self, listener: Callable[[], None]) -> None:
        """Have this called whenever another volume is shown, or none any more."""
        self._listeners.append(listener)

    def show(self, volumeNode: slicer.vtkMRMLVolumeNode | None) -> None:
        """Lay a volume over the slice views; None removes the one that is there."""
        if volumeNode is not None and self.shows(volumeNode):
            return
        if self._foreground is not None:
            if self._foreground.volumeNode.GetScene() is not None:
                self._foreground.restore()
            self._foreground = None
        if volumeNode is not None:
            self._foreground = TemporaryForeground(volumeNode, self.OPACITY)
        for listener in self._listeners:
            listener()

    def takeOver(self, volumeNode: slicer.vtkMRMLVolumeNode | None) -> None:
        """Treat a volume that all slice views show already, as in a loaded scene, like one that was shown here."""
        views = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
        if self._foreground is not None or volumeNode is None or not views:
            return
        if all(view.GetForegroundVolumeID() == volumeNode.GetID() for view in views):
            self._foreground = TemporaryForeground(volumeNode, views[0].GetForegroundOpacity())

    def shows(self, volumeNode: slicer.vtkMRMLVolumeNode | None) -> bool:
        """Whether this volume is in the scene and lies over the views."""
        if self._foreground is None or volumeNode is None:
            return False
        return self._foreground.volumeNode is volumeNode and volumeNode.GetScene() is not None

    def forget(self) -> None:
        """Leave the views as they are: the scene is being closed."""
        self._foreground = None
