"""Start, Stop and Continue of the section Learn: the training as it goes on, its plot, and its present result."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

import slicer
from MedNCAScene.display.learning_preview import LearningPreview
from MedNCAScene.learning.cases import LearningCase, fileNames, isInScene
from MedNCAScene.learning.history import History, Preview, TrainingStep
from MedNCAScene.learning.workplace import labelsInWork
from MedNCAScene.results.cell_plot import showChart
from MedNCAScene.results.learning_plot import curvesOf, writeCurves
from MedNCAScene.training_run import TrainedModel

import MedNCALib as mednca

from . import learn_messages as messages
from .event_loop_run import EventLoopRun

_INTERVAL_MS = 100  # between two looks at the process
_LOOKING = ("starting", "training", "ending")  # the phases in which it is that which works


class TrainingDriver:
    """Shows a training that the logic drives step by step, one at a time.

    Args:
        ui: the panel's widgets.
        logic: the module's logic.
        onChanged: called without arguments when a training has begun and when it is over.
        onTrained: called with the model that has come of it.
    """

    def __init__(
        self, ui: Any, logic: Any, onChanged: Callable[[], None], onTrained: Callable[[TrainedModel], None]
    ) -> None:
        self._ui = ui
        self._logic = logic
        self._onChanged = onChanged
        self._onTrained = onTrained
        self._run = EventLoopRun(self._onStep, self._onDone, self._onFailed)
        self._preview = LearningPreview()
        self._previewed: Preview | None = None
        self._history = History()
        self._name = ""
        self._cases: dict[str, LearningCase] = {}
        ui.learnProgressBar.setVisible(False)
        ui.learnPlotButton.connect("clicked(bool)", self._onPlot)
        ui.learnPreviewCheckBox.connect("toggled(bool)", self._onPreviewToggled)

    @property
    def isOn(self) -> bool:
        return self._run.isOn

    @property
    def canPlot(self) -> bool:
        """Whether the latest training has said anything that can be plotted."""
        return bool(self._history.losses or self._history.validations)

    def start(self, steps: Generator[TrainingStep, None, TrainedModel], name: str, cases: Any) -> None:
        """Start a training.

        Args:
            steps: of the logic.
            name: of the model.
            cases: that it learns from, to be shown; folders are read when they are shown.
        """
        self._name, self._history, self._previewed = name, History(), None
        chosen = [case for case in cases if isinstance(case, LearningCase)]
        self._cases = dict(zip(fileNames(chosen), chosen))
        self._run.start(steps)
        self._ui.learnProgressBar.value = 0
        self._ui.learnProgressBar.setVisible(True)
        self._ui.learnStatusLabel.text = ""
        self._onChanged()

    def stop(self) -> None:
        """Have the training end with the best model so far."""
        self._logic.stopTraining()
        self._ui.learnStatusLabel.text = messages.stopping()
        self._onChanged()

    def end(self) -> None:
        """End the training at once, for good; its checkpoint stays."""
        self._run.cancel()
        self._preview.remove()

    def forgetScene(self) -> None:
        """The scene is being closed: the training goes on, what is shown of it goes."""
        self._preview.forget()
        self._cases = {}

    def _onStep(self, step: TrainingStep, _secondsLeft: float | None) -> None:
        self._history = step.history
        self._run.setInterval(_INTERVAL_MS if step.phase in _LOOKING else 0)
        self._ui.learnProgressBar.value = int(100 * step.fraction)
        self._ui.learnStatusLabel.text = messages.stepLine(step)
        if step.isNew:
            if curvesOf(self._name) is not None:
                self._write()
            self._ui.learnPlotButton.enabled = self.canPlot
            self._showPreview()

    def _onDone(self, trained: TrainedModel, _seconds: float) -> None:
        self._over(messages.endedLine(trained))
        self._onTrained(trained)

    def _onFailed(self, error: Exception) -> None:
        if isinstance(error, mednca.MedNCAError):
            message = str(error)
        else:
            logging.error("MedNCA: the training failed", exc_info=error)
            message = messages.defect(error)
        self._over(message)

    def _over(self, message: str) -> None:
        self._preview.remove()
        self._ui.learnProgressBar.setVisible(False)
        self._ui.learnStatusLabel.text = message
        slicer.util.showStatusMessage(message, 5000)  # the panel may not be on the screen any more
        self._onChanged()

    def _onPlot(self, *_args: Any) -> None:
        if self.canPlot:
            showChart(self._write())
        else:
            self._ui.learnStatusLabel.text = messages.plotMissing()

    def _write(self) -> Any:
        validations = [(each.batch, each.whole, each.dice) for each in self._history.validations]
        return writeCurves(self._name, self._history.losses, validations)

    def _onPreviewToggled(self, isShown: bool, *_args: Any) -> None:
        self._previewed = None
        if isShown and self.isOn:
            self._showPreview()
        else:
            self._preview.remove()

    def _showPreview(self) -> None:
        """Show the latest result on a case that is kept aside; one that cannot be read is not worth a word."""
        latest = self._history.preview
        if latest is None or latest == self._previewed or not self._ui.learnPreviewCheckBox.checked:
            return
        self._previewed = latest
        case = self._cases.get(latest.case)
        volumeNode = case.volumeNode if case is not None and isInScene(case) else None
        try:
            self._preview.show(latest.case, latest.image, latest.labels, labelsInWork(self._name), volumeNode)
        except (mednca.MedNCAError, OSError) as error:
            logging.warning(f"MedNCA: the present result cannot be shown: {error}")
