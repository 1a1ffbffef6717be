"""Between the world and the space that a node's own coordinates are in: the node's parent transforms."""

from __future__ import annotations

import slicer
import vtk


def fromWorld(node: slicer.vtkMRMLTransformableNode) -> vtk.vtkGeneralTransform:
    """The transform from the world (RAS, mm) to the space of a node's own coordinates."""
    return between(None, node)


def toWorld(node: slicer.vtkMRMLTransformableNode) -> vtk.vtkGeneralTransform:
    """The transform from the space of a node's own coordinates to the world (RAS, mm)."""
    return between(node, None)


def between(
    source: slicer.vtkMRMLTransformableNode | None, target: slicer.vtkMRMLTransformableNode | None
) -> vtk.vtkGeneralTransform:
    """The transform from the space of one node's coordinates to that of another's; None is the world."""
    parents = [node.GetParentTransformNode() if node is not None else None for node in (source, target)]
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(*parents, transform)
    return transform
