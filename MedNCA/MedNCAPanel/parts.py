"""The parts of the panel that show the parameters, put together."""

from MedNCAScene.layers import Foreground

from .advanced import AdvancedSection
from .growth import GrowthChoice, Player
from .input import InputHelp
from .inspect import InspectButton
from .models import ModelChoice
from .quality import QualitySection
from .surface import SurfaceButton


class PanelParts:
    """Makes the parts and has them show the parameters.

    :param ui: the panel's widgets.
    :param logic: the module's logic.
    :param getParameters: returns the parameters, None while there are none.
    """

    def __init__(self, ui, logic, getParameters):
        self._getParameters = getParameters
        self.foreground = Foreground()
        self.models = ModelChoice(ui.modelComboBox, ui.modelLabel)
        self.advanced = AdvancedSection(ui, self.models, getParameters)
        self.inputHelp = InputHelp(ui, getParameters)
        self.growthChoice = GrowthChoice(ui.growthViewComboBox, ui.growthEstimateLabel, self._onViewChosen)
        self.player = Player(ui, self.foreground)
        self.quality = QualitySection(ui, self.foreground)
        self.surface = SurfaceButton(ui.show3DButton)
        self.inspect = InspectButton(ui, logic, getParameters)

    def show(self, parameters, isRunning: bool) -> None:
        """Show what follows from the parameters."""
        self.models.show(parameters.model)
        model = self.models.get(parameters.model)
        self.inputHelp.show(parameters, model)
        self.growthChoice.show(parameters, model)
        self.player.show(parameters.growthVolume, parameters.growthBrowser)
        self.quality.show(parameters)
        self.surface.show(parameters.outputSegmentation, isRunning)
        self.inspect.show(parameters, isRunning)

    def release(self) -> None:
        """Follow no node any more."""
        self.player.show(None, None)
        self.inputHelp.watch(None)

    def _onViewChosen(self, key) -> None:
        if self._getParameters():
            self._getParameters().growthView = key
