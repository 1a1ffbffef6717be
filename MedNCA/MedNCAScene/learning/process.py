"""The training as a process of its own, of the application's own Python: what it says, and how it is stopped."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

import MedNCALib as mednca

from ..library import LIBRARY, homeFolder

Event = dict[str, Any]  # one of the lines of `mednca train --json-progress`


def command(arguments: Sequence[str]) -> list[str]:
    """The program and its arguments that run `mednca` in the Python that the application runs its scripts with.

    Raises:
        TrainingError: that is not there.
    """
    program = shutil.which("PythonSlicer") or sys.executable
    if not program or "python" not in Path(program).name.lower():
        raise mednca.TrainingError(_("The Python of Slicer (PythonSlicer) is not found: install Slicer again."))
    return [program, "-m", LIBRARY, *arguments]


class TrainingProcess:
    """One `mednca train`; nothing of it is left when it has ended.

    The end of its standard input ends it with the best weights so far, so also a crash of the application does.

    Args:
        arguments: of `mednca`.

    Raises:
        TrainingError: it could not be started.
    """

    _START_MS, _KILL_MS = 10000, 3000

    def __init__(self, arguments: Sequence[str]) -> None:
        self._buffer, self._errors, self._error = b"", b"", ""
        self._process = qt.QProcess()
        # The first place that Python looks for a package in is the folder that it is started in.
        self._process.setWorkingDirectory(str(homeFolder()))
        program, *rest = command(arguments)
        self._process.start(program, rest)
        if not self._process.waitForStarted(self._START_MS):
            raise mednca.TrainingError(_("The training could not be started: {reason}.").format(reason=self._reason()))

    @property
    def isRunning(self) -> bool:
        return bool(self._process.state() != qt.QProcess.NotRunning)

    def events(self, waitMs: int = 0) -> list[Event]:
        """What the process has said since the last call.

        Args:
            waitMs: how long to wait if it has said nothing; 0 if the application's event loop runs meanwhile.
        """
        if waitMs and self.isRunning:
            self._process.waitForReadyRead(waitMs)
        self._errors += _bytes(self._process.readAllStandardError())
        self._buffer += _bytes(self._process.readAllStandardOutput())
        *lines, self._buffer = self._buffer.split(b"\n")
        return [event for line in lines if (event := _event(line)) is not None]

    def stop(self) -> None:
        """Have it end with the best weights so far, and not wait for that."""
        self._process.closeWriteChannel()

    def kill(self) -> None:
        """End it at once, if it is still on; the checkpoint stays."""
        if self.isRunning:
            self._process.kill()
            self._process.waitForFinished(self._KILL_MS)

    def failure(self) -> str:
        """Why it ended, in a sentence; empty if it ended well, or is still on."""
        if self.isRunning or (self._process.exitStatus() == qt.QProcess.NormalExit and self._process.exitCode() == 0):
            return ""
        self.events()
        lines = [line for line in self._errors.decode("utf-8", "replace").splitlines() if line.strip()]
        if self._process.exitStatus() == qt.QProcess.NormalExit and self._process.exitCode() == 2 and lines:
            return lines[-1].strip().removeprefix("mednca: ")
        if lines:
            logging.error("MedNCA: the training ended:\n" + "\n".join(lines))
        return _("The training ended before its time: {reason}. Continue goes on from its last checkpoint.").format(
            reason=self._reason()
        )

    def _reason(self) -> str:
        return _("it was killed, or ran out of memory") if self._process.exitCode() else self._process.errorString()


def _bytes(array: Any) -> bytes:
    return bytes(array.data())


def _event(line: bytes) -> Event | None:
    """An object of a line; None for what another library has printed in between."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None
