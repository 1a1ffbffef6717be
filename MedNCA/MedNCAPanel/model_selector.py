"""The list of models and the line below it."""

from slicer.i18n import tr as _

from .messages import modelLine


class ModelChoice:
    """Fills a combo box with models, and a label with what the card of the chosen one says.

    :param comboBox: its items carry the models' names as data.
    :param label: for a few lines of text.
    :param onChosen: called with the name of what the user has chosen.
    """

    def __init__(self, comboBox, label, onChosen):
        self._comboBox = comboBox
        self._label = label
        self._onChosen = onChosen
        self._models = {}
        comboBox.connect("currentIndexChanged(int)", self._onIndex)

    def fill(self, models) -> None:
        """Offer these models and choose none."""
        self._models = {model.name: model for model in models}
        self._comboBox.blockSignals(True)
        self._comboBox.clear()
        for model in models:
            self._comboBox.addItem(model.title, model.name)
        self._comboBox.blockSignals(False)

    def show(self, name: str) -> None:
        """Show a model as chosen, also one that is not there (a scene may come from another computer)."""
        self._comboBox.blockSignals(True)
        self._comboBox.setCurrentIndex(self._comboBox.findData(name))
        self._comboBox.blockSignals(False)
        model = self._models.get(name)
        self._label.text = (
            modelLine(model) if model else _("The model {name} is not installed: choose another.").format(name=name)
        )

    def get(self, name: str):
        """The model of this name, or None."""
        return self._models.get(name)

    def has(self, name: str) -> bool:
        return name in self._models

    def _onIndex(self, index, *_args) -> None:
        if index >= 0:
            self._onChosen(self._comboBox.itemData(index))
