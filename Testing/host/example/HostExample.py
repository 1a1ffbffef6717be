"""A scripted module in the shape of Slicer's template, for the host's own tests."""

import enum
import pathlib
from typing import Annotated, Optional

import qt
import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import Choice, Default, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import *  # noqa: F403
from slicer.util import VTKObservationMixin


class HostExample(ScriptedLoadableModule):  # noqa: F405
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)  # noqa: F405
        self.parent.title = _("Host Example")
        self.parent.categories = ["Testing"]
        self.parent.dependencies = ["Segmentations"]
        self.parent.contributors = ["Nobody"]
        self.parent.helpText = _("Thresholds a volume.")
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData():
    slicer.modules.HostExampleInstance.startedUp = True


class Side(enum.Enum):
    ABOVE = "above"
    BELOW = "below"


@parameterNodeWrapper
class HostExampleParameterNode:
    inputVolume: vtkMRMLScalarVolumeNode
    outputSegmentation: Optional[vtkMRMLSegmentationNode]  # noqa: UP045
    threshold: Annotated[float, WithinRange(-100, 500)] = 100
    count: Annotated[int, WithinRange(1, 20)] = 3
    model: Annotated[str, Choice(["a", "b"])] = "a"
    side: Side
    note: Annotated[str, Default("none")]
    invert: bool = False
    folder: pathlib.Path


class HostExampleWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):  # noqa: F405
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)  # noqa: F405
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        self.ticks = 0

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)  # noqa: F405
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/HostExample.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = HostExampleLogic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.applyButton.connect("clicked(bool)", self.onApplyButton)
        self.timer = qt.QTimer()
        self.timer.setInterval(0)
        self.timer.connect("timeout()", self.onTick)
        self.initializeParameterNode()

    def cleanup(self):
        self.timer.stop()
        self.removeObservers()

    def enter(self):
        self.initializeParameterNode()

    def exit(self):
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event):
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        self.setParameterNode(self.logic.getParameterNode())
        if not self._parameterNode.inputVolume:
            firstVolume = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
            if firstVolume:
                self._parameterNode.inputVolume = firstVolume

    def setParameterNode(self, inputParameterNode):
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
        self._parameterNode = inputParameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
            self._checkCanApply()

    def _checkCanApply(self, caller=None, event=None):
        ready = bool(self._parameterNode and self._parameterNode.inputVolume)
        self.ui.applyButton.toolTip = _("Threshold the volume") if ready else _("Select an input volume")
        self.ui.applyButton.enabled = ready

    def onApplyButton(self):
        self.ticks = 0
        self.timer.start()

    def onTick(self):
        self.ticks += 1
        if self.ticks == 5:
            self.timer.stop()
            slicer.util.showStatusMessage("done")


class HostExampleLogic(ScriptedLoadableModuleLogic):  # noqa: F405
    def getParameterNode(self):
        return HostExampleParameterNode(super().getParameterNode())


class HostExampleTest(ScriptedLoadableModuleTest):  # noqa: F405
    def test_sum(self):
        self.delayDisplay("adding")
        self.assertEqual(1 + 1, 2)  # noqa: PT009
