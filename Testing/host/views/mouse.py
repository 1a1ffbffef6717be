"""A mouse over a slice view: its events go the way of the real ones, to Slicer's displayable managers."""

import slicer
import vtk

from . import rendering


class SliceViewMouse:
    """Moves and clicks at places that are given in the world (RAS, mm). To be used in a ``with`` statement."""

    def __init__(self, name):
        self._widget = slicer.app.layoutManager().sliceWidget(name)
        self._sliceNode = self._widget.mrmlSliceNode()
        logic = self._widget.sliceLogic()
        width, height, _ = self._sliceNode.GetDimensions()
        self._opened = rendering.openedView(
            rendering.sliceRenderer(logic), rendering.sliceFactory(), self._sliceNode, width, height
        )

    def __enter__(self):
        self._view = self._opened.__enter__()
        self._view.interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self._style = slicer.vtkMRMLSliceViewInteractorStyle()
        self._style.SetSliceLogic(self._widget.sliceLogic())
        self._style.SetDisplayableManagers(self._view.managers)
        self._style.SetInteractor(self._view.interactor)
        self._view.window.Render()
        return self

    def __exit__(self, *exception):
        # What is kept of a closed view would still follow the scene.
        self._style.SetInteractor(None)
        self._style.SetDisplayableManagers(None)
        self._style = self._view = None
        return self._opened.__exit__(*exception)

    def moveTo(self, point):
        self._send("MouseMoveEvent", point)

    def click(self, point, button="Left"):
        """Move there, press and release."""
        self.moveTo(point)
        self._send(f"{button}ButtonPressEvent", point)
        self._send(f"{button}ButtonReleaseEvent", point)

    def drag(self, start, end):
        """Press at the start without moving the mouse there first, and release at the end."""
        self._send("LeftButtonPressEvent", start)
        self.moveTo([(a + b) / 2 for a, b in zip(start, end, strict=True)])
        self.moveTo(end)
        self._send("LeftButtonReleaseEvent", end)

    def _send(self, event, point):
        rasToXY = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self._sliceNode.GetXYToRAS(), rasToXY)
        x, y, _, _ = rasToXY.MultiplyPoint([*point, 1])
        self._view.interactor.SetEventInformation(round(x), round(y))
        self._view.interactor.InvokeEvent(event)
        self._view.window.Render()
