"""Progress bar and status line: they show the run that is on, and how it ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable
from typing import Any

import slicer

import MedNCALib as mednca

from . import messages
from .event_loop_run import EventLoopRun

# Of what a run returns and its duration in seconds: what the status line says then.
OnResult = Callable[[Any, float], str]


def _nothingToSay(_result: Any, _seconds: float) -> str:
    return ""


def _nothingToDo() -> None:
    pass


class RunSection:
    """Starts, shows and ends runs, one at a time.

    Args:
        progressBar: from 0 to 100, visible during a run.
        statusLabel: says in one sentence how far the run is, and afterwards how it ended.
        onChanged: called without arguments when a run has begun and when it is over.
    """

    def __init__(self, progressBar: Any, statusLabel: Any, onChanged: Callable[[], None]) -> None:
        self._progressBar = progressBar
        self._statusLabel = statusLabel
        self._onChanged = onChanged
        self._onResult: OnResult = _nothingToSay
        self._onNoResult: Callable[[], None] = _nothingToDo
        self._run = EventLoopRun(self._onStep, self._onDone, self._onFailed)
        self._nodes: list[tuple[slicer.vtkMRMLNode, str]] = []
        self._cancelledLine = ""
        progressBar.setVisible(False)
        statusLabel.text = ""

    @property
    def isRunning(self) -> bool:
        return self._run.isOn

    def start(
        self,
        steps: Generator[mednca.Step, None, Any],
        nodes: Iterable[slicer.vtkMRMLNode],
        onResult: OnResult,
        onNoResult: Callable[[], None] = _nothingToDo,
        cancelledLine: str | None = None,
    ) -> None:
        """Start a run.

        Args:
            steps: generator of the steps.
            nodes: the run is cancelled when one of them leaves the scene.
            onResult: called if the run has ended well, with what the generator returns and the duration in seconds;
                returns what the status line says then.
            onNoResult: called if the run was cancelled or has failed.
            cancelledLine: what the status line says if the user cancels it; None for a run that leaves nothing then.
        """
        self._nodes = [(node, node.GetName()) for node in nodes]
        self._onResult, self._onNoResult = onResult, onNoResult
        self._cancelledLine = cancelledLine or messages.cancelled()
        self._run.start(steps)
        self._progressBar.value = 0
        self._progressBar.setVisible(True)
        self._statusLabel.text = messages.preparing()
        self._onChanged()

    def cancel(self, message: str = "") -> None:
        """End the run that is on, if any; the scene stays as it was before what is not finished."""
        if self.isRunning:
            self._run.cancel()
            self._onNoResult()
            self._end(message)

    def cancelByUser(self) -> None:
        """End the run that is on, and say so."""
        self.cancel(self._cancelledLine)

    def cancelIfDeleted(self) -> None:
        """End the run that is on if one of its nodes is not in the scene any more."""
        deleted = [name for node, name in self._nodes if node.GetScene() is None]
        if deleted:
            self.cancel(messages.cancelledByDeletion(deleted))

    def _onStep(self, step: mednca.Step, secondsLeft: float | None) -> None:
        self._progressBar.value = int(100 * step.fraction)
        self._statusLabel.text = messages.progressLine(step, secondsLeft)

    def _onDone(self, result: Any, seconds: float) -> None:
        onResult = self._onResult
        self._end()
        self._statusLabel.text = onResult(result, seconds)

    def _onFailed(self, error: Exception) -> None:
        """Show the sentence of an error that the user can do something about; log the trace of any other."""
        if isinstance(error, mednca.MedNCAError):
            message = str(error)
        else:
            logging.error("MedNCA: the run failed", exc_info=error)
            message = messages.defect(error)
        self._onNoResult()
        self._end(message)
        # The panel may not be on the screen any more.
        slicer.util.showStatusMessage(message, 5000)

    def _end(self, message: str = "") -> None:
        self._nodes = []
        self._onResult, self._onNoResult = _nothingToSay, _nothingToDo  # nothing of the run is held any more
        self._progressBar.setVisible(False)
        self._statusLabel.text = message
        self._onChanged()
