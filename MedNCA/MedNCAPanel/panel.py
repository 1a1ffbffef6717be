"""The sections of the panel that show the parameters, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from MedNCAScene.display.segment_outlines import SegmentOutlines
from MedNCAScene.display.slice_foreground import Overlay

import MedNCALib as mednca

from .advanced_section import AdvancedSection, ProtocolSelector
from .beat_section import BeatSection
from .cell_inspector import CellInspector
from .found_section import FoundSection
from .growth_section import GrowthPlayer, QuantitySelector
from .input_section import InputSection
from .learn_section import LearnSection
from .many_section import ManySection
from .model_selector import ModelSelector
from .parameters import GetParameters, Parameters
from .quality_section import QualitySection
from .regrow_section import RegrowSection
from .result_buttons import ResultButtons
from .stress_section import StressSection


class Panel:
    """Makes the sections and has them show the parameters.

    Args:
        ui: the panel's widgets.
        logic: the module's logic.
        getParameters: returns the parameters, None while there are none.
        onRegrow: called when the cells are to grow again around corrections.

    Attributes:
        many: the section Many volumes.
        regrow: the buttons for corrections.
    """

    def __init__(self, ui: Any, logic: Any, getParameters: GetParameters, onRegrow: Callable[[], None]) -> None:
        self._getParameters = getParameters
        self._overlay = Overlay()
        self._outlines = SegmentOutlines()
        self._models = ModelSelector(ui.modelComboBox, ui.modelLabel, self._setter("model"))
        self._advanced = AdvancedSection(ui, self._models, getParameters)
        self._protocol = ProtocolSelector(ui.protocolComboBox, ui.protocolLabel, self._setter("protocol"))
        self._input = InputSection(ui, getParameters)
        self._found = FoundSection(ui, getParameters, self._setter("find"))
        self._quantity = QuantitySelector(ui.growthViewComboBox, ui.growthEstimateLabel, self._setter("growthView"))
        self._player = GrowthPlayer(ui, self._overlay)
        self._quality = QualitySection(ui, self._overlay)
        self._stress = StressSection(ui, self._overlay)
        self._beat = BeatSection(ui)
        self.many = ManySection(ui, getParameters)
        self.regrow = RegrowSection(ui, logic, getParameters, onRegrow)  # before the editor opens
        self._result = ResultButtons(ui)
        self._inspector = CellInspector(ui, logic, getParameters, self.model)
        self._learn = LearnSection(ui, logic, self.model, self._models.all, self._chooseModel)

    def fillModels(self) -> None:
        """List the models that are there now."""
        self._advanced.fillModels()

    def model(self) -> mednca.Model | None:
        """The chosen model, or None if it is not there."""
        parameters = self._getParameters()
        return self._models.get(parameters.model) if parameters else None

    def show(self, parameters: Parameters, isRunning: bool) -> None:
        """Show what follows from the parameters."""
        self._models.show(parameters.model)
        model = self.model()
        self._input.show(parameters, model)
        self._protocol.show(parameters.protocol, model)
        self._found.show(parameters, model, isRunning)
        self._quantity.show(parameters, model)
        self._player.show(parameters.growthVolume, parameters.growthBrowser)
        self._quality.show(parameters)
        self._stress.show(parameters)
        self._beat.show(parameters)
        self.many.show(parameters)
        self._learn.show(parameters)
        self._result.show(parameters, isRunning)
        self.regrow.show(parameters, isRunning)
        self._inspector.show(parameters, isRunning)
        self._outlines.update()  # a run may have made segments under what the views show

    def updateBoxes(self) -> None:
        """Show which boxes of found anatomy are in the scene now."""
        self._found.update()

    def release(self) -> None:
        """Follow no node any more."""
        self._player.release()
        self._input.release()
        self._inspector.release()
        self._beat.release()
        self.many.release()
        self._learn.release()
        self.regrow.release()

    def markScores(self, areStale: bool) -> None:
        """Whether the scores that were shown last are of an earlier run than the latest."""
        self._quality.setStale(areStale)

    def showWorstCase(self) -> None:
        """Lay the worst case of the stress test over the slice views."""
        self._stress.showWorstCase(True)

    def forgetOverlays(self) -> None:
        """Leave the slice views as they are: the scene is being closed."""
        self._overlay.forget()
        self._learn.forgetScene()

    def removeOverlays(self) -> None:
        """Have the slice views show what they showed before, for good; a training that is on ends."""
        self._learn.end()
        self._overlay.show(None)
        self._outlines.end()

    def _chooseModel(self, name: str | None) -> None:
        """List the models anew, and choose one; None chooses the first if the chosen one is gone."""
        self.fillModels()
        parameters = self._getParameters()
        if parameters is None:
            return
        if name is None and self.model() is None:
            name = next(iter(self._models.all()), parameters.model)
        parameters.model = name or parameters.model
        parameters.Modified()

    def _setter(self, name: str) -> Callable[[Any], None]:
        """A function that gives a parameter a value, while there are parameters."""

        def setValue(value: Any) -> None:
            if self._getParameters():
                setattr(self._getParameters(), name, value)

        return setValue
