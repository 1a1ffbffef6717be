"""The button that shows the segments in 3D."""

import slicer
from slicer.i18n import tr as _


class SurfaceButton:
    """Pressed while the segments of the output are there as surfaces."""

    def __init__(self, button):
        self._button = button
        self._segmentationNode = None
        button.connect("toggled(bool)", self._onToggled)

    def show(self, segmentationNode, isRunning: bool) -> None:
        """Follow this segmentation, None for none."""
        from MedNCAScene.surface import isShownIn3D

        self._segmentationNode = segmentationNode
        self._button.blockSignals(True)
        self._button.checked = isShownIn3D(segmentationNode)
        self._button.blockSignals(False)
        self._button.enabled = segmentationNode is not None and not isRunning

    def _onToggled(self, isShown, *_args) -> None:
        from MedNCAScene.surface import showIn3D

        with slicer.util.tryWithErrorDisplay(_("The segments could not be shown in 3D."), waitCursor=True):
            showIn3D(self._segmentationNode, isShown)
