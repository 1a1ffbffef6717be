"""One of many volumes in the slice views, with its segmentation and without those of the others."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

import MedNCALib as mednca

from ..inputs.volumes import volumeFromImage
from ..results.case_table import SceneCase, caseNamed, segmentationsOfTable

# The file that a volume or a segmentation was loaded from to look at it.
_PATH = "MedNCA.Path"


def showCase(tableNode: slicer.vtkMRMLTableNode, name: str) -> SceneCase:
    """Show a case of the table of many volumes; one of the disk is loaded first, if it is not yet.

    Returns:
        The case with its nodes.

    Raises:
        MedNCAError: it is not there any more, or it cannot be read.
    """
    case = caseNamed(tableNode, name)
    if case is None:
        raise mednca.ImageError(_("The table has no case {name}.").format(name=name))
    volumeNode, segmentationNode = case.volumeNode, case.segmentationNode
    if case.imagePath:
        volumeNode = _loaded("vtkMRMLScalarVolumeNode", case.imagePath) or _volumeFrom(case.imagePath, name)
        segmentationNode = _segmentationFrom(case.segmentationPath, volumeNode) if case.segmentationPath else None
    if volumeNode is None:
        raise mednca.ImageError(_("{name} is not in the scene any more.").format(name=name))
    shown = [each for each in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if each.GetAttribute(_PATH)]
    for each in {*segmentationsOfTable(tableNode), *shown}:
        each.SetDisplayVisibility(each is segmentationNode)
    slicer.util.setSliceViewerLayers(background=volumeNode, fit=True)
    if segmentationNode is not None:
        _jumpTo(segmentationNode)
    return SceneCase(name, case.record, volumeNode, segmentationNode, case.imagePath, case.segmentationPath)


def hideUnlessShown(
    segmentationNode: slicer.vtkMRMLSegmentationNode, volumeNode: slicer.vtkMRMLScalarVolumeNode
) -> None:
    """Hide a segmentation whose volume no slice view shows: those of many volumes would lie over each other."""
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    if all(node.GetBackgroundVolumeID() != volumeNode.GetID() for node in composites):
        segmentationNode.SetDisplayVisibility(False)


def _loaded(className: str, path: str) -> slicer.vtkMRMLNode | None:
    return next((node for node in slicer.util.getNodesByClass(className) if node.GetAttribute(_PATH) == path), None)


def _volumeFrom(path: str, name: str) -> slicer.vtkMRMLScalarVolumeNode:
    """A volume, as the engine has read it."""
    node = volumeFromImage(mednca.read_image(path), name)
    node.SetAttribute(_PATH, path)
    return node


def _segmentationFrom(path: str, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLSegmentationNode:
    node = _loaded("vtkMRMLSegmentationNode", path)
    if node is None:
        try:
            node = slicer.util.loadSegmentation(path)
        except RuntimeError as error:
            raise mednca.ImageError(_("{path} cannot be loaded: segment it again.").format(path=path)) from error
        node.SetAttribute(_PATH, path)
        node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    return node


def _jumpTo(segmentationNode: slicer.vtkMRMLSegmentationNode) -> None:
    bounds = [0.0] * 6
    segmentationNode.GetRASBounds(bounds)
    if bounds[0] <= bounds[1]:
        middle = [(bounds[axis] + bounds[axis + 1]) / 2 for axis in (0, 2, 4)]
        for sliceNode in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            sliceNode.JumpSliceByOffsetting(*middle)
