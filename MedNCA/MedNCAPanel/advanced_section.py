"""The section Advanced: the folder of the user's own models, and the way back to the defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from MedNCAScene.application.settings import modelsFolder, setModelsFolder

import MedNCALib as mednca

from . import messages
from .model_selector import ModelSelector
from .parameters import GetParameters, restoreDefaults


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
