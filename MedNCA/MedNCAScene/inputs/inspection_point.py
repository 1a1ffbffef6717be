"""The point at which a cell is inspected, and the mouse mode in which the user places it."""

from __future__ import annotations

from collections.abc import Callable

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin


def addPoint() -> slicer.vtkMRMLMarkupsFiducialNode:
    """Add the node of a point that is still to be placed."""
    before = _PlaceChoice()
    name = slicer.mrmlScene.GenerateUniqueName(_("Inspected cell"))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetControlPointLabelFormat("%N")  # there is one point: its label is the node's name
    before.restore()  # the application makes every new markup the target of the user's next points
    return node


def removePoint(pointNode: slicer.vtkMRMLMarkupsFiducialNode) -> None:
    """Remove the node of a point from the scene."""
    slicer.mrmlScene.RemoveNode(pointNode)


def keepNewest(pointNode: slicer.vtkMRMLMarkupsFiducialNode) -> tuple[float, float, float] | None:
    """Remove all points of a node but the one that was placed last.

    Returns:
        The position of that point (RAS in the world, mm), or None if none is placed.
    """
    placed = [n for n in range(pointNode.GetNumberOfControlPoints()) if _isPlaced(pointNode, n)]
    if not placed:
        return None
    for number in reversed(placed[:-1]):
        pointNode.RemoveNthControlPoint(number)
    if len(placed) > 1:
        # The point under the mouse has another number now, which a drag goes by.
        pointNode.GetDisplayNode().SetActiveControlPoint(0)
    return tuple(pointNode.GetNthControlPointPositionWorld(0))


def _isPlaced(pointNode: slicer.vtkMRMLMarkupsFiducialNode, number: int) -> bool:
    return pointNode.GetNthControlPointPositionStatus(number) == pointNode.PositionDefined


class PointPlacement(VTKObservationMixin):
    """The next click into a view places a point.

    It ends with that click, with a right click, as soon as the user chooses something else to do with the mouse, or
    with `end`. Points that the user places afterwards go where they went before.

    Args:
        pointNode: the point.
        onEnded: called once, without arguments, perhaps while a view still handles the click.
    """

    def __init__(self, pointNode: slicer.vtkMRMLMarkupsFiducialNode, onEnded: Callable[[], None]) -> None:
        VTKObservationMixin.__init__(self)
        self._pointId = pointNode.GetID()
        self._onEnded = onEnded
        self._before = _PlaceChoice()
        self._interaction = slicer.app.applicationLogic().GetInteractionNode()
        self._before.selection.SetReferenceActivePlaceNodeID(self._pointId)
        slicer.modules.markups.logic().StartPlaceMode(False)
        for node in (self._interaction, self._before.selection):
            self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self._onChanged)

    def end(self) -> None:
        """Stop waiting for the click."""
        self._interaction.SwitchToViewTransformMode()

    def _onChanged(self, _caller: vtk.vtkObject, _event: str) -> None:
        isPlacing = self._interaction.GetCurrentInteractionMode() == self._interaction.Place
        now = _PlaceChoice()
        if isPlacing and (now.className, now.nodeId) == ("vtkMRMLMarkupsFiducialNode", self._pointId):
            return
        self.removeObservers()
        if not isPlacing:
            self._before.restore()
        self._onEnded()


class _PlaceChoice:
    """Which markup the user's next points go to."""

    def __init__(self) -> None:
        self.selection = slicer.app.applicationLogic().GetSelectionNode()
        self.className = self.selection.GetActivePlaceNodeClassName()
        self.nodeId = self.selection.GetActivePlaceNodeID()

    def restore(self) -> None:
        """Choose it again, if it is still there."""
        isThere = self.nodeId and slicer.mrmlScene.GetNodeByID(self.nodeId)
        self.selection.SetReferenceActivePlaceNodeID(self.nodeId if isThere else None)
        if self.className:
            self.selection.SetReferenceActivePlaceNodeClassName(self.className)
