"""The list of models and the lines below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import MedNCALib as mednca

from . import messages
from .qt_helpers import signalsBlocked


class ModelSelector:
    """Fills a combo box with models, and a label with the card of the chosen one.

    Args:
        comboBox: its items carry the models' names as data.
        label: for a few lines of text.
        onChosen: called with the name of the model that the user has chosen.
    """

    def __init__(self, comboBox: Any, label: Any, onChosen: Callable[[str], None]) -> None:
        self._comboBox = comboBox
        self._label = label
        self._onChosen = onChosen
        self._models: dict[str, mednca.Model] = {}
        comboBox.connect("currentIndexChanged(int)", self._onIndex)

    def fill(self, models: Iterable[mednca.Model]) -> None:
        """Offer these models and choose none."""
        self._models = {model.name: model for model in models}
        with signalsBlocked(self._comboBox):
            self._comboBox.clear()
            for model in self._models.values():
                self._comboBox.addItem(model.title, model.name)

    def show(self, name: str) -> None:
        """Show a model as chosen, also one that is not there (a scene may come from another computer)."""
        with signalsBlocked(self._comboBox):
            self._comboBox.setCurrentIndex(self._comboBox.findData(name))
        model = self.get(name)
        self._label.text = messages.modelLine(model) if model else messages.modelMissing(name)

    def all(self) -> dict[str, mednca.Model]:
        """The models that are offered, by their names."""
        return dict(self._models)

    def get(self, name: str) -> mednca.Model | None:
        """The model of this name, or None."""
        return self._models.get(name)

    def _onIndex(self, index: int, *_args: Any) -> None:
        if index >= 0:
            self._onChosen(self._comboBox.itemData(index))
