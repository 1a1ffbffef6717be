"""The section Many volumes: which ones, the run over them, and their table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import qt
import slicer
from MedNCAScene.display.case_view import showCase
from MedNCAScene.inputs.many_volumes import FolderWatch, folderVolumes, sceneFolders, sceneVolumes
from MedNCAScene.results.case_table import caseTableOf

import MedNCALib as mednca

from . import messages
from .parameters import GetParameters, Parameters, stressArguments
from .qt_helpers import fillChoices, showState, soon
from .table_view import setUpTable, showTable

_SCENE, _DISK = "scene", "disk"
_RESULTS = "mednca"  # below the folder of the volumes


class ManySection:
    """Lets the user choose many volumes, and shows the table of the model's latest run over many.

    Args:
        ui: the panel's widgets.
        getParameters: returns the parameters, None while there are none.
    """

    def __init__(self, ui: Any, getParameters: GetParameters) -> None:
        self._ui = ui
        self._getParameters = getParameters
        self._table: slicer.vtkMRMLTableNode | None = None
        self._kept = setUpTable(ui.manyTableView, ())
        # The columns are as many as there are labels: in a narrow panel the table has a scroll bar.
        ui.manyTableView.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        ui.manySourceComboBox.connect("currentIndexChanged(int)", self._onSource)
        ui.manyFolderPathLineEdit.connect("currentPathChanged(QString)", self._onFolder)
        ui.manyTableView.connect("doubleClicked(QModelIndex)", self._onDoubleClick)
        # Many volumes may come at once: what there is to choose from is listed when all of them are there.
        self._timer = soon(self._fillSources)
        self._folders = FolderWatch(self._timer.start)
        self._fillSources()

    def show(self, parameters: Parameters) -> None:
        """Show the table of the chosen model, and what there is to choose from."""
        self._folders.followScene()
        self._fillSources()
        self._table = caseTableOf(parameters.model)
        showTable(self._ui.manyTableView, self._table)

    def release(self) -> None:
        """Follow no node any more."""
        self._folders.follow(None)
        self._timer.stop()
        self._table = None
        showTable(self._ui.manyTableView, None)

    def arguments(self) -> tuple[Sequence[Any], dict[str, Any]]:
        """The volumes that are chosen, and the arguments of `MedNCALogic.processManySteps` besides them.

        Raises:
            MedNCAError: there are none, or no folder is chosen.
        """
        parameters = self._getParameters()
        arguments = stressArguments(parameters)
        del arguments["found"]  # boxes of one volume
        source = self._ui.manySourceComboBox.currentData
        if source != _DISK:
            return sceneVolumes() if source == _SCENE else folderVolumes(int(source)), arguments
        folder, output = self._ui.manyFolderPathLineEdit.currentPath, self._ui.manyOutputPathLineEdit.currentPath
        if not Path(folder).is_dir() or not folder:
            raise mednca.MedNCAError(messages.noFolder())
        return [folder], {**arguments, "output": output or os.path.join(folder, _RESULTS)}  # noqa: PTH118

    def _fillSources(self) -> None:
        """What is chosen stays chosen as long as it is there."""
        sources = [
            (messages.allOfTheScene(len(sceneVolumes())), _SCENE),
            *((messages.folderOfTheScene(name, len(folderVolumes(item))), str(item)) for item, name in sceneFolders()),
            (messages.folderOnDisk(), _DISK),
        ]
        fillChoices(self._ui.manySourceComboBox, sources)
        self._onSource()

    def _onSource(self, *_args: Any) -> None:
        isDisk = self._ui.manySourceComboBox.currentData == _DISK
        for name in ("manyFolderLabel", "manyFolderPathLineEdit", "manyOutputLabel", "manyOutputPathLineEdit"):
            getattr(self._ui, name).setVisible(isDisk)

    def _onFolder(self, path: str, *_args: Any) -> None:
        """The results go below the folder of the volumes, as long as the user does not say otherwise."""
        output = self._ui.manyOutputPathLineEdit
        if Path(path).is_dir() and Path(output.currentPath).name in ("", _RESULTS):
            showState(output, currentPath=os.path.join(path, _RESULTS))  # noqa: PTH118

    def _onDoubleClick(self, index: Any, *_args: Any) -> None:
        """Show the case, and choose its volume and its segmentation."""
        if self._table is None:
            return
        name = index.sibling(index.row(), 0).data()
        try:
            case = showCase(self._table, name)
        except mednca.MedNCAError as error:
            self._ui.statusLabel.text = str(error)
            return
        parameters = self._getParameters()
        if parameters:
            parameters.inputVolume = case.volumeNode
            parameters.outputSegmentation = case.segmentationNode
        self._ui.statusLabel.text = messages.caseShown(name, case.error)
