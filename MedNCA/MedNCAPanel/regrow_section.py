"""The buttons for corrections: Regrow, Undo, Forget corrections."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import qt
import slicer
from MedNCAScene.node_watch import NodeWatch
from MedNCAScene.regrow_run import startOfCorrections, whyNotForgotten, whyNotRegrown
from MedNCAScene.results.kept_results import makerOf
from MedNCAScene.results.segments import EDIT_EVENTS

import MedNCALib as mednca

from . import messages
from .parameters import GetParameters, Parameters
from .qt_helpers import soon

KEY = "N"  # as in the Segment Editor


class RegrowSection:
    """Shows what can be done about corrections in the output, and does it.

    Args:
        ui: the panel's widgets.
        logic: the module's logic.
        getParameters: returns the parameters, None while there are none.
        onRegrow: called when the cells are to grow again.
    """

    def __init__(self, ui: Any, logic: Any, getParameters: GetParameters, onRegrow: Callable[[], None]) -> None:
        self._ui, self._logic, self._getParameters = ui, logic, getParameters
        self._isRunning = False
        self._soon = soon(self._update)
        self._watch = NodeWatch(self._soon.start, EDIT_EVENTS)  # one stroke, or one result, is many events
        self._onRegrow = onRegrow
        ui.regrowButton.connect("clicked(bool)", lambda *_args: onRegrow())
        ui.undoButton.connect("clicked(bool)", self._onUndo)
        ui.forgetButton.connect("clicked(bool)", self._onForget)
        ui.editButton.connect("clicked(bool)", self._onEdit)
        self._shortcut = qt.QShortcut(qt.QKeySequence(KEY), ui.statusLabel)  # seen with the panel, and always enabled
        self._shortcut.connect("activated()", self._onKey)

    def show(self, parameters: Parameters, isRunning: bool) -> None:
        """Follow the segmentation of the parameters."""
        node = parameters.outputSegmentation
        self._isRunning = isRunning
        self._watch.follow(node.GetSegmentation() if node else None)
        self._update()

    def release(self) -> None:
        """Follow no segmentation any more."""
        self._watch.follow(None)
        self._soon.stop()

    def steps(self) -> Generator[mednca.Step, None, slicer.vtkMRMLSegmentationNode]:
        """Regrowing with the parameters as they are now."""
        parameters = self._getParameters()
        return self._logic.regrowSteps(
            parameters.outputSegmentation,
            parameters.inputVolume,
            self.modelName,
            runs=parameters.runs if parameters.uncertainty else 1,
            seed=parameters.seed,
            engine=parameters.engine,
            threads=parameters.threads or None,
            allCells=parameters.allCells,
            showWhileRunning=parameters.showWhileRunning,
        )

    @property
    def modelName(self) -> str:
        """The model that has made the segments, else the chosen one."""
        parameters = self._getParameters()
        return makerOf(parameters.outputSegmentation) or parameters.model

    def _update(self) -> None:
        parameters, ui = self._getParameters(), self._ui
        if parameters is None:
            return
        node = parameters.outputSegmentation
        reason = whyNotRegrown(node, parameters.inputVolume, self.modelName)
        forgotten = whyNotForgotten(node)
        canUndo = self._logic.regrowHistory.canUndo(node)
        ui.regrowButton.enabled = not self._isRunning and not reason
        ui.regrowButton.toolTip = messages.regrowTip(False, reason)
        ui.forgetButton.enabled = not self._isRunning and not forgotten
        ui.forgetButton.toolTip = messages.forgetTip(forgotten)
        ui.undoButton.enabled = not self._isRunning and canUndo
        ui.undoButton.toolTip = messages.undoRegrowTip(canUndo)

    def _onKey(self, *_args: Any) -> None:
        """The key says why nothing happens, which the tooltip of a button does for the mouse."""
        if self._ui.regrowButton.enabled:
            self._onRegrow()
        elif self._getParameters() is not None and not self._isRunning:
            self._ui.statusLabel.text = self._ui.regrowButton.toolTip

    def _onUndo(self, *_args: Any) -> None:
        node = self._getParameters().outputSegmentation
        self._do(lambda: self._logic.undoRegrow(node), messages.regrowUndone())

    def _onForget(self, *_args: Any) -> None:
        parameters = self._getParameters()
        node, volumeNode = parameters.outputSegmentation, parameters.inputVolume
        self._do(lambda: self._logic.forgetCorrections(node, volumeNode), messages.forgotten())

    def _do(self, change: Callable[[], None], line: str) -> None:
        try:
            change()
            self._ui.statusLabel.text = line
        except mednca.MedNCAError as error:
            self._ui.statusLabel.text = str(error)
        self._getParameters().Modified()  # the tables may show other volumes

    def _onEdit(self, *_args: Any) -> None:
        """Edits count from now on, also of a segmentation from elsewhere."""
        parameters = self._getParameters()
        if parameters is not None:
            startOfCorrections(parameters.outputSegmentation, parameters.inputVolume, self.modelName)
