"""Follow the changes of one node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import slicer
import vtk


class NodeWatch:
    """Calls a function whenever a node is modified, one node at a time.

    Args:
        onModified: called without arguments.
        events: that count as modifications.

    Attributes:
        node: the node that is followed, or None.
    """

    def __init__(self, onModified: Callable[[], None], events: Sequence[int] = (vtk.vtkCommand.ModifiedEvent,)) -> None:
        self.node: Any = None  # a slicer.vtkMRMLNode, or None
        self._onModified = onModified
        self._events = events
        self._tags: list[int] = []

    def follow(self, node: slicer.vtkMRMLNode | None) -> None:
        """Follow another node; None for none any more."""
        if node is self.node:
            return
        if self.node is not None:
            for tag in self._tags:
                self.node.RemoveObserver(tag)
        self.node = node
        if node is not None:
            self._tags = [node.AddObserver(event, self._onEvent) for event in self._events]

    def _onEvent(self, *_args: Any) -> None:
        self._onModified()
