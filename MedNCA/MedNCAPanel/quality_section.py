"""The section Quality: how far the result can be trusted."""

from __future__ import annotations

from typing import Any

import slicer
from MedNCAScene.display.slice_foreground import Overlay
from MedNCAScene.results.measurement_table import DIGITS as MEASUREMENT_DIGITS
from MedNCAScene.results.measurement_table import measurementTableBeside
from MedNCAScene.results.overlay_volumes import jumpToUncertainty, uncertaintyOf
from MedNCAScene.results.quality_table import DIGITS, verdictOf

from . import messages
from .parameters import Parameters
from .qt_helpers import dot, showState
from .table_view import setUpTable, showTable

# Visible on a light and on a dark background; the words beside it say the same.
COLORS = {"pass": "#2ea043", "review": "#d9822b", None: "#8a8a8a"}


class QualitySection:
    """Shows the verdict and the tables of the latest result, and the way to its highest uncertainty.

    Args:
        ui: the panel's widgets.
        overlay: over the slice views, shared with the other sections.
    """

    def __init__(self, ui: Any, overlay: Overlay) -> None:
        self._ui = ui
        self._overlay = overlay
        self._uncertaintyNode: slicer.vtkMRMLScalarVolumeNode | None = None
        self._table: slicer.vtkMRMLTableNode | None = None
        self._staleTable: slicer.vtkMRMLTableNode | None = None
        ui.uncertaintyOverlayCheckBox.connect("toggled(bool)", self._onOverlay)
        ui.jumpButton.connect("clicked(bool)", self._onJump)
        self._kept = [setUpTable(ui.qualityTableView, DIGITS), setUpTable(ui.measurementTableView, MEASUREMENT_DIGITS)]
        overlay.onChanged(self._updateOverlay)

    def setStale(self, isStale: bool) -> None:
        """Whether the scores that were shown last are of an earlier run than the latest: then they are greyed."""
        self._staleTable = self._table if isStale else None

    def show(self, parameters: Parameters) -> None:
        """Show the scores in the parameters' table, and the uncertainty of their volume."""
        self._ui.uncertaintyCheckBox.enabled = parameters.runs > 1
        self._ui.uncertaintyCheckBox.toolTip = messages.uncertaintyTip(parameters.runs)
        self._showScores(parameters.qualityTable)
        self._showUncertainty(uncertaintyOf(parameters.inputVolume))

    def _showScores(self, table: slicer.vtkMRMLTableNode | None) -> None:
        self._table = table
        label, view, measurements = self._ui.verdictLabel, self._ui.qualityTableView, self._ui.measurementTableView
        verdict = verdictOf(table) if table else None
        isStale = table is not None and table is self._staleTable
        color = COLORS[verdict.verdict if verdict and not isStale else None]
        line = messages.staleScores() if isStale else messages.verdictLine(verdict)
        label.text = f"{dot(color)} {line}"
        label.enabled = view.enabled = measurements.enabled = not isStale
        showTable(view, table)
        showTable(measurements, measurementTableBeside(table))

    def _showUncertainty(self, node: slicer.vtkMRMLScalarVolumeNode | None) -> None:
        self._uncertaintyNode = node
        self._overlay.takeOver(node)
        box, button = self._ui.uncertaintyOverlayCheckBox, self._ui.jumpButton
        box.enabled = button.enabled = node is not None
        box.toolTip = messages.uncertaintyOverlayTip(node is not None)
        button.toolTip = messages.jumpTip(node is not None)
        self._updateOverlay()

    def _updateOverlay(self) -> None:
        showState(self._ui.uncertaintyOverlayCheckBox, checked=self._overlay.shows(self._uncertaintyNode))

    def _onOverlay(self, isShown: bool, *_args: Any) -> None:
        self._overlay.show(self._uncertaintyNode if isShown else None)

    def _onJump(self, *_args: Any) -> None:
        if jumpToUncertainty(self._uncertaintyNode) is None:
            self._ui.statusLabel.text = messages.noUncertainty()
