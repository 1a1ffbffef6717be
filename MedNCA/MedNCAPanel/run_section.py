"""The part of the panel that a run shows itself in: progress bar and the line below it."""

import logging

import slicer
from slicer.i18n import tr as _

from .event_loop_run import Run
from .messages import doneLine, progressLine


class RunSection:
    """Starts, shows and ends runs, one at a time.

    :param progressBar: from 0 to 100, visible during a run.
    :param statusLabel: where the run stands, and afterwards what came of it, in one sentence.
    :param onChanged: called without arguments when a run has begun and when it is over.
    """

    def __init__(self, progressBar, statusLabel, onChanged):
        self._progressBar = progressBar
        self._statusLabel = statusLabel
        self._onChanged = onChanged
        self._onResult = None
        self._run = None
        self._nodes = []
        progressBar.setVisible(False)
        statusLabel.text = ""

    @property
    def isRunning(self) -> bool:
        return self._run is not None

    def start(self, steps, nodes, onResult) -> None:
        """Start a run.

        :param steps: generator of the engine's steps that returns a segmentation node.
        :param nodes: the run has no purpose without them: it is cancelled when one leaves the scene.
        :param onResult: called with the segmentation node if the run ends well; returns the mL of each segment by name.
        """
        self._nodes = [(node, node.GetName()) for node in nodes]
        self._onResult = onResult
        self._run = Run(steps, self._onStep, self._onDone, self._onFailed)
        self._progressBar.value = 0
        self._progressBar.setVisible(True)
        self._statusLabel.text = _("Preparing the volume")
        self._onChanged()
        self._run.start()

    def cancel(self, message: str = "") -> None:
        """End the run that is on, if any; the scene stays as it was before the run."""
        if self.isRunning:
            # Over before its end: what the run puts back in the scene may call this again.
            run, self._run = self._run, None
            run.cancel()
            self._end(message)

    def cancelIfDeleted(self) -> None:
        """End the run that is on if one of its nodes is not in the scene any more."""
        deleted = [name for node, name in self._nodes if node.GetScene() is None]
        if deleted:
            self.cancel(_("Cancelled: {name} was deleted.").format(name=", ".join(deleted)))

    def _onStep(self, step, secondsLeft) -> None:
        self._progressBar.value = int(100 * step.fraction)
        self._statusLabel.text = progressLine(step, secondsLeft)

    def _onDone(self, segmentationNode) -> None:
        seconds, onResult = self._run.seconds, self._onResult
        self._end()
        self._statusLabel.text = doneLine(onResult(segmentationNode), seconds)

    def _onFailed(self, error) -> None:
        """In the user's words if it is the input's fault, else with the trace in the log."""
        from MedNCALib import MedNCAError

        if isinstance(error, MedNCAError):
            message = str(error)
        else:
            logging.error("MedNCA: the run failed", exc_info=error)
            message = _("The run failed because of a defect in MedNCA: {error}").format(error=error)
        self._end(message)
        # The panel may not be on the screen any more.
        slicer.util.showStatusMessage(message, 5000)

    def _end(self, message: str = "") -> None:
        self._run = None
        self._nodes = []
        self._onResult = None
        self._progressBar.setVisible(False)
        self._statusLabel.text = message
        self._onChanged()
