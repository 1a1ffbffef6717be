"""The host itself: starts the stand-in application once, and drives it from tests."""

import atexit
import os
import sys
import time
import types

from . import imports, inspection
from .messages import Messages, replaceQtDialogs, replaceSlicerUtilDialogs
from .qt import pythonqt


class Host:
    """A running stand-in for the 3D Slicer application. Use ``slicerHost()``: a process has one."""

    def __init__(self):
        self.messages = Messages()
        # Exceptions that ended in an event handler. Slicer prints such and goes on.
        self.errors = []
        self._startQt()
        self._startScene()
        self._importedModules = imports.ImportedModules()

    #
    # Start
    #
    def _startQt(self):
        from . import qt_modules
        from .qt import quiet

        quiet.quietQt()
        qt_modules.install()
        replaceQtDialogs(self.messages)
        import slicer
        import slicer.util

        for name in ("modules", "moduleNames"):
            module = types.ModuleType(f"slicer.{name}")
            sys.modules[f"slicer.{name}"] = module
            setattr(slicer, name, module)
        from .slicer_api import application

        self._temporaryFolder, folder = application.temporaryFolder()
        slicer.app = self.app = application.qSlicerApplication(folder)
        replaceSlicerUtilDialogs(self.messages)
        from .qt import ui_loader
        from .slicer_api import i18n, modules
        from .widgets import ctk, ctk_values, node_combobox, qmrml, segment_editor, table_view

        for standIns in (ctk, ctk_values, qmrml, node_combobox, table_view, segment_editor):
            ui_loader.registerStandIns(standIns)
        for source in (qmrml, node_combobox, table_view, segment_editor, modules, application):
            for name, value in vars(source).items():
                if name.startswith(("qMRML", "qSlicer")):
                    setattr(slicer, name, value)
        sys.modules["slicer.i18n"] = slicer.i18n = i18n
        from .slicer_api import parameter_node, scripted_module

        sys.modules["slicer.ScriptedLoadableModule"] = slicer.ScriptedLoadableModule = scripted_module
        sys.modules["slicer.parameterNodeWrapper"] = slicer.parameterNodeWrapper = parameter_node
        from .slicer_api import multi_volume, sample_data, sitk_utils

        slicer.vtkMRMLMultiVolumeNode = multi_volume.vtkMRMLMultiVolumeNode

        segment_editor.install()
        sys.modules["SampleData"] = sample_data
        sys.modules["sitkUtils"] = sitk_utils
        sys.excepthook = self._recordError

    def _recordError(self, exceptionType, exception, traceback):
        self.errors.append(exception)
        sys.__excepthook__(exceptionType, exception, traceback)

    def _startScene(self):
        import slicer

        from .slicer_api import application, layout, modules, scene_io, subject_hierarchy

        slicer.mrmlScene = scene = slicer.vtkMRMLScene()
        self.app.setMRMLScene(scene)
        logic = self.app.applicationLogic()
        logic.SetMRMLScene(scene)
        self._loadableModules = modules.createLoadableModules(self.app.moduleManager(), scene, logic)
        # Bundles (.mrb) are unpacked into the cache.
        self._remoteIO = slicer.vtkMRMLRemoteIOLogic()
        self._remoteIO.SetMRMLScene(scene)
        self._remoteIO.GetCacheManager().SetRemoteCacheDirectory(os.path.join(self.app.temporaryPath, "cache"))
        self._remoteIO.AddDataIOToScene()
        crosshair = slicer.vtkMRMLCrosshairNode()
        crosshair.SetCrosshairName("default")
        scene.AddNode(crosshair)
        self._hierarchy = subject_hierarchy.SubjectHierarchyFollower(scene)
        self.app._layoutManager = layout.qSlicerLayoutManager(scene, logic)
        self.app._ioManager = scene_io.qSlicerCoreIOManager()
        self.mainWindow = application.qSlicerMainWindow()

    #
    # Modules
    #
    def loadModule(self, path):
        """Load a scripted module from its file, and emit that start-up is complete. Returns the module object."""
        from .slicer_api import modules

        try:
            module = modules.loadScriptedModule(self.app.moduleManager(), str(path))
            self.app.startupCompleted.emit()
        finally:
            # It comes once in a session; a module loaded later must not bring it to this one again.
            self.app.startupCompleted.disconnect()
        return module

    def openModule(self, name):
        """Switch to a module, as the user does. Returns its Python widget."""
        import slicer

        slicer.util.selectModule(name)
        self.processEvents()
        return slicer.util.getModuleWidget(name)

    def closeModule(self):
        """Leave the module that is shown."""
        self.mainWindow.moduleSelector()._leave()
        self.processEvents()

    def reloadModule(self, name=None):
        """Press Reload, of the module that is shown unless another is named. Returns the new Python widget."""
        import slicer

        name = name or self.mainWindow.moduleSelector().selectedModule
        slicer.util.getModuleWidget(name).onReload()
        self.processEvents()
        return slicer.util.getModuleWidget(name)

    def unloadModule(self, name):
        """Leave a scripted module if it is shown, and unload it: its widget cleans up."""
        if self.mainWindow.moduleSelector().selectedModule == name:
            self.closeModule()
        self.app.moduleManager()._unload(name)
        self.processEvents()

    def imitateVersion(self, major, minor):
        """Behave as another version of Slicer until ``reset()``, as far as differences are known here.

        Before 5.12 a parameter node wrapper goes on observing its node after ``disconnectGui``.
        """
        self.app._version = (major, minor)

    def quit(self):
        """File > Exit: all modules are unloaded in the reverse of Slicer's order of loading.

        The module that is shown is not left before. Afterwards there is nothing to do but ``reset()``.
        """
        manager = self.app.moduleManager()
        for name in reversed(manager._loadOrder()):
            manager._unload(name)
        self.mainWindow.moduleSelector()._forget()
        self.processEvents()

    #
    # Events
    #
    def processEvents(self, seconds=0.0):
        """Let the event loop run; for some time, if asked for."""
        from PySide6 import QtCore

        end = time.monotonic() + seconds
        while True:
            self.app.processEvents()
            self.app.sendPostedEvents(None, QtCore.QEvent.DeferredDelete)
            if time.monotonic() >= end:
                return
            time.sleep(0.001)

    def waitUntil(self, predicate, timeout=120.0):
        """Let the event loop run until ``predicate()`` is true; ``TimeoutError`` if that takes too long."""
        end = time.monotonic() + timeout
        while not predicate():
            if time.monotonic() > end:
                raise TimeoutError(f"Not true within {timeout} s")
            self.processEvents()

    def click(self, button):
        """Click a button with the mouse; fails if the user could not."""
        from PySide6 import QtCore, QtTest

        if not button.enabled:
            raise RuntimeError(f"Button '{button.text}' is disabled: {button.toolTip}")
        if not button.visible:
            raise RuntimeError(f"Button '{button.text}' is not visible")
        QtTest.QTest.mouseClick(button, QtCore.Qt.LeftButton)
        self.processEvents()

    def mouse(self, sliceView):
        """A mouse over a slice view ("Red", ...), for a ``with`` statement; see ``mouse.SliceViewMouse``."""
        from .views import mouse

        return mouse.SliceViewMouse(sliceView)

    #
    # What is there, for tests that look for leaks
    #
    def counts(self):
        """How many there are now: nodes, observers on the scene, open connections, widgets, running timers."""
        return inspection.counts()

    def activeTimers(self):
        """The timers made from Python that are running."""
        return inspection.activeTimers()

    #
    # Scene
    #
    def screenshot(self, widget, path, **options):
        """Save a widget as PNG; see ``pictures.screenshot``."""
        from .views import pictures

        pictures.screenshot(widget, path, **options)

    def sliceViewPicture(self, path, **options):
        """Save the slice views as PNG; see ``pictures.sliceViewPicture``."""
        from .views import pictures

        pictures.sliceViewPicture(path, **options)

    def threeDViewPicture(self, path, **options):
        """Save the 3D view as PNG; see ``pictures.threeDViewPicture``."""
        from .views import pictures

        pictures.threeDViewPicture(path, **options)

    def applicationPicture(self, path, widget, **options):
        """Save the panel and the four views as PNG; see ``pictures.applicationPicture``."""
        from .views import pictures

        pictures.applicationPicture(path, widget, **options)

    def clickSample(self, sampleName):
        """Click a sample in the module Sample Data. Returns what its loader returns."""
        from .slicer_api import sample_data

        return sample_data.clickSample(sampleName)

    def closeScene(self):
        """File > Close Scene."""
        import slicer

        slicer.mrmlScene.Clear(False)
        self.processEvents()

    def reset(self):
        """A fresh start between tests: no modules, an empty scene, default settings, no messages."""
        import slicer

        from .slicer_api import application

        manager = self.app.moduleManager()
        for name in manager.modulesNames():
            if isinstance(manager.module(name), slicer.qSlicerScriptedLoadableModule):
                self.unloadModule(name)
        for name, module in self._loadableModules.items():
            if manager.module(name) is None:  # after quit()
                manager._register(name, module)
        slicer.mrmlScene.Clear(False)
        # The parameter nodes of modules are singletons, and so survive.
        for className in ("vtkMRMLScriptedModuleNode", "vtkMRMLSegmentEditorNode"):
            for node in slicer.util.getNodesByClass(className):
                slicer.mrmlScene.RemoveNode(node)
        for attribute in ("sampleDataSources", "sampleDataSourceCategories"):
            if hasattr(slicer.modules, attribute):
                delattr(slicer.modules, attribute)
        slicer.qSlicerSegmentEditorEffectFactory.instance()._forget()
        self.app._resetSettings()
        self.app._version = application.VERSION
        self.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        while self.app.overrideCursor() is not None:
            self.app.restoreOverrideCursor()
        self.processEvents()
        self.messages.reset()
        self.errors.clear()
        self._importedModules.restore()
        self._importedModules = imports.ImportedModules()


_host = None


def slicerHost():
    """The process's host, started on the first call; the process exits as the application does."""
    global _host
    if _host is None:
        pythonqt.install()
        _host = Host()
        # Widgets and nodes that observe each other have to go before Qt and VTK do, or the interpreter crashes.
        atexit.register(_host.reset)
    return _host
