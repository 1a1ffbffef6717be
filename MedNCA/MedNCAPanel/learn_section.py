"""The section Learn: its parts put together, and what the buttons may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from MedNCAScene.learning.choices import AUTO, presetNames
from MedNCAScene.learning.workplace import begunTrainings, canContinue
from MedNCAScene.training_run import TrainedModel

import MedNCALib as mednca
from MedNCALib.model.model_archive import checked_name

from . import learn_messages as messages
from .learn_cases import CasesEditor
from .learn_models import ModelButtons
from .learn_torch import TorchInstaller
from .learn_training import TrainingDriver
from .parameters import Parameters
from .qt_helpers import fillChoices

_NEW_NAME = "my-model"


class LearnSection:
    """Teaches a model with the user's own cases.

    Args:
        ui: the panel's widgets.
        logic: the module's logic.
        model: returns the chosen model, or None.
        models: returns all models by their names.
        chooseModel: lists the models anew and chooses the one of this name; None chooses the default.
    """

    def __init__(
        self,
        ui: Any,
        logic: Any,
        model: Callable[[], mednca.Model | None],
        models: Callable[[], dict[str, mednca.Model]],
        chooseModel: Callable[[str | None], None],
    ) -> None:
        self._ui = ui
        self._logic = logic
        self._models = models
        self._chooseModel = chooseModel
        self._isStopping = False
        self._training = TrainingDriver(ui, logic, self._onTraining, self._onTrained)
        self._buttons = ModelButtons(ui, model, chooseModel)
        self._torch = TorchInstaller(ui, self.update)
        self._cases = CasesEditor(ui, self.update)
        self._fillChoices()
        ui.learnStartButton.connect("clicked(bool)", self._onStart)
        ui.learnProposeButton.connect("clicked(bool)", self._onPropose)
        ui.learnContinueButton.connect("clicked(bool)", self._onContinue)
        ui.learnNameLineEdit.connect("textChanged(QString)", self._onSomething)
        ui.learnMinutesSpinBox.connect("valueChanged(int)", self._onSomething)
        ui.learnStartComboBox.connect("currentIndexChanged(int)", self._onSomething)
        ui.learnSourceComboBox.connect("currentIndexChanged(int)", self._onSource)
        ui.learnCollapsibleButton.connect("contentsCollapsed(bool)", self._onCollapsed)
        self._nameAsBegun()

    @property
    def isOn(self) -> bool:
        """Whether a training is on."""
        return self._training.isOn

    def show(self, _parameters: Parameters) -> None:
        """Show what there is to learn from now."""
        self._fillModels()
        if not self._ui.learnCollapsibleButton.collapsed:
            self._cases.follow()
        self.update()

    def release(self) -> None:
        """Follow no node any more; a training goes on."""
        self._cases.release()

    def forgetScene(self) -> None:
        """The scene is being closed."""
        self._training.forgetScene()

    def end(self) -> None:
        """End the training that is on, if any; its checkpoint stays."""
        self._training.end()

    def update(self) -> None:
        """Show which buttons can be used, and why the others cannot."""
        ui, name, missing = self._ui, self._name, self._missing()
        isOn = self.isOn
        ui.learnStartButton.text = messages.startText(isOn)
        ui.learnStartButton.enabled = not self._isStopping if isOn else not missing
        ui.learnStartButton.toolTip = messages.startTip(isOn, missing)
        canGoOn = bool(name) and canContinue(name)
        ui.learnContinueButton.enabled = canGoOn and not isOn and not self._torch.missing
        ui.learnContinueButton.toolTip = messages.continueTip(name, canGoOn, self._torch.missing)
        ui.learnPlotButton.enabled = self._training.canPlot
        wrong = "" if isOn else self._wrongName()
        ui.learnExpectLabel.text = wrong or messages.expectation(
            ui.learnMinutesSpinBox.value, self._cases.count, bool(ui.learnStartComboBox.currentData)
        )
        self._torch.update()
        self._buttons.update()

    @property
    def _name(self) -> str:
        return str(self._ui.learnNameLineEdit.text).strip()

    def _missing(self) -> str:
        """Why a training cannot start, in sentences; empty if it can."""
        in_the_way = [finding.text for finding in self._cases.findings if finding.isInTheWay]
        return " ".join(text for text in (self._torch.missing, *in_the_way, self._wrongName()) if text)

    def _wrongName(self) -> str:
        """Why there can be no model of the name, in a sentence; empty if there can."""
        if not self._name:
            return messages.nameMissing()
        if self._name.casefold() in {name.casefold() for name in self._models()}:
            return messages.nameTaken(self._name, canContinue(self._name))
        try:
            checked_name(self._name)
        except mednca.MedNCAError as error:
            return str(error)
        return ""

    def _fillChoices(self) -> None:
        ui = self._ui
        for box, choices in (
            (ui.learnSlicesComboBox, messages.sliceNames()),
            (ui.learnSidesComboBox, {str(key): text for key, text in messages.sideNames().items()}),
            (ui.learnPresetComboBox, {name: name for name in presetNames()}),
        ):
            box.addItem(messages.automatic(), "")
            for data, text in choices.items():
                box.addItem(text, data)

    def _fillModels(self) -> None:
        """What is chosen stays chosen as long as it is there."""
        choices = [
            (messages.nothing(), ""),
            *((messages.adapt(model), name) for name, model in self._models().items()),
        ]
        fillChoices(self._ui.learnStartComboBox, choices)

    def _nameAsBegun(self) -> None:
        """Offer to go on with what has not come to its end."""
        begun = begunTrainings()
        name = begun[0] if begun else ""
        self._ui.learnNameLineEdit.text = name or _NEW_NAME
        if name:
            self._ui.learnStatusLabel.text = messages.begunBefore(name)

    def _onSomething(self, *_args: Any) -> None:
        self.update()

    def _onSource(self, *_args: Any) -> None:
        """Corrections are for the model that they correct."""
        corrected = self._cases.correctedModel()
        index = self._ui.learnStartComboBox.findData(corrected) if corrected else -1
        if index >= 0:
            self._ui.learnStartComboBox.setCurrentIndex(index)
            if self._name == _NEW_NAME:
                self._ui.learnNameLineEdit.text = f"{corrected}-adapted"

    def _onCollapsed(self, isCollapsed: bool) -> None:
        if not isCollapsed:
            self._cases.follow()

    def _onPropose(self, *_args: Any) -> None:
        """Say what the cases suggest; that takes seconds for large volumes."""
        try:
            with slicer.util.WaitCursor():
                sentences = self._cases.proposal(self._models().get(self._ui.learnStartComboBox.currentData))
        except mednca.MedNCAError as error:
            sentences = (str(error),)
        self._ui.learnProposalLabel.text = "\n".join(sentences)

    def _onStart(self, *_args: Any) -> None:
        if self.isOn:
            self._isStopping = True
            self._training.stop()
            return
        if canContinue(self._name) and not slicer.util.confirmYesNoDisplay(
            messages.startAnewQuestion(self._name), windowTitle="MedNCA"
        ):
            return
        self._buttons.forget()
        ui, cases, name = self._ui, self._cases.pairs(), self._name
        mirror = ui.learnSidesComboBox.currentData
        steps = self._logic.trainSteps(
            cases,
            name,
            minutes=ui.learnMinutesSpinBox.value,
            startFrom=ui.learnStartComboBox.currentData or None,
            preset=ui.learnPresetComboBox.currentData or AUTO,
            slices=ui.learnSlicesComboBox.currentData or None,
            mirror=mirror == str(True) if mirror else None,
            waitMs=0,
            **self._cases.naming(),
            **self._buttons.description(),
        )
        self._training.start(steps, name, cases)

    def _onContinue(self, *_args: Any) -> None:
        self._buttons.forget()
        name = self._name
        steps = self._logic.continueTrainingSteps(name, waitMs=0)
        self._training.start(steps, name, self._cases.pairs())

    def _onTraining(self) -> None:
        if not self.isOn:
            self._isStopping = False
        self.update()

    def _onTrained(self, trained: TrainedModel) -> None:
        self._chooseModel(trained.model.name)
        self._buttons.show(trained)
