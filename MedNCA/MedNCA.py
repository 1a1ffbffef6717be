import sys
from typing import Annotated

import slicer
import vtk
from slicer import (
    vtkMRMLMarkupsFiducialNode,
    vtkMRMLMarkupsROINode,
    vtkMRMLScalarVolumeNode,
    vtkMRMLSegmentationNode,
    vtkMRMLSequenceBrowserNode,
    vtkMRMLTableNode,
)
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

# numpy, SimpleITK, the engine and the packages beside this file are imported where they are used: a module that is only
# listed must not slow down the start of the application.

DEFAULT_MODEL = "hippocampus-mr"


class MedNCA(ScriptedLoadableModule):
    """What the application shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("MedNCA")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = []
        self.parent.contributors = ["MedNCA contributors"]
        self.parent.helpText = _("""
Segments volumes with Neural Cellular Automata: one small rule that every pixel repeats, trained and bundled with the
extension. It works offline and on any computer. Choose a volume and a model, and click Segment. For research use only.
See the <a href="https://github.com/MedNCA/MedNCA#tutorial">tutorial</a>.
""")
        self.parent.acknowledgementText = _("""
Method: J. Kalkhof, C. González, A. Mukhopadhyay, "Med-NCA: Robust and Lightweight Segmentation with Neural Cellular
Automata", IPMI 2023. Data: hippocampus, Medical Segmentation Decathlon (A. L. Simpson et al., 2019), CC BY-SA 4.0;
prostate, PROMISE12 (G. Litjens et al., 2014); left ventricle, Sunnybrook Cardiac Data (P. Radau et al., 2009), CC0 1.0.
""")
        slicer.app.connect("startupCompleted()", onStartupCompleted)


def onStartupCompleted() -> None:
    """Offer the synthetic sample and the project's terminology to the rest of the application."""
    from MedNCAScene.application.sample_data import registerSampleData
    from MedNCAScene.application.terminology import loadTerminology

    registerSampleData()
    loadTerminology()


@parameterNodeWrapper
class MedNCAParameterNode:
    """
    The user's choices, saved with the scene.

    inputVolume - The volume to segment.
    allFrames - Whether all frames are segmented of a volume that is played from a sequence.
    model - Name of the model.
    region - Box that the run is limited to; none is the whole volume.
    outputSegmentation - Where the segments go; none is a new segmentation.
    probability - Whether the result also is one volume per label with its probability.
    uncertainty - Whether the result also is a volume with the spread over the runs; with two runs or more.
    runs - How often to run; the results are averaged.
    qualityTable - Scores of the latest result.
    showWhileRunning - Whether the slice views show the cells during a run.
    keepGrowth - Whether the steps of a run are kept.
    growthView - What is kept of them, see MedNCAScene.results.cell_quantities.
    growthMegabytes - What they may take.
    growthVolume - Shows those that were kept last.
    growthBrowser - Plays them in that volume.
    inspectedPoint - Where the cell is that is plotted.
    seed - Of the draws which cells fire.
    engine - Which kernel computes.
    threads - How many processors to use; 0 is automatic.
    largestOnly - Whether only the largest piece of each label stays.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    allFrames: bool = False
    model: str = DEFAULT_MODEL
    region: vtkMRMLMarkupsROINode
    outputSegmentation: vtkMRMLSegmentationNode
    probability: bool = False
    uncertainty: bool = False
    showWhileRunning: bool = True
    keepGrowth: bool = False
    growthView: str = "labels"
    growthMegabytes: Annotated[int, WithinRange(1, 65536)] = 256
    growthVolume: vtkMRMLScalarVolumeNode
    growthBrowser: vtkMRMLSequenceBrowserNode
    inspectedPoint: vtkMRMLMarkupsFiducialNode
    runs: Annotated[int, WithinRange(1, 50)] = 1
    qualityTable: vtkMRMLTableNode
    seed: Annotated[int, WithinRange(0, 2**31 - 1)] = 0
    engine: Annotated[str, Choice(["auto", "numpy", "torch"])] = "auto"
    threads: Annotated[int, WithinRange(0, 256)] = 0
    largestOnly: bool = False


class MedNCAWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: shows the parameters, drives a run, tells what happened."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        self._shownInputId = None
        self._parts = None
        self._runSection = None

    @property
    def isRunning(self) -> bool:
        return self._runSection is not None and self._runSection.isRunning

    def setup(self) -> None:
        """Called when the user opens the module for the first time, and after a reload."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/MedNCA.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = MedNCALogic()
        from MedNCAPanel.panel import PanelParts
        from MedNCAPanel.run_section import RunSection

        self._parts = PanelParts(self.ui, self.logic, lambda: self._parameterNode)
        self._runSection = RunSection(self.ui.progressBar, self.ui.statusLabel, self.onRunChanged)

        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneReplaced)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneReplaced)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeRemovedEvent, self.onNodeRemoved)
        self.ui.segmentButton.connect("clicked(bool)", self.onSegmentButton)
        self.onRunChanged()
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Called before the module is reloaded and when the application ends."""
        if self._runSection:
            self._runSection.cancel()
            self._parts.removeOverlays()
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self) -> None:
        """Called each time the user opens this module."""
        self.initializeParameterNode()

    def exit(self) -> None:
        """Called each time the user opens another module; a run goes on."""
        self.setParameterNode(None)

    def onReload(self) -> None:
        """Read the packages again too, not only this file."""
        for name in list(sys.modules):
            if name.partition(".")[0] in ("MedNCAScene", "MedNCAPanel", "MedNCALib"):
                del sys.modules[name]
        super().onReload()

    def onSceneStartClose(self, caller, event) -> None:
        """Called just before the scene is closed."""
        self._runSection.cancel()
        self._parts.foreground.forget()
        self.setParameterNode(None)

    def onSceneReplaced(self, caller, event) -> None:
        """Called just after the scene is closed or a saved one is loaded."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onNodeRemoved(self, caller, event) -> None:
        """Called just after any node was removed from the scene."""
        self._runSection.cancelIfDeleted()

    #
    # Parameters
    #

    def initializeParameterNode(self) -> None:
        """Make sure that there is a parameter node, observe it, and choose a volume if there is one."""
        from MedNCAPanel.parameters import chooseInput

        self._parts.advanced.fillModels()
        self.setParameterNode(self.logic.getParameterNode())
        chooseInput(self._parameterNode)

    def setParameterNode(self, parameterNode) -> None:
        """Bind the panel to a parameter node, or to none."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self._parameterNodeGuiTag = None
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)
        self._parameterNode = parameterNode
        self._shownInputId = None
        if self._parts:
            self._parts.release()
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)
            self.onParametersModified()

    def onParametersModified(self, caller=None, event=None) -> None:
        """Show what follows from the parameters."""
        from MedNCAPanel.parameters import forgetOutputOfOther

        parameters = self._parameterNode
        self._shownInputId = forgetOutputOfOther(parameters, self._shownInputId)
        self._parts.show(parameters, self.isRunning)
        self._updateSegmentButton()

    def _updateSegmentButton(self) -> None:
        from MedNCAPanel.messages import missing, segmentTip

        button, parameters = self.ui.segmentButton, self._parameterNode
        lacks = missing(parameters.inputVolume, self._parts.models.has(parameters.model))
        button.enabled = self.isRunning or not lacks
        button.toolTip = segmentTip(self.isRunning, lacks)

    #
    # The run
    #

    def onSegmentButton(self, *_args) -> None:
        """Start a run with the parameters as they are now, or cancel the one that is on."""
        from MedNCAPanel.parameters import runOptions

        if self.isRunning:
            self._runSection.cancel(_("Cancelled; nothing was changed."))
            return
        parameters = self._parameterNode
        steps = self.logic.processSteps(parameters.inputVolume, parameters.outputSegmentation, **runOptions(parameters))
        nodes = [node for node in (parameters.inputVolume, parameters.outputSegmentation) if node]
        self._runSection.start(steps, nodes, self.onResult)

    def onRunChanged(self) -> None:
        """A run has begun or is over."""
        self.ui.segmentButton.text = _("&Cancel") if self.isRunning else _("&Segment")
        for name in ("inputs", "outputs", "growth", "quality", "advanced"):
            getattr(self.ui, f"{name}CollapsibleButton").enabled = not self.isRunning
        if self._parameterNode:
            self.onParametersModified()

    def onResult(self, segmentationNode) -> dict[str, float]:
        """Choose the result as output, so that the next run replaces it; return the mL of each segment."""
        from MedNCAPanel.parameters import adoptOutcome

        adoptOutcome(self.logic.getParameterNode(), self.logic.outcome)
        return {name: volume.mean for name, volume in self.logic.quality.volumes_ml.items()}


class MedNCALogic(ScriptedLoadableModuleLogic):
    """Segmentation without a panel.

    Example::

        segmentationNode = MedNCALogic().process(volumeNode)

    outcome - What the latest run that ended well has made: segmentationNode, quality (the engine's scores),
      probabilityNodes, uncertaintyNode, growthNode, growthBrowserNode, tableNode.
    """

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self.outcome = None

    @property
    def quality(self):
        """The scores of the latest run: volumes, agreement, verdict; None before the first."""
        return self.outcome and self.outcome.quality

    def getParameterNode(self):
        return MedNCAParameterNode(super().getParameterNode())

    def process(
        self, volumeNode, segmentationNode=None, model=DEFAULT_MODEL, region=None, runs=1, seed=0, interactive=False,
        **options,
    ):  # fmt: skip
        """Segment a volume and return the segmentation node; blocks until done; arguments: see `processSteps`."""
        steps = self.processSteps(volumeNode, segmentationNode, model, region, runs, seed, interactive, **options)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    def processSteps(
        self, volumeNode, segmentationNode=None, model=DEFAULT_MODEL, region=None, runs=1, seed=0, interactive=False,
        **options,
    ):  # fmt: skip
        """Segment a volume step by step: a generator that yields the engine's steps and returns the segmentation node.

        The scene changes only after the last step. A generator that is closed before leaves it as it was.

        :param volumeNode: scalar volume; it is not changed.
        :param segmentationNode: where the segments go: those that the model made there before are replaced, others
          stay as they are. None makes a new node.
        :param model: name of a model, or path of a model folder.
        :param region: ROI node that the run is limited to, or None.
        :param runs: how often to run; the results are averaged.
        :param seed: of the draws which cells fire.
        :param interactive: whether an error may be shown in a dialog; it is raised in any case.
        :param options: all by name:
          engine="auto": or "numpy" or "torch";
          threads=None: how many processors to use, None is automatic;
          probability=False: whether to add volumes with the probability of each label;
          uncertainty=False: whether to add a volume with the spread over the runs, of which there have to be two;
          showWhileRunning=False: whether the slice views show the cells during the run;
          keepGrowth=None: what to keep of each step as a sequence: "labels", "probability:1" (a label's value),
          "hidden:1" (a channel) or, as a single volume, "settled"; None keeps nothing;
          growthMegabytes=256: what that may take; if all steps take more, fewer are kept;
          table=False: whether to add a table with the scores;
          allFrames=False: whether to segment all frames of the sequence that the volume is played from; of the
          others it goes with engine, threads, table and largest_only;
          largest_only=False: whether only the largest connected piece of each label stays.
        :raises MedNCAError: the input or an option cannot be used; the scene is as it was.
        """
        from MedNCAScene import engine as mednca
        from MedNCAScene.segmentation_run import processSteps
        from MedNCAScene.sequence_run import processFrames

        process = processFrames if options.pop("allFrames", False) else processSteps
        try:
            self.outcome = yield from process(
                volumeNode, segmentationNode, model, region, runs=runs, seed=seed, **options
            )
        except mednca.MedNCAError as error:
            if interactive:
                slicer.util.errorDisplay(str(error), windowTitle=_("MedNCA"))
            raise
        return self.outcome.segmentationNode

    def exportGrowth(self, path):
        """Write the steps that the latest run kept to a `.gif` or to numbered `.png` files; return the files."""
        from MedNCAScene.display.growth_export import exportOutcome

        return exportOutcome(self.outcome, path)

    def plotCell(self, volumeNode, point, model=DEFAULT_MODEL, region=None, seed=0):
        """Plot what the cell at a point (RAS, mm) goes through in a run; return the chart node."""
        from MedNCAScene.results.cell_plot import plotCell

        return plotCell(volumeNode, point, model, region, seed)


class MedNCATest(ScriptedLoadableModuleTest):
    """Tests with the bundled model and the synthetic phantom, which need no other data."""

    def setUp(self):
        slicer.mrmlScene.Clear()
        from MedNCAScene import engine
        from MedNCAScene.inputs.volumes import volumeFromImage

        self.phantom = engine.make_phantom()
        self.volumeNode = volumeFromImage(self.phantom.image, "phantom")

    def test_logicFindsTheHippocampusOfThePhantom(self):
        self.assertTruthIsFound(MedNCALogic().process(self.volumeNode))

    def test_panelFindsTheHippocampusOfThePhantom(self):
        slicer.util.selectModule("MedNCA")
        widget = slicer.util.getModuleWidget("MedNCA")
        widget.ui.inputSelector.setCurrentNode(self.volumeNode)
        widget.ui.segmentButton.click()
        assert widget.isRunning
        while widget.isRunning:
            slicer.app.processEvents()
        segmentationNode = widget.ui.outputSelector.currentNode()
        assert segmentationNode, widget.ui.statusLabel.text
        self.assertTruthIsFound(segmentationNode)

    def test_cancelledRunLeavesTheSceneAsItWas(self):
        nodesBefore = slicer.mrmlScene.GetNumberOfNodes()
        steps = MedNCALogic().processSteps(self.volumeNode)
        next(steps)
        steps.close()
        assert slicer.mrmlScene.GetNumberOfNodes() == nodesBefore

    def assertTruthIsFound(self, segmentationNode):
        """Each segment has to overlap with the phantom's label in the same order by a Dice of 0.8."""
        import SimpleITK as sitk

        truth = sitk.GetArrayViewFromImage(self.phantom.labels)
        for value, segmentId in enumerate(segmentationNode.GetSegmentation().GetSegmentIDs(), 1):
            found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentationNode, segmentId, self.volumeNode) > 0
            overlap = (found & (truth == value)).sum()
            dice = 2 * overlap / (found.sum() + (truth == value).sum())
            assert dice > 0.8, f"Dice of label {value}: {dice:.3f}"
