"""The section Heart: the volumes of a chamber over the beat, which slices count, and the plot."""

from __future__ import annotations

from typing import Any

import slicer
from MedNCAScene.inputs.sequence import browserOf
from MedNCAScene.node_watch import NodeWatch
from MedNCAScene.results.beat_table import (
    DIGITS,
    beatOf,
    beatTableOf,
    chartOf,
    measureAgain,
    setCountedSlices,
    showFrame,
)
from MedNCAScene.results.cell_plot import showChart

from MedNCALib import MedNCAError

from . import messages
from .parameters import Parameters
from .qt_helpers import showState
from .table_view import setUpTable, showTable


class BeatSection:
    """Shows the beat of the chosen volume, as the chosen model has found it; hidden if there is none.

    Args:
        ui: the panel's widgets.
    """

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._table: slicer.vtkMRMLTableNode | None = None
        self._browser = NodeWatch(self._onBrowser)
        self._shownFrame = -1
        self._kept = setUpTable(ui.beatTableView, DIGITS)
        ui.firstSliceSlider.connect("valueChanged(double)", self._onFirst)
        ui.lastSliceSlider.connect("valueChanged(double)", self._onLast)
        ui.beatMeasureButton.connect("clicked(bool)", self._onMeasure)
        ui.beatPlotButton.connect("clicked(bool)", self._onPlot)
        ui.beatCollapsibleButton.setVisible(False)

    def show(self, parameters: Parameters) -> None:
        """Show the beat that belongs to the parameters."""
        self._table = beatTableOf(parameters.inputVolume, parameters.model)
        self._ui.beatCollapsibleButton.setVisible(self._table is not None)
        self._browser.follow(browserOf(parameters.inputVolume) if self._table else None)
        self._onTable()

    def release(self) -> None:
        """Follow no node any more."""
        self._browser.follow(None)
        self._table = None

    def _update(self) -> None:
        showTable(self._ui.beatTableView, self._table)
        if self._table is None:
            return
        beat = beatOf(self._table)
        self._ui.beatLabel.text = messages.beatLine(beat)
        first, last, count = beat.slices
        for slider, value in ((self._ui.firstSliceSlider, first), (self._ui.lastSliceSlider, last)):
            showState(slider, minimum=1, maximum=count, value=value)

    def _onFirst(self, value: float, *_args: Any) -> None:
        self._count(int(value), max(int(value), int(self._ui.lastSliceSlider.value)))

    def _onLast(self, value: float, *_args: Any) -> None:
        self._count(min(int(value), int(self._ui.firstSliceSlider.value)), int(value))

    def _count(self, first: int, last: int) -> None:
        if self._table is not None:
            setCountedSlices(self._table, first, last)
            self._onTable()

    def _onMeasure(self, *_args: Any) -> None:
        if self._table is None:
            return
        try:
            measureAgain(self._table)
        except MedNCAError as error:
            self._ui.statusLabel.text = str(error)
            return
        self._onTable()

    def _onTable(self) -> None:
        """Show the figures of the table, which are new."""
        self._shownFrame = -1
        self._update()
        self._onBrowser()

    def _onPlot(self, *_args: Any) -> None:
        if self._table is not None:
            showChart(chartOf(self._table))

    def _onBrowser(self) -> None:
        """The plot marks the frame that is shown."""
        frame = self._browser.node.GetSelectedItemNumber() if self._browser.node is not None else -1
        if self._table is not None and frame not in (-1, self._shownFrame):
            self._shownFrame = frame
            showFrame(self._table, frame)
