"""A scripted module lives in the stand-in application as in Slicer: loaded, opened, clicked, reloaded, unloaded."""

from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "host" / "example" / "HostExample.py"


@pytest.fixture
def panel(host):
    host.loadModule(EXAMPLE)
    return host.openModule("HostExample")


@pytest.fixture
def volume_node(host):
    import slicer

    return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "brain")


def test_module_is_registered_under_its_names(host):
    import slicer

    host.loadModule(EXAMPLE)
    module = slicer.modules.hostexample
    assert module.title == "Host Example"
    assert module.path == str(EXAMPLE)
    assert slicer.util.getModule("HostExample") is module
    assert slicer.modules.HostExampleInstance.parent is module
    assert "HostExample" in slicer.util.moduleNames()


def test_module_hears_of_the_completed_start_up_once(host, tmp_path):
    import slicer

    host.loadModule(EXAMPLE)
    assert slicer.modules.HostExampleInstance.startedUp
    del slicer.modules.HostExampleInstance.startedUp
    other = tmp_path / "OtherExample.py"
    other.write_text(EXAMPLE.read_text().replace("HostExample", "OtherExample"))
    host.loadModule(other)
    assert not hasattr(slicer.modules.HostExampleInstance, "startedUp")


def test_module_that_depends_on_an_unknown_one_is_refused(host, tmp_path):
    path = tmp_path / "LonelyExample.py"
    path.write_text(EXAMPLE.read_text().replace("HostExample", "LonelyExample").replace('"Segmentations"', '"Nowhere"'))
    with pytest.raises(RuntimeError, match="depends on Nowhere"):
        host.loadModule(path)


def test_module_that_raises_at_import_is_not_left_half_loaded(host, tmp_path):
    import sys

    import slicer

    path = tmp_path / "BrokenExample.py"
    path.write_text("import no_such_package")
    with pytest.raises(ModuleNotFoundError):
        host.loadModule(path)
    assert "BrokenExample" not in sys.modules
    assert not hasattr(slicer.modules, "brokenexample")


def test_opened_module_is_entered_and_closed_module_is_left(host, panel):
    assert panel.parent.isEntered
    assert panel._parameterNode is not None
    host.closeModule()
    assert not panel.parent.isEntered
    assert panel._parameterNode is None


def test_button_is_disabled_until_there_is_a_volume(host, panel, request):
    assert not panel.ui.applyButton.enabled
    with pytest.raises(RuntimeError, match="'Apply' is disabled: Select an input volume"):
        host.click(panel.ui.applyButton)
    request.getfixturevalue("volume_node")
    assert panel.ui.applyButton.enabled


def test_hidden_button_cannot_be_clicked(host, panel, volume_node):
    panel.ui.applyButton.hide()
    with pytest.raises(RuntimeError, match="not visible"):
        host.click(panel.ui.applyButton)


def test_click_runs_the_timer_to_its_end(host, panel, volume_node):
    host.click(panel.ui.applyButton)
    host.waitUntil(lambda: not panel.timer.active)
    assert panel.ticks == 5
    assert host.messages.texts("status") == ["done"]


def test_waiting_for_what_never_happens_ends(host):
    with pytest.raises(TimeoutError):
        host.waitUntil(lambda: False, timeout=0.05)


def test_reload_builds_a_new_panel_that_works(host, panel, volume_node):
    reloaded = host.reloadModule("HostExample")
    assert reloaded is not panel
    assert reloaded.ui.applyButton.enabled
    reloaded.ui.thresholdSlider.value = 7
    assert reloaded._parameterNode.threshold == 7


def test_closing_the_scene_gives_a_new_parameter_node(host, panel, volume_node):
    panel._parameterNode.threshold = 7
    host.closeScene()
    assert panel._parameterNode.inputVolume is None
    assert panel._parameterNode.threshold == 100
    assert not panel.ui.applyButton.enabled


def test_developer_mode_adds_reload_and_test(host):
    import slicer

    slicer.app.settings().setValue("Developer/DeveloperMode", "true")
    host.loadModule(EXAMPLE)
    panel = host.openModule("HostExample")
    host.click(panel.reloadTestButton)
    assert host.messages.texts("delay") == ["adding"]
    assert host.messages.texts("error") == []


def test_unloaded_module_leaves_nothing_behind(host):
    import slicer

    before = host.counts()
    host.loadModule(EXAMPLE)
    panel = host.openModule("HostExample")
    panel.timer.start()
    during = host.counts()
    assert during["timers"] == 1
    assert during["sceneObservers"] > before["sceneObservers"]
    assert during["widgets"] > before["widgets"]
    panel.timer.disconnect("timeout()", panel.onTick)
    del panel
    host.reset()
    after = host.counts()
    assert {name: after[name] for name in ("nodes", "sceneObservers", "connections", "timers")} == {
        name: before[name] for name in ("nodes", "sceneObservers", "connections", "timers")
    }
    assert not hasattr(slicer.modules, "hostexample")


@pytest.fixture
def unloaded(host):
    """The names of the modules in the order in which they are unloaded."""
    import slicer

    names = []
    slicer.app.moduleManager().connect("moduleAboutToBeUnloaded(QString)", names.append)
    yield names
    slicer.app.moduleManager().disconnect("moduleAboutToBeUnloaded(QString)", names.append)


def test_quitting_unloads_the_modules_in_the_reverse_of_slicers_order(host, panel, unloaded):
    host.quit()
    order = [name for name in reversed(unloaded) if name in ("Volumes", "CropVolume", "HostExample", "Sequences")]
    assert order == ["Volumes", "CropVolume", "HostExample", "Sequences"]
    # HostExample depends on it, so it outlives HostExample.
    assert unloaded.index("Segmentations") > unloaded.index("HostExample")
    assert unloaded.index("SubjectHierarchy") > unloaded.index("HostExample")


def test_cleanup_on_quitting_finds_later_modules_and_its_own_gone_and_is_not_preceded_by_exit(host, panel):
    import slicer

    found, plain_cleanup = {}, panel.cleanup

    def cleanup():
        plain_cleanup()
        found.update({name: hasattr(slicer.modules, name) for name in ("volumes", "sequences", "hostexample")})
        found["entered"] = panel.parent.isEntered

    panel.cleanup = cleanup
    host.quit()
    assert found == {"volumes": True, "sequences": False, "hostexample": False, "entered": True}
    assert host.errors == []


def test_error_in_cleanup_on_quitting_is_recorded(host, panel):
    import slicer

    plain_cleanup = panel.cleanup

    def cleanup():
        plain_cleanup()
        slicer.modules.sequences.logic()

    panel.cleanup = cleanup
    host.quit()
    assert [type(error) for error in host.errors] == [AttributeError]
    host.errors.clear()


def test_application_that_has_quit_works_again_after_reset(host, panel):
    import slicer

    host.quit()
    host.reset()
    assert slicer.modules.sequences.logic() is not None
    host.loadModule(EXAMPLE)
    assert host.openModule("HostExample")._parameterNode is not None


def test_folders_of_a_module_are_searched_last(host, tmp_path, monkeypatch):
    import sys

    (tmp_path / "module").mkdir()
    (path := tmp_path / "module" / "LateExample.py").write_text(
        EXAMPLE.read_text().replace("HostExample", "LateExample")
    )
    monkeypatch.setattr(sys, "path", [*sys.path])
    host.loadModule(path)
    assert sys.path[-2:] == [str(tmp_path / "module"), str(tmp_path)]


@pytest.mark.parametrize(("version", "left"), [((5, 10), 1), ((5, 12), 0)])
def test_disconnected_wrapper_stops_observing_its_node_in_newer_versions_only(host, panel, version, left):
    from host.inspection import observerCount

    host.imitateVersion(*version)
    parameters = panel._parameterNode
    before = observerCount(parameters.parameterNode)
    parameters.disconnectGui(parameters.connectGui(panel.ui))
    assert observerCount(parameters.parameterNode) == before + left


def test_widgets_show_the_parameters_and_the_parameters_follow_the_widgets(host, panel, volume_node):
    import HostExample

    parameters, ui = panel._parameterNode, panel.ui
    parameters.threshold = 12.5
    parameters.side = HostExample.Side.BELOW
    parameters.model = "b"
    assert (ui.thresholdSlider.value, ui.sideComboBox.currentText, ui.modelComboBox.currentText) == (12.5, "BELOW", "b")
    ui.invertCheckBox.checked = True
    ui.countSpinBox.value = 9
    ui.noteLineEdit.text = "typed"
    ui.sideComboBox.currentIndex = 0
    assert (parameters.invert, parameters.count, parameters.note) == (True, 9, "typed")
    assert parameters.side is HostExample.Side.ABOVE


def test_range_of_the_parameter_is_the_range_of_the_widget(panel):
    assert (panel.ui.thresholdSlider.minimum, panel.ui.thresholdSlider.maximum) == (-100, 500)
    assert (panel.ui.countSpinBox.minimum, panel.ui.countSpinBox.maximum) == (1, 20)


def test_disconnected_widgets_no_longer_change_the_parameters(panel):
    parameters = panel._parameterNode
    panel.setParameterNode(None)
    panel.ui.countSpinBox.value = 9
    assert parameters.count == 3
    parameters.count = 5
    assert panel.ui.countSpinBox.value == 9


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("threshold", 501, ValueError),
        ("model", "c", ValueError),
        ("count", 2.5, TypeError),
        ("note", None, ValueError),
        ("inputVolume", "brain", TypeError),
    ],
)
def test_parameter_refuses_a_forbidden_value_and_keeps_the_old_one(panel, name, value, error):
    before = getattr(panel._parameterNode, name)
    with pytest.raises(error):
        setattr(panel._parameterNode, name, value)
    assert getattr(panel._parameterNode, name) == before


def test_parameters_are_stored_in_slicers_form(panel, volume_node):
    import HostExample
    import slicer

    parameters = panel._parameterNode
    parameters.side = HostExample.Side.BELOW
    parameters.outputSegmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node = parameters.parameterNode
    assert node.GetParameter("side") == "BELOW"
    assert node.GetParameter("invert") == "False"
    assert node.GetNodeReference("inputVolume") is volume_node
    assert node.GetNodeReference("outputSegmentation.0") is parameters.outputSegmentation
    parameters.outputSegmentation = None
    assert not node.HasParameter("outputSegmentation.0")
    assert node.GetParameter("outputSegmentation.1") == "True"


def test_modified_event_comes_once_per_change_and_finds_the_new_value(panel):
    parameters = panel._parameterNode
    seen = []
    tag = parameters.AddObserver("ModifiedEvent", lambda *_: seen.append(parameters.count))
    parameters.count = 4
    parameters.RemoveObserver(tag)
    parameters.count = 5
    assert seen == [4]


def test_packages_dropped_by_a_reload_are_the_old_ones_after_reset(host, tmp_path, monkeypatch):
    import importlib
    import sys

    package = tmp_path / "dropped_package"
    package.mkdir()
    for name in ("__init__.py", "early.py", "late.py"):
        (package / name).touch()
    monkeypatch.syspath_prepend(tmp_path)
    early = importlib.import_module("dropped_package.early")
    host.reset()
    for name in ("dropped_package", "dropped_package.early"):
        del sys.modules[name]
    importlib.import_module("dropped_package.late")
    host.reset()
    assert importlib.import_module("dropped_package.early") is early
    assert "dropped_package.late" not in sys.modules


def test_parameters_survive_saving_and_loading_the_scene(host, panel, volume_node, tmp_path):
    import HostExample
    import slicer

    parameters = panel._parameterNode
    parameters.threshold = 33
    parameters.side = HostExample.Side.BELOW
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.closeScene()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    loaded = panel.logic.getParameterNode()
    assert (loaded.threshold, loaded.side) == (33, HostExample.Side.BELOW)
    assert loaded.inputVolume.GetName() == "brain"


CONNECTED_WIDGETS = {
    "invert": "qt.QCheckBox ctk.ctkCheckBox qt.QPushButton ctk.ctkCheckablePushButton",
    "count": "qt.QSpinBox qt.QSlider qt.QDoubleSpinBox",
    "threshold": "qt.QDoubleSpinBox ctk.ctkSliderWidget ctk.ctkDoubleSlider ctk.ctkDoubleSpinBox "
    "slicer.qMRMLSliderWidget slicer.qMRMLSpinBox",
    "model": "qt.QComboBox ctk.ctkComboBox",
    "side": "qt.QComboBox ctk.ctkComboBox",
    "note": "qt.QLineEdit qt.QTextEdit",
    "folder": "ctk.ctkPathLineEdit ctk.ctkDirectoryButton",
    "inputVolume": "slicer.qMRMLNodeComboBox",
}


@pytest.fixture
def values(panel):
    """Two values of each parameter of `CONNECTED_WIDGETS`."""
    import HostExample
    import slicer

    return {
        "invert": (True, False),
        "count": (4, 5),
        "threshold": (-50.0, 50.0),
        "model": ("b", "a"),
        "side": (HostExample.Side.BELOW, HostExample.Side.ABOVE),
        "note": ("one", "two"),
        "folder": (Path("/models"), Path("/others")),
        "inputVolume": [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode") for _ in range(2)],
    }


@pytest.mark.parametrize(
    ("parameter", "widget_class"),
    [(name, each) for name in CONNECTED_WIDGETS for each in CONNECTED_WIDGETS[name].split()],
)
def test_widget_that_slicer_connects_shows_its_parameter_and_changes_it(panel, values, parameter, widget_class):
    import importlib

    import slicer
    from slicer.parameterNodeWrapper import createGuiConnector

    module, _, name = widget_class.partition(".")
    widget = getattr(importlib.import_module(module), name)()
    if parameter == "inputVolume":
        widget.setMRMLScene(slicer.mrmlScene)
    parameters, (first, second) = panel._parameterNode, values[parameter]
    connector = createGuiConnector(widget, parameters.dataType(parameter))
    setattr(parameters, parameter, first)
    parameters.connectParametersToGui({parameter: connector})
    assert connector.read() == first
    connector.write(second)
    assert getattr(parameters, parameter) == second


@pytest.mark.parametrize("widget_class", ["QLabel", "QSlider"])
def test_widget_that_cannot_show_the_type_is_refused(panel, widget_class):
    import qt

    with pytest.raises(RuntimeError, match="Unable to create GUI connector"):
        panel._parameterNode.connectParametersToGui({"invert": getattr(qt, widget_class)()})


def test_parameter_with_a_reserved_name_is_refused(host):
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    class Wrong:
        default: int

    with pytest.raises(ValueError, match="reserved name 'default'"):
        parameterNodeWrapper(Wrong)
