"""The buttons for what comes after a result: see the segments in 3D, correct them."""

import slicer
from slicer.i18n import tr as _


class ResultButtons:
    """Show 3D, pressed while the segments of the output are there as surfaces, and Edit segments.

    :param ui: the panel's widgets.
    """

    def __init__(self, ui):
        self._ui = ui
        self._segmentationNode = self._volumeNode = None
        ui.show3DButton.connect("toggled(bool)", self._onShow3D)
        ui.editButton.connect("clicked(bool)", self._onEdit)

    def show(self, parameters, isRunning: bool) -> None:
        """Follow the segmentation and the volume of the parameters."""
        from MedNCAScene.display.surface import isShownIn3D

        self._segmentationNode, self._volumeNode = parameters.outputSegmentation, parameters.inputVolume
        button = self._ui.show3DButton
        button.blockSignals(True)
        button.checked = isShownIn3D(self._segmentationNode)
        button.blockSignals(False)
        button.enabled = self._ui.editButton.enabled = self._segmentationNode is not None and not isRunning

    def _onShow3D(self, isShown, *_args) -> None:
        from MedNCAScene.display.surface import showIn3D

        with slicer.util.tryWithErrorDisplay(_("The segments could not be shown in 3D."), waitCursor=True):
            showIn3D(self._segmentationNode, isShown)

    def _onEdit(self, *_args) -> None:
        from MedNCAScene.application.segment_editor import editSegments

        editSegments(self._segmentationNode, self._volumeNode)
