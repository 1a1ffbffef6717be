"""Which volumes there are many of: those of the scene, of a folder of the subject hierarchy, of a folder on disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Union

import slicer
import vtk
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.cohort.inputs import images_in, is_folder_of_images

from ..node_watch import NodeWatch
from .volumes import canBeInput

# A volume node, or the path of a file or of a folder.
Volume = Union[slicer.vtkMRMLScalarVolumeNode, str, "os.PathLike[str]"]

_FOLDER_LEVELS = ("Folder", "Patient", "Study")


def sceneVolumes() -> list[slicer.vtkMRMLScalarVolumeNode]:
    """All volumes of the scene that may be segmented."""
    return list(filter(canBeInput, slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")))


def sceneFolders() -> list[tuple[int, str]]:
    """Folders, patients and studies of the subject hierarchy in which volumes are: item and name, from the top down."""
    hierarchy = _hierarchy()
    found = []
    for item in _itemsBelow(hierarchy.GetSceneItemID()):
        if hierarchy.GetItemLevel(item) in _FOLDER_LEVELS and folderVolumes(item):
            names = [hierarchy.GetItemName(each) for each in _parents(item)]
            found.append((item, " / ".join([*reversed(names), hierarchy.GetItemName(item)])))
    return found


def folderVolumes(item: int) -> list[slicer.vtkMRMLScalarVolumeNode]:
    """The volumes below an item of the subject hierarchy that may be segmented."""
    nodes = [_hierarchy().GetItemDataNode(each) for each in _itemsBelow(item)]
    return [node for node in nodes if node is not None and canBeInput(node)]


class FolderWatch(NodeWatch):
    """Calls a function whenever something in the scene's folders comes, goes, or is moved or named anew.

    Args:
        onChanged: called without arguments.
    """

    def __init__(self, onChanged: Callable[[], None]) -> None:
        node = slicer.vtkMRMLSubjectHierarchyNode
        super().__init__(
            onChanged,
            (
                node.SubjectHierarchyItemAddedEvent,
                node.SubjectHierarchyItemRemovedEvent,
                node.SubjectHierarchyItemReparentedEvent,
                node.SubjectHierarchyItemModifiedEvent,
            ),
        )

    def followScene(self) -> None:
        """Follow the folders of the scene as it is now."""
        self.follow(_hierarchy())


def withFilesOfFolders(volumes: Sequence[Volume]) -> list[slicer.vtkMRMLScalarVolumeNode | str]:
    """The volumes, with the files in the place of a folder that holds them; a folder with DICOM files is one volume.

    Raises:
        ImageError: there are none.
    """
    found = [each for volume in volumes for each in _filesOf(volume)]
    if not found:
        raise mednca.ImageError(_("There are no volumes to segment: load some, or choose another folder."))
    return found


def _filesOf(volume: Volume) -> list[slicer.vtkMRMLScalarVolumeNode | str]:
    if isinstance(volume, slicer.vtkMRMLNode):
        return [volume]
    path = os.fspath(volume)
    if Path(path).is_dir() and is_folder_of_images(path):
        return list(images_in(path))
    if Path(path).is_dir() and not images_in(path):  # folders below it
        return list(images_in(path, recursive=True))
    return [path]


def _hierarchy() -> slicer.vtkMRMLSubjectHierarchyNode:
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)


def _itemsBelow(item: int) -> list[int]:
    items = vtk.vtkIdList()
    _hierarchy().GetItemChildren(item, items, True)
    return [items.GetId(index) for index in range(items.GetNumberOfIds())]


def _parents(item: int) -> Iterator[int]:
    """Those of an item from below, without the scene itself."""
    hierarchy = _hierarchy()
    parent = hierarchy.GetItemParent(item)
    while parent not in (0, hierarchy.GetSceneItemID()):
        yield parent
        parent = hierarchy.GetItemParent(parent)
