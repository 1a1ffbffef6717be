"""The panel by the keyboard: letters for what is used often, the rest in the order in which it is seen."""

import re

import pytest

MENUS_OF_SLICER = {"f", "e", "v", "h"}  # File, Edit, View, Help


def mnemonics(panel):
    """Letter -> names of the widgets that it activates."""
    from PySide6 import QtWidgets

    letters = {}
    for name, widget in vars(panel.ui).items():
        if isinstance(widget, QtWidgets.QLabel | QtWidgets.QAbstractButton):
            for letter in re.findall("&(.)", widget.text):
                letters.setdefault(letter.lower(), []).append(name)
    return letters


def test_no_letter_stands_for_two_and_none_takes_a_menu_from_the_application(host, panel, volume_node):
    shared = {letter: names for letter, names in mnemonics(panel).items() if len(names) > 1}
    assert not shared
    assert not MENUS_OF_SLICER & set(mnemonics(panel))


def test_every_button_that_is_always_there_has_a_letter(panel):
    seldom_used = {
        "allCellsCheckBox",
        "beatMeasureButton",
        "beatPlotButton",
        "defaultsButton",
        "forgetButton",
        "foundButton",
        "learnAddButton",
        "learnContinueButton",
        "learnExportButton",
        "learnPlotButton",
        "learnPreviewCheckBox",
        "learnProposeButton",
        "learnRemoveButton",
        "learnStartButton",
        "learnTorchButton",
        "learnTorchFolderButton",
        "largestOnlyCheckBox",
        "loopCheckBox",
        "manyButton",
        "stressButton",
        "undoButton",
        "worstCaseCheckBox",
    }
    with_a_key_of_its_own = {"regrowButton"}
    hint = {"hintButton"}  # does what placeRegionButton does
    named = {name for names in mnemonics(panel).values() for name in names}
    buttons = {name for name in vars(panel.ui) if re.search("(Button|CheckBox)$", name)}
    sections = {name for name in buttons if name.endswith("CollapsibleButton")}
    assert buttons - sections - named == seldom_used | with_a_key_of_its_own | hint


def test_everything_that_can_be_used_has_a_tooltip(panel, volume_node):
    from PySide6 import QtWidgets

    kinds = QtWidgets.QAbstractButton | QtWidgets.QComboBox | QtWidgets.QAbstractSpinBox | QtWidgets.QSlider
    usable = {
        name: widget
        for name, widget in vars(panel.ui).items()
        if (isinstance(widget, kinds) or "Collapsible" in name) and not name.startswith("qt_")
    }
    assert not [name for name, widget in usable.items() if not widget.toolTip]


@pytest.mark.parametrize("section", [None, "advancedCollapsibleButton"])
def test_tab_goes_from_top_to_bottom_and_from_left_to_right(host, panel, volume_node, section):
    from PySide6 import QtCore

    if section:
        getattr(panel.ui, section).collapsed = False
    host.processEvents()
    top = panel.parent
    places, widget = [], top.nextInFocusChain()
    while widget is not top:
        if widget.focusPolicy & QtCore.Qt.TabFocus and widget.isVisibleTo(top) and widget.isEnabledTo(top):
            corner = widget.mapTo(top, QtCore.QPoint(0, 0))
            places.append((corner.y(), corner.x(), widget.objectName))
        widget = widget.nextInFocusChain()
    assert len(places) > 15
    for before, after in zip(places, places[1:]):
        is_below, is_beside = after[0] > before[0] + 8, abs(after[0] - before[0]) <= 8 and after[1] > before[1]
        assert is_below or is_beside, (before, after)
