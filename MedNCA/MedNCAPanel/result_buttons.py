"""The buttons for what comes after a result: see the segments in 3D, correct them."""

from __future__ import annotations

from typing import Any

import slicer
from MedNCAScene.application.segment_editor import editSegments
from MedNCAScene.results.segments import isShownIn3D, showIn3D

from . import messages
from .parameters import Parameters
from .qt_helpers import showState


class ResultButtons:
    """Show 3D, pressed while the segments of the output have surfaces, and Edit segments.

    Args:
        ui: the panel's widgets.
    """

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._segmentationNode: slicer.vtkMRMLSegmentationNode | None = None
        self._volumeNode: slicer.vtkMRMLScalarVolumeNode | None = None
        ui.show3DButton.connect("toggled(bool)", self._onShow3D)
        ui.editButton.connect("clicked(bool)", self._onEdit)

    def show(self, parameters: Parameters, isRunning: bool) -> None:
        """Follow the segmentation and the volume of the parameters."""
        self._segmentationNode, self._volumeNode = parameters.outputSegmentation, parameters.inputVolume
        showState(self._ui.show3DButton, checked=isShownIn3D(self._segmentationNode))
        canUse = self._segmentationNode is not None and not isRunning
        self._ui.show3DButton.enabled = self._ui.editButton.enabled = canUse

    def _onShow3D(self, isShown: bool, *_args: Any) -> None:
        with slicer.util.tryWithErrorDisplay(messages.notShownIn3D(), waitCursor=True):
            showIn3D(self._segmentationNode, isShown)

    def _onEdit(self, *_args: Any) -> None:
        editSegments(self._segmentationNode, self._volumeNode)
