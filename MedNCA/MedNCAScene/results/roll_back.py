"""All results of a run are written to the scene, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import slicer
import vtk

import MedNCALib as mednca

from ..derived_nodes import derivedNodes, removeNodes
from .segments import rememberSegments


@contextmanager
def allOrNothing(
    model: mednca.Model,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    segmentationNode: slicer.vtkMRMLSegmentationNode | None,
) -> Iterator[None]:
    """If a write inside fails, new nodes are removed, and those of an earlier run get back what they held.

    Args:
        model: the model of the run.
        volumeNode: the volume, whose tables and volumes of earlier runs may be filled anew.
        segmentationNode: the segmentation that may be written to; None if it will be a new one.
    """
    before = {node.GetID() for node in slicer.util.getNodesByClass("vtkMRMLNode")}
    restore = remember(model, volumeNode, segmentationNode)
    try:
        yield
    except BaseException:
        removeNodes([node for node in slicer.util.getNodesByClass("vtkMRMLNode") if node.GetID() not in before])
        restore()
        raise


def remember(
    model: mednca.Model,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    segmentationNode: slicer.vtkMRMLSegmentationNode | None,
) -> Callable[[], None]:
    """A function that gives nodes which are there already what they hold now; for the arguments see `allOrNothing`.

    Those that have left the scene meanwhile stay out of it.
    """
    volumes = derivedNodes(model.name, volumeNode, "vtkMRMLScalarVolumeNode")
    tables = derivedNodes(model.name, volumeNode, "vtkMRMLTableNode")
    restore = [(node, _rememberVolume(node)) for node in volumes] + [(node, _rememberTable(node)) for node in tables]
    if segmentationNode is not None:
        restore.append((segmentationNode, rememberSegments(model, segmentationNode)))

    def restoreAll() -> None:
        for node, each in restore:
            if node.GetScene() is not None:
                each()

    return restoreAll


def _rememberVolume(node: slicer.vtkMRMLScalarVolumeNode) -> Callable[[], None]:
    """A function that gives a volume node the voxels and the place that it has now."""
    # The voxels are not copied: a volume that is filled anew gets a new array, as long as somebody holds the old one.
    imageData, ijkToRas, transformId = vtk.vtkImageData(), vtk.vtkMatrix4x4(), node.GetTransformNodeID()
    imageData.ShallowCopy(node.GetImageData())
    node.GetIJKToRASMatrix(ijkToRas)

    def restore() -> None:
        with slicer.util.NodeModify(node):
            node.SetAndObserveImageData(imageData)
            node.SetIJKToRASMatrix(ijkToRas)
            node.SetAndObserveTransformNodeID(transformId)

    return restore


def _rememberTable(node: slicer.vtkMRMLTableNode) -> Callable[[], None]:
    """A function that gives a table node the cells and attributes that it has now."""
    copy = slicer.vtkMRMLTableNode()
    copy.CopyContent(node, True)
    return lambda: node.CopyContent(copy, True)
