"""The part of the panel that is seldom needed: the folder of the user's own models, and the way back to defaults."""

import os

from slicer.i18n import tr as _

from .parameters import restoreDefaults


class AdvancedSection:
    """Offers the models of a folder, and restores the defaults.

    :param ui: the panel's widgets.
    :param models: the `ModelChoice` to fill.
    :param getParameters: returns the parameters, None while there are none.
    """

    def __init__(self, ui, models, getParameters):
        from MedNCAScene.application.settings import modelsFolder

        self._ui = ui
        self._models = models
        self._getParameters = getParameters
        ui.modelsFolderPathLineEdit.currentPath = modelsFolder() or ""
        ui.modelsFolderPathLineEdit.connect("currentPathChanged(QString)", self._onFolder)
        ui.defaultsButton.connect("clicked(bool)", self._onDefaults)

    def fillModels(self) -> None:
        """List the bundled models and those of the user's folder."""
        from MedNCAScene import engine
        from MedNCAScene.application.settings import modelsFolder

        self._models.fill(engine.list_models(modelsFolder()))

    def _onFolder(self, path, *_args) -> None:
        from MedNCAScene.application.settings import setModelsFolder

        # While a path is being typed it is not that of a folder yet.
        if path and not os.path.isdir(path):
            return
        setModelsFolder(path)
        self.fillModels()
        if self._getParameters():
            self._getParameters().Modified()

    def _onDefaults(self, *_args) -> None:
        self._ui.modelsFolderPathLineEdit.currentPath = ""
        restoreDefaults(self._getParameters())
        self._ui.statusLabel.text = _("The defaults are restored.")
