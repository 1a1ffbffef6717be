"""The part of the panel that says how far the result can be trusted."""

import qt
from MedNCAScene.results.quality_table import DIGITS
from slicer.i18n import tr as _

from .messages import uncertaintyTip, verdictLine

# Seen on a light and on a dark ground; the words beside it say the same.
COLORS = {"pass": "#2ea043", "review": "#d9822b", None: "#8a8a8a"}


class QualitySection:
    """Shows the verdict and the table of the latest result, and where it is unsure.

    :param ui: the panel's widgets.
    :param foreground: of the slice views, shared with others who lay volumes over them.
    """

    def __init__(self, ui, foreground):
        self._ui = ui
        self._foreground = foreground
        self._uncertaintyNode = None
        ui.uncertaintyOverlayCheckBox.connect("toggled(bool)", self._onOverlay)
        ui.jumpButton.connect("clicked(bool)", self._onJump)
        ui.qualityTableView.verticalHeader().setVisible(False)
        for header in (ui.qualityTableView.horizontalHeader(), ui.qualityTableView.verticalHeader()):
            header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        self._delegates = {n: _FixedPoint(digits, ui.qualityTableView) for n, digits in enumerate(DIGITS) if digits}
        for column, delegate in self._delegates.items():
            ui.qualityTableView.setItemDelegateForColumn(column, delegate)
        foreground.onChanged(self._updateOverlay)

    def show(self, parameters) -> None:
        """Show what the parameters' table and input volume have to say."""
        from MedNCAScene.results.overlay_volumes import uncertaintyOf
        from MedNCAScene.results.quality_table import verdictOf

        ui, table = self._ui, parameters.qualityTable
        ui.uncertaintyCheckBox.enabled = parameters.runs > 1
        ui.uncertaintyCheckBox.toolTip = uncertaintyTip(parameters.runs)
        verdict = verdictOf(table) if table else None
        color = COLORS[verdict.verdict if verdict else None]
        ui.verdictLabel.text = f'<span style="color:{color}">\u25cf</span> {verdictLine(verdict)}'
        if ui.qualityTableView.mrmlTableNode() is not table:
            ui.qualityTableView.setMRMLTableNode(table)
        header = ui.qualityTableView.horizontalHeader()
        if header.count():
            # The names of the structures go over two lines where the panel is narrow.
            header.setSectionResizeMode(0, qt.QHeaderView.Stretch)
        ui.qualityTableView.setVisible(table is not None)
        volumeNode = parameters.inputVolume
        self._uncertaintyNode = uncertaintyOf(volumeNode) if volumeNode else None
        self._foreground.adopt(self._uncertaintyNode)
        tip = "" if self._uncertaintyNode else _(" Set Runs to 2 or more and tick Uncertainty volume for it.")
        ui.uncertaintyOverlayCheckBox.enabled = ui.jumpButton.enabled = self._uncertaintyNode is not None
        ui.uncertaintyOverlayCheckBox.toolTip = (
            _("Lay the uncertainty over the slice views in warm colours; the segments are outlines meanwhile.") + tip
        )
        ui.jumpButton.toolTip = _("Move the slice views to where the model is least sure.") + tip
        self._updateOverlay()

    def _updateOverlay(self) -> None:
        box = self._ui.uncertaintyOverlayCheckBox
        box.blockSignals(True)
        box.checked = self._foreground.shows(self._uncertaintyNode)
        box.blockSignals(False)

    def _onOverlay(self, isShown, *_args) -> None:
        self._foreground.show(self._uncertaintyNode if isShown else None)

    def _onJump(self, *_args) -> None:
        from MedNCAScene.results.overlay_volumes import jumpToUncertainty

        if jumpToUncertainty(self._uncertaintyNode) is None:
            self._ui.statusLabel.text = _("The runs agree everywhere: there is no uncertainty to jump to.")


class _FixedPoint(qt.QStyledItemDelegate):
    """Shows the numbers of a column with the same number of digits after the point: the table drops zeros at the end.

    :param digits: how many.
    """

    def __init__(self, digits: int, parent):
        super().__init__(parent)
        self._digits = digits

    def displayText(self, value, locale) -> str:
        return f"{float(value):.{self._digits}f}"
