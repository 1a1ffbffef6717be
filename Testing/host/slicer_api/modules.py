"""The modules of the application: ``slicer.modules``, the module manager, and how a scripted module is loaded.

Loadable modules (Volumes, Segmentations, ...) are their real logics, set up as Slicer does. Scripted modules are
loaded from their file, as Slicer's module factory does.
"""

import contextlib
import importlib.util
import os
import sys

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from ..qt.pythonqt import Property, storedProperty, wrappedClass
from ..qt.quiet import quietVtk
from ..qt.signals import Signal

# Module name -> class of its logic, in the order in which Slicer sets them up.
LOADABLE_MODULES = {
    "Colors": "vtkMRMLColorLogic",
    "Units": "vtkSlicerUnitsLogic",
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Cameras": "vtkSlicerCamerasModuleLogic",
    "Data": "vtkSlicerDataModuleLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Models": "vtkSlicerModelsLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Sequences": "vtkSlicerSequencesLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Texts": "vtkSlicerTextsLogic",
    "CropVolume": "vtkSlicerCropVolumeLogic",
    "VolumeRendering": "vtkSlicerVolumeRenderingLogic",
    "ViewControllers": "vtkSlicerViewControllersLogic",
    "SceneViews": "vtkSlicerSceneViewsModuleLogic",
    "Reformat": "vtkSlicerReformatLogic",
}
# Module name -> the modules that Slicer loads before it. Slicer loads the others by their names' order. Annotations,
# which slicer-core does not bring, is here because it has SubjectHierarchy loaded first.
DEPENDENCIES = {
    "Annotations": ("SubjectHierarchy",),
    "Colors": ("Terminologies",),
    "CropVolume": ("Volumes",),
    "Data": ("Cameras",),
    "SceneViews": ("Sequences",),
    "Segmentations": ("Terminologies",),
    "Volumes": ("Colors", "Units"),
}


@wrappedClass
class qSlicerLoadableModule(QtCore.QObject):
    """A module written in C++: its name and its logic."""

    def __init__(self, name, logic):
        super().__init__()
        self.setObjectName(name)
        self._logic = logic

    def logic(self):
        return self._logic

    def mrmlScene(self):
        return slicer.mrmlScene

    def widgetRepresentation(self):
        return None

    name = Property("name", lambda self: self.objectName, None, str)
    title = Property("title", lambda self: self.objectName, None, str)
    path = Property("path", lambda self: "", None, str)


@wrappedClass
class qSlicerScriptedLoadableModule(QtCore.QObject):
    """The C++ side of a scripted module: what the Python class gets as ``parent``."""

    def __init__(self, name, path):
        super().__init__()
        self.setObjectName(name)
        self._path = path
        self._pythonSelf = None
        self._widget = None
        self._logic = slicer.vtkSlicerScriptedLoadableModuleLogic()
        self._logic.SetMRMLScene(slicer.mrmlScene)

    def logic(self):
        return self._logic

    def mrmlScene(self):
        return slicer.mrmlScene

    def widgetRepresentation(self):
        """The module's widget, created and set up when first asked for."""
        if self._widget is None and hasattr(sys.modules[self.objectName], self.objectName + "Widget"):
            self._widget = qSlicerScriptedLoadableModuleWidget(self.objectName)
            self._widget._createAndSetUp()
        return self._widget

    def createNewWidgetRepresentation(self):
        widget = qSlicerScriptedLoadableModuleWidget(self.objectName)
        widget._createAndSetUp()
        return widget

    name = Property("name", lambda self: self.objectName, None, str)
    path = Property("path", lambda self: self._path, None, str)
    title = storedProperty("title", "", str)
    categories = storedProperty("categories", ())
    dependencies = storedProperty("dependencies", ())
    contributors = storedProperty("contributors", ())
    associatedNodeTypes = storedProperty("associatedNodeTypes", ())
    helpText = storedProperty("helpText", "", str)
    acknowledgementText = storedProperty("acknowledgementText", "", str)
    icon = storedProperty("icon", QtGui.QIcon())
    hidden = storedProperty("hidden", False, bool)
    index = storedProperty("index", -1, int)
    extensions = storedProperty("extensions", {})
    widgetRepresentationCreationEnabled = storedProperty("widgetRepresentationCreationEnabled", True, bool)


@wrappedClass
class qSlicerScriptedLoadableModuleWidget(QtWidgets.QWidget):
    """The C++ side of a scripted module's widget: the panel that the Python class fills."""

    mrmlSceneChanged = Signal("vtkMRMLScene*")

    def __init__(self, moduleName):
        super().__init__()
        self._moduleName = moduleName
        self._pythonSelf = None
        self._scene = None
        self._entered = False
        self.setObjectName(moduleName + "ModuleWidget")
        self.setLayout(QtWidgets.QVBoxLayout())

    def _create(self):
        className = self._moduleName + "Widget"
        self._pythonSelf = getattr(sys.modules[self._moduleName], className)(self)
        setattr(slicer.modules, className, self._pythonSelf)

    def _createAndSetUp(self):
        self._create()
        self._pythonSelf.setup()
        # After setup: widgets have to cope with no scene.
        self.setMRMLScene(slicer.mrmlScene)

    def self(self):
        return self._pythonSelf

    def reload(self):
        self._create()
        self._pythonSelf.setup()

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene):
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)

    def enter(self):
        self._entered = True
        if hasattr(self._pythonSelf, "enter"):
            self._pythonSelf.enter()

    def exit(self):
        self._entered = False
        if hasattr(self._pythonSelf, "exit"):
            self._pythonSelf.exit()

    def setEditedNode(self, node, role="", context=""):
        if hasattr(self._pythonSelf, "setEditedNode"):
            return self._pythonSelf.setEditedNode(node, role, context)
        return False

    isEntered = Property("isEntered", lambda self: self._entered, None, bool)


@wrappedClass
class qSlicerModuleManager(QtCore.QObject):
    """Knows the modules by their names."""

    moduleLoaded = Signal("QString")
    moduleAboutToBeUnloaded = Signal("QString")

    def __init__(self):
        super().__init__()
        self._modules = {}
        # Before any module's widget: Slicer's own slot is the first that is called.
        self.moduleAboutToBeUnloaded.connect(_removeFromSlicerModules)

    def module(self, name):
        return self._modules.get(name)

    def modulesNames(self):
        return tuple(self._modules)

    def factoryManager(self):
        return self

    def loadedModuleNames(self):
        return tuple(self._modules)

    def _register(self, name, module):
        self._modules[name] = module
        setattr(slicer.modules, name.lower(), module)
        setattr(slicer.moduleNames, name, name)

    def _unload(self, name):
        """Take a module out of ``slicer.modules``, let its widget clean up, and forget it."""
        self.moduleAboutToBeUnloaded.emit(name)
        module = self._modules.pop(name)
        if isinstance(module, qSlicerScriptedLoadableModule):
            if module._widget is not None:
                module._widget.deleteLater()
            sys.modules.pop(name, None)

    def _loadOrder(self):
        """The names of the modules in the order in which Slicer loads them: by name, but dependencies first."""
        ordered = []

        def load(name):
            if name not in ordered:
                for dependency in getattr(self.module(name), "dependencies", DEPENDENCIES.get(name, ())):
                    load(dependency)
                ordered.append(name)

        for name in sorted({*self._modules, *DEPENDENCIES}):
            load(name)
        return [name for name in ordered if name in self._modules]


def _removeFromSlicerModules(name):
    """As Slicer's slicerqt.py does when a module is about to be unloaded."""
    for attribute in (name.lower(), name + "Instance", name + "Widget"):
        if hasattr(slicer.modules, attribute):
            delattr(slicer.modules, attribute)
    if hasattr(slicer.moduleNames, name):
        delattr(slicer.moduleNames, name)
    getattr(slicer, "selfTests", {}).pop(name, None)


def createLoadableModules(manager, scene, applicationLogic):
    """Set up the logics that slicer-core brings, and register them everywhere they are looked for.

    Returns the modules by name: they can be registered again after ``Host.quit``.
    """
    modules = {}
    for name, logicClass in LOADABLE_MODULES.items():
        logic = getattr(slicer, logicClass)()
        if name == "Colors":
            applicationLogic.SetColorLogic(logic)
        logic.SetMRMLApplicationLogic(applicationLogic)
        # slicer-core comes without Slicer's terminology files, and the absence of each is reported as an error.
        with quietVtk() if name == "Terminologies" else contextlib.nullcontext():
            logic.SetMRMLScene(scene)
        applicationLogic.SetModuleLogic(name, logic)
        modules[name] = qSlicerLoadableModule(name, logic)
        manager._register(name, modules[name])
    return modules


def loadScriptedModule(manager, path):
    """Import a scripted module and create its module object, as Slicer's factory does. Returns the module."""
    path = os.path.abspath(path)
    name = os.path.splitext(os.path.basename(path))[0]
    _appendToPythonPath(os.path.dirname(path))
    if name not in sys.modules or getattr(sys.modules[name], "__file__", None) != path:
        spec = importlib.util.spec_from_file_location(name, path)
        pythonModule = importlib.util.module_from_spec(spec)
        sys.modules[name] = pythonModule
        try:
            spec.loader.exec_module(pythonModule)
        except BaseException:
            del sys.modules[name]
            raise
    module = qSlicerScriptedLoadableModule(name, path)
    try:
        module._pythonSelf = getattr(sys.modules[name], name)(module)
        for dependency in module.dependencies:
            if manager.module(dependency) is None:
                raise RuntimeError(f"Module {name} depends on {dependency}, which the host does not have")
    except BaseException:
        del sys.modules[name]
        raise
    setattr(slicer.modules, name + "Instance", module._pythonSelf)
    manager._register(name, module)
    manager.moduleLoaded.emit(name)
    if hasattr(module._pythonSelf, "setup"):
        module._pythonSelf.setup()
    return module


def _appendToPythonPath(folder):
    """Make the module's folder importable, and the one above it unless modules written in C++ lie beside it.

    Slicer puts both at the end: a package that is installed in its Python comes first.
    """
    above = os.path.dirname(folder)
    folders = [folder] if os.path.isdir(os.path.join(above, "qt-loadable-modules")) else [folder, above]
    sys.path.extend(each for each in folders if each not in sys.path)
