"""The cases of the section Learn: which segmentations with which volumes, which segments, and what each is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt
from MedNCAScene.inputs.many_volumes import FolderWatch
from MedNCAScene.learning.case_checks import Finding, check, checkFolders, require
from MedNCAScene.learning.cases import (
    LearningCase,
    Naming,
    caseOf,
    findCases,
    modelCorrectedIn,
    namesWithoutSide,
    segmentNames,
    volumesToLearnFrom,
)
from MedNCAScene.learning.choices import proposal, proposalForFolders

from . import learn_messages as messages
from .qt_helpers import signalsBlocked, soon

SCENE, CORRECTIONS, FOLDERS = "scene", "corrections", "folders"


class CasesEditor:
    """The tables of cases and segments, and what the checks say of them.

    Args:
        ui: the panel's widgets.
        onChanged: called without arguments when the choice is another.
    """

    def __init__(self, ui: Any, onChanged: Callable[[], None]) -> None:
        self._ui = ui
        self._onChanged = onChanged
        self._cases: list[LearningCase] = []
        self._notUsed: set[str] = set()  # identifiers of segmentations
        self._used: set[str] = set()
        self._volumes: dict[str, str] = {}  # of segmentations -> of volumes, as the user has chosen
        self._names: dict[str, str] = {}
        self._leftOut: set[str] = set()
        self._shown: Any = None
        self._checked: Any = None
        self._boxes: list[Any] = []
        self.findings: list[Finding] = []
        for data, text in messages.sourceNames().items():
            ui.learnSourceComboBox.addItem(text, data)
        for table, titles in (
            (ui.learnCasesTable, messages.caseColumns()),
            (ui.learnSegmentsTable, messages.segmentColumns()),
        ):
            table.setColumnCount(len(titles))
            table.setHorizontalHeaderLabels(titles)
            table.verticalHeader().setVisible(False)
            for column in range(len(titles)):
                table.horizontalHeader().setSectionResizeMode(column, qt.QHeaderView.Stretch)
        ui.learnSegmentsTable.horizontalHeader().setSectionResizeMode(2, qt.QHeaderView.ResizeToContents)
        ui.learnSourceComboBox.connect("currentIndexChanged(int)", self._onSource)
        ui.learnCasesTable.connect("cellChanged(int,int)", self._onCase)
        ui.learnSegmentsTable.connect("cellChanged(int,int)", self._onSegment)
        for edit in (ui.learnImagesPathLineEdit, ui.learnLabelsPathLineEdit):
            edit.connect("currentPathChanged(QString)", self._onFolder)
        # Many nodes may come at once: they are listed when all of them are there.
        self._timer = soon(self.update)
        self._watch = FolderWatch(self._timer.start)
        self._showSource()

    @property
    def source(self) -> str:
        """What is learned from."""
        return str(self._ui.learnSourceComboBox.currentData)

    @property
    def count(self) -> int:
        """Number of chosen cases; those of folders are not counted."""
        return len(self.chosen())

    def follow(self) -> None:
        """Follow the scene that is open now."""
        self._watch.followScene()
        self.update()

    def release(self) -> None:
        """Follow no scene any more."""
        self._watch.follow(None)
        self._timer.stop()
        self._cases, self._shown, self._checked, self._boxes = [], None, None, []
        for table in (self._ui.learnCasesTable, self._ui.learnSegmentsTable):
            with signalsBlocked(table):
                table.setRowCount(0)

    def update(self) -> None:
        """Show what is in the scene now; what the user has chosen stays."""
        if self.source != FOLDERS:
            cases = [self._withVolume(case) for case in findCases()]
            self._cases = [case for case in cases if case.isCorrection] if self.source == CORRECTIONS else cases
            volumes = volumesToLearnFrom()
            shown = self._state(volumes)
            if shown != self._shown:
                self._shown = shown
                self._fillCases(volumes)
                self._fillSegments()
        self._check()

    def chosen(self) -> list[LearningCase]:
        """The cases that are ticked."""
        return [case for case in self._cases if self._isUsed(case)]

    def pairs(self) -> Any:
        """What `MedNCALogic.train` takes: cases, or the folders of images and labels."""
        if self.source == FOLDERS:
            return self._ui.learnImagesPathLineEdit.currentPath, self._ui.learnLabelsPathLineEdit.currentPath
        return self.chosen()

    def naming(self) -> dict[str, Any]:
        """The arguments of `MedNCALogic.train` for the names; none for folders."""
        if self.source == FOLDERS:
            return {}
        naming = self._naming()
        return {"names": naming.names, "leftOut": naming.leftOut}

    def proposal(self, startFrom: Any) -> tuple[str, ...]:
        """What the cases suggest, in sentences.

        Args:
            startFrom: the model that is adapted, or None.

        Raises:
            MedNCAError: they cannot be learned from.
        """
        require(self.findings)
        if self.source == FOLDERS:
            images, labels = self.pairs()
            return proposalForFolders(images, labels, startFrom).sentences
        return proposal(self.chosen(), self._naming(), startFrom).sentences

    def correctedModel(self) -> str | None:
        """Name of the model whose corrections are learned; None if it is something else."""
        return modelCorrectedIn(self.chosen()) if self.source == CORRECTIONS else None

    def _naming(self) -> Naming:
        """The user's names; what a model has made on a side is its label, which has none, unless the user says more."""
        suggested = namesWithoutSide(self.chosen()) if self.source == CORRECTIONS else {}
        return Naming({**suggested, **self._names}, frozenset(self._leftOut))

    def _withVolume(self, case: LearningCase) -> LearningCase:
        chosen = self._volumes.get(case.segmentationNode.GetID())
        volumes = {node.GetID(): node for node in volumesToLearnFrom()}
        return caseOf(case.segmentationNode, volumes[chosen]) if chosen in volumes else case

    def _isUsed(self, case: LearningCase) -> bool:
        """What a model has made and nobody has looked over teaches only its faults: it has to be ticked."""
        name = case.segmentationNode.GetID()
        return name in self._used if case.isUnedited else name not in self._notUsed

    def _state(self, volumes: Sequence[Any]) -> Any:
        """What the tables show, to be compared."""
        cases = [
            (
                case.segmentationNode.GetID(),
                case.segmentationNode.GetName(),
                case.volumeNode and case.volumeNode.GetID(),
                self._isUsed(case),
                tuple(segmentNames([case])),
            )
            for case in self._cases
        ]
        return self.source, cases, [(node.GetID(), node.GetName()) for node in volumes]

    def _fillCases(self, volumes: Sequence[Any]) -> None:
        table = self._ui.learnCasesTable
        self._boxes = []
        with signalsBlocked(table):
            table.setRowCount(0)
            table.setRowCount(len(self._cases))
            for row, case in enumerate(self._cases):
                table.setItem(row, 0, _checkable(case.segmentationNode.GetName(), self._isUsed(case)))
                table.setCellWidget(row, 1, self._volumeBox(case, volumes))

    def _volumeBox(self, case: LearningCase, volumes: Sequence[Any]) -> Any:
        box = qt.QComboBox()
        box.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Preferred)
        box.addItem(messages.noVolume(), "")
        for node in volumes:
            box.addItem(node.GetName(), node.GetID())
        box.setCurrentIndex(max(0, box.findData(case.volumeNode.GetID())) if case.volumeNode else 0)
        segmentationId = case.segmentationNode.GetID()

        def onVolume(index: int) -> None:
            self._volumes[segmentationId] = box.itemData(index)
            self._timer.start()  # the table must not lose this box within its own signal

        box.connect("currentIndexChanged(int)", onVolume)
        self._boxes.append(box)
        return box

    def _fillSegments(self) -> None:
        table, chosen = self._ui.learnSegmentsTable, self.chosen()
        counts, names = segmentNames(chosen), self._naming().names
        with signalsBlocked(table):
            table.setRowCount(0)
            table.setRowCount(len(counts))
            for row, (name, count) in enumerate(counts.items()):
                table.setItem(row, 0, _checkable(name, name not in self._leftOut))
                table.setItem(row, 1, qt.QTableWidgetItem(names.get(name, name)))
                table.setItem(row, 2, _fixed(messages.shareOf(count, len(chosen))))

    def _onSource(self, *_args: Any) -> None:
        self._showSource()
        self._shown = None
        self.update()

    def _showSource(self) -> None:
        isFolders = self.source == FOLDERS
        for name in ("learnImagesLabel", "learnImagesPathLineEdit", "learnLabelsLabel", "learnLabelsPathLineEdit"):
            getattr(self._ui, name).setVisible(isFolders)
        for table in (self._ui.learnCasesTable, self._ui.learnSegmentsTable):
            table.setVisible(not isFolders)

    def _onCase(self, row: int, _column: int) -> None:
        case = self._cases[row]
        isTicked = self._ui.learnCasesTable.item(row, 0).checkState() == qt.Qt.Checked
        chosen, other = (self._used, self._notUsed) if isTicked else (self._notUsed, self._used)
        chosen.add(case.segmentationNode.GetID())
        other.discard(case.segmentationNode.GetID())
        self._fillSegments()
        self._shown = self._state(volumesToLearnFrom())
        self._check()

    def _onSegment(self, row: int, _column: int) -> None:
        table = self._ui.learnSegmentsTable
        name = table.item(row, 0).text()
        learnedAs = table.item(row, 1).text()
        if learnedAs != self._naming().names.get(name, name):
            self._names[name] = learnedAs
        if table.item(row, 0).checkState() == qt.Qt.Checked:
            self._leftOut.discard(name)
        else:
            self._leftOut.add(name)
        self._check()

    def _onFolder(self, *_args: Any) -> None:
        self._check()

    def _check(self) -> None:
        chosen = [(each.segmentationNode, each.segmentationNode.GetSegmentation().GetMTime()) for each in self.chosen()]
        state = self.source, self._shown, chosen, dict(self._names), set(self._leftOut)
        if self.source != FOLDERS and state == self._checked:
            return
        self._checked = state
        if self.source == FOLDERS:
            self.findings = checkFolders(*self.pairs())
        else:
            self.findings = check(self.chosen(), self._naming())
            if self.source == CORRECTIONS and not self._cases:
                self.findings = [Finding(messages.noCorrections(), True)]
        self._ui.learnChecksLabel.text = messages.checksText(self.findings)
        self._onChanged()


def _checkable(text: str, isChecked: bool) -> Any:
    item = _fixed(text)
    item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsUserCheckable)
    item.setCheckState(qt.Qt.Checked if isChecked else qt.Qt.Unchecked)
    return item


def _fixed(text: str) -> Any:
    item = qt.QTableWidgetItem(text)
    item.setFlags(qt.Qt.ItemIsEnabled)
    item.setToolTip(text)
    return item
