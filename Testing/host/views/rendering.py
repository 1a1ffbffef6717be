"""Draws the views of the application, off the screen, with Slicer's own slice logics and displayable managers."""

import contextlib
import ctypes.util
import os
from collections import namedtuple

import slicer
import vtk
from PySide6 import QtGui
from vtk.util.numpy_support import vtk_to_numpy

from ..qt.quiet import quietVtk

if not os.environ.get("DISPLAY") and ctypes.util.find_library("EGL"):
    # Without this VTK first looks for an X server, and complains.
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

SLICE_MANAGERS = (
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLTransformsDisplayableManager2D",
    "vtkMRMLScalarBarDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
)
THREED_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLVolumeRenderingDisplayableManager",
)
# Where the camera of a 3D picture stands, seen from the focal point: in front, a little to the left and above.
CAMERA_DIRECTION = (0.35, 1.0, 0.35)


def renderSlice(name, width, height, centre=None, zoom=1.0):
    """A slice view as a QImage, and the position of the slice in mm.

    The view is fitted to its volume, moved to the slice through ``centre`` (RAS), zoomed in there, and then put back.
    """
    widget = slicer.app.layoutManager().sliceWidget(name)
    sliceNode = widget.mrmlSliceNode()
    with _sliceKept(sliceNode):
        sliceNode.SetDimensions(width, height, 1)
        widget.sliceLogic().FitSliceToBackground()
        if centre is not None:
            sliceNode.JumpSliceByOffsetting(*centre)
        if zoom != 1.0:
            fieldOfView = sliceNode.GetFieldOfView()
            sliceNode.SetFieldOfView(fieldOfView[0] / zoom, fieldOfView[1] / zoom, fieldOfView[2])
            if centre is not None:
                sliceNode.JumpSliceByCentering(*centre)
        sliceNode.UpdateMatrices()
        image = _draw(sliceRenderer(widget.sliceLogic()), sliceFactory(), sliceNode, width, height)
        return image, sliceNode.GetSliceOffset()


def renderThreeD(width, height):
    """The 3D view as a QImage, with the camera on all that is visible."""
    viewNode = slicer.app.layoutManager().threeDWidget(0).mrmlViewNode()
    renderer = vtk.vtkRenderer()
    renderer.SetBackground(viewNode.GetBackgroundColor())
    renderer.SetBackground2(viewNode.GetBackgroundColor2())
    renderer.GradientBackgroundOn()
    factory = _factory(slicer.vtkMRMLThreeDViewDisplayableManagerFactory, THREED_MANAGERS)

    def aim():
        camera = renderer.GetActiveCamera()
        camera.SetFocalPoint(0, 0, 0)
        camera.SetPosition(*CAMERA_DIRECTION)
        camera.SetViewUp(0, 0, 1)
        bounds = _visibleBounds()
        if bounds is None:
            renderer.ResetCamera()
        else:
            renderer.ResetCamera(bounds)
        renderer.ResetCameraClippingRange()

    return _draw(renderer, factory, viewNode, width, height, aim)


def centreOfSegments(segmentationNode=None):
    """The middle (RAS) of the visible segments of a segmentation, or of the first that has any; None if none has."""
    nodes = [segmentationNode] if segmentationNode else slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    for node in nodes:
        display = node.GetDisplayNode()
        if display is None or not display.GetVisibility():
            continue
        visible = [each for each in node.GetSegmentation().GetSegmentIDs() if display.GetSegmentVisibility(each)]
        with quietVtk():  # a segment without voxels has no centre
            centres = [centre for centre in map(node.GetSegmentCenterRAS, visible) if centre is not None]
        if centres:
            return tuple(sum(coordinates) / len(centres) for coordinates in zip(*centres, strict=True))
    return None


@contextlib.contextmanager
def _sliceKept(sliceNode):
    sliceToRas = vtk.vtkMatrix4x4()
    sliceToRas.DeepCopy(sliceNode.GetSliceToRAS())
    dimensions, fieldOfView, origin = sliceNode.GetDimensions(), sliceNode.GetFieldOfView(), sliceNode.GetXYZOrigin()
    try:
        yield
    finally:
        sliceNode.GetSliceToRAS().DeepCopy(sliceToRas)
        sliceNode.SetDimensions(*dimensions)
        sliceNode.SetFieldOfView(*fieldOfView)
        sliceNode.SetXYZOrigin(*origin)
        sliceNode.UpdateMatrices()


def sliceRenderer(sliceLogic):
    """A renderer with the slice's blended volumes as its background."""
    renderer = vtk.vtkRenderer()
    renderer.SetBackground(0, 0, 0)
    if sliceLogic.GetImageDataConnection() is not None:
        mapper = vtk.vtkImageMapper()
        mapper.SetInputConnection(sliceLogic.GetImageDataConnection())
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        actor = vtk.vtkActor2D()
        actor.SetMapper(mapper)
        actor.GetProperty().SetDisplayLocationToBackground()
        renderer.AddViewProp(actor)
    return renderer


def sliceFactory():
    return _factory(slicer.vtkMRMLSliceViewDisplayableManagerFactory, SLICE_MANAGERS)


def _factory(factoryClass, managers):
    factory = factoryClass.GetInstance()
    factory.SetMRMLApplicationLogic(slicer.app.applicationLogic())
    for manager in managers:
        if not factory.IsDisplayableManagerRegistered(manager):
            factory.RegisterDisplayableManager(manager)
    return factory


View = namedtuple("View", "window, interactor, managers")


@contextlib.contextmanager
def openedView(renderer, factory, viewNode, width, height):
    """A window off the screen with a view and its displayable managers, for the time of a ``with`` statement."""
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetMultiSamples(0)
    window.SetSize(width, height)
    window.AddRenderer(renderer)
    interactor = vtk.vtkGenericRenderWindowInteractor()
    interactor.SetRenderWindow(window)
    group = factory.InstantiateDisplayableManagers(renderer)
    group.UnRegister(None)  # made for the caller; else it would outlive its view, and follow the scene
    try:
        group.SetMRMLDisplayableNode(viewNode)
        yield View(window, interactor, group)
    finally:
        group.SetMRMLDisplayableNode(None)
        window.RemoveRenderer(renderer)
        window.Finalize()


def _draw(renderer, factory, viewNode, width, height, prepare=None):
    with openedView(renderer, factory, viewNode, width, height) as view:
        if prepare is not None:
            prepare()
        view.window.Render()
        return _image(view.window)


def _image(window):
    grabber = vtk.vtkWindowToImageFilter()
    grabber.SetInput(window)
    grabber.ReadFrontBufferOff()
    grabber.Update()
    picture = grabber.GetOutput()
    width, height, _ = picture.GetDimensions()
    rgb = vtk_to_numpy(picture.GetPointData().GetScalars())
    # VTK's first row is the lowest.
    rows = rgb.reshape(height, width, 3)[::-1].copy()
    return QtGui.QImage(rows.data, width, height, 3 * width, QtGui.QImage.Format_RGB888).copy()


def _visibleBounds():
    """The box around everything that the 3D view shows, or None."""
    box = vtk.vtkBoundingBox()
    for node in slicer.util.getNodesByClass("vtkMRMLDisplayableNode"):
        display = node.GetDisplayNode()
        shows3d = display is not None and display.GetVisibility() and display.GetVisibility3D()
        if not shows3d or node.GetHideFromEditors():
            continue
        if node.IsA("vtkMRMLVolumeNode"):
            continue
        bounds = [0.0] * 6
        node.GetRASBounds(bounds)
        if bounds[0] <= bounds[1]:
            box.AddBounds(bounds)
    if not box.IsValid():
        return None
    bounds = [0.0] * 6
    box.GetBounds(bounds)
    return bounds
