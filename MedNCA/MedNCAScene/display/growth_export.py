"""Pictures of a sequence as the slice views show it: an animated GIF, or numbered PNG files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import slicer
from PIL import Image
from slicer.i18n import tr as _
from vtk.util.numpy_support import vtk_to_numpy

import MedNCALib as mednca
from MedNCALib.atomic_write import written_whole

from .slice_foreground import Overlay, TemporaryForeground

VIEWS = ("Red", "Green", "Yellow")
LAST_MS = 1500  # how long a GIF rests on the last picture


def exportGrowth(
    browserNode: slicer.vtkMRMLSequenceBrowserNode, path: str | os.PathLike[str], views: Sequence[str] = VIEWS
) -> list[Path]:
    """Write what the slice views show for each kept step; afterwards the step that was shown is shown again.

    Args:
        browserNode: plays the kept steps.
        path: of a `.gif` file, or `.png` for one file per step: `growth.png` gives `growth_001.png` and so on.
        views: names of the slice views, side by side in the picture.

    Returns:
        The written files.

    Raises:
        MedNCAError: another kind of file, or it cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in (".gif", ".png"):
        raise mednca.MedNCAError(_("{name} is neither a .gif nor a .png file.").format(name=path.name))
    pictures = _pictures(browserNode, views)
    try:
        if path.suffix.lower() == ".png":
            return _writePngs(pictures, path)
        return _writeGif(pictures, path, 1 / max(browserNode.GetPlaybackRateFps(), 0.1))
    except OSError as error:
        raise mednca.MedNCAError(_("{path} cannot be written: {error}").format(path=path, error=error)) from error


def exportWithOverlay(
    growthNode: slicer.vtkMRMLScalarVolumeNode | None,
    browserNode: slicer.vtkMRMLSequenceBrowserNode | None,
    path: str | os.PathLike[str],
) -> list[Path]:
    """Write the kept steps of a run, laid over the slice views meanwhile; see `exportGrowth`.

    Args:
        growthNode: the volume that shows the kept steps, None if there are none.
        browserNode: plays them in that volume, None if there are none.
        path: see `exportGrowth`.

    Raises:
        MedNCAError: no steps were kept, another kind of file, or it cannot be written.
    """
    if growthNode is None or browserNode is None:
        raise mednca.MedNCAError(_("There are no kept steps: segment with keepGrowth first."))
    foreground = TemporaryForeground(growthNode, Overlay.OPACITY)
    try:
        return exportGrowth(browserNode, path)
    finally:
        foreground.restore()


def _writeGif(pictures: Sequence[Image.Image], path: Path, seconds: float) -> list[Path]:
    duration = round(1000 * seconds)
    flat = [picture.quantize(128, dither=Image.Dither.NONE) for picture in pictures]
    durations = [duration] * (len(flat) - 1) + [max(duration, LAST_MS)]
    with written_whole(path) as beside:
        flat[0].save(beside, "GIF", save_all=True, append_images=flat[1:], duration=durations, loop=0)
    return [path]


def _writePngs(pictures: Sequence[Image.Image], path: Path) -> list[Path]:
    files = []
    for number, picture in enumerate(pictures, 1):
        files.append(path.with_name(f"{path.stem}_{number:03d}.png"))
        with written_whole(files[-1]) as beside:
            picture.save(beside, "PNG")
    return files


def _pictures(browserNode: slicer.vtkMRMLSequenceBrowserNode, views: Sequence[str]) -> list[Image.Image]:
    before, pictures = browserNode.GetSelectedItemNumber(), []
    browserNode.SetPlaybackActive(False)
    try:
        for number in range(browserNode.GetNumberOfItems()):
            browserNode.SetSelectedItemNumber(number)
            pictures.append(Image.fromarray(_sliceViews(views)))
    finally:
        browserNode.SetSelectedItemNumber(before)
    return pictures


def _sliceViews(views: Sequence[str]) -> np.ndarray:
    """The blended volumes of slice views side by side, uint8, shape (rows, columns, 3)."""
    logic = slicer.app.applicationLogic()
    planes = []
    for name in views:
        sliceNode = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{name}")
        connection = sliceNode and logic.GetSliceLogic(sliceNode).GetImageDataConnection()
        if connection is None:
            continue
        connection.GetProducer().Update()
        image = connection.GetProducer().GetOutputDataObject(connection.GetIndex())
        width, height, _depth = image.GetDimensions()
        rgba = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)
        planes.append(rgba[::-1, :, :3])  # VTK's first row is the lowest
    if not planes:
        raise mednca.MedNCAError(_("No slice view shows anything."))
    height = max(len(plane) for plane in planes)
    return np.concatenate([np.pad(plane, ((0, height - len(plane)), (0, 2), (0, 0))) for plane in planes], axis=1)
