"""The four classes that Slicer looks for in a module. They only join the packages that do the work."""

import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import slicer
import vtk
from slicer import (
    vtkMRMLMarkupsFiducialNode,
    vtkMRMLMarkupsROINode,
    vtkMRMLPlotChartNode,
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

# numpy, SimpleITK, MedNCALib and the packages beside this file are imported in the functions that use them: a module
# that is only listed must not slow down the start of the application. MedNCAScene makes MedNCALib importable.

DEFAULT_MODEL = "hippocampus-mr"


class MedNCA(ScriptedLoadableModule):
    """What the application shows of the module before it is opened."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        import MedNCAScene  # noqa: F401

        from MedNCALib._version import __version__

        self.parent.title = _("MedNCA")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        # They are loaded before this module, and so there until it is unloaded.
        self.parent.dependencies = [
            "Markups",
            "Plots",
            "Segmentations",
            "Sequences",
            "SubjectHierarchy",
            "Terminologies",
        ]
        self.parent.contributors = ["MedNCA contributors"]
        self.parent.helpText = _("""
Segments volumes with Neural Cellular Automata: one small rule that every pixel repeats, trained and bundled with the
extension. It works offline and on any computer. Choose a volume and a model, and click Segment. For research use only.
See the
<a href="https://github.com/MedNCA/MedNCA/blob/main/Resources/Documentation/tutorial.md">tutorial</a>.
Version {version}.
""").format(version=__version__)
        self.parent.acknowledgementText = _("""
Method: J. Kalkhof, C. González, A. Mukhopadhyay, "Med-NCA: Robust and Lightweight Segmentation with Neural Cellular
Automata", IPMI 2023. Data: hippocampus, Medical Segmentation Decathlon (A. L. Simpson et al., 2019), CC BY-SA 4.0;
prostate, PROMISE12 (G. Litjens et al., 2014); left ventricle, Sunnybrook Cardiac Data (P. Radau et al., 2009), CC0 1.0.
""")
        slicer.app.connect("startupCompleted()", onStartupCompleted)


def onStartupCompleted() -> None:
    """Offer the sample, the terminology and the effect of the Segment Editor to the rest of the application."""
    from MedNCAScene.application.sample_data import registerSampleData
    from MedNCAScene.application.segment_editor import registerRegrowEffect
    from MedNCAScene.application.terminology import loadTerminology

    registerSampleData()
    registerRegrowEffect()
    loadTerminology()


@parameterNodeWrapper
class MedNCAParameterNode:
    """The user's choices, saved with the scene.

    Attributes:
        inputVolume: the volume to segment.
        allFrames: whether to segment all frames of a volume that is played from a sequence.
        model: name of the model.
        region: box that the run is limited to; None is the whole volume.
        outputSegmentation: node that the segments go to; None is a new segmentation.
        probability: whether to add a volume per label with its probability.
        uncertainty: whether to add a volume with the spread over the runs; with two runs or more.
        showWhileRunning: whether the slice views show the cells during a run.
        keepGrowth: whether to keep the steps of a run.
        growthView: quantity of the cells that is kept, see `MedNCAScene.results.cell_quantities`.
        growthMegabytes: memory limit of the kept steps.
        growthVolume: volume that shows the steps kept last.
        growthBrowser: plays them in that volume.
        inspectedPoint: point of the cell that is plotted.
        runs: number of passes; the results are averaged.
        qualityTable: scores of the latest result.
        seed: of the draws which cells fire.
        engine: the kernel that computes.
        threads: number of processors to use; 0 is automatic.
        largestOnly: whether to keep only the largest piece of each label.
        allCells: whether also cells run that cannot belong to a label.
        protocol: name of the segmentation protocol whose border is drawn; "auto" goes by how the image looks.
        find: whether the model's finder looks for the anatomy first, see `MedNCALib.RunOptions`.
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
    allCells: bool = False
    protocol: str = "auto"
    find: Annotated[str, Choice(["auto", "always", "never"])] = "auto"


class MedNCAWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: shows the parameters, drives a run, and says how it ended."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: Any = None
        self._parameterNode: Any = None
        self._guiBinding: Any = None
        self._shownInputId: str | None = None
        self._panel: Any = None
        self._runSection: Any = None

    @property
    def isRunning(self) -> bool:
        return self._runSection is not None and self._runSection.isRunning

    def setup(self) -> None:
        """Called when the user opens the module for the first time, and after a reload."""
        ScriptedLoadableModuleWidget.setup(self)
        from MedNCAPanel.panel import Panel
        from MedNCAPanel.run_section import RunSection

        uiWidget = slicer.util.loadUI(self.resourcePath("UI/MedNCA.ui"))
        self.layout.addWidget(uiWidget)
        learnSection = slicer.util.findChild(uiWidget, "learnCollapsibleButton")
        learnSection.layout().addWidget(slicer.util.loadUI(self.resourcePath("UI/Learn.ui")))
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = MedNCALogic()
        self._panel = Panel(self.ui, self.logic, lambda: self._parameterNode, self.onRegrow)
        self._runSection = RunSection(self.ui.progressBar, self.ui.statusLabel, self.onRunChanged)

        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneReplaced)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneReplaced)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeRemovedEvent, self.onNodeRemoved)
        self.ui.segmentButton.connect("clicked(bool)", self.onSegmentButton)
        self.ui.stressButton.connect("clicked(bool)", self.onStressButton)
        self.ui.manyButton.connect("clicked(bool)", self.onManyButton)
        self.onRunChanged()
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Called before the module is reloaded and when the application ends."""
        self.setParameterNode(None)  # first: the end of a run shows nothing any more
        if self._runSection:
            self._runSection.cancel()
            self._panel.removeOverlays()
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

    def onSceneStartClose(self, _caller: vtk.vtkObject, _event: str) -> None:
        """Called just before the scene is closed."""
        self._runSection.cancel()
        self._panel.forgetOverlays()
        self.setParameterNode(None)

    def onSceneReplaced(self, _caller: vtk.vtkObject, _event: str) -> None:
        """Called just after the scene is closed or a saved one is loaded."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onNodeRemoved(self, _caller: vtk.vtkObject, _event: str) -> None:
        """Called just after any node was removed from the scene."""
        from MedNCAPanel.parameters import chooseInput

        self._runSection.cancelIfDeleted()
        if self._parameterNode:
            chooseInput(self._parameterNode)
            self._panel.updateBoxes()

    #
    # Parameters
    #

    def initializeParameterNode(self) -> None:
        """Make sure that there is a parameter node, observe it, and choose a volume if there is one."""
        from MedNCAPanel.parameters import chooseInput

        self._panel.fillModels()
        self.setParameterNode(self.logic.getParameterNode())
        chooseInput(self._parameterNode)

    def setParameterNode(self, parameterNode: MedNCAParameterNode | None) -> None:
        """Bind the panel to a parameter node, or to none."""
        if self._parameterNode:
            self._guiBinding.end()
            node = self._parameterNode.parameterNode
            self.removeObserver(node, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)
        self._parameterNode = parameterNode
        self._shownInputId = None
        if self._panel:
            self._panel.release()
        if self._parameterNode:
            from MedNCAPanel.gui_binding import GuiBinding

            self._guiBinding = GuiBinding(self._parameterNode, self.ui)
            # Not of the wrapper: whatever was observed once is kept, and with it the wrapper's own observers.
            node = self._parameterNode.parameterNode
            self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self.onParametersModified)
            self.onParametersModified()

    def onParametersModified(self, _caller: vtk.vtkObject | None = None, _event: str | None = None) -> None:
        """Show what follows from the parameters."""
        from MedNCAPanel.parameters import forgetOutputOfOther

        self._shownInputId = forgetOutputOfOther(self._parameterNode, self._shownInputId)
        self._panel.show(self._parameterNode, self.isRunning)
        self._updateButtons()

    def _updateButtons(self) -> None:
        from MedNCAPanel import messages

        button, parameters = self.ui.segmentButton, self._parameterNode
        missing = messages.missingInputs(parameters.inputVolume is not None, self._panel.model() is not None)
        button.enabled = self.isRunning or not missing
        button.toolTip = messages.segmentTip(self.isRunning, missing)
        self.ui.manyButton.enabled = self._panel.model() is not None
        self.ui.stressButton.enabled = not missing
        self.ui.stressButton.toolTip = messages.stressTip(missing)

    #
    # The run
    #

    def onSegmentButton(self, *_args: Any) -> None:
        """Start a run with the parameters as they are now, or cancel the one that is on."""
        from MedNCAPanel.parameters import runArguments

        if self.isRunning:
            self._runSection.cancelByUser()
            return
        if not self._mayUseModel():
            return
        parameters = self._parameterNode
        steps = self.logic.processSteps(
            parameters.inputVolume, parameters.outputSegmentation, **runArguments(parameters)
        )
        nodes = [node for node in (parameters.inputVolume, parameters.outputSegmentation) if node]
        self._runSection.start(steps, nodes, self.onResult, self.onNoResult)

    def onStressButton(self, *_args: Any) -> None:
        """Start a stress test with the parameters as they are now."""
        from MedNCAPanel.parameters import stressArguments

        if self._mayUseModel():
            parameters = self._parameterNode
            steps = self.logic.stressTestSteps(parameters.inputVolume, **stressArguments(parameters))
            self._runSection.start(steps, [parameters.inputVolume], self.onStressResult)

    def onRegrow(self) -> None:
        """Let the cells grow again around what was corrected in the output."""
        parameters = self._parameterNode
        nodes = [parameters.inputVolume, parameters.outputSegmentation]
        self._runSection.start(self._panel.regrow.steps(), nodes, self.onRegrown)

    def onManyButton(self, *_args: Any) -> None:
        """Start a run over the volumes that the section Many volumes names, with the parameters as they are now."""
        from MedNCAPanel import messages

        from MedNCALib import MedNCAError

        if not self._mayUseModel():
            return
        try:
            volumes, arguments = self._panel.many.arguments()
        except MedNCAError as error:
            self.ui.statusLabel.text = str(error)
            return
        steps = self.logic.processManySteps(volumes, **arguments)
        self._runSection.start(steps, [], self.onManyResult, cancelledLine=messages.manyCancelled())

    def _mayUseModel(self) -> bool:
        """Whether the user accepts the licence of the model; if not, the status line says so."""
        from MedNCAPanel import messages
        from MedNCAPanel.licence_consent import mayUse

        model = self._panel.model()
        isAccepted = mayUse(model)
        if not isAccepted:
            self.ui.statusLabel.text = messages.licenceDeclined(model.name)
        return isAccepted

    def onRunChanged(self) -> None:
        """A run has begun or is over."""
        from MedNCAPanel import messages

        self.ui.segmentButton.text = messages.segmentButtonText(self.isRunning)
        for name in ("inputs", "outputs", "growth", "quality", "beat", "many", "advanced"):
            getattr(self.ui, f"{name}CollapsibleButton").enabled = not self.isRunning
        if self._parameterNode:
            self.onParametersModified()

    def onResult(self, _segmentationNode: vtkMRMLSegmentationNode, seconds: float) -> str:
        """Choose the result of a run as output, so that the next replaces it; return what was found in one line."""
        from MedNCAPanel import messages
        from MedNCAPanel.parameters import adoptResult

        self._panel.markScores(areStale=False)
        adoptResult(self.logic.getParameterNode(), self.logic.outcome)
        if self._parameterNode:
            self.onParametersModified()
        volumes = {name: volume.mean for name, volume in self.logic.quality.volumes_ml.items()}
        return messages.doneLine(volumes, seconds, self.logic.outcome.brainMl)

    def onRegrown(self, _segmentationNode: vtkMRMLSegmentationNode, seconds: float) -> str:
        """Return how much has changed in one line."""
        from MedNCAPanel import messages

        if self._parameterNode:
            self.onParametersModified()
        return messages.regrownLine(self.logic.regrowOutcome, seconds)

    def onNoResult(self) -> None:
        """A run of the model was cancelled or has failed."""
        self._panel.markScores(areStale=True)

    def onStressResult(self, _tableNode: vtkMRMLTableNode, seconds: float) -> str:
        """Show the worst case of a stress test; return a line that it is done."""
        from MedNCAPanel import messages

        if self._parameterNode:
            self.onParametersModified()
            self._panel.showWorstCase()
        return messages.stressDoneLine(seconds)

    def onManyResult(self, _tableNode: vtkMRMLTableNode, seconds: float) -> str:
        """Return a line that says how many volumes are done, and how many failed."""
        from MedNCAPanel import messages

        cases, failures = self.logic.manyOutcome.cases, self.logic.manyOutcome.failures
        return messages.manyDoneLine(len(cases) - len(failures), len(failures), seconds)


class MedNCALogic(ScriptedLoadableModuleLogic):
    """Segmentation without a panel.

    Example::

        segmentationNode = MedNCALogic().process(volumeNode)

    Attributes:
        outcome: the nodes that the latest run which ended well has written, and its scores, see
            `MedNCAScene.segmentation_run.SceneResult`; None before the first.
        stressOutcome: likewise of the latest stress test, see `MedNCAScene.stress_run.SceneStressTest`.
        manyOutcome: likewise of the latest run over many volumes, see `MedNCAScene.many_run.ManyResult`.
        trainingOutcome: what came of the latest training, see `MedNCAScene.training_run.TrainedModel`.
        regrowOutcome: likewise of the latest regrowing, see `MedNCAScene.regrow_run.SceneRegrown`.
    """

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self.outcome: Any = None
        self.stressOutcome: Any = None
        self.manyOutcome: Any = None
        self.trainingOutcome: Any = None
        self._training: Any = None
        self.regrowOutcome: Any = None
        self._regrowHistory: Any = None

    @property
    def regrowHistory(self) -> Any:
        """What can be undone, see `MedNCAScene.regrow_run.History`."""
        from MedNCAScene.regrow_run import History

        self._regrowHistory = self._regrowHistory or History()
        return self._regrowHistory

    @property
    def quality(self) -> Any:
        """The scores of the latest run: volumes, agreement, verdict; None before the first."""
        return self.outcome and self.outcome.quality

    @property
    def measurements(self) -> Any:
        """What follows from the volumes of the latest run, as the JSON of the command line has it; None if nothing.

        Of all frames of a heart, the beat: `frames`, `ed_frame`, `es_frame`, `edv_ml`, `esv_ml`, `ejection_fraction`
        and others; slices that the user has chosen since count, and see `updateMeasurements` for segments that were
        corrected since. Of other runs a list with `structure`, `quantity`,
        `value`, `unit` and `spread` of each measurement, see `MedNCALib.measure`.
        """
        from dataclasses import asdict

        from MedNCAScene.results.beat_table import beatOf

        if not self.outcome:
            return None
        if self.outcome.beatNode:
            return beatOf(self.outcome.beatNode).as_dict()
        return [asdict(measurement) for measurement in self.outcome.measurements] or None

    def showFound(self, volumeNode: vtkMRMLScalarVolumeNode, model: str = DEFAULT_MODEL) -> list[vtkMRMLMarkupsROINode]:
        """Put a box at each place where the latest run has found the anatomy, as *Show where it looked* does.

        Args:
            volumeNode, model: of the run.

        Returns:
            The ROI nodes, left before right; none if the model did not have to look. They may be moved, and given to
            `process` as `found`.
        """
        from MedNCAScene.results.found_boxes import showFoundBy

        return showFoundBy(model, volumeNode, self.outcome and self.outcome.segmentationNode)

    def setCountedSlices(self, first: int, last: int) -> None:
        """Count only these slices, from 1, in the measurements of the latest run of all frames.

        Raises:
            MedNCAError: there are no such slices, or no measurements.
        """
        from MedNCAScene.results.beat_table import setCountedSlices

        setCountedSlices(self.outcome and self.outcome.beatNode, first, last)

    def updateMeasurements(self) -> None:
        """Measure the segments of all frames as they are now, for example after a correction; table and plot follow.

        Raises:
            MedNCAError: there are no measurements, or the segments of the frames are gone.
        """
        from MedNCAScene.results.beat_table import measureAgain

        measureAgain(self.outcome and self.outcome.beatNode)

    def getParameterNode(self) -> MedNCAParameterNode:
        """The user's choices in the panel."""
        wrapper: Any = MedNCAParameterNode  # Slicer's decorator gave it another constructor
        return wrapper(super().getParameterNode())

    def process(
        self,
        volumeNode: vtkMRMLScalarVolumeNode,
        segmentationNode: vtkMRMLSegmentationNode | None = None,
        model: str = DEFAULT_MODEL,
        region: vtkMRMLMarkupsROINode | None = None,
        runs: int = 1,
        seed: int = 0,
        interactive: bool = False,
        **options: Any,
    ) -> vtkMRMLSegmentationNode:
        """Segment a volume and return the segmentation node; blocks until done; arguments: see `processSteps`."""
        import MedNCAScene  # noqa: F401

        from MedNCALib.segmentation.steps import run_to_end

        return run_to_end(
            self.processSteps(volumeNode, segmentationNode, model, region, runs, seed, interactive, **options)
        )

    def processSteps(
        self,
        volumeNode: vtkMRMLScalarVolumeNode,
        segmentationNode: vtkMRMLSegmentationNode | None = None,
        model: str = DEFAULT_MODEL,
        region: vtkMRMLMarkupsROINode | None = None,
        runs: int = 1,
        seed: int = 0,
        interactive: bool = False,
        **options: Any,
    ) -> Generator[Any, None, vtkMRMLSegmentationNode]:
        """Segment a volume step by step.

        The scene changes only after the last step. A generator that is closed before leaves it as it was.

        Args:
            volumeNode: scalar volume; it is not changed.
            segmentationNode: node that the segments go to: those that the model made there before are replaced, others
                stay as they are. None makes a new node.
            model: name of a model, or path of a model folder.
            region: ROI node that the run is limited to, or None.
            runs: number of passes; the results are averaged.
            seed: of the draws which cells fire.
            interactive: whether an error may be shown in a dialog; it is raised in any case.
            options: all by name:
                engine="auto": the kernel, or "numpy" or "torch";
                threads=None: number of processors to use, None is automatic;
                probability=False: whether to add volumes with the probability of each label;
                uncertainty=False: whether to add a volume with the spread over the runs, at least two;
                showWhileRunning=False: whether the slice views show the cells during the run;
                keepGrowth=None: quantity to keep of each step as a sequence: "labels", "probability:1" (a label's
                value), "hidden:1" (a channel) or, as a single volume, "settled"; None keeps nothing;
                growthMegabytes=256: memory limit of the kept steps; if all steps take more, fewer are kept;
                table=False: whether to add a table with the scores, and one with the measurements if there are any;
                allFrames=False: whether to segment all frames of the sequence that the volume is played from; it goes
                with engine, threads, table, largestOnly, allCells, protocol and find;
                largestOnly=False: whether to keep only the largest connected piece of each label (also accepted as
                largest_only);
                allCells=False: whether also cells run that cannot belong to a label, see `MedNCALib.RunOptions`; they
                always do if keepGrowth is given;
                protocol="auto": name of the segmentation protocol whose border is drawn, for models that know several,
                see `MedNCALib.RunOptions`;
                find="auto": whether the model's finder looks for the anatomy first, or "always" or "never", see
                `MedNCALib.RunOptions`;
                found=None: ROI nodes of `showFound`, moved perhaps: the run is limited to them and searches nothing.

        Yields:
            The steps of the run, `MedNCALib.Step`.

        Returns:
            The segmentation node.

        Raises:
            MedNCAError: the input or an option cannot be used; the scene is as it was.
        """
        from MedNCAScene.segmentation_run import processSteps
        from MedNCAScene.sequence_run import processFrames

        if "largest_only" in options:
            options["largestOnly"] = options.pop("largest_only")
        process = processFrames if options.pop("allFrames", False) else processSteps
        with _errorsShown(interactive):
            self.outcome = yield from process(
                volumeNode, segmentationNode, model, region, runs=runs, seed=seed, **options
            )
        return self.outcome.segmentationNode

    def regrow(
        self,
        segmentationNode: vtkMRMLSegmentationNode,
        volumeNode: vtkMRMLScalarVolumeNode | None = None,
        model: str | None = None,
        runs: int = 1,
        seed: int = 0,
        interactive: bool = False,
        **options: Any,
    ) -> vtkMRMLSegmentationNode:
        """Regrow segments around what was edited in them; blocks until done; arguments: see `regrowSteps`."""
        import MedNCAScene  # noqa: F401

        from MedNCALib.segmentation.steps import run_to_end

        return run_to_end(self.regrowSteps(segmentationNode, volumeNode, model, runs, seed, interactive, **options))

    def regrowSteps(
        self,
        segmentationNode: vtkMRMLSegmentationNode,
        volumeNode: vtkMRMLScalarVolumeNode | None = None,
        model: str | None = None,
        runs: int = 1,
        seed: int = 0,
        interactive: bool = False,
        **options: Any,
    ) -> Generator[Any, None, vtkMRMLSegmentationNode]:
        """Regrow segments around what was edited in them, step by step.

        What differs from what was written last is the correction. It stays as it is, and the rest grows again in the
        slices that it comes in to. A segmentation that was not made by the model is taken as it is when this is first
        called: nothing grows, and corrections count from then on (`regrowOutcome.isStart`). The scene changes only
        after the last step.

        Args:
            segmentationNode: holds the segments, edited by any tool.
            volumeNode: the volume; None is the one that the segmentation was made for.
            model: name of a model that can regrow, or path of its folder; None is the one that made the segments.
            runs, seed, interactive: see `processSteps`; with two runs or more the uncertainty is written too.
            options: region, engine, threads, showWhileRunning, allCells and protocol, see `processSteps`; by default
                region and protocol are those that the segments were made with.

        Yields:
            The steps of the run, `MedNCALib.Step`.

        Returns:
            The segmentation node.

        Raises:
            MedNCAError: the model cannot regrow, nothing was edited, or an option cannot be used; the scene is as it
                was.
        """
        from MedNCAScene.regrow_run import regrowSteps

        with _errorsShown(interactive):
            self.regrowOutcome = yield from regrowSteps(
                segmentationNode, volumeNode, model, runs=runs, seed=seed, **options
            )
            self.regrowHistory.add(self.regrowOutcome)
        return self.regrowOutcome.segmentationNode

    def forgetCorrections(
        self,
        segmentationNode: vtkMRMLSegmentationNode,
        volumeNode: vtkMRMLScalarVolumeNode | None = None,
        model: str | None = None,
    ) -> None:
        """Give segments the model's own result again, or what corrections started from; arguments: see `regrowSteps`.

        Raises:
            MedNCAError: there are no corrections.
        """
        from MedNCAScene.regrow_run import forgetCorrections

        self.regrowHistory.add(forgetCorrections(segmentationNode, volumeNode, model))

    def undoRegrow(self, segmentationNode: vtkMRMLSegmentationNode) -> None:
        """Undo the latest `regrow` or `forgetCorrections`.

        Raises:
            MedNCAError: there is none, or the segments were changed since.
        """
        self.regrowHistory.undo(segmentationNode)

    def stressTest(
        self,
        volumeNode: vtkMRMLScalarVolumeNode,
        model: str = DEFAULT_MODEL,
        region: vtkMRMLMarkupsROINode | None = None,
        runs: int = 1,
        seed: int = 0,
        interactive: bool = False,
        **options: Any,
    ) -> vtkMRMLTableNode:
        """Test how much a result depends on perturbations; blocks until done; arguments: see `stressTestSteps`."""
        import MedNCAScene  # noqa: F401

        from MedNCALib.segmentation.steps import run_to_end

        return run_to_end(self.stressTestSteps(volumeNode, model, region, runs, seed, interactive, **options))

    def stressTestSteps(
        self,
        volumeNode: vtkMRMLScalarVolumeNode,
        model: str = DEFAULT_MODEL,
        region: vtkMRMLMarkupsROINode | None = None,
        runs: int = 1,
        seed: int = 0,
        interactive: bool = False,
        **options: Any,
    ) -> Generator[Any, None, vtkMRMLTableNode]:
        """Test, step by step, how much the segmentation of a volume depends on perturbations of the volume.

        It is segmented as it is, and again with noise, a bias field, ghosts, another scale, place and seed. A table
        with a row for each of these is written, and a volume with the difference that the worst one makes; the verdict
        is `stressOutcome.test.sentence`. The scene changes only after the last step.

        Args:
            volumeNode, model, region, runs, seed, interactive: see `processSteps`; the runs are those of each
                segmentation.
            options: engine, threads, largestOnly, allCells, protocol, find and found, see `processSteps`; protocol and
                place are decided on the volume as it is.

        Yields:
            The steps of the run, `MedNCALib.evaluation.stress_test.StressStep`.

        Returns:
            The table node.

        Raises:
            MedNCAError: the input or an option cannot be used; the scene is as it was.
        """
        from MedNCAScene.stress_run import stressTestSteps

        with _errorsShown(interactive):
            self.stressOutcome = yield from stressTestSteps(volumeNode, model, region, runs=runs, seed=seed, **options)
        return self.stressOutcome.tableNode

    def processMany(
        self, volumeNodesOrPaths: Iterable[Any], model: str = DEFAULT_MODEL, interactive: bool = False, **options: Any
    ) -> vtkMRMLTableNode:
        """Segment many volumes; blocks until done; arguments: see `processManySteps`."""
        import MedNCAScene  # noqa: F401

        from MedNCALib.segmentation.steps import run_to_end

        return run_to_end(self.processManySteps(volumeNodesOrPaths, model, interactive, **options))

    def processManySteps(
        self, volumeNodesOrPaths: Iterable[Any], model: str = DEFAULT_MODEL, interactive: bool = False, **options: Any
    ) -> Generator[Any, None, vtkMRMLTableNode]:
        """Segment many volumes, one after the other, step by step; what fails is named, and the others go on.

        A volume of the scene gets a segmentation, or its segments of an earlier run are replaced. A file is not loaded
        into the scene: its results are written to files as by `mednca segment`, and if they are there already it is not
        segmented again. The table has a row for each case as soon as it is done, with the verdict.

        Args:
            volumeNodesOrPaths: volume nodes, files, folders with DICOM files, and folders of volumes.
            model, interactive: see `processSteps`.
            options: all by name:
                output=None: the folder that the results of files are written to;
                region=None: ROI node that the runs are limited to, for volumes of the scene;
                runs, seed, engine, threads, largestOnly, allCells and protocol, see `processSteps`.

        Yields:
            The steps of the run, `MedNCAScene.many_run.ManyStep`.

        Returns:
            The table node; `manyOutcome.cases` has the segmentation node, or the path of the file, of each.

        Raises:
            MedNCAError: there are no volumes, or an option cannot be used; the scene is as it was.
        """
        from MedNCAScene.many_run import processManySteps

        with _errorsShown(interactive):
            self.manyOutcome = yield from processManySteps(volumeNodesOrPaths, model, **options)
        return self.manyOutcome.tableNode

    def train(self, pairs: Any, name: str, minutes: float = 10, startFrom: str | None = None, **options: Any) -> Any:
        """Train a model and return it; blocks until done; arguments: see `trainSteps`."""
        import MedNCAScene  # noqa: F401

        from MedNCALib.segmentation.steps import run_to_end

        return run_to_end(self.trainSteps(pairs, name, minutes, startFrom, **options)).model

    def trainSteps(
        self,
        pairs: Any,
        name: str,
        minutes: float = 10,
        startFrom: str | None = None,
        interactive: bool = False,
        **options: Any,
    ) -> Generator[Any, None, Any]:
        """Train a model on volumes and their segmentations, step by step; it needs PyTorch.

        The cases are checked and copied to a folder first, and a process of its own learns from them: the scene may
        change or be closed meanwhile. A generator that is closed ends that process; `continueTrainingSteps` goes on
        from its last checkpoint.

        Args:
            pairs: pairs of a volume node and a segmentation node; or two paths, the folder of the images and that of
                their labels.
            name: of the new model, in the user's models folder.
            minutes: how long to train.
            startFrom: name of a model to adapt, or None; it stays as it is.
            interactive: see `processSteps`.
            options: all by name:
                names={}: name of a segment -> what it is learned as; segments of one name are one label, and one that
                    is named as the sum of others, "a + b", or as what they end with is the whole of these;
                leftOut=(): names of segments that are not learned;
                preset="auto": all settings, by the name of a preset or its file; by default they follow from the cases;
                slices=None: axes of the slices, "LPS", "LIP" or "PIL";
                mirror=None: whether a mirrored image is a right one, too;
                batches=None: how long to train, in place of the minutes;
                seed=0: of the random draws;
                data="", licence="", limits="": what the model's card says;
                waitMs=100: how long a step waits for the process; 0 if an event loop runs in between.

        Yields:
            Where the training stands, `MedNCAScene.learning.history.TrainingStep`.

        Returns:
            What came of it, `MedNCAScene.training_run.TrainedModel`.

        Raises:
            MedNCAError: PyTorch is missing, the cases cannot be learned from, or the training failed.
        """
        waitMs = options.pop("waitMs", 100)
        return (
            yield from self._trainingSteps(
                interactive, waitMs, lambda run: run.steps(pairs, name, minutes, startFrom, **options)
            )
        )

    def continueTrainingSteps(
        self, name: str, minutes: float | None = None, interactive: bool = False, waitMs: int = 100
    ) -> Generator[Any, None, Any]:
        """Go on, step by step, with a training that was stopped, cancelled or killed, or that came to its end.

        Args:
            name: of the model.
            minutes: how much longer to train; None for what was left, or after its end for as long again.
            interactive, waitMs: see `trainSteps`, as what is yielded, returned and raised.
        """
        return (yield from self._trainingSteps(interactive, waitMs, lambda run: run.stepsOn(name, minutes)))

    def _trainingSteps(self, interactive: bool, waitMs: int, stepsOf: Any) -> Generator[Any, None, Any]:
        from MedNCAScene.training_run import TrainingRun

        from MedNCALib import TrainingError

        with _errorsShown(interactive):
            if self._training is not None:
                raise TrainingError(_("A training is on already: stop it first."))
            self._training = TrainingRun(waitMs)
            try:
                self.trainingOutcome = yield from stepsOf(self._training)
            finally:
                self._training = None
        return self.trainingOutcome

    def stopTraining(self) -> None:
        """Have the training that is on end with the best model so far."""
        if self._training is not None:
            self._training.stop()

    def exportGrowth(self, path: Any) -> list[Any]:
        """Write the steps that the latest run kept to a `.gif` or to numbered `.png` files.

        Args:
            path: of the file, see `MedNCAScene.display.growth_export.exportGrowth`.

        Returns:
            The paths of the files.

        Raises:
            MedNCAError: no steps were kept, another kind of file, or it cannot be written.
        """
        from MedNCAScene.display.growth_export import exportWithOverlay

        growth = self.outcome and self.outcome.growthNode
        return exportWithOverlay(growth, self.outcome and self.outcome.growthBrowserNode, path)

    def plotCell(
        self,
        volumeNode: vtkMRMLScalarVolumeNode,
        point: Any,
        model: str = DEFAULT_MODEL,
        region: vtkMRMLMarkupsROINode | None = None,
        seed: int = 0,
        protocol: str = "auto",
    ) -> vtkMRMLPlotChartNode:
        """Plot the history of the cell at a point (RAS, mm) in a run; return the chart node."""
        from MedNCAScene.results.cell_plot import plotCell

        return plotCell(volumeNode, point, model, region, seed, protocol)


@contextmanager
def _errorsShown(interactive: bool) -> Iterator[None]:
    """Show an error of the engine in a dialog, if that is wanted; it is raised in any case."""
    from MedNCALib import MedNCAError

    try:
        yield
    except MedNCAError as error:
        if interactive:
            slicer.util.errorDisplay(str(error), windowTitle=_("MedNCA"))
        raise


class MedNCATest(ScriptedLoadableModuleTest):
    """Tests with the bundled model and the synthetic phantom, which need no other data."""

    def setUp(self) -> None:
        slicer.mrmlScene.Clear()
        from MedNCAScene.inputs.volumes import volumeFromImage

        from MedNCALib import make_phantom

        self.phantom = make_phantom()
        self.volumeNode = volumeFromImage(self.phantom.image, "phantom")

    def test_logicFindsTheHippocampusOfThePhantom(self) -> None:
        self.assertTruthIsFound(MedNCALogic().process(self.volumeNode))

    def test_panelFindsTheHippocampusOfThePhantom(self) -> None:
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

    def test_cancelledRunLeavesTheSceneAsItWas(self) -> None:
        nodesBefore = slicer.mrmlScene.GetNumberOfNodes()
        steps = MedNCALogic().processSteps(self.volumeNode)
        next(steps)
        steps.close()
        assert slicer.mrmlScene.GetNumberOfNodes() == nodesBefore

    def assertTruthIsFound(self, segmentationNode: vtkMRMLSegmentationNode) -> None:
        """Each segment has to overlap with the phantom's label in the same order by a Dice of 0.7."""
        import SimpleITK as sitk

        from MedNCALib.evaluation.metrics import dice

        truth = sitk.GetArrayViewFromImage(self.phantom.labels)
        for value, segmentId in enumerate(segmentationNode.GetSegmentation().GetSegmentIDs(), 1):
            found = slicer.util.arrayFromSegmentBinaryLabelmap(segmentationNode, segmentId, self.volumeNode) > 0
            overlap = dice(truth == value, found)
            assert overlap > 0.7, f"Dice of label {value}: {overlap:.3f}"
