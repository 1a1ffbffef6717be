"""The parts of the panel that show the parameters, put together."""

from MedNCAScene.display.segment_outlines import Outlines
from MedNCAScene.display.slice_foreground import Foreground

from .advanced_section import AdvancedSection
from .cell_inspector import CellInspector
from .growth_section import GrowthChoice, Player
from .input_section import InputHelp
from .model_selector import ModelChoice
from .quality_section import QualitySection
from .result_buttons import ResultButtons


class PanelParts:
    """Makes the parts and has them show the parameters.

    :param ui: the panel's widgets.
    :param logic: the module's logic.
    :param getParameters: returns the parameters, None while there are none.
    """

    def __init__(self, ui, logic, getParameters):
        self._getParameters = getParameters
        self.foreground = Foreground()
        self._outlines = Outlines()
        self.models = ModelChoice(ui.modelComboBox, ui.modelLabel, self._setter("model"))
        self.advanced = AdvancedSection(ui, self.models, getParameters)
        self.inputHelp = InputHelp(ui, getParameters)
        self.growthChoice = GrowthChoice(ui.growthViewComboBox, ui.growthEstimateLabel, self._setter("growthView"))
        self.player = Player(ui, self.foreground)
        self.quality = QualitySection(ui, self.foreground)
        self.result = ResultButtons(ui)
        self.inspector = CellInspector(ui, logic, getParameters)

    def show(self, parameters, isRunning: bool) -> None:
        """Show what follows from the parameters."""
        self.models.show(parameters.model)
        model = self.models.get(parameters.model)
        self.inputHelp.show(parameters, model)
        self.growthChoice.show(parameters, model)
        self.player.show(parameters.growthVolume, parameters.growthBrowser)
        self.quality.show(parameters)
        self.result.show(parameters, isRunning)
        self.inspector.show(parameters, isRunning)
        self._outlines.update()  # a run may have made segments under what the views show

    def release(self) -> None:
        """Follow no node any more."""
        self.player.show(None, None)
        self.inputHelp.watch(None)
        self.inspector.release()

    def removeOverlays(self) -> None:
        """Have the slice views show what they showed before, for good."""
        self.foreground.show(None)
        self._outlines.end()

    def _setter(self, name: str):
        """A function that gives a parameter a value, while there are parameters."""

        def give(value) -> None:
            if self._getParameters():
                setattr(self._getParameters(), name, value)

        return give
