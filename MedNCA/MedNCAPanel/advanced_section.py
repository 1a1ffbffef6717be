"""The section Advanced: the protocol, the folder of the user's own models, and the way back to the defaults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
from MedNCAScene.application.settings import modelsFolder, setModelsFolder

import MedNCALib as mednca
from MedNCALib.model.card import AUTO

from . import messages
from .model_selector import ModelSelector
from .parameters import GetParameters, restoreDefaults
from .qt_helpers import signalsBlocked


class ProtocolSelector:
    """The list of the protocols that a model knows; hidden for a model that knows only one.

    Args:
        comboBox: its items carry the names of the protocols as data, and their descriptions as tooltips.
        label: beside it.
        onChosen: called with the name of the chosen protocol, "auto" if the cells decide.
    """

    def __init__(self, comboBox: Any, label: Any, onChosen: Callable[[str], None]) -> None:
        self._comboBox = comboBox
        self._label = label
        self._onChosen = onChosen
        self._model: mednca.Model | None = None
        comboBox.connect("currentIndexChanged(int)", self._onIndex)

    def show(self, name: str, model: mednca.Model | None) -> None:
        """Show the choice; one that the model does not have is given up."""
        if model is not None and model is not self._model:
            self._model = model
            self._fill(model)
        for widget in (self._comboBox, self._label):
            widget.setVisible(model is not None and bool(model.card.protocols))
        index = self._comboBox.findData(name)
        with signalsBlocked(self._comboBox):
            self._comboBox.setCurrentIndex(max(0, index))
        self._comboBox.toolTip = self._comboBox.itemData(max(0, index), qt.Qt.ToolTipRole) or ""
        if model is not None and index < 0:
            self._onChosen(AUTO)

    def _fill(self, model: mednca.Model) -> None:
        with signalsBlocked(self._comboBox):
            self._comboBox.clear()
            self._comboBox.addItem(messages.asTheImageLooks(), AUTO)
            for protocol in model.card.protocols:
                self._comboBox.addItem(protocol.name, protocol.name)
        for index, choice in enumerate([None, *model.card.protocols]):
            self._comboBox.setItemData(index, messages.protocolTip(choice), qt.Qt.ToolTipRole)

    def _onIndex(self, index: int, *_args: Any) -> None:
        if index >= 0:
            self._onChosen(self._comboBox.itemData(index))


class AdvancedSection:
    """Offers the models of a folder, and restores the defaults.

    Args:
        ui: the panel's widgets.
        models: the list of models to fill.
        getParameters: returns the parameters, None while there are none.
    """

    def __init__(self, ui: Any, models: ModelSelector, getParameters: GetParameters) -> None:
        self._ui = ui
        self._models = models
        self._getParameters = getParameters
        ui.modelsFolderPathLineEdit.currentPath = modelsFolder() or ""
        # ctkPathLineEdit sends the first for a text that it takes for a path only, which an empty one is not.
        ui.modelsFolderPathLineEdit.connect("currentPathChanged(QString)", self._onFolder)
        ui.modelsFolderPathLineEdit.connect("validInputChanged(bool)", self._onValidInput)
        ui.defaultsButton.connect("clicked(bool)", self._onDefaults)

    def fillModels(self) -> None:
        """List the bundled models and those of the user's folder."""
        self._models.fill(mednca.list_models(modelsFolder()))

    def _onFolder(self, path: str, *_args: Any) -> None:
        # A path that is still being typed is not that of a folder.
        if path and not Path(path).is_dir():
            return
        setModelsFolder(path)
        self.fillModels()
        if self._getParameters():
            self._getParameters().Modified()

    def _onValidInput(self, isValid: bool, *_args: Any) -> None:
        if not isValid and not self._ui.modelsFolderPathLineEdit.currentPath:
            self._onFolder("")

    def _onDefaults(self, *_args: Any) -> None:
        self._ui.modelsFolderPathLineEdit.currentPath = ""
        self._onFolder("")
        restoreDefaults(self._getParameters())
        self._ui.statusLabel.text = messages.defaultsRestored()
