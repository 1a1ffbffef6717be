"""Pictures of the application, as PNG files: the panel, the slice views, the 3D view, all of it."""

import contextlib

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from . import rendering

BAR_HEIGHT = 22
GAP = 2


def screenshot(widget, path, width=None, height=None, fontScale=1.0, dark=False, scale=1.0):
    """Save a widget as it looks on the screen.

    :param widget: a Qt widget, or a scripted module's widget.
    :param width: in pixels; the height is what the widget then needs, unless it is given.
    :param fontScale: of the text, for pictures that are shown small.
    :param dark: Slicer's dark style, else the light one.
    :param scale: pixels of the picture per pixel of the screen.
    """
    widget = widget if isinstance(widget, QtWidgets.QWidget) else widget.parent
    with look(fontScale, dark):
        _save(_grab(widget, width, height, scale), path)


def sliceViewPicture(path, width=1200, height=None, centreOn=None, zoom=1.0, views=("Red", "Green", "Yellow")):
    """Save the slice views side by side, each under its coloured bar.

    :param centreOn: a segmentation node or a point (RAS). None is the first visible segmentation, if there is one.
    :param zoom: above 1: closer than the whole volume.
    """
    columns = len(views)
    viewWidth = (width - GAP * (columns - 1)) // columns
    viewHeight = (height or viewWidth + BAR_HEIGHT) - BAR_HEIGHT
    centre = _centre(centreOn)
    picture = _canvas(viewWidth * columns + GAP * (columns - 1), viewHeight + BAR_HEIGHT)
    with _painter(picture) as painter:
        for column, name in enumerate(views):
            _paintSlice(painter, name, column * (viewWidth + GAP), 0, viewWidth, viewHeight, centre, zoom)
    _save(picture, path)


def threeDViewPicture(path, width=800, height=600, showSegments=False):
    """Save the 3D view. ``showSegments`` first presses "Show 3D" of every visible segmentation."""
    _save(_threeDImage(width, height, showSegments), path)


def applicationPicture(
    path, widget, width=1600, height=900, panelWidth=500, centreOn=None, zoom=1.0, showSegments=False, dark=False
):
    """Save the main window's inside: a module's panel on the left, the four views on the right."""
    widget = widget if isinstance(widget, QtWidgets.QWidget) else widget.parent
    viewWidth = (width - panelWidth - 2 * GAP) // 2
    viewHeight = (height - GAP) // 2 - BAR_HEIGHT
    right, lower = panelWidth + 2 * GAP + viewWidth, viewHeight + BAR_HEIGHT + GAP
    centre = _centre(centreOn)
    picture = _canvas(width, height)
    with look(1.0, dark):
        # As in the application: the panel scrolls if it is higher than the window.
        panel = _grab(widget, panelWidth, None, 1.0)
        with _painter(picture) as painter:
            painter.fillRect(0, 0, panelWidth, height, slicer.app.palette().window())
            painter.drawImage(0, 0, panel, 0, 0, panelWidth, height)
            _paintSlice(painter, "Red", panelWidth + GAP, 0, viewWidth, viewHeight, centre, zoom)
            _paintSlice(painter, "Green", panelWidth + GAP, lower, viewWidth, viewHeight, centre, zoom)
            _paintSlice(painter, "Yellow", right, lower, viewWidth, viewHeight, centre, zoom)
            _paintBar(painter, slicer.app.layoutManager().threeDWidget(0).mrmlViewNode(), "", right, 0, viewWidth)
            painter.drawImage(right, BAR_HEIGHT, _threeDImage(viewWidth, viewHeight, showSegments))
    _save(picture, path)


def _paintSlice(painter, name, x, y, width, height, centre, zoom):
    image, offset = rendering.renderSlice(name, width, height, centre, zoom)
    widget = slicer.app.layoutManager().sliceWidget(name)
    sliceNode = widget.mrmlSliceNode()
    normal = [sliceNode.GetSliceToRAS().GetElement(row, 2) for row in range(3)]
    axis = sliceNode.GetDirectionLabel(normal, True)
    _paintBar(painter, sliceNode, f"{sliceNode.GetOrientation()}    {axis}: {offset:.1f} mm", x, y, width)
    painter.drawImage(x, y + BAR_HEIGHT, image)
    volume = slicer.mrmlScene.GetNodeByID(widget.mrmlSliceCompositeNode().GetBackgroundVolumeID() or "")
    if volume is not None:
        painter.setPen(QtGui.QColor("#ffff80"))
        painter.drawText(x + 6, y + BAR_HEIGHT + height - 8, f"B: {volume.GetName()}")


def _paintBar(painter, viewNode, text, x, y, width):
    """The view's controller: its colour, its short name, where it is."""
    painter.fillRect(x, y, width, BAR_HEIGHT, QtGui.QColor.fromRgbF(*viewNode.GetLayoutColor()))
    painter.setPen(QtGui.QColor("#101010"))
    area = QtCore.QRect(x + 8, y, width - 16, BAR_HEIGHT)
    painter.drawText(area, QtCore.Qt.AlignVCenter, f"{viewNode.GetLayoutLabel()}   {text}")


def _threeDImage(width, height, showSegments):
    if showSegments:
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
            if node.GetDisplayNode() is not None and node.GetDisplayNode().GetVisibility():
                node.CreateClosedSurfaceRepresentation()
    return rendering.renderThreeD(width, height)


def _centre(centreOn):
    if centreOn is None or isinstance(centreOn, slicer.vtkMRMLSegmentationNode):
        return rendering.centreOfSegments(centreOn)
    return tuple(centreOn)


@contextlib.contextmanager
def look(fontScale=1.0, dark=False):
    """The application with larger text, or in Slicer's dark style, while this context lasts."""
    app = slicer.app
    font = app.font()
    larger = QtGui.QFont(font)
    larger.setPointSizeF(font.pointSizeF() * fontScale)
    app.setFont(larger)
    app._useTheme(dark)
    try:
        yield
    finally:
        app.setFont(font)
        app._useTheme(False)


@contextlib.contextmanager
def laidOut(widget, width=None, height=None):
    """A widget as it is on the screen at a width, and at the height that it then needs, while this context lasts."""
    oldSize = widget.size
    wasHidden = widget.isHidden()
    widget.show()
    slicer.app.processEvents()
    width = width or max(widget.sizeHint().width(), widget.width)
    if height is None:
        widget.resize(width, 10)
        slicer.app.processEvents()
        height = widget.heightForWidth(width) if widget.hasHeightForWidth() else widget.sizeHint().height()
    widget.resize(width, height)
    slicer.app.processEvents()
    try:
        yield widget
    finally:
        widget.resize(oldSize)
        if wasHidden:
            widget.hide()


def _grab(widget, width, height, scale):
    with laidOut(widget, width, height):
        image = _canvas(round(widget.width * scale), round(widget.height * scale))
        image.setDevicePixelRatio(scale)
        widget.render(image)
        image.setDevicePixelRatio(1)
    return image


def _canvas(width, height):
    image = QtGui.QImage(width, height, QtGui.QImage.Format_RGB32)
    image.fill(QtGui.QColor("#404040"))
    return image


@contextlib.contextmanager
def _painter(image):
    painter = QtGui.QPainter(image)
    painter.setFont(slicer.app.font())
    try:
        yield painter
    finally:
        painter.end()


def _save(image, path):
    if not image.save(str(path)):
        raise OSError(f"Cannot write the picture {path}")
