"""The stand-in application refuses what PythonQt refuses, and does what PythonQt does."""

import pytest


@pytest.fixture
def button(host):
    import qt

    return qt.QPushButton("Segment")


@pytest.fixture
def calls():
    """A list that records what slots are called with."""
    return []


def test_propertyIsReadAndSetAsAnAttribute(button):
    button.text = "Cancel"
    button.enabled = False
    assert button.text == "Cancel"
    assert button.enabled is False
    assert not button.isEnabledTo(None)


def test_propertyCannotBeCalled(button):
    with pytest.raises(TypeError, match="not callable"):
        button.text()


def test_propertyOfAWidgetMadeByQtIsAnAttributeToo(host):
    import qt

    box = qt.QSpinBox()
    box.value = 12
    assert box.findChild(qt.QLineEdit).text == "12"


def test_attributeThatTheClassDoesNotHaveIsRefused(button):
    with pytest.raises(AttributeError, match="has no attribute named 'caption'"):
        button.caption  # noqa: B018
    with pytest.raises(AttributeError, match="creating new attributes on C\\+\\+ objects is not allowed"):
        button.caption = "x"


def test_pythonSubclassTakesNewAttributes(host):
    import qt

    class Marked(qt.QPushButton):
        pass

    marked = Marked()
    marked.note = "kept"
    assert marked.note == "kept"


@pytest.mark.parametrize("name", ["clicked", "setText"])
def test_signalsAndSlotsCannotBeOverwritten(button, name):
    with pytest.raises(AttributeError, match="can not be overwritten"):
        setattr(button, name, None)


def test_propertyRefusesAnotherType(button):
    with pytest.raises(AttributeError, match="does not accept an object of type str"):
        button.enabled = "yes"


def test_readOnlyPropertyIsRefused(button):
    with pytest.raises(AttributeError, match="not writable"):
        button.width = 100


def test_nameIsTheObjectName(button):
    button.name = "segmentButton"
    assert button.objectName == "segmentButton"


def test_childIsFoundByItsName(host, button):
    import qt

    parent = qt.QWidget()
    layout = qt.QVBoxLayout(parent)
    layout.addWidget(button)
    button.setObjectName("segmentButton")
    assert parent.segmentButton is button
    assert parent.findChildren("QPushButton") == [button]


def test_dynamicPropertyIsAnAttribute(button):
    button.setProperty("SlicerParameterName", "threshold")
    assert button.SlicerParameterName == "threshold"
    button.SlicerParameterName = "model"
    assert button.property("SlicerParameterName") == "model"


def test_destroyedObjectIsRefusedByName(button):
    button.delete()
    with pytest.raises(ValueError, match="destroyed QPushButton"):
        button.text  # noqa: B018


def test_enumsAreIntegersOnTheClass(host):
    import qt

    assert qt.Qt.Checked == 2
    assert qt.QSizePolicy.Expanding == 7
    assert int(qt.Qt.AlignLeft | qt.Qt.AlignTop) == 33


def test_stateChangedComparesWithCheckState(host, calls):
    import qt

    box = qt.QCheckBox()
    box.stateChanged.connect(lambda state: calls.append(state == qt.Qt.Checked))
    box.checked = True
    box.checked = False
    assert calls == [True, False]


def test_slotGetsNoMoreArgumentsThanItTakes(button, calls):
    button.checkable = True
    button.clicked.connect(lambda: calls.append("none"))
    button.clicked.connect(lambda checked: calls.append(checked))  # noqa: PLW0108 (one argument, where append takes any)
    button.clicked.connect(lambda *arguments: calls.append(arguments))
    button.connect("clicked()", lambda *arguments: calls.append(arguments))
    button.connect("clicked(bool)", lambda *arguments: calls.append(arguments))
    button.click()
    assert calls == ["none", True, (True,), (), (True,)]


def test_disconnectStopsTheCalls(button, calls):
    button.connect("clicked()", calls.clear)
    button.clicked.connect(calls.append)
    assert button.clicked.disconnect(calls.append) is True
    assert button.clicked.disconnect(calls.append) is False
    assert button.disconnect("clicked()", calls.clear) is True
    calls.append("untouched")
    button.click()
    assert calls == ["untouched"]


def test_connectionKeepsItsObjectAlive(button, calls):
    class Listener:
        def hear(self):
            calls.append("heard")

    button.clicked.connect(Listener().hear)
    button.click()
    assert calls == ["heard"]


def test_signalThatDoesNotExistIsRefused(button):
    with pytest.raises(ValueError, match=r"signal 'pressed\(int\)' does not exist on QPushButton"):
        button.connect("pressed(int)", print)


def test_qt5SignalsWithTextAreThere(host, calls):
    import qt

    box = qt.QComboBox()
    box.addItems(["axial", "coronal"])
    box.connect("currentIndexChanged(QString)", calls.append)
    box.currentIndex = 1
    assert calls == ["coronal"]


def test_exceptionInASlotIsRecordedAndTheNextSlotCalled(host, button, calls):
    def fail():
        raise RuntimeError("slot failed")

    button.clicked.connect(fail)
    button.clicked.connect(lambda: calls.append("next"))
    button.click()
    assert calls == ["next"]
    assert [str(error) for error in host.errors] == ["slot failed"]
    host.errors.clear()


def test_timerFiresInTheEventLoopAndCanBeStopped(host, calls):
    import qt

    timer = qt.QTimer()
    timer.setInterval(0)
    timer.timeout.connect(lambda: calls.append(1))
    timer.start()
    assert timer.active
    assert host.activeTimers() == [timer]
    host.waitUntil(lambda: len(calls) >= 3)
    timer.stop()
    seen = len(calls)
    host.processEvents(0.02)
    assert len(calls) == seen
    assert host.activeTimers() == []


def test_singleShotOfTheTimerClassCallsOnce(host, calls):
    import qt

    qt.QTimer.singleShot(0, lambda: calls.append(1))
    host.processEvents(0.02)
    assert calls == [1]


def test_cppFunctionThatIsNoSlotCannotBeCalled(host):
    import ctk

    section = ctk.ctkCollapsibleButton()
    with pytest.raises(AttributeError, match="setCollapsed"):
        section.setCollapsed(True)


def test_collapsedSectionHidesItsContentsAndShowsThemAgain(host):
    import ctk
    import qt

    section = ctk.ctkCollapsibleButton("Advanced")
    layout = qt.QVBoxLayout(section)
    shown, hidden = qt.QLabel("shown"), qt.QLabel("hidden")
    layout.addWidget(shown)
    layout.addWidget(hidden)
    hidden.hide()
    section.show()
    openHeight = section.sizeHint().height()
    section.collapsed = True
    assert not shown.visible
    assert section.sizeHint().height() < openHeight + 14
    section.collapsed = False
    assert shown.visible
    assert not hidden.visible


def test_sliderWidgetKeepsItsValueInRange(host, calls):
    import ctk

    slider = ctk.ctkSliderWidget()
    slider.minimum, slider.maximum, slider.decimals = 0, 10, 1
    slider.connect("valueChanged(double)", calls.append)
    slider.value = 3.14
    slider.value = 99
    assert slider.value == 10
    assert calls == [3.1, 10]


def test_emptied_path_is_not_reported_as_changed_but_as_not_valid(host):
    import ctk

    edit, paths, valid = ctk.ctkPathLineEdit(), [], []
    edit.connect("currentPathChanged(QString)", paths.append)
    edit.connect("validInputChanged(bool)", valid.append)
    edit.currentPath = "/models"
    edit.currentPath = "/others"
    edit.currentPath = ""
    assert paths == ["/models", "/others"]
    assert valid == [True, False]


def test_questionsGetThePreparedAnswersAndAreRecorded(host):
    import slicer

    host.messages.answerNext("confirm", False)
    assert slicer.util.confirmOkCancelDisplay("Overwrite?") is False
    assert slicer.util.confirmYesNoDisplay("Sure?") is True
    assert host.messages.texts("confirm") == ["Overwrite?", "Sure?"]


def test_failureInsideTryWithErrorDisplayIsShownAndRaised(host):
    import slicer

    with pytest.raises(ValueError, match="no contrast"), slicer.util.tryWithErrorDisplay("Failed.", waitCursor=True):
        raise ValueError("no contrast")
    assert host.messages.texts("error") == ["Failed.\n\nno contrast"]
    assert slicer.app.overrideCursor() is None


def test_settingsAreKeptUntilReset(host):
    import qt
    import slicer

    qt.QSettings().setValue("MedNCA/Threads", 3)
    assert slicer.util.settingsValue("MedNCA/Threads", 0, converter=int) == 3
    host.reset()
    assert slicer.util.settingsValue("MedNCA/Threads", 0, converter=int) == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('<widget class="qMRMLNonsense" name="a"/>', "unknown class qMRMLNonsense"),
        ('<widget class="QLabel" name="a"><property name="txt"><string/></property></widget>', "no property 'txt'"),
    ],
)
def test_uiFileWithAMistakeIsRefused(host, tmp_path, content, message):
    import slicer

    path = tmp_path / "broken.ui"
    path.write_text(
        f'<ui version="4.0"><widget class="QWidget" name="root"><layout class="QVBoxLayout" name="l"><item>{content}'
        "</item></layout></widget></ui>"
    )
    with pytest.raises(RuntimeError, match=message):
        slicer.util.loadUI(str(path))
