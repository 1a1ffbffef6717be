"""The foreground of the slice views: lent to a volume for a while, and given back."""

import slicer


class BorrowedForeground:
    """Shows a volume as the foreground of all slice views until `restore` is called.

    A view in which the user has meanwhile chosen another foreground is left as the user has set it.

    :param opacity: of the foreground, 0 to 1.
    """

    def __init__(self, volumeNode, opacity: float):
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


class Foreground:
    """Shows one volume at a time over the slice views, and puts back what was there."""

    OPACITY = 0.75

    def __init__(self):
        self._lent = None
        self._volumeNode = None
        self._listeners = []

    def onChanged(self, listener) -> None:
        """Have this called, without arguments, whenever another volume is shown, or none any more."""
        self._listeners.append(listener)

    def show(self, volumeNode) -> None:
        """Lay a volume over the slice views; None takes away the one that is there."""
        if volumeNode is not None and self.shows(volumeNode):
            return
        if self._lent is not None:
            if self._volumeNode.GetScene() is not None:
                self._lent.restore()
            self._lent = self._volumeNode = None
        if volumeNode is not None:
            self._lent, self._volumeNode = BorrowedForeground(volumeNode, self.OPACITY), volumeNode
        for listener in self._listeners:
            listener()

    def adopt(self, volumeNode) -> None:
        """Take over a volume that all slice views show already, as in a loaded scene, so that it can be taken away."""
        views = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
        if self._lent is not None or volumeNode is None or not views:
            return
        if all(view.GetForegroundVolumeID() == volumeNode.GetID() for view in views):
            self._lent, self._volumeNode = BorrowedForeground(volumeNode, views[0].GetForegroundOpacity()), volumeNode

    def shows(self, volumeNode) -> bool:
        """Whether this volume is in the scene and was laid over the views here."""
        isLent = self._lent is not None and self._volumeNode is volumeNode
        return isLent and volumeNode.GetScene() is not None

    def forget(self) -> None:
        """Leave the views as they are: the scene is being closed."""
        self._lent = self._volumeNode = None
