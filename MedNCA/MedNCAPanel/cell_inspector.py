"""The button that lets the user place a point on a cell, and the plot that follows the point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from MedNCAScene.inputs.inspection_point import PointPlacement, addPoint, keepNewest, removePoint
from MedNCAScene.results.cell_plot import showChart
from slicer.util import VTKObservationMixin

import MedNCALib as mednca

from . import messages
from .licence_consent import mayUse
from .parameters import GetParameters, Parameters
from .qt_helpers import showState, soon


class CellInspector(VTKObservationMixin):
    """Plots the history of the cell at a point, with the parameters of the panel.

    The button is down while the next click into a view places the point. There is one point, which may be dragged: the
    plot is made anew at the end of the drag.

    Args:
        ui: the panel's widgets.
        logic: the module's logic.
        getParameters: returns the parameters, None while there are none.
        getModel: returns the chosen model, None if it is not there.
    """

    def __init__(
        self, ui: Any, logic: Any, getParameters: GetParameters, getModel: Callable[[], mednca.Model | None]
    ) -> None:
        VTKObservationMixin.__init__(self)
        self._ui = ui
        self._logic = logic
        self._getParameters = getParameters
        self._getModel = getModel
        self._pointNode: slicer.vtkMRMLMarkupsFiducialNode | None = None
        self._placement: PointPlacement | None = None
        self._isMoved = False
        # A view calls while it still handles the mouse: it finishes before anything is done.
        self._soon = soon(self._settle)
        ui.inspectButton.connect("toggled(bool)", self._onToggled)

    def show(self, parameters: Parameters, isRunning: bool) -> None:
        """Follow the point of the parameters."""
        canInspect = parameters.inputVolume is not None and not isRunning
        self._follow(parameters.inspectedPoint)
        if not canInspect:
            self._endPlacement()
        self._ui.inspectButton.enabled = canInspect

    def release(self) -> None:
        """Follow no point any more, and place none."""
        self._follow(None)

    def _follow(self, pointNode: slicer.vtkMRMLMarkupsFiducialNode | None) -> None:
        if pointNode is self._pointNode:
            return
        self._endPlacement()
        self.removeObservers()
        self._soon.stop()
        self._isMoved = False
        self._pointNode = pointNode
        if pointNode is not None:
            for event in (pointNode.PointPositionDefinedEvent, pointNode.PointEndInteractionEvent):
                self.addObserver(pointNode, event, self._onMoved)

    def _onToggled(self, isDown: bool, *_args: Any) -> None:
        if not isDown:
            self._endPlacement()
            return
        parameters, model = self._getParameters(), self._getModel()
        if model is not None and not mayUse(model):
            showState(self._ui.inspectButton, checked=False)
            self._ui.statusLabel.text = messages.licenceDeclined(model.name)
            return
        if parameters.inspectedPoint is None:
            parameters.inspectedPoint = addPoint()
        self._placement = PointPlacement(self._pointNode, self._onPlacementEnded)
        self._ui.inspectButton.text = messages.inspectButtonText(isPlacing=True)

    def _endPlacement(self) -> None:
        if self._placement is not None:
            self._placement.end()

    def _onPlacementEnded(self) -> None:
        self._placement = None
        showState(self._ui.inspectButton, checked=False)
        self._ui.inspectButton.text = messages.inspectButtonText(isPlacing=False)
        self._soon.start()

    def _onMoved(self, _caller: Any, _event: str) -> None:
        self._isMoved = True
        self._soon.start()

    def _settle(self) -> None:
        """Plot the cell if the point was moved; remove the point if placing it was given up."""
        point = keepNewest(self._pointNode)
        if point is not None and self._isMoved:
            self._isMoved = False
            self._ui.statusLabel.text = self._plot(point)
        elif point is None and self._placement is None:
            removePoint(self._pointNode)

    def _plot(self, point: tuple[float, float, float]) -> str:
        """Plot the cell at a point; return the sentence for the user."""
        parameters = self._getParameters()
        try:
            with slicer.util.WaitCursor():
                chart = self._logic.plotCell(
                    parameters.inputVolume,
                    point,
                    parameters.model,
                    parameters.region,
                    parameters.seed,
                    parameters.protocol,
                )
        except mednca.MedNCAError as error:
            return str(error)
        showChart(chart)
        return messages.cellPlotted()
