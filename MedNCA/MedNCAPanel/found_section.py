"""What the panel shows of a model's finder: whether it runs, where it has looked, and what it had to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from MedNCAScene.derived_nodes import removeNodes
from MedNCAScene.results.found_boxes import boxesOf, findingOf, showBoxes

import MedNCALib as mednca
from MedNCALib.segmentation.options import FINDS

from . import messages
from .parameters import GetParameters, Parameters
from .qt_helpers import dot, showState, signalsBlocked

_WARNING = "#d9822b"  # visible on a light and on a dark background


class FoundSection:
    """The choice of finding, the button Show where it looked, and the notes below the status line.

    Args:
        ui: the panel's widgets.
        getParameters: returns the parameters, None while there are none.
        onChosen: called with the user's choice, one of `FINDS`.
    """

    def __init__(self, ui: Any, getParameters: GetParameters, onChosen: Callable[[str], None]) -> None:
        self._ui = ui
        self._getParameters = getParameters
        self._onChosen = onChosen
        self._model: mednca.Model | None = None
        self._isRunning = False
        with signalsBlocked(ui.findComboBox):
            for find in FINDS:
                ui.findComboBox.addItem(messages.findName(find), find)
        ui.findComboBox.connect("currentIndexChanged(int)", self._onFind)
        ui.foundButton.connect("clicked(bool)", self._onShow)

    def show(self, parameters: Parameters, model: mednca.Model | None, isRunning: bool) -> None:
        """Show what belongs to the parameters' segmentation and this model."""
        self._model, self._isRunning = model, isRunning
        canFind = model is not None and model.finder is not None
        for widget in (self._ui.findComboBox, self._ui.findLabel, self._ui.foundButton):
            widget.setVisible(canFind)
        showState(self._ui.findComboBox, currentIndex=FINDS.index(parameters.find))
        if model is not None and not canFind and parameters.find == "always":
            self._onChosen("auto")
        self.update()

    def update(self) -> None:
        """Show which boxes are in the scene now."""
        parameters, ui = self._getParameters(), self._ui
        if parameters is None:
            return
        finding = findingOf(parameters.outputSegmentation, parameters.model)
        boxes = boxesOf(parameters.model, parameters.inputVolume)
        showState(ui.foundButton, checked=bool(boxes))
        ui.foundButton.enabled = (finding is not None or bool(boxes)) and not self._isRunning
        ui.foundButton.toolTip = messages.foundTip(finding is not None, bool(boxes))
        notes = finding.notes if finding is not None and not self._isRunning else ()
        ui.notesLabel.text = "<br>".join(f"{dot(_WARNING)} {note}" for note in notes)
        ui.notesLabel.setVisible(bool(notes))

    def _onFind(self, index: int, *_args: Any) -> None:
        if index >= 0:
            self._onChosen(self._ui.findComboBox.itemData(index))

    def _onShow(self, isShown: bool, *_args: Any) -> None:
        parameters = self._getParameters()
        finding = findingOf(parameters.outputSegmentation, parameters.model)
        if isShown and finding is not None and self._model is not None:
            showBoxes(finding, self._model, parameters.inputVolume)
            self._ui.statusLabel.text = messages.boxesShown()
        else:
            removeNodes(boxesOf(parameters.model, parameters.inputVolume))
            self._ui.statusLabel.text = messages.boxesHidden()
        self.update()
