"""The section Growth: which quantity of the cells to keep, the memory that it takes, and the player."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from MedNCAScene.display.growth_export import exportGrowth
from MedNCAScene.display.playback import Playback
from MedNCAScene.display.slice_foreground import Overlay
from MedNCAScene.results.cell_quantities import quantitiesOf
from MedNCAScene.results.growth_sequence import estimateGrowth

import MedNCALib as mednca

from . import messages
from .parameters import Parameters
from .qt_helpers import showState, signalsBlocked


class QuantitySelector:
    """The list of the quantities of a model's cells, and a line with the memory that keeping the chosen one takes.

    Args:
        comboBox: its items carry the keys of the quantities as data.
        label: for the line.
        onChosen: called with the key of the quantity that the user has chosen.
    """

    def __init__(self, comboBox: Any, label: Any, onChosen: Callable[[str], None]) -> None:
        self._comboBox = comboBox
        self._label = label
        self._onChosen = onChosen
        self._model: mednca.Model | None = None
        self._estimated: Any = None  # what the latest estimate was made for
        comboBox.connect("currentIndexChanged(int)", self._onIndex)

    def show(self, parameters: Parameters, model: mednca.Model | None) -> None:
        """Show the choice of the parameters, and the estimate if there is something to keep."""
        with signalsBlocked(self._comboBox):
            if model is not None and model is not self._model:
                self._model = model
                self._comboBox.clear()
                for quantity in quantitiesOf(model):
                    self._comboBox.addItem(quantity.title, quantity.key)
            self._comboBox.setCurrentIndex(max(0, self._comboBox.findData(parameters.growthView)))
        self._label.setVisible(parameters.keepGrowth)
        if parameters.keepGrowth:
            self._estimate(parameters, model)

    def _estimate(self, parameters: Parameters, model: mednca.Model | None) -> None:
        volumeNode = parameters.inputVolume
        if model is None or volumeNode is None or volumeNode.GetImageData() is None:
            self._label.text, self._estimated = "", None
            return
        asked = volumeNode, model, parameters.growthView, parameters.region, parameters.growthMegabytes, parameters.find
        times = [node.GetMTime() for node in (volumeNode, parameters.region) if node]
        key = [id(each) for each in asked[:2]], asked[2:], times
        if self._estimated == key:
            return
        try:
            self._label.text = messages.estimateLine(estimateGrowth(*asked))
        except mednca.MedNCAError as error:
            self._label.text = str(error)
        self._estimated = key

    def _onIndex(self, index: int, *_args: Any) -> None:
        if index >= 0:
            self._onChosen(self._comboBox.itemData(index))


class GrowthPlayer:
    """Plays kept steps in the slice views.

    Args:
        ui: the panel's widgets.
        overlay: over the slice views, shared with the other sections.
    """

    def __init__(self, ui: Any, overlay: Overlay) -> None:
        self._ui = ui
        self._overlay = overlay
        self._playback = Playback(self._update)
        self._volumeNode: Any = None
        ui.playButton.connect("clicked(bool)", self._onPlay)
        ui.stepSlider.connect("valueChanged(int)", self._onStep)
        ui.loopCheckBox.connect("toggled(bool)", self._onLoop)
        ui.speedSpinBox.connect("valueChanged(double)", self._onSpeed)
        ui.growthOverlayCheckBox.connect("toggled(bool)", self._onOverlay)
        ui.exportButton.connect("clicked(bool)", self._onExport)
        overlay.onChanged(self._update)
        self._update()

    def show(
        self,
        volumeNode: slicer.vtkMRMLScalarVolumeNode | None,
        browserNode: slicer.vtkMRMLSequenceBrowserNode | None,
    ) -> None:
        """Play the sequence of a browser in a volume; both may be None, the browser also if there is one volume."""
        self._playback.follow(browserNode)
        self._volumeNode = volumeNode
        self._overlay.takeOver(volumeNode)
        self._update()

    def release(self) -> None:
        """Follow no nodes any more."""
        self.show(None, None)

    def _update(self) -> None:
        ui, playback = self._ui, self._playback
        for widget in (ui.playButton, ui.stepSlider, ui.loopCheckBox, ui.speedSpinBox, ui.exportButton):
            widget.enabled = playback.count > 0
        ui.growthOverlayCheckBox.enabled = self._volumeNode is not None
        showState(ui.growthOverlayCheckBox, checked=self._overlay.shows(self._volumeNode))
        showState(ui.loopCheckBox, checked=playback.isLooped)
        showState(ui.speedSpinBox, value=playback.stepsPerSecond)
        ui.playButton.text = messages.playButtonText(playback.isPlaying)
        ui.stepLabel.text = ""
        if playback.count:
            showState(ui.stepSlider, maximum=playback.count - 1, value=playback.index)
            shown, last = playback.stepName(playback.index), playback.stepName(playback.count - 1)
            ui.stepLabel.text = messages.shownStepLine(shown, last) if shown else ""

    def _onPlay(self, *_args: Any) -> None:
        self._overlay.show(self._volumeNode)
        self._playback.togglePlaying()

    def _onStep(self, index: int, *_args: Any) -> None:
        self._overlay.show(self._volumeNode)
        self._playback.select(index)
        self._update()

    def _onLoop(self, isLooped: bool, *_args: Any) -> None:
        self._playback.setLooped(isLooped)

    def _onSpeed(self, stepsPerSecond: float, *_args: Any) -> None:
        self._playback.setStepsPerSecond(stepsPerSecond)

    def _onOverlay(self, isShown: bool, *_args: Any) -> None:
        self._overlay.show(self._volumeNode if isShown else None)

    def _onExport(self, *_args: Any) -> None:
        path = qt.QFileDialog.getSaveFileName(
            slicer.util.mainWindow(),
            messages.exportTitle(),
            f"{self._volumeNode.GetName()}.gif",
            messages.exportFilter(),
        )
        if not path:
            return
        if not Path(path).suffix:  # Qt's own dialog does not add it
            path += ".gif"
        self._overlay.show(self._volumeNode)
        try:
            with slicer.util.WaitCursor():
                exportGrowth(self._playback.browserNode, path)
        except mednca.MedNCAError as error:
            slicer.util.errorDisplay(str(error), windowTitle="MedNCA")
        self._update()
