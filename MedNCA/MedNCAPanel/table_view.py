"""Tables in the panel: as high as their rows, with numbers of equal length, and not to be overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qt
import slicer


def setUpTable(view: Any, digits: Sequence[int | None]) -> list[Any]:
    """Prepare a qMRMLTableView.

    Args:
        view: the table view.
        digits: after the decimal point, for each column; None for one of names.

    Returns:
        What the view does not own, to be kept as long as it.
    """
    view.verticalHeader().setVisible(False)
    for header in (view.horizontalHeader(), view.verticalHeader()):
        header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
    delegates = {column: _FixedPoint(decimals, view) for column, decimals in enumerate(digits) if decimals}
    for column, delegate in delegates.items():
        view.setItemDelegateForColumn(column, delegate)
    # Slicer's view pastes into a locked table too; a shortcut takes the key from it.
    paste = qt.QShortcut(qt.QKeySequence("Ctrl+V"), view)
    paste.setContext(qt.Qt.WidgetShortcut)
    return [*delegates.values(), paste]


def showTable(view: Any, table: slicer.vtkMRMLTableNode | None) -> None:
    """Show a table node, or hide the view."""
    if view.mrmlTableNode() is not table:
        view.setMRMLTableNode(table)
    if view.horizontalHeader().count():
        # In a narrow panel the names take two lines.
        view.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)
    view.setVisible(table is not None)


class _FixedPoint(qt.QStyledItemDelegate):
    """Shows the numbers of a column with the same number of decimals: the table drops zeros at the end.

    Args:
        decimals: how many.
        parent: the table view.
    """

    def __init__(self, decimals: int, parent: Any) -> None:
        super().__init__(parent)
        self._decimals = decimals

    def displayText(self, value: Any, locale: Any) -> str:
        return f"{float(value):.{self._decimals}f}"
