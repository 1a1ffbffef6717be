"""The point at which a cell is inspected, and the mouse mode in which the user places it."""

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin


def addPoint():
    """Add the node of a point that is still to be placed."""
    place = _PlaceChoice()
    name = slicer.mrmlScene.GenerateUniqueName(_("Inspected cell"))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetControlPointLabelFormat("%N")  # there is one point: it is called as its node
    place.restore()  # the application lets every new markup have the user's next points
    return node


def keepNewest(pointNode):
    """Where the point is (RAS in the world, mm), or None if it is not placed; what was placed before it is removed."""
    placed = [n for n in range(pointNode.GetNumberOfControlPoints()) if _isPlaced(pointNode, n)]
    if not placed:
        return None
    for number in reversed(placed[:-1]):
        pointNode.RemoveNthControlPoint(number)
    if len(placed) > 1:
        # The point under the mouse has another number now; unless that is said, a drag would move none.
        pointNode.GetDisplayNode().SetActiveControlPoint(0)
    return tuple(pointNode.GetNthControlPointPositionWorld(0))


def _isPlaced(pointNode, number: int) -> bool:
    return pointNode.GetNthControlPointPositionStatus(number) == pointNode.PositionDefined


class PointPlacement(VTKObservationMixin):
    """The next click into a view places a point.

    It ends with that click, with a right click, as soon as the user chooses something else to do with the mouse, or
    with `end`. Points that the user places afterwards go where they went before, not here.

    :param onEnded: called once, without arguments, perhaps while a view still handles the click.
    """

    def __init__(self, pointNode, onEnded):
        VTKObservationMixin.__init__(self)
        self._pointId = pointNode.GetID()
        self._onEnded = onEnded
        self._place = _PlaceChoice()
        self._interaction = slicer.app.applicationLogic().GetInteractionNode()
        self._place.selection.SetReferenceActivePlaceNodeID(self._pointId)
        slicer.modules.markups.logic().StartPlaceMode(False)
        for node in (self._interaction, self._place.selection):
            self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self._onChanged)

    def end(self) -> None:
        """Stop waiting for the click."""
        self._interaction.SwitchToViewTransformMode()

    def _onChanged(self, caller, event) -> None:
        isPlacing = self._interaction.GetCurrentInteractionMode() == self._interaction.Place
        now = _PlaceChoice()
        if isPlacing and (now.className, now.nodeId) == ("vtkMRMLMarkupsFiducialNode", self._pointId):
            return
        self.removeObservers()
        if not isPlacing:
            self._place.restore()
        self._onEnded()


class _PlaceChoice:
    """Which markup the user's next points go to."""

    def __init__(self):
        self.selection = slicer.app.applicationLogic().GetSelectionNode()
        self.className = self.selection.GetActivePlaceNodeClassName()
        self.nodeId = self.selection.GetActivePlaceNodeID()

    def restore(self) -> None:
        """Choose it again, if it is still there."""
        isThere = self.nodeId and slicer.mrmlScene.GetNodeByID(self.nodeId)
        self.selection.SetReferenceActivePlaceNodeID(self.nodeId if isThere else None)
        if self.className:
            self.selection.SetReferenceActivePlaceNodeClassName(self.className)
