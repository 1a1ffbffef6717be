"""The button that plots what the cell under the crosshair goes through."""

import slicer
from slicer.i18n import tr as _


class InspectButton:
    """Plots a cell with the parameters of the panel.

    :param ui: the panel's widgets.
    :param logic: the module's logic.
    :param getParameters: returns the parameters, None while there are none.
    """

    def __init__(self, ui, logic, getParameters):
        self._ui = ui
        self._logic = logic
        self._getParameters = getParameters
        ui.inspectButton.connect("clicked(bool)", self._onClicked)

    def show(self, parameters, isRunning: bool) -> None:
        self._ui.inspectButton.enabled = parameters.inputVolume is not None and not isRunning

    def _onClicked(self, *_args) -> None:
        self._ui.statusLabel.text = self._plot()

    def _plot(self) -> str:
        """Plot the cell; return what to tell the user."""
        from MedNCAScene.plots import showChart
        from MedNCAScene.region import crosshairIn

        from MedNCALib import MedNCAError

        parameters = self._getParameters()
        point = crosshairIn(parameters.inputVolume)
        if point is None:
            return _("First place the crosshair: hold Shift and move the mouse over the volume in a slice view.")
        try:
            with slicer.util.WaitCursor():
                chart = self._logic.plotCell(
                    parameters.inputVolume, point, parameters.model, parameters.region, parameters.seed
                )
        except MedNCAError as error:
            return str(error)
        showChart(chart)
        return _("The chart {name} shows the cell under the crosshair.").format(name=chart.GetName())
