"""Stand-in for the layout manager: the slice views and the 3D view, as MRML nodes and logics.

The nodes come from the real layout logic, the slices are computed by the real slice logics. Nothing is drawn until a
picture is asked for (see views.py).
"""

import slicer
import vtk
from PySide6 import QtCore

from ..qt.pythonqt import Property, wrappedClass

SLICE_VIEWS = ("Red", "Green", "Yellow")
# The size in pixels that a view has until a picture gives it another.
VIEW_SIZE = 400


@wrappedClass
class qMRMLSliceView(QtCore.QObject):
    def __init__(self, widget):
        super().__init__(widget)
        self._widget = widget

    def mrmlSliceNode(self):
        return self._widget.mrmlSliceNode()

    def forceRender(self):
        pass


@wrappedClass
class qMRMLSliceWidget(QtCore.QObject):
    """A slice view: its node, its logic."""

    def __init__(self, layoutManager, sliceNode, applicationLogic):
        super().__init__(layoutManager)
        self._logic = slicer.vtkMRMLSliceLogic()
        self._logic.SetMRMLApplicationLogic(applicationLogic)
        self._logic.SetMRMLScene(sliceNode.GetScene())
        self._logic.SetSliceNode(sliceNode)
        self._view = qMRMLSliceView(self)

    def sliceLogic(self):
        return self._logic

    def mrmlSliceNode(self):
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self):
        return self._logic.GetSliceCompositeNode()

    def sliceView(self):
        return self._view


@wrappedClass
class qMRMLThreeDView(QtCore.QObject):
    def __init__(self, widget):
        super().__init__(widget)
        self._widget = widget

    def mrmlViewNode(self):
        return self._widget.mrmlViewNode()

    def forceRender(self):
        pass


@wrappedClass
class qMRMLThreeDWidget(QtCore.QObject):
    def __init__(self, layoutManager, viewNode):
        super().__init__(layoutManager)
        self._node = viewNode
        self._view = qMRMLThreeDView(self)

    def mrmlViewNode(self):
        return self._node

    def threeDView(self):
        return self._view


@wrappedClass
class qSlicerLayoutManager(QtCore.QObject):
    """``slicer.app.layoutManager()``."""

    def __init__(self, scene, applicationLogic):
        super().__init__()
        self._logic = slicer.vtkMRMLLayoutLogic()
        self._logic.SetMRMLApplicationLogic(applicationLogic)
        self._logic.SetMRMLScene(scene)
        self.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        self._sliceLogics = vtk.vtkCollection()
        self._viewLogics = vtk.vtkCollection()
        self._sliceWidgets = {}
        for name in SLICE_VIEWS:
            sliceNode = scene.GetSingletonNode(name, "vtkMRMLSliceNode")
            sliceNode.SetDimensions(VIEW_SIZE, VIEW_SIZE, 1)
            widget = qMRMLSliceWidget(self, sliceNode, applicationLogic)
            self._sliceWidgets[name] = widget
            self._sliceLogics.AddItem(widget.sliceLogic())
        viewNode = scene.GetFirstNodeByClass("vtkMRMLViewNode")
        self._threeDWidget = qMRMLThreeDWidget(self, viewNode)
        viewLogic = slicer.vtkMRMLViewLogic()
        viewLogic.SetMRMLApplicationLogic(applicationLogic)
        viewLogic.SetMRMLScene(scene)
        viewLogic.AddViewNode(viewNode.GetLayoutName())
        self._viewLogics.AddItem(viewLogic)
        # In Slicer the 3D view makes its camera; the logics expect to find one.
        camera = scene.AddNewNodeByClass("vtkMRMLCameraNode", "Camera")
        camera.SetLayoutName(viewNode.GetLayoutName())
        applicationLogic.SetSliceLogics(self._sliceLogics)
        applicationLogic.SetViewLogics(self._viewLogics)

    def sliceViewNames(self):
        return SLICE_VIEWS

    def sliceWidget(self, name):
        return self._sliceWidgets.get(name)

    def mrmlSliceLogics(self):
        return self._sliceLogics

    def threeDWidget(self, index):
        return self._threeDWidget if index in (0, "View1") else None

    def setLayout(self, layout):
        self._logic.GetLayoutNode().SetViewArrangement(layout)

    def resetSliceViews(self):
        for widget in self._sliceWidgets.values():
            widget.sliceLogic().FitSliceToBackground()

    def resetThreeDViews(self):
        pass

    layout = Property(
        "layout",
        lambda self: self._logic.GetLayoutNode().GetViewArrangement(),
        lambda self, value: self.setLayout(value),
        int,
    )
    threeDViewCount = Property("threeDViewCount", lambda self: 1, None, int)
    tableViewCount = Property("tableViewCount", lambda self: 0, None, int)
    plotViewCount = Property("plotViewCount", lambda self: 0, None, int)
