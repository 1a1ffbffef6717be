"""The stress test in the section Quality: how much the result depends on perturbations of the volume."""

from __future__ import annotations

from typing import Any

import slicer
from MedNCAScene.display.slice_foreground import Overlay
from MedNCAScene.results.cell_colors import CHANGE_COLORS, changeNames
from MedNCAScene.results.overlay_volumes import jumpToWorstCase, worstCaseOf
from MedNCAScene.results.stress_table import DIGITS, stressSummaryOf, stressTableOf

from . import messages
from .parameters import Parameters
from .qt_helpers import dot, hexColor, showState
from .table_view import setUpTable, showTable

COLORS = {"stable": "#2ea043", "depends": "#d9822b"}
NO_VERDICT = "#8a8a8a"


class StressSection:
    """Shows verdict, table and worst case of the stress test of the chosen volume with the chosen model.

    Args:
        ui: the panel's widgets.
        overlay: over the slice views, shared with the other sections.
    """

    def __init__(self, ui: Any, overlay: Overlay) -> None:
        self._ui = ui
        self._overlay = overlay
        self._worstNode: slicer.vtkMRMLScalarVolumeNode | None = None
        self._kept = setUpTable(ui.stressTableView, DIGITS)
        ui.worstCaseLabel.text = "\u00a0 ".join(
            f"{dot(hexColor(color))} {name}" for color, name in zip(CHANGE_COLORS, changeNames())
        )
        ui.worstCaseCheckBox.connect("toggled(bool)", self.showWorstCase)
        overlay.onChanged(self._updateOverlay)

    def show(self, parameters: Parameters) -> None:
        """Show the stress test that belongs to the parameters."""
        table = stressTableOf(parameters.inputVolume, parameters.model)
        summary = stressSummaryOf(table) if table else None
        color = COLORS.get(summary.verdict, NO_VERDICT) if summary else NO_VERDICT
        self._ui.stressLabel.text = f"{dot(color)} {messages.stressLine(summary)}"
        showTable(self._ui.stressTableView, table)
        self._worstNode = worstCaseOf(parameters.inputVolume, parameters.model)
        self._overlay.takeOver(self._worstNode)
        self._ui.worstCaseCheckBox.enabled = self._worstNode is not None
        self._ui.worstCaseCheckBox.toolTip = messages.worstCaseTip(summary)
        self._updateOverlay()

    def showWorstCase(self, isShown: bool, *_args: Any) -> None:
        """Lay the worst case over the slice views and move them to it, or remove it."""
        self._overlay.show(self._worstNode if isShown else None)
        if isShown and self._worstNode is not None:
            jumpToWorstCase(self._worstNode)

    def _updateOverlay(self) -> None:
        isShown = self._overlay.shows(self._worstNode)
        showState(self._ui.worstCaseCheckBox, checked=isShown)
        self._ui.worstCaseLabel.setVisible(isShown)
