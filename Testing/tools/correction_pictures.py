"""Pictures of a correction that regrows: before, what a person has painted, afterwards, and the cells meanwhile.

With a bundled model that can regrow they are of the synthetic phantom, and a simulated person paints. As long as there
is none, they are of a drawn organ with a gap, and of the model of the tests whose cells believe what is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from support.corrections import Editor
from support.obedient_model import obedient_model
from support.threshold_model import LABELS

import MedNCALib as mednca
from MedNCALib.evaluation.corrections import worst_disc

BUNDLED = "hippocampus-mr"  # which the phantom is made for
FRAME_MS, LAST_MS = 90, 1800


@dataclass(frozen=True)
class Scene:
    """What is corrected: a volume, the model, the right labels, and a stroke; None for that of a simulated person."""

    image: sitk.Image
    model: str
    truth: np.ndarray
    stroke: np.ndarray | None = None


def corrected_scene(folder: Path) -> Scene:
    """The phantom for a bundled model that can regrow, else the drawn organ for the tests' model, saved in a folder."""
    if bundled_can_regrow():
        phantom = mednca.make_phantom()
        return Scene(phantom.image, BUNDLED, sitk.GetArrayFromImage(phantom.labels))
    return drawn_organ(str(obedient_model("drawn").save(folder / "drawn").folder))


def bundled_can_regrow() -> bool:
    """Whether the pictures are of a bundled model."""
    return mednca.load_model(BUNDLED).can_regrow


def drawn_organ(model: str) -> Scene:
    """A bright organ with a dark gap of five slices that belongs to it, and a stroke in the gap's middle slice."""
    k, j, i = np.ogrid[:16, :40, :48]
    organ = ((k - 8) / 7) ** 2 + ((j - 20) / 15) ** 2 + ((i - 24) / 19) ** 2 < 1
    gap = organ & (np.abs(k - 8) <= 2) & (np.abs(j - 17) <= 1) & (i >= 27)
    noise = np.random.default_rng(0).integers(-6, 7, organ.shape)
    image = sitk.GetImageFromArray((np.where(organ & ~gap, 180, 30) + noise).astype(np.int16))
    image.SetSpacing((1.5, 1.5, 3.0))
    return Scene(image, model, organ * np.uint8(LABELS[1].value), gap & (k == 8) & (j == 17))


def correction_pictures(host, widget, folder: Path, size: int):
    """Correct and regrow in the panel, as a user does.

    :param size: pixels of a view.
    :return: Rows of pictures with their texts, and the frames of an animation: paths of PNG files.
    """
    import slicer
    from MedNCAScene.inputs.volumes import volumeFromImage

    host.closeScene()
    scene, ui = corrected_scene(folder), widget.ui
    volume_node = volumeFromImage(scene.image, "corrected")
    ui.inputSelector.setCurrentNode(volume_node)
    slicer.util.setSliceViewerLayers(background=volume_node, fit=True)
    node = widget.logic.process(volume_node, model=scene.model)
    ui.outputSelector.setCurrentNode(node)
    stroke = scene.stroke if scene.stroke is not None else _worst_disc(node, volume_node, scene)
    frames, centre = [], _centre(scene.image, stroke)

    def picture(name):
        path = folder / f"{name}.png"
        host.sliceViewPicture(path, width=3 * size, height=size + 22, centreOn=centre)
        return path

    rows = [(picture("before"), "Before: something is missing")]
    _paint(node, volume_node, scene, stroke)
    rows.append((picture("edit"), "The edit: one stroke in one slice"))
    for step in _shown(widget.logic.regrowSteps(node, volume_node, scene.model, showWhileRunning=True)):
        host.processEvents()
        frames.append(picture(f"step{step:03d}"))
    host.processEvents()
    rows.append((picture("after"), "Regrown: in that slice and in those beside it"))
    return rows, [rows[0][0], rows[1][0], *frames, rows[2][0]]


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


def _worst_disc(node, volume_node, scene: Scene) -> np.ndarray:
    """What the simulated person of an evaluation paints: a disc in the largest region that is wrong."""
    import slicer

    found = np.zeros(scene.truth.shape, np.uint8)
    for value, segment_id in enumerate(node.GetSegmentation().GetSegmentIDs(), 1):
        found[slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume_node) > 0] = value
    return worst_disc(scene.truth, found, scene.image.GetSpacing()[::-1], across=0)


def _paint(node, volume_node, scene: Scene, stroke: np.ndarray) -> None:
    """Give the voxels of a stroke their right labels."""
    editor = Editor(node, volume_node)
    for value in range(1, node.GetSegmentation().GetNumberOfSegments() + 1):
        editor.paint(stroke & (scene.truth == value), value)
        editor.paint(stroke & (scene.truth == 0), value, erase=True)


def write_correction_gif(path: Path, frames) -> None:
    """Write the frames of `correction_pictures`; the first two and the last are shown longer."""
    from PIL import Image

    pictures = [Image.open(frame).convert("RGB").quantize(64) for frame in frames]
    times = [LAST_MS, LAST_MS, *[FRAME_MS] * (len(frames) - 3), LAST_MS]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=times, loop=0, optimize=True)


def _centre(image: sitk.Image, inside: np.ndarray) -> tuple[float, float, float]:
    """The middle of what is inside, in RAS."""
    index = [float(each) for each in np.argwhere(inside).mean(axis=0)[::-1]]
    x, y, z = image.TransformContinuousIndexToPhysicalPoint(index)
    return -x, -y, z
