"""Pictures of a correction that regrows: before, what a person has painted, afterwards, and the cells meanwhile.

A drawn chest in one of whose slices the blood is partly dark, as where it is slow, and the bundled model of the left
ventricle, which leaves out much of the dark part. One small stroke says that it belongs to the cavity.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from support.beating_heart import chest, image_of
from support.corrections import Editor

MODEL = "left-ventricle-cine-mr"
SLICE, CENTRE, RADIUS = 3, (62, 72), 8.5  # of the cavity in the drawn chest: row and column, pixels
DARK_FROM = 57  # row
STROKE, STROKE_RADIUS = (66, 71), 2.0
SPACING = (2.6, 2.6, 8.0)
ZOOM = 3.2
EVERY, FRAME_MS, LAST_MS = 2, 130, 1800  # step of the regrowing, milliseconds of a frame and of those that stay


def partly_dark():
    """The volume: int16, (slices, rows, columns)."""
    voxels = chest(phase=0)
    plane = voxels[SLICE]
    inside = _disc(plane.shape, CENTRE, RADIUS)
    inside[:DARK_FROM] = False
    noise = np.random.default_rng(5).normal(0, 12, int(inside.sum()))
    plane[inside] = (110 + noise).astype(np.int16)
    return voxels


def _disc(shape, centre, radius):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= radius**2


def correction_pictures(host, widget, folder: Path, size: int):
    """Correct and regrow in the panel, as a user does.

    :param size: pixels of a view.
    :return: Pictures with their texts, and the frames of an animation: paths of PNG files.
    """
    import slicer
    from MedNCAScene.inputs.volumes import volumeFromImage

    host.closeScene()
    voxels = partly_dark()
    volume_node = volumeFromImage(image_of(voxels, SPACING), "chest")
    widget.ui.inputSelector.setCurrentNode(volume_node)
    slicer.util.setSliceViewerLayers(background=volume_node, fit=True)
    node = widget.logic.process(volume_node, model=MODEL)
    widget.ui.outputSelector.setCurrentNode(node)
    centre, frames = _point(volume_node), []

    def picture(name):
        path = folder / f"{name}.png"
        host.sliceViewPicture(path, width=size, height=size + 22, centreOn=centre, zoom=ZOOM, views=("Red",))
        return path

    pictures = [(picture("before"), "A part is missing")]
    stroke = np.zeros(voxels.shape, bool)
    stroke[SLICE] = _disc(voxels.shape[1:], STROKE, STROKE_RADIUS)
    Editor(node, volume_node).paint(stroke, 1)
    pictures.append((picture("edit"), "One stroke"))
    for step in _shown(widget.logic.regrowSteps(node, volume_node, MODEL, showWhileRunning=True)):
        host.processEvents()
        frames.append(picture(f"step{step:03d}"))
    host.processEvents()
    pictures.append((picture("after"), "Regrown"))
    return pictures, [pictures[0][0], pictures[1][0], *frames[::EVERY], pictures[2][0]]


def _shown(steps):
    """The number of each step, with each of them drawn over the views, however fast they come."""
    from MedNCAScene.display.live_overlay import LiveOverlay

    before = LiveOverlay.SHORTEST_INTERVAL, LiveOverlay.REST
    LiveOverlay.SHORTEST_INTERVAL = LiveOverlay.REST = 0
    try:
        for number, _step in enumerate(steps):
            yield number
    finally:
        LiveOverlay.SHORTEST_INTERVAL, LiveOverlay.REST = before


def write_correction_gif(path: Path, frames) -> None:
    """Write the frames of `correction_pictures`; the first two and the last are shown longer."""
    from PIL import Image

    pictures = [Image.open(frame).convert("RGB").quantize(64) for frame in frames]
    times = [LAST_MS, LAST_MS, *[FRAME_MS] * (len(frames) - 3), LAST_MS]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=times, loop=0, optimize=True)


def _point(volume_node) -> tuple[float, float, float]:
    """The middle of the cavity, in RAS."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    right, anterior, superior, _one = matrix.MultiplyPoint((CENTRE[1], CENTRE[0], SLICE, 1))
    return right, anterior, superior
