"""PyTorch in the section Learn: said if it is missing, and installed by a button after a question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from MedNCAScene.application.pytorch import copyingHelp, installTorch, missingTorch

from . import learn_messages as messages


class TorchInstaller:
    """The lines and buttons that are there as long as PyTorch is not.

    Args:
        ui: the panel's widgets.
        onChanged: called without arguments when PyTorch has come.
    """

    def __init__(self, ui: Any, onChanged: Callable[[], None]) -> None:
        self._ui = ui
        self._onChanged = onChanged
        self._isOn = False
        self._said = ""  # how the latest installation goes, or ended
        ui.learnTorchButton.connect("clicked(bool)", self._onInstall)
        ui.learnTorchFolderButton.connect("clicked(bool)", self._onFolder)

    @property
    def missing(self) -> str:
        """Why there can be no training, in a sentence; empty if there can."""
        return missingTorch()

    def update(self) -> None:
        """Show whether PyTorch is there."""
        missing = missingTorch()
        self._ui.learnTorchLabel.text = self._said or missing
        self._ui.learnTorchLabel.setVisible(bool(self._said or missing))
        for name in ("learnTorchButton", "learnTorchFolderButton"):
            getattr(self._ui, name).setVisible(bool(missing) or self._isOn)
        for button in (self._ui.learnTorchButton, self._ui.learnTorchFolderButton):
            button.enabled = not self._isOn

    def _onInstall(self, *_args: Any) -> None:
        if slicer.util.confirmYesNoDisplay(messages.installQuestion(), windowTitle="MedNCA"):
            self._install("")

    def _onFolder(self, *_args: Any) -> None:
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), messages.folderTitle())
        if folder:
            self._install(folder)

    def _install(self, folder: str) -> None:
        self._isOn = True
        self._onLine("")
        slicer.app.processEvents()  # the older ways to install hold the application up
        installTorch(self._onLine, self._onDone, folder)

    def _onLine(self, line: str) -> None:
        self._said = messages.installing(line)
        self.update()

    def _onDone(self, failure: str) -> None:
        self._isOn = False
        self._said = f"{failure} {copyingHelp()}" if failure else messages.installed()
        self._onChanged()
