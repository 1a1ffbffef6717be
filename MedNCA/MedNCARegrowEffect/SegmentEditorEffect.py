"""The effect Regrow of the Segment Editor.

Slicer reads the class of this name from this file. What needs MedNCALib is imported when it is used, so that the
Segment Editor opens as fast as without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from SegmentEditorEffects import AbstractScriptedSegmentEditorEffect
from slicer.i18n import tr as _

KEY = "N"  # grow aNew; neither the Segment Editor nor the slice views use it


class SegmentEditorEffect(AbstractScriptedSegmentEditorEffect):
    """Lets the cells of a model grow again around what was edited, with the editor's own undo and masking."""

    def __init__(self, scriptedEffect: Any) -> None:
        scriptedEffect.name = "Regrow"
        scriptedEffect.title = _("Regrow")
        scriptedEffect.perSegment = False
        AbstractScriptedSegmentEditorEffect.__init__(self, scriptedEffect)
        self._runSection: Any = None
        self._watch: Any = None
        self._shortcut: Any = None
        self._sceneTags: list[int] = []
        self._connections: list[tuple[Any, str, Any]] = []

    def clone(self) -> Any:
        import qSlicerSegmentationsEditorEffectsPythonQt as effects

        clonedEffect = effects.qSlicerSegmentEditorScriptedEffect(None)
        clonedEffect.setPythonSource(Path(__file__).as_posix())
        return clonedEffect

    def icon(self) -> Any:
        return qt.QIcon(str(Path(__file__).with_suffix(".png")))

    def helpText(self) -> str:
        return "<html>" + _(
            "Correct a segment that a model of MedNCA has made, in any way and in any slice. <b>Regrow</b> (key {key})"
            " keeps what you have corrected and lets the cells around it grow again, in these slices and those beside"
            " them. Do it again and again: corrections add up.<p>Only voxels in the editable area change. Undo takes a"
            " regrowing back. A segmentation from elsewhere is taken as it is when you press Regrow first; corrections"
            " count from then on."
        ).format(key=KEY)

    def setMRMLDefaults(self) -> None:
        self.scriptedEffect.setParameterDefault("ShowWhileRunning", 1)
        self.scriptedEffect.setParameterDefault("Model", "")

    def setupOptionsFrame(self) -> None:
        self.modelComboBox = qt.QComboBox()
        self.modelComboBox.setToolTip(_("The model whose cells grow: by default the one that made the segments."))
        self.scriptedEffect.addLabeledOptionsWidget(_("Model:"), self.modelComboBox)
        self.showCheckBox = qt.QCheckBox(_("Show while growing"))
        self.showCheckBox.setToolTip(_("Lay the cells over the slice views while they grow."))
        self.scriptedEffect.addOptionsWidget(self.showCheckBox)
        self.regrowButton, self.forgetButton = qt.QPushButton(_("Regrow")), qt.QPushButton(_("Forget corrections"))
        buttons = qt.QHBoxLayout()
        buttons.addWidget(self.regrowButton)
        buttons.addWidget(self.forgetButton)
        self.scriptedEffect.addOptionsWidget(buttons)
        self.progressBar, self.statusLabel = qt.QProgressBar(), qt.QLabel()
        self.progressBar.setVisible(False)
        self.statusLabel.setWordWrap(True)
        self.scriptedEffect.addOptionsWidget(self.progressBar)
        self.scriptedEffect.addOptionsWidget(self.statusLabel)
        self._connections = [
            (self.modelComboBox, "currentIndexChanged(int)", self.updateMRMLFromGUI),
            (self.showCheckBox, "toggled(bool)", self.updateMRMLFromGUI),
            (self.regrowButton, "clicked(bool)", self.onRegrow),
            (self.forgetButton, "clicked(bool)", self.onForget),
        ]
        for widget, signal, slot in self._connections:
            widget.connect(signal, slot)
        qt.QTimer.singleShot(0, self._addShortcut)  # the frame is put into the editor after this

    def activate(self) -> None:
        self._fillModels()
        self.updateGUIFromMRML()

    def deactivate(self) -> None:
        """Another effect may be chosen while the cells grow: what is regrown with is not changed by that."""
        if self._watch is not None:
            self._watch.follow(None)

    def cleanup(self) -> None:
        if self._runSection is not None:
            self._runSection.cancel()
        self.deactivate()
        for widget, signal, slot in self._connections:
            widget.disconnect(signal, slot)
        self._connections = []

    def updateMRMLFromGUI(self, *_args: Any) -> None:
        self.scriptedEffect.setParameter("ShowWhileRunning", int(self.showCheckBox.checked))
        self.scriptedEffect.setParameter("Model", self.modelComboBox.currentData or "")
        self.updateGUIFromMRML()

    def updateGUIFromMRML(self) -> None:
        if slicer.mrmlScene.IsClosing():
            return
        from MedNCAPanel import messages
        from MedNCAPanel.qt_helpers import showState
        from MedNCAScene.regrow_run import whyNotForgotten, whyNotRegrown

        node = self._segmentationNode
        self._follow(node)
        showState(self.showCheckBox, checked=bool(self.scriptedEffect.integerParameter("ShowWhileRunning")))
        index = max(0, self.modelComboBox.findData(self.scriptedEffect.parameter("Model")))
        showState(self.modelComboBox, currentIndex=index)
        reason = whyNotRegrown(node, self._volumeNode, self._model)
        self.regrowButton.text = messages.regrowButtonText(self.isRunning)
        self.regrowButton.enabled = self.isRunning or not reason
        self.regrowButton.toolTip = messages.regrowTip(self.isRunning, reason)
        forgotten = whyNotForgotten(node)
        self.forgetButton.enabled = not self.isRunning and not forgotten
        self.forgetButton.toolTip = messages.forgetTip(forgotten)
        if not self.isRunning and not self.statusLabel.text:
            self.statusLabel.text = reason

    @property
    def isRunning(self) -> bool:
        return self._runSection is not None and self._runSection.isRunning

    def onRegrow(self, *_args: Any) -> None:
        """Regrow, or cancel the regrowing that is on."""
        from MedNCAPanel import messages
        from MedNCAScene.regrow_run import regrowSteps, whyNotRegrown
        from MedNCAScene.results.edit_mask import EditMask

        if self.isRunning:
            self._runSection.cancelByUser()
            return
        node, volumeNode = self._segmentationNode, self._volumeNode
        reason = whyNotRegrown(node, volumeNode, self._model)
        if reason:
            self._say(reason)
            return
        steps = regrowSteps(
            node,
            volumeNode,
            self._model,
            showWhileRunning=bool(self.scriptedEffect.integerParameter("ShowWhileRunning")),
            editable=EditMask(self.scriptedEffect.parameterSetNode()),
            beforeWriting=self.scriptedEffect.saveStateForUndo,
        )
        scene = slicer.mrmlScene
        self._sceneTags = [
            scene.AddObserver(scene.NodeRemovedEvent, lambda *_args: self._runs().cancelIfDeleted()),
            scene.AddObserver(scene.StartCloseEvent, lambda *_args: self._runs().cancel()),
        ]
        self._runs().start(
            steps, [node, volumeNode], lambda outcome, seconds: self._said(messages.regrownLine(outcome, seconds))
        )

    def onForget(self, *_args: Any) -> None:
        """Show the model's own result again."""
        from MedNCAPanel import messages
        from MedNCAScene.regrow_run import forgetCorrections

        from MedNCALib import MedNCAError

        try:
            forgetCorrections(
                self._segmentationNode, self._volumeNode, beforeWriting=self.scriptedEffect.saveStateForUndo
            )
            self._say(messages.forgotten())
        except MedNCAError as error:
            self._say(str(error))
        self.updateGUIFromMRML()

    @property
    def _segmentationNode(self) -> Any:
        node = self.scriptedEffect.parameterSetNode()
        return node.GetSegmentationNode() if node else None

    @property
    def _volumeNode(self) -> Any:
        """The volume that a model has made the segments for; of others the one that is seen while editing."""
        from MedNCAScene.results.kept_results import makerOf
        from MedNCAScene.results.segments import segmentedVolume

        segmentationNode = self._segmentationNode
        if segmentationNode is None:
            return None
        volumes = [segmentedVolume(segmentationNode), self.scriptedEffect.parameterSetNode().GetSourceVolumeNode()]
        if makerOf(segmentationNode) is None:
            volumes.reverse()
        return volumes[0] or volumes[1]

    @property
    def _model(self) -> str | None:
        return self.scriptedEffect.parameter("Model") or None

    def _fillModels(self) -> None:
        from MedNCAPanel.qt_helpers import signalsBlocked
        from MedNCAScene.regrow_run import modelsThatRegrow

        with signalsBlocked(self.modelComboBox):
            self.modelComboBox.clear()
            self.modelComboBox.addItem(_("The one that made the segments"), "")
            for model in modelsThatRegrow():
                self.modelComboBox.addItem(model.title, model.name)

    def _runs(self) -> Any:
        from MedNCAPanel.run_section import RunSection

        if self._runSection is None:
            self._runSection = RunSection(self.progressBar, self.statusLabel, self._onRunChanged)
        return self._runSection

    def _onRunChanged(self) -> None:
        if not self.isRunning:
            for tag in self._sceneTags:
                slicer.mrmlScene.RemoveObserver(tag)
            self._sceneTags = []
        if self.scriptedEffect.active():
            self.updateGUIFromMRML()

    def _follow(self, segmentationNode: Any) -> None:
        """See edits by other tools while this effect is active."""
        from MedNCAScene.node_watch import NodeWatch
        from MedNCAScene.results.segments import EDIT_EVENTS

        if self._watch is None:
            self._watch = NodeWatch(self._onEdited, EDIT_EVENTS)
        self._watch.follow(segmentationNode.GetSegmentation() if segmentationNode else None)

    def _onEdited(self) -> None:
        if self.scriptedEffect.active() and not self.isRunning:
            self.statusLabel.text = ""
            self.updateGUIFromMRML()

    def _say(self, text: str) -> None:
        self.statusLabel.text = text
        slicer.util.showStatusMessage(text, 5000)  # the options may not be on the screen

    def _said(self, text: str) -> str:
        slicer.util.showStatusMessage(text, 5000)
        return text

    def _addShortcut(self) -> None:
        """The key works wherever the editor is seen, whatever effect is active: paint, press it, paint on."""
        editor = self.scriptedEffect.optionsFrame()
        while editor is not None and editor.className() != "qMRMLSegmentEditorWidget":
            editor = editor.parent()
        if editor is not None:
            self._shortcut = qt.QShortcut(qt.QKeySequence(KEY), editor)
            self._connections.append((self._shortcut, "activated()", self.onRegrow))
            self._shortcut.connect("activated()", self.onRegrow)
