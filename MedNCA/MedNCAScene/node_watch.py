"""Follow the changes of one node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
import vtk


class NodeWatch:
    """Calls a function whenever a node is modified, one node at a time.

    Args:
        onModified: called without arguments.

    Attributes:
        node: the node that is followed, or None.
    """

    def __init__(self, onModified: Callable[[], None]) -> None:
        self.node: Any = None  # a slicer.vtkMRMLNode, or None
        self._onModified = onModified
        self._tag = 0

    def follow(self, node: slicer.vtkMRMLNode | None) -> None:
        """Follow another node; None for none any more."""
        if node is self.node:
            return
        if self.node is not None:
            self.node.RemoveObserver(self._tag)
        self.node = node
        if node is not None:
            self._tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._onEvent)

    def _onEvent(self, *_args: Any) -> None:
        self._onModified()
