"""The binding of widgets to the parameters that they show."""

from __future__ import annotations

from typing import Any

from MedNCAScene.inputs.volumes import INPUT_CLASSES

from .parameters import Parameters


class GuiBinding:
    """Binds the widgets that name a parameter to it, until `end`.

    The disconnectGui of Slicer 5.10 keeps the observer that connectGui has added, and with it the parameters. A node
    numbers its observers, so the numbers before and after show which ones to remove.

    Args:
        parameters: the parameters.
        ui: the panel's widgets.
    """

    def __init__(self, parameters: Parameters, ui: Any) -> None:
        self._parameters = parameters
        chosen = parameters.inputVolume
        first = self._nextObserver()
        self._guiTag = parameters.connectGui(ui)
        self._observers = range(first, self._nextObserver())
        # connectGui lets the selector list nodes of the parameter's own class alone, and so drops one of another class.
        ui.inputSelector.nodeTypes = INPUT_CLASSES
        parameters.inputVolume = chosen

    def end(self) -> None:
        """Bind the widgets no more."""
        self._parameters.disconnectGui(self._guiTag)
        for observer in self._observers:
            self._parameters.RemoveObserver(observer)

    def _nextObserver(self) -> int:
        tag = self._parameters.AddObserver("UserEvent", lambda *_args: None)
        self._parameters.RemoveObserver(tag)
        return tag + 1
