"""The panel can be read in each of its states: in normal and in large text, in the light and in the dark style."""

from support.brightness_model import MODULE
from support.fake_training import use_fake_training
from support.panel_states import learn_states, panel_states

TABLES = ("qualityTableView", "measurementTableView")
LOOKS = [(420, {}), (500, {"fontScale": 1.25}), (420, {"dark": True})]


def test_panel_can_be_read_in_each_of_its_states(host):
    states, wrong = seen_in(host, panel_states)
    assert states == ["empty", "head", "finding", "growing", "sides", "ready", "running", "done", "error"]
    assert wrong == []


def test_section_learn_can_be_read_in_each_of_its_states(host, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDNCA_MODELS", str(tmp_path))
    use_fake_training(monkeypatch, tmp_path)
    states, wrong = seen_in(host, learn_states)
    assert [state.removeprefix("learn: ") for state in states] == ["no cases", "cases", "choices", "training", "done"]
    assert wrong == []


def seen_in(host, states_of):
    """The states, and what is wrong with how they look."""
    from host.views.pictures import laidOut, look

    host.loadModule(MODULE)
    widget = host.openModule("MedNCA")
    states, wrong = [], []
    for state in states_of(host, widget):
        states.append(state)
        for width, style in LOOKS:
            with look(**style), laidOut(widget.parent, width) as panel:
                assert panel.width == width
                found = [*clipped(panel), *overlapping(panel), *scrolling(panel)]
                wrong += [f"{state}, {style}: {what}" for what in found]
    return states, wrong


def visible(panel):
    from PySide6 import QtWidgets

    return [child for child in panel.findChildren(QtWidgets.QWidget) if child.isVisibleTo(panel)]


def clipped(panel):
    """Labels and buttons that are too small for their text."""
    texts = [widget for widget in visible(panel) if any(needed_size(widget))]
    assert len(texts) > 25
    for widget in texts:
        width, height = needed_size(widget)
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


def overlapping(panel):
    """Widgets that lie over another one or reach out of what they are in, unless that scrolls."""
    children = {}
    for widget in visible(panel):
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


def scrolling(panel):
    """Tables that do not fit."""
    for table in (child for child in visible(panel) if child.objectName in TABLES):
        if table.horizontalScrollBar().maximum or table.verticalScrollBar().maximum:
            yield f"{table.objectName} has to be scrolled"
