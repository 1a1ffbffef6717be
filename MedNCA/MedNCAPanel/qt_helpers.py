"""Small helpers for Qt widgets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import qt


def soon(slot: Callable[[], None]) -> qt.QTimer:
    """A timer that calls a function in the next turn of the event loop, once, however often it was started by then."""
    timer = qt.QTimer()
    timer.setSingleShot(True)
    timer.setInterval(0)
    timer.connect("timeout()", slot)
    return timer


@contextmanager
def signalsBlocked(widget: Any) -> Iterator[None]:
    """Let the code change a widget without the signals that a change by the user sends."""
    wasBlocked = widget.blockSignals(True)
    try:
        yield
    finally:
        widget.blockSignals(wasBlocked)


def fillChoices(comboBox: Any, choices: Sequence[tuple[str, str]]) -> None:
    """Offer texts with their data; what is chosen stays chosen as long as it is there, else the first is."""
    if [(comboBox.itemText(index), comboBox.itemData(index)) for index in range(comboBox.count)] == list(choices):
        return
    chosen = comboBox.currentData
    with signalsBlocked(comboBox):
        comboBox.clear()
        for text, data in choices:
            comboBox.addItem(text, data)
        comboBox.setCurrentIndex(max(0, comboBox.findData(chosen)) if chosen else 0)


def showState(widget: Any, **properties: Any) -> None:
    """Set properties of a widget without its signals: unlike a change by the user, nothing follows from it."""
    with signalsBlocked(widget):
        for name, value in properties.items():
            setattr(widget, name, value)


def dot(color: str) -> str:
    """A dot in a colour, as rich text."""
    return f'<span style="color:{color}">\u25cf</span>'


def hexColor(color: Sequence[float]) -> str:
    """A colour, red, green and blue from 0 to 1, as rich text has it."""
    return "#" + "".join(f"{round(255 * part):02x}" for part in color)
