"""The part of the panel about the kept steps: what to keep, what it takes, and the player."""

import slicer
import vtk
from MedNCAScene.results.growth_sequence import PLAYBACK_FPS
from slicer.i18n import tr as _

from .messages import estimateLine, shownStepLine


class GrowthChoice:
    """What to keep of a run: the list of what a model's cells can show, and the line with what that takes.

    :param onChosen: called with the key of what the user has chosen.
    """

    def __init__(self, comboBox, label, onChosen):
        self._comboBox = comboBox
        self._label = label
        self._onChosen = onChosen
        self._model = self._estimated = None
        comboBox.connect("currentIndexChanged(int)", self._onIndex)

    def show(self, parameters, model) -> None:
        """Show the choice of the parameters, and the estimate if there is something to keep."""
        from MedNCAScene.results.cell_quantities import quantitiesOf

        self._comboBox.blockSignals(True)
        if model is not None and model is not self._model:
            self._model = model
            self._comboBox.clear()
            for view in quantitiesOf(model):
                self._comboBox.addItem(view.title, view.key)
        self._comboBox.setCurrentIndex(max(0, self._comboBox.findData(parameters.growthView)))
        self._comboBox.blockSignals(False)
        self._label.setVisible(parameters.keepGrowth)
        if parameters.keepGrowth:
            self._label.text = self._estimate(parameters, model)

    def _estimate(self, parameters, model) -> str:
        from MedNCAScene.results.growth_sequence import estimateGrowth

        from MedNCALib import MedNCAError

        volumeNode = parameters.inputVolume
        if model is None or volumeNode is None or volumeNode.GetImageData() is None:
            return ""
        asked = (volumeNode, model, parameters.growthView, parameters.region, parameters.growthMegabytes)
        times = [node.GetMTime() for node in (volumeNode, parameters.region) if node]
        key = [id(each) for each in asked[:2]], asked[2:], times
        if self._estimated is None or self._estimated[0] != key:
            try:
                text = estimateLine(estimateGrowth(*asked))
            except MedNCAError as error:
                text = str(error)
            self._estimated = key, text
        return self._estimated[1]

    def _onIndex(self, index, *_args) -> None:
        if index >= 0:
            self._onChosen(self._comboBox.itemData(index))


class Player:
    """Plays kept steps in the slice views.

    The browser node keeps where it stands, so that this and the application's own sequence tool bar agree.

    :param ui: the panel's widgets.
    :param foreground: of the slice views, shared with others who lay volumes over them.
    """

    def __init__(self, ui, foreground):
        self._ui = ui
        self._foreground = foreground
        self._browser = self._volumeNode = self._tag = None
        ui.playButton.connect("clicked(bool)", self._onPlay)
        ui.stepSlider.connect("valueChanged(int)", self._onStep)
        ui.loopCheckBox.connect("toggled(bool)", self._onLoop)
        ui.speedSpinBox.connect("valueChanged(double)", self._onSpeed)
        ui.growthOverlayCheckBox.connect("toggled(bool)", self._onOverlay)
        ui.exportButton.connect("clicked(bool)", self._onExport)
        foreground.onChanged(self._update)
        self._update()

    def show(self, volumeNode, browserNode) -> None:
        """Play the sequence of a browser in a volume; both may be None, the browser also where there is one volume."""
        if browserNode is not self._browser:
            if self._browser is not None:
                self._browser.RemoveObserver(self._tag)
            self._browser = browserNode
            if browserNode is not None:
                self._tag = browserNode.AddObserver(vtk.vtkCommand.ModifiedEvent, self._update)
        self._volumeNode = volumeNode
        self._foreground.adopt(volumeNode)
        self._update()

    def _update(self, *_args) -> None:
        ui, browser = self._ui, self._browser
        count = browser.GetNumberOfItems() if browser is not None else 0
        for widget in (ui.playButton, ui.stepSlider, ui.loopCheckBox, ui.speedSpinBox, ui.exportButton):
            widget.enabled = count > 0
        ui.growthOverlayCheckBox.enabled = self._volumeNode is not None
        _set(ui.growthOverlayCheckBox, checked=self._foreground.shows(self._volumeNode))
        isPlaying = count > 0 and browser.GetPlaybackActive()
        ui.playButton.text = _("P&ause") if isPlaying else _("Pl&ay")
        if not count:
            ui.stepLabel.text = ""
            _set(ui.speedSpinBox, value=PLAYBACK_FPS)  # what kept steps are played with at first
            return
        _set(ui.stepSlider, maximum=count - 1, value=browser.GetSelectedItemNumber())
        _set(ui.loopCheckBox, checked=bool(browser.GetPlaybackLooped()))
        _set(ui.speedSpinBox, value=browser.GetPlaybackRateFps())
        sequence, number = browser.GetMasterSequenceNode(), browser.GetSelectedItemNumber()
        if sequence is not None and 0 <= number < count:
            last = sequence.GetNthIndexValue(count - 1)
            ui.stepLabel.text = shownStepLine(sequence.GetNthIndexValue(number), last)

    def _onPlay(self, *_args) -> None:
        self._foreground.show(self._volumeNode)
        self._browser.SetPlaybackActive(not self._browser.GetPlaybackActive())

    def _onStep(self, number, *_args) -> None:
        self._foreground.show(self._volumeNode)
        self._browser.SetSelectedItemNumber(number)
        self._update()

    def _onLoop(self, isLooped, *_args) -> None:
        self._browser.SetPlaybackLooped(isLooped)

    def _onSpeed(self, framesPerSecond, *_args) -> None:
        self._browser.SetPlaybackRateFps(framesPerSecond)

    def _onOverlay(self, isShown, *_args) -> None:
        self._foreground.show(self._volumeNode if isShown else None)

    def _onExport(self, *_args) -> None:
        import qt
        from MedNCAScene.display.growth_export import exportGrowth

        from MedNCALib import MedNCAError

        path = qt.QFileDialog.getSaveFileName(
            slicer.util.mainWindow(),
            _("Export the growth"),
            f"{self._volumeNode.GetName()}.gif",
            _("Animated picture (*.gif);;Numbered pictures (*.png)"),
        )
        if path:
            self._foreground.show(self._volumeNode)
            try:
                with slicer.util.WaitCursor():
                    exportGrowth(self._browser, path)
            except MedNCAError as error:
                slicer.util.errorDisplay(str(error), windowTitle=_("MedNCA"))
            self._update()


def _set(widget, **properties) -> None:
    """Show a state: unlike what the user sets, it is not to be acted on."""
    widget.blockSignals(True)
    for name, value in properties.items():
        setattr(widget, name, value)
    widget.blockSignals(False)
