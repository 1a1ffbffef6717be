"""Stand-ins for Slicer's own widget classes, which know the MRML scene. In Slicer they are attributes of ``slicer``."""

from PySide6 import QtWidgets

from ..qt.pythonqt import storedProperty, wrappedClass
from ..qt.signals import Signal
from .ctk_values import ctkDoubleSpinBox, ctkSliderWidget


@wrappedClass
class qMRMLWidget(QtWidgets.QWidget):
    """The root of a module's .ui file; it hands the scene on to the widgets inside."""

    mrmlSceneChanged = Signal("vtkMRMLScene*")

    def __init__(self, *args):
        super().__init__(*args)
        self._scene = None

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene):
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


@wrappedClass
class qMRMLSliderWidget(ctkSliderWidget):
    """A slider with the units of the scene; the stand-in leaves the units out."""

    def setMRMLScene(self, scene):
        pass

    quantity = storedProperty("quantity", "", str)


@wrappedClass
class qMRMLSpinBox(ctkDoubleSpinBox):
    def setMRMLScene(self, scene):
        pass

    quantity = storedProperty("quantity", "", str)
