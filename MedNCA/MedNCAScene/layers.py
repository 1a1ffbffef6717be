"""The foreground of the slice views: lent to a volume for a while, and given back."""

import slicer


class LentForeground:
    """Shows a volume as the foreground of all slice views until `giveBack` is called.

    A view in which the user has meanwhile chosen another foreground is left as the user has set it.

    :param opacity: of the foreground, 0 to 1.
    """

    def __init__(self, volumeNode, opacity: float):
        self._volumeId = volumeNode.GetID()
        self._before = []
        for view in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            self._before.append((view, view.GetForegroundVolumeID(), view.GetForegroundOpacity()))
            with slicer.util.NodeModify(view):
                view.SetForegroundVolumeID(self._volumeId)
                view.SetForegroundOpacity(opacity)

    def giveBack(self) -> None:
        """Put back what each view had; to be called while the volume is still in the scene."""
        for view, volumeId, opacity in self._before:
            if view.GetForegroundVolumeID() == self._volumeId:
                with slicer.util.NodeModify(view):
                    stillThere = volumeId and slicer.mrmlScene.GetNodeByID(volumeId)
                    view.SetForegroundVolumeID(volumeId if stillThere else None)
                    view.SetForegroundOpacity(opacity)
        self._before = []
