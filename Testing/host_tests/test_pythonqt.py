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


def test_property_is_read_and_set_as_an_attribute(button):
    button.text = "Cancel"
    button.enabled = False
    assert button.text == "Cancel"
    assert button.enabled is False
    assert not button.isEnabledTo(None)


def test_property_cannot_be_called(button):
    with pytest.raises(TypeError, match="not callable"):
        button.text()


def test_property_of_a_widget_made_by_qt_is_an_attribute_too(host):
    import qt

    box = qt.QSpinBox()
    box.value = 12
    assert box.findChild(qt.QLineEdit).text == "12"


def test_attribute_that_the_class_does_not_have_is_refused(button):
    with pytest.raises(AttributeError, match="has no attribute named 'caption'"):
        button.caption  # noqa: B018
    with pytest.raises(AttributeError, match="creating new attributes on C\\+\\+ objects is not allowed"):
        button.caption = "x"


def test_python_subclass_takes_new_attributes(host):
    import qt

    class Marked(qt.QPushButton):
        pass

    marked = Marked()
    marked.note = "kept"
    assert marked.note == "kept"


@pytest.mark.parametrize("name", ["clicked", "setText"])
def test_signals_and_slots_cannot_be_overwritten(button, name):
    with pytest.raises(AttributeError, match="can not be overwritten"):
        setattr(button, name, None)


def test_property_refuses_another_type(button):
    with pytest.raises(AttributeError, match="does not accept an object of type str"):
        button.enabled = "yes"


def test_read_only_property_is_refused(button):
    with pytest.raises(AttributeError, match="not writable"):
        button.width = 100


def test_name_is_the_object_name(button):
    button.name = "segmentButton"
    assert button.objectName == "segmentButton"


def test_child_is_found_by_its_name(host, button):
    import qt

    parent = qt.QWidget()
    layout = qt.QVBoxLayout(parent)
    layout.addWidget(button)
    button.setObjectName("segmentButton")
    assert parent.segmentButton is button
    assert parent.findChildren("QPushButton") == [button]


def test_dynamic_property_is_an_attribute(button):
    button.setProperty("SlicerParameterName", "threshold")
    assert button.SlicerParameterName == "threshold"
    button.SlicerParameterName = "model"
    assert button.property("SlicerParameterName") == "model"


def test_destroyed_object_is_refused_by_name(button):
    button.delete()
    with pytest.raises(ValueError, match="destroyed QPushButton"):
        button.text  # noqa: B018


def test_enums_are_integers_on_the_class(host):
    import qt

    assert qt.Qt.Checked == 2
    assert qt.QSizePolicy.Expanding == 7
    assert int(qt.Qt.AlignLeft | qt.Qt.AlignTop) == 33


def test_state_changed_compares_with_check_state(host, calls):
    import qt

    box = qt.QCheckBox()
    box.stateChanged.connect(lambda state: calls.append(state == qt.Qt.Checked))
    box.checked = True
    box.checked = False
    assert calls == [True, False]


def test_slot_gets_no_more_arguments_than_it_takes(button, calls):
    button.checkable = True
    button.clicked.connect(lambda: calls.append("none"))
    button.clicked.connect(lambda checked: calls.append(checked))  # noqa: PLW0108 (one argument, where append takes any)
    button.clicked.connect(lambda *arguments: calls.append(arguments))
    button.connect("clicked()", lambda *arguments: calls.append(arguments))
    button.connect("clicked(bool)", lambda *arguments: calls.append(arguments))
    button.click()
    assert calls == ["none", True, (True,), (), (True,)]


def test_disconnect_stops_the_calls(button, calls):
    button.connect("clicked()", calls.clear)
    button.clicked.connect(calls.append)
    assert button.clicked.disconnect(calls.append) is True
    assert button.clicked.disconnect(calls.append) is False
    assert button.disconnect("clicked()", calls.clear) is True
    calls.append("untouched")
    button.click()
    assert calls == ["untouched"]


def test_connection_keeps_its_object_alive(button, calls):
    class Listener:
        def hear(self):
            calls.append("heard")

    button.clicked.connect(Listener().hear)
    button.click()
    assert calls == ["heard"]


def test_signal_that_does_not_exist_is_refused(button):
    with pytest.raises(ValueError, match=r"signal 'pressed\(int\)' does not exist on QPushButton"):
        button.connect("pressed(int)", print)


def test_qt5_signals_with_text_are_there(host, calls):
    import qt

    box = qt.QComboBox()
    box.addItems(["axial", "coronal"])
    box.connect("currentIndexChanged(QString)", calls.append)
    box.currentIndex = 1
    assert calls == ["coronal"]


def test_exception_in_aslot_is_recorded_and_the_next_slot_called(host, button, calls):
    def fail():
        raise RuntimeError("slot failed")

    button.clicked.connect(fail)
    button.clicked.connect(lambda: calls.append("next"))
    button.click()
    assert calls == ["next"]
    assert [str(error) for error in host.errors] == ["slot failed"]
    host.errors.clear()


def test_timer_fires_in_the_event_loop_and_can_be_stopped(host, calls):
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


def test_single_shot_of_the_timer_class_calls_once(host, calls):
    import qt

    qt.QTimer.singleShot(0, lambda: calls.append(1))
    host.processEvents(0.02)
    assert calls == [1]


def test_cpp_function_that_is_no_slot_cannot_be_called(host):
    import ctk

    section = ctk.ctkCollapsibleButton()
    with pytest.raises(AttributeError, match="setCollapsed"):
        section.setCollapsed(True)


def test_collapsed_section_hides_its_contents_and_shows_them_again(host):
    import ctk
    import qt

    section = ctk.ctkCollapsibleButton("Advanced")
    layout = qt.QVBoxLayout(section)
    shown, hidden = qt.QLabel("shown"), qt.QLabel("hidden")
    layout.addWidget(shown)
    layout.addWidget(hidden)
    hidden.hide()
    section.show()
    open_height = section.sizeHint().height()
    section.collapsed = True
    assert not shown.visible
    assert section.sizeHint().height() < open_height + 14
    section.collapsed = False
    assert shown.visible
    assert not hidden.visible


def test_slider_widget_keeps_its_value_in_range(host, calls):
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


def test_questions_get_the_prepared_answers_and_are_recorded(host):
    import slicer

    host.messages.answerNext("confirm", False)
    assert slicer.util.confirmOkCancelDisplay("Overwrite?") is False
    assert slicer.util.confirmYesNoDisplay("Sure?") is True
    assert host.messages.texts("confirm") == ["Overwrite?", "Sure?"]


def test_failure_inside_try_with_error_display_is_shown_and_raised(host):
    import slicer

    with pytest.raises(ValueError, match="no contrast"), slicer.util.tryWithErrorDisplay("Failed.", waitCursor=True):
        raise ValueError("no contrast")
    assert host.messages.texts("error") == ["Failed.\n\nno contrast"]
    assert slicer.app.overrideCursor() is None


def test_settings_are_kept_until_reset(host):
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
def test_ui_file_with_a_mistake_is_refused(host, tmp_path, content, message):
    import slicer

    path = tmp_path / "broken.ui"
    path.write_text(
        f'<ui version="4.0"><widget class="QWidget" name="root"><layout class="QVBoxLayout" name="l"><item>{content}'
        "</item></layout></widget></ui>"
    )
    with pytest.raises(RuntimeError, match=message):
        slicer.util.loadUI(str(path))
