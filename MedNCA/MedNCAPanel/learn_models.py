"""The end of the section Learn: how well a model does, what its card says, and the way out and in as a zip file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from MedNCAScene.application.settings import isOwnModel, ownModelsFolder
from MedNCAScene.learning.held_out import HeldOut
from MedNCAScene.training_run import TrainedModel, describe, removeOwnModel

import MedNCALib as mednca
from MedNCALib.model.model_archive import add_model, export_model

from . import learn_messages as messages

_DESCRIPTION = ("learnDataLineEdit", "learnLicenceLineEdit", "learnLimitsLineEdit")


class ModelButtons:
    """The result of a training, and Export, Add and Remove.

    Args:
        ui: the panel's widgets.
        model: returns the chosen model, or None.
        onModels: called with the name of the model to choose when there are others; None for the default.
    """

    def __init__(
        self, ui: Any, model: Callable[[], mednca.Model | None], onModels: Callable[[str | None], None]
    ) -> None:
        self._ui = ui
        self._model = model
        self._onModels = onModels
        self._trained = ""  # name of the model whose card the description goes to
        for name in _DESCRIPTION:
            getattr(ui, name).connect("editingFinished()", self._onDescribed)
        ui.learnExportButton.connect("clicked(bool)", self._onExport)
        ui.learnAddButton.connect("clicked(bool)", self._onAdd)
        ui.learnRemoveButton.connect("clicked(bool)", self._onRemove)
        ui.learnPictureLabel.setVisible(False)
        ui.learnResultLabel.setVisible(False)

    def update(self) -> None:
        """Show what can be done with the chosen model."""
        model = self._model()
        isOwn = model is not None and isOwnModel(model)
        self._ui.learnExportButton.enabled = model is not None
        self._ui.learnRemoveButton.enabled = isOwn
        self._ui.learnRemoveButton.toolTip = messages.removeTip(isOwn)

    def description(self) -> dict[str, str]:
        """What the user says of the model, as arguments of `MedNCALogic.train`."""
        data, licence, limits = (getattr(self._ui, name).text for name in _DESCRIPTION)
        return {"data": data, "licence": licence, "limits": limits}

    def forget(self) -> None:
        """Another training begins: what the user says is of that model, and is written when it is there."""
        self._trained = ""
        self._ui.learnResultLabel.setVisible(False)
        self._ui.learnPictureLabel.setVisible(False)

    def show(self, trained: TrainedModel) -> None:
        """Show what has come of a training."""
        self._trained = trained.model.name
        self._ui.learnResultLabel.text = messages.resultText(trained)
        self._ui.learnResultLabel.setVisible(True)
        picture = _picture(trained.heldOut, self._ui.learnChecksLabel.width) if trained.heldOut else None
        if picture is not None:
            self._ui.learnPictureLabel.setPixmap(picture)
        self._ui.learnPictureLabel.setVisible(picture is not None)

    def _onDescribed(self, *_args: Any) -> None:
        if not self._trained:
            return
        try:
            describe(self._trained, **self.description())
        except mednca.MedNCAError as error:
            self._say(str(error))
            return
        self._onModels(self._trained)

    def _onExport(self, *_args: Any) -> None:
        model = self._model()
        if model is None:
            self._say(messages.noModel())
            return
        path = qt.QFileDialog.getSaveFileName(
            slicer.util.mainWindow(), messages.exportTitle(), f"{model.name}.zip", messages.modelFilter()
        )
        if path:
            self._try(lambda: messages.exported(str(export_model(model, Path(path).with_suffix(".zip")))))

    def _onAdd(self, *_args: Any) -> None:
        path = qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), messages.addTitle(), "", messages.addFilter())
        if not path:
            return
        source = Path(path).parent if Path(path).name == "card.json" else Path(path)

        def add() -> str:
            model = add_model(source, ownModelsFolder())
            self._onModels(model.name)
            return messages.added(model.name)

        self._try(add)

    def _onRemove(self, *_args: Any) -> None:
        model = self._model()
        if model is None or not slicer.util.confirmYesNoDisplay(
            messages.removeQuestion(model.name), windowTitle="MedNCA"
        ):
            return

        def remove() -> str:
            removeOwnModel(model)
            self._onModels(None)
            if model.name == self._trained:
                self.forget()
            return messages.removed(model.name)

        self._try(remove)

    def _try(self, action: Callable[[], str]) -> None:
        try:
            self._say(action())
        except mednca.MedNCAError as error:
            self._say(str(error))

    def _say(self, text: str) -> None:
        self._ui.learnStatusLabel.text = text


def _picture(heldOut: HeldOut, width: int) -> Any:
    """The first case that was kept aside: as it was drawn, and below as the model finds it."""
    parts = [qt.QPixmap(str(path)) for path in heldOut.pictures[0]]
    if any(part.isNull() for part in parts):
        return None
    parts = [part.scaledToWidth(max(200, width), qt.Qt.SmoothTransformation) for part in parts]
    whole = qt.QPixmap(parts[0].width(), parts[0].height() + parts[1].height() + 4)
    whole.fill(qt.QColor("#5a5a5a"))
    painter = qt.QPainter(whole)
    painter.drawPixmap(0, 0, parts[0])
    painter.drawPixmap(0, parts[0].height() + 4, parts[1])
    painter.end()
    return whole
