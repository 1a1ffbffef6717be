"""The panel can be read in each of its states: in normal and in large text, in the light and in the dark style."""

from support import panel_states as states_of
from support.brightness_model import MODULE
from support.fake_training import use_fake_training

TABLES = ("qualityTableView", "measurementTableView")
LOOKS = [(420, {}), (500, {"fontScale": 1.25}), (420, {"dark": True})]


def test_panel_can_be_read_in_each_of_its_states(host, monkeypatch):
    monkeypatch.setattr(states_of, "RUNS", 2)  # what is read is the same, whatever their number
    monkeypatch.setattr(states_of, "PROGRESS", ("Run 2 of 2, middle stage, step 5", 0))
    states, wrong = seen_in(host, states_of.panel_states)
    assert states == ["empty", "head", "finding", "growing", "sides", "ready", "running", "done", "error"]
    assert wrong == []


def test_section_learn_can_be_read_in_each_of_its_states(host, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDNCA_MODELS", str(tmp_path))
    use_fake_training(monkeypatch, tmp_path)
    states, wrong = seen_in(host, states_of.learn_states)
    assert [state.removeprefix("learn: ") for state in states] == ["no cases", "cases", "choices", "training", "done"]
    assert wrong == []


def seen_in(host, generator):
    """The states, and what is wrong with how they look."""
    from host.views.pictures import laidOut, look

    host.loadModule(MODULE)
    widget = host.openModule("MedNCA")
    states, wrong = [], []
    for state in generator(host, widget):
        states.append(state)
        for width, style in LOOKS:
            with look(**style), laidOut(widget.parent, width) as panel:
                assert panel.width == width
                widgets = visible(panel)
                found = [*clipped(widgets), *overlapping(widgets), *scrolling(widgets)]
                wrong += [f"{state}, {style}: {what}" for what in found]
    return states, wrong


def visible(panel):
    from PySide6 import QtWidgets

    return [child for child in panel.findChildren(QtWidgets.QWidget) if child.isVisibleTo(panel)]


def clipped(widgets):
    """Labels and buttons that are too small for their text."""
    texts = [(widget, *size) for widget in widgets if any(size := needed_size(widget))]
    assert len(texts) > 25
    for widget, width, height in texts:
        if widget.width < width or widget.height < height:
            yield f"{widget.objectName} has {widget.width} x {widget.height} pixels and needs {width} x {height}"


def needed_size(widget):
    """Pixels that the text of a label, a button or the title of a section needs, (0, 0) for other widgets."""
    import ctk
    from PySide6 import QtWidgets

    if not isinstance(widget, (QtWidgets.QLabel, QtWidgets.QAbstractButton)) or not widget.text:
        return 0, 0
    if isinstance(widget, ctk.ctkCollapsibleButton):
        return widget.fontMetrics().size(0, widget.text).toTuple()
    if isinstance(widget, QtWidgets.QLabel) and widget.wordWrap:
        return widget.minimumSizeHint().width(), widget.heightForWidth(widget.width)
    return widget.minimumSizeHint().toTuple()


def overlapping(widgets):
    """Widgets that lie over another one or reach out of what they are in, unless that scrolls."""
    children = {}
    for widget in widgets:
        children.setdefault(widget.parent(), []).append(widget)
    for parent, siblings in children.items():
        if parent.objectName == "qt_scrollarea_viewport":
            continue
        inside, places = parent.rect, [sibling.geometry for sibling in siblings]
        for index, (child, place) in enumerate(zip(siblings, places)):
            if not inside.contains(place):
                yield f"{child.objectName} reaches out of {parent.objectName}"
            for other, its_place in zip(siblings[:index], places):
                if place.intersects(its_place):
                    yield f"{child.objectName} lies over {other.objectName}"


def scrolling(widgets):
    """Tables that do not fit."""
    for table in (widget for widget in widgets if widget.objectName in TABLES):
        if table.horizontalScrollBar().maximum or table.verticalScrollBar().maximum:
            yield f"{table.objectName} has to be scrolled"
