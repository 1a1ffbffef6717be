"""Stand-ins for the Segment Editor's widget and for effects that are written in Python.

Undo, masks and the choice of segmentation and volume are those of Slicer's own logic and node. There is no effect but
those that a module registers, and no table of segments.
"""

import importlib.util
import os
import sys
import types

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from ..qt.pythonqt import isAlive, storedProperty, wrappedClass
from .qmrml import qMRMLWidget


class AbstractScriptedSegmentEditorEffect:
    """What an effect derives from, as in Slicer's package ``SegmentEditorEffects``."""

    def __init__(self, scriptedEffect):
        self.scriptedEffect = scriptedEffect

    def register(self):
        slicer.qSlicerSegmentEditorEffectFactory.instance().registerEffect(self.scriptedEffect)

    def cleanup(self):
        pass


@wrappedClass
class qSlicerSegmentEditorScriptedEffect(QtCore.QObject):
    """The C++ side of an effect: calls the methods of the Python class in its source file."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._pythonSelf = self._node = self._saveState = None
        self._active = False
        self._frame = QtWidgets.QFrame()
        self._frame.setLayout(QtWidgets.QFormLayout())

    name = storedProperty("name", "UnnamedScriptedEffect", str)
    title = storedProperty("title", "", str)
    perSegment = storedProperty("perSegment", True, bool)
    requireSegments = storedProperty("requireSegments", True, bool)
    showEffectCursorInSliceView = storedProperty("showEffectCursorInSliceView", True, bool)

    def setPythonSource(self, path):
        """As in Slicer, the folder's name is that of the module, and the file's that of the class."""
        moduleName = os.path.basename(os.path.dirname(path))
        className = os.path.splitext(os.path.basename(path))[0]
        className += "" if className.endswith("Effect") else "Effect"
        if not hasattr(sys.modules.get(moduleName), className):
            spec = importlib.util.spec_from_file_location(moduleName, path)
            module = importlib.util.module_from_spec(spec)
            sys.modules[moduleName] = module
            spec.loader.exec_module(module)
        self._pythonSelf = getattr(sys.modules[moduleName], className)(self)
        return True

    def self(self):
        return self._pythonSelf

    def clone(self):
        return self._pythonSelf.clone()

    def _call(self, method):
        """An effect's method, if it has it; an exception is reported and does not reach the caller."""
        try:
            return getattr(self._pythonSelf, method, lambda: None)()
        except Exception:
            sys.excepthook(*sys.exc_info())

    def icon(self):
        return self._call("icon") or QtGui.QIcon()

    def helpText(self):
        return self._call("helpText") or ""

    def active(self):
        return self._active

    def activate(self):
        self._frame.setVisible(True)
        self._active = True
        self.updateGUIFromMRML()
        self._call("activate")

    def deactivate(self):
        self._frame.setVisible(False)
        self._active = False
        self._call("deactivate")

    def updateGUIFromMRML(self):
        if self._active:
            self._call("updateGUIFromMRML")

    def parameterSetNode(self):
        return self._node

    def setParameterSetNode(self, node):
        self._node = node

    def saveStateForUndo(self):
        self._saveState()

    def optionsFrame(self):
        return self._frame

    def addOptionsWidget(self, widgetOrLayout):
        self._frame.layout().addRow(widgetOrLayout)

    def addLabeledOptionsWidget(self, text, widgetOrLayout):
        label = QtWidgets.QLabel(text)
        self._frame.layout().addRow(label, widgetOrLayout)
        return label

    def parameter(self, name):
        return self._node.GetAttribute(f"{self.name}.{name}") or self._node.GetAttribute(name) or ""

    def integerParameter(self, name):
        return int(self.parameter(name))

    def setParameter(self, name, value):
        self._node.SetAttribute(f"{self.name}.{name}", str(value))

    def setParameterDefault(self, name, value):
        if self._node.GetAttribute(f"{self.name}.{name}") is None:
            self.setParameter(name, value)


@wrappedClass
class qSlicerSegmentEditorEffectFactory(QtCore.QObject):
    """The effects that every editor gets a copy of."""

    _instance = None

    def __init__(self):
        super().__init__()
        self._effects = []

    @staticmethod
    def instance():
        cls = qSlicerSegmentEditorEffectFactory
        cls._instance = cls._instance or cls()
        return cls._instance

    def registerEffect(self, effect):
        if effect.name in [each.name for each in self._effects]:
            return False
        self._effects.append(effect)
        return True

    def registeredEffects(self):
        return list(self._effects)

    def _forget(self):
        self._effects.clear()


@wrappedClass
class qMRMLSegmentEditorWidget(qMRMLWidget):
    """The editor that modules embed: effects, their options, undo and redo."""

    def __init__(self, parent=None):
        super().__init__(*([parent] if parent else []))
        self._logic = slicer.vtkSlicerSegmentEditorLogic()
        self._node = self._tag = self._active = None
        self._options = QtWidgets.QFrame()
        self._options.setLayout(QtWidgets.QVBoxLayout())
        self._effectsBox = QtWidgets.QGroupBox("Effects")
        self._effectsBox.setLayout(QtWidgets.QHBoxLayout())
        self.setLayout(QtWidgets.QVBoxLayout())
        self.layout().addWidget(self._effectsBox)
        self.layout().addWidget(self._options)
        self._buttons, self._effects = {}, []
        self.updateEffectList()

    def updateEffectList(self):
        known = [effect.name for effect in self._effects]
        for registered in qSlicerSegmentEditorEffectFactory.instance().registeredEffects():
            if registered.name not in known:
                self._addEffect(registered.clone())

    def _addEffect(self, effect):
        effect._saveState = self.saveStateForUndo
        effect.setParameterSetNode(self._node)
        button = QtWidgets.QToolButton()
        button.setObjectName(effect.name)
        button.setCheckable(True)
        button.setToolButtonStyle(QtCore.Qt.ToolButtonTextBesideIcon)
        button.setIcon(effect.icon())
        button.setText(effect.title or effect.name)
        button.setToolTip(effect.title or effect.name)
        button.clicked.connect(lambda checked, name=effect.name: self.setActiveEffectByName(name if checked else ""))
        self._effectsBox.layout().addWidget(button)
        self._effects.append(effect)
        self._buttons[effect.name] = button
        effect._call("setupOptionsFrame")
        effect.optionsFrame().setVisible(False)
        self._options.layout().addWidget(effect.optionsFrame())

    def mrmlSegmentEditorNode(self):
        return self._node

    def setMRMLSegmentEditorNode(self, node):
        if node is self._node:
            return
        if self._node is not None:
            self._node.RemoveObserver(self._tag)
        self._node = node
        self._logic.SetSegmentEditorNode(node)
        if node is not None:
            self._tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self.updateWidgetFromMRML())
        for effect in self._effects:
            effect.setParameterSetNode(node)
        self._setDefaults()

    def _setDefaults(self):
        """Also after closing the scene, which empties the node."""
        for effect in self._effects if self._node is not None else ():
            effect._call("setMRMLDefaults")

    def setMRMLScene(self, scene):
        super().setMRMLScene(scene)
        self._logic.SetMRMLScene(scene)
        scene.AddObserver(scene.EndCloseEvent, lambda *_: isAlive(self) and self._setDefaults())

    def updateWidgetFromMRML(self):
        if isAlive(self) and self._active is not None:
            self._active.updateGUIFromMRML()

    def _cleanUp(self):
        """As the destructor in C++ does: nothing is observed any more, and the effects let go of what they hold."""
        self.setActiveEffect(None)
        for effect in self._effects:
            effect._call("cleanup")
        self.setMRMLSegmentEditorNode(None)

    def segmentationNode(self):
        return self._node and self._node.GetSegmentationNode()

    def segmentationNodeID(self):
        node = self.segmentationNode()
        return node.GetID() if node else ""

    def setSegmentationNode(self, node):
        self._node.SetAndObserveSegmentationNode(node)

    def sourceVolumeNode(self):
        return self._node and self._node.GetSourceVolumeNode()

    def setSourceVolumeNode(self, node):
        self._node.SetAndObserveSourceVolumeNode(node)

    def setCurrentSegmentID(self, segmentId):
        self._node.SetSelectedSegmentID(segmentId)

    def setMaximumNumberOfUndoStates(self, number):
        self._logic.SetMaximumNumberOfUndoStates(number)

    def saveStateForUndo(self):
        self._logic.SaveStateForUndo()

    def undo(self):
        self._logic.Undo()

    def redo(self):
        self._logic.Redo()

    def effectByName(self, name):
        return next((effect for effect in self._effects if effect.name == name), None)

    def activeEffect(self):
        return self._active

    def setActiveEffectByName(self, name):
        self.setActiveEffect(self.effectByName(name))

    def setActiveEffect(self, effect):
        if effect is self._active:
            return
        if self._active is not None:
            self._active.deactivate()
        self._active = effect
        for name, button in self._buttons.items():
            button.setChecked(effect is not None and name == effect.name)
        if effect is not None:
            effect.activate()


def install():
    """Put the modules where scripts look for effects and for the editor."""
    effects = types.ModuleType("qSlicerSegmentationsEditorEffectsPythonQt")
    effects.qSlicerSegmentEditorScriptedEffect = qSlicerSegmentEditorScriptedEffect
    effects.qSlicerSegmentEditorEffectFactory = qSlicerSegmentEditorEffectFactory
    base = types.ModuleType("SegmentEditorEffects")
    base.AbstractScriptedSegmentEditorEffect = AbstractScriptedSegmentEditorEffect
    for module in (effects, base):
        sys.modules[module.__name__] = module
