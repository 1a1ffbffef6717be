"""The button that lets the user place a point on a cell, and the plot that follows the point."""

import qt
import slicer
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin


class CellInspector(VTKObservationMixin):
    """Plots what the cell at a point goes through, with the parameters of the panel.

    The button is down while the next click into a view places the point. There is one point, which may be dragged: the
    plot is made anew at the end of the drag.

    :param ui: the panel's widgets.
    :param logic: the module's logic.
    :param getParameters: returns the parameters, None while there are none.
    """

    def __init__(self, ui, logic, getParameters):
        VTKObservationMixin.__init__(self)
        self._ui = ui
        self._logic = logic
        self._getParameters = getParameters
        self._pointNode = self._placement = None
        self._isMoved = False
        # A view calls while it still handles the mouse: it is let finish before anything is done.
        self._soon = qt.QTimer()
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.connect("timeout()", self._settle)
        ui.inspectButton.connect("toggled(bool)", self._onToggled)

    def show(self, parameters, isRunning: bool) -> None:
        """Follow the point of the parameters."""
        canInspect = parameters.inputVolume is not None and not isRunning
        self._follow(parameters.inspectedPoint)
        if not canInspect:
            self._endPlacement()
        self._ui.inspectButton.enabled = canInspect

    def release(self) -> None:
        """Follow no point any more, and place none."""
        self._follow(None)

    def _follow(self, pointNode) -> None:
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

    def _onToggled(self, isDown, *_args) -> None:
        from MedNCAScene.inputs.inspection_point import PointPlacement, addPoint

        if not isDown:
            self._endPlacement()
            return
        parameters = self._getParameters()
        if parameters.inspectedPoint is None:
            parameters.inspectedPoint = addPoint()
        self._placement = PointPlacement(self._pointNode, self._onPlacementEnded)
        self._ui.inspectButton.text = _("Click a cell in a slice view, or sto&p")

    def _endPlacement(self) -> None:
        if self._placement is not None:
            self._placement.end()

    def _onPlacementEnded(self) -> None:
        self._placement = None
        button = self._ui.inspectButton
        button.blockSignals(True)
        button.checked = False
        button.blockSignals(False)
        button.text = _("Ins&pect a cell")
        self._soon.start()

    def _onMoved(self, caller, event) -> None:
        self._isMoved = True
        self._soon.start()

    def _settle(self) -> None:
        from MedNCAScene.inputs.inspection_point import keepNewest

        point = keepNewest(self._pointNode)
        if point is not None and self._isMoved:
            self._isMoved = False
            self._ui.statusLabel.text = self._plot(point)
        elif point is None and self._placement is None:
            slicer.mrmlScene.RemoveNode(self._pointNode)

    def _plot(self, point) -> str:
        """Plot the cell at a point; return what to tell the user."""
        from MedNCAScene.results.cell_plot import showChart

        from MedNCALib import MedNCAError

        parameters = self._getParameters()
        try:
            with slicer.util.WaitCursor():
                chart = self._logic.plotCell(
                    parameters.inputVolume, point, parameters.model, parameters.region, parameters.seed
                )
        except MedNCAError as error:
            return str(error)
        showChart(chart)
        return _("The plot shows the cell at the point. Drag the point to see another.")
