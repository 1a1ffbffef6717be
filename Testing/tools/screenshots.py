"""The pictures in README: the panel in each of its states, what the views show meanwhile, the whole application.

python Testing/tools/screenshots.py --output Resources/Screenshots
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "Testing")]

import numpy as np
from host import slicerHost
from PIL import Image, ImageDraw, ImageFont
from support.beating_heart import add_cine, chest
from support.panel_states import learn_states, panel_states

import MedNCALib as mednca
from MedNCALib.imaging.phantom import BLOCK_CENTRE_LEFT
from MedNCALib.measurement.volume_curve import write_volume_picture
from MedNCALib.segmentation.growth_animation import write_growth_gif
from tools.correction_pictures import correction_pictures, write_correction_gif

NORMAL, LARGE, DARK = {"width": 420}, {"width": 500, "fontScale": 1.25}, {"width": 420, "dark": True}
# File -> rows of its pictures: state, look, caption.
PANEL_SHEETS = {
    "panel-states.png": [
        [
            ("empty", NORMAL, "Nothing loaded yet"),
            ("head", NORMAL, "A whole head"),
            ("finding", NORMAL, "Running: it looks for the anatomy"),
        ],
        [
            ("sides", NORMAL, "Done: both sides, and where it looked"),
            ("done", NORMAL, "Done: five runs, steps kept"),
            ("error", NORMAL, "A volume that cannot be used"),
        ],
    ],
    "panel-looks.png": [
        [("running", DARK, "Dark"), ("done", DARK, "Dark"), ("done", LARGE, "Text at 125 %")],
    ],
}
LEARN_LOOKS = {
    "learn: no cases": NORMAL,
    "learn: cases": NORMAL,
    "learn: choices": LARGE,
    "learn: training": DARK,
    "learn: done": NORMAL,
}
LEARN_SHEET = [
    [("learn: cases", "Four cases of the scene"), ("learn: choices", "Choices, in text at 125 %")],
    [("learn: training", "Training, dark"), ("learn: done", "Done: how well it does on what was kept aside")],
]
VIEW, HEART_VIEW, CORRECTION_VIEW, BAR = 280, 356, 240, 22  # pixels of a view, and of the bar above it
QUALITY = 64  # of a JPEG file
STEP = 14  # of the kept ones, to be shown
GAP, LINE = 8, 24
FRAMES, FRAME_SPACING, HEART = 12, (2.6, 2.6, 8.0), (-187.0, -161.0, 16.0)


def makePictures(output):
    """Fill the folder `output` with all pictures."""
    host = slicerHost()
    host.loadModule(REPOSITORY / "MedNCA" / "MedNCA.py")
    widget = host.openModule("MedNCA")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        panels, views = {}, []
        for state in panel_states(host, widget):
            for look in (NORMAL, LARGE, DARK):
                panels[state, str(look)] = panel(host, widget, Path(folder) / "panel.png", look)
            if state == "done":
                host.click(widget.ui.show3DButton)
                whole = Path(folder) / "application.png"
                host.applicationPicture(whole, widget, width=1480, height=960, panelWidth=NORMAL["width"])
                opened(whole).save(output / "application.jpg", quality=QUALITY, optimize=True)
            views += viewsIn(state, host, widget, Path(folder))
            if state == "done":
                host.click(widget.ui.show3DButton)
        heart = heartSheet(host, widget, Path(folder))
        learnPictures(host, widget, output)
        makeCorrectionPictures(host, widget, Path(folder), output)
    for name, rows in PANEL_SHEETS.items():
        page = sheet([[(panels[state, str(look)], text) for state, look, text in row] for row in rows])
        # A quarter of the size of full colour; this method keeps a colour that has few pixels.
        page.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(output / name, optimize=True)
    sheet(views).save(output / "views.jpg", quality=QUALITY, optimize=True)
    heart.save(output / "heart.jpg", quality=QUALITY, optimize=True)
    phantom, model = mednca.make_phantom(), mednca.load_model("hippocampus-mr")
    write_growth_gif(output / "growth.gif", phantom.image, mednca.segment(phantom.image, model).labels, model)


def panel(host, widget, path, look):
    host.screenshot(widget, path, **look)
    return opened(path)


def viewsIn(state, host, widget, folder):
    """The rows of pictures of the views that a state of the panel has to show; the panel is left as it was."""
    import slicer

    ui = widget.ui
    if state == "head":
        yield views(host, folder, "A whole head")
    elif state == "finding":
        yield views(host, folder, "Running: the coarse cells of the search")
    elif state == "growing":
        yield views(host, folder, "Running: what was found, and the second side as it grows")
    elif state == "sides":
        for box in slicer.util.getNodesByClass("vtkMRMLMarkupsROINode"):
            box.GetDisplayNode().SetInteractionHandleScale(0.5)  # they grow as a view gets smaller
        host.click(ui.show3DButton)
        yield views(host, folder, "Done: both sides, and where it looked")
    elif state == "done":
        yield views(host, folder, "A block: the segments, and their surfaces")
        last = ui.stepSlider.value
        ui.stepSlider.setValue(STEP - 1)
        yield views(host, folder, f"Growth: {ui.stepLabel.text.lower()}, shown again; the segments as outlines")
        ui.stepSlider.setValue(last)
        host.click(ui.uncertaintyOverlayCheckBox)
        yield views(host, folder, "Quality: the uncertainty; the segments as outlines")
        host.click(ui.uncertaintyOverlayCheckBox)


def views(host, folder, text):
    """A row with the slice views through the hippocampus and the 3D view."""
    slices, surfaces = folder / "slices.png", folder / "3d.png"
    host.sliceViewPicture(slices, width=3 * VIEW, height=VIEW + BAR, centreOn=BLOCK_CENTRE_LEFT)
    host.threeDViewPicture(surfaces, width=VIEW, height=VIEW + BAR)
    return [(opened(slices), text), (opened(surfaces), "")]


def heartSheet(host, widget, folder):
    """The section Heart after a run of all frames, the segments, and the plot that the command line writes."""
    import slicer
    from MedNCAScene.results.beat_table import beatOf

    host.closeScene()
    ui = widget.ui
    voxels = np.stack([chest(frame / FRAMES, seed=frame) for frame in range(FRAMES)])
    volumeNode, browser = add_cine(voxels, spacing=FRAME_SPACING, origin=(0.0, 0.0, 0.0))
    ui.inputSelector.setCurrentNode(volumeNode)
    ui.modelComboBox.setCurrentIndex(ui.modelComboBox.findData("left-ventricle-cine-mr"))
    ui.allFramesCheckBox.setChecked(True)
    host.click(ui.segmentButton)
    host.waitUntil(lambda: not widget.isRunning, timeout=300)
    slicer.util.setSliceViewerLayers(background=volumeNode, fit=True)
    axial = []
    for index, text in ((0, "End-diastole"), (FRAMES // 2, "End-systole")):
        browser.SetSelectedItemNumber(index)
        host.processEvents()
        host.sliceViewPicture(folder / "slices.png", width=3 * HEART_VIEW, height=HEART_VIEW + BAR, centreOn=HEART)
        axial.append((opened(folder / "slices.png").crop((0, 0, HEART_VIEW, HEART_VIEW + BAR)), text))
    write_volume_picture(folder / "volumes.png", beatOf(widget.logic.outcome.beatNode))
    right = sheet([axial, [(opened(folder / "volumes.png"), "The curve, as the command line draws it")]])
    return sheet([[(panel(host, widget, folder / "panel.png", NORMAL), "Heart, on a drawn chest"), (right, "")]])


def learnPictures(host, widget, output):
    """The section Learn in its states, and the application while a model is trained; it needs PyTorch, and minutes."""
    host.closeScene()
    before = os.environ.get("MEDNCA_MODELS")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MEDNCA_MODELS"] = folder
        pictures = {}
        for state in learn_states(host, widget):
            section = widget.ui.learnCollapsibleButton
            pictures[state] = panel(host, section, Path(folder) / "panel.png", LEARN_LOOKS[state])
            if state == "learn: training":
                whole = Path(folder) / "application.png"
                host.applicationPicture(whole, widget, width=1480, height=960, panelWidth=NORMAL["width"])
                opened(whole).resize((1110, 720)).save(output / "learn-views.jpg", quality=QUALITY, optimize=True)
    os.environ.pop("MEDNCA_MODELS")
    if before is not None:
        os.environ["MEDNCA_MODELS"] = before
    rows = [[(pictures[state], text) for state, text in row] for row in LEARN_SHEET]
    page = sheet(rows).quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    page.save(output / "learn-states.png", optimize=True)


def makeCorrectionPictures(host, widget, folder, output):
    """Before, edit and after; and the animation in which the correction grows."""
    pictures, frames = correction_pictures(host, widget, folder, CORRECTION_VIEW)
    page = sheet([[(opened(path), text) for path, text in pictures]])
    page.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        output / "correction.png", optimize=True
    )
    write_correction_gif(output / "correction.gif", frames)


def opened(path):
    with Image.open(path) as picture:
        return picture.convert("RGB")


def sheet(rows):
    """Pictures side by side and one row below the other, each under its line of text.

    :param rows: of pairs of picture and text.
    """
    width = max(sum(picture.width + GAP for picture, _ in row) for row in rows) + GAP
    heights = [LINE + max(picture.height for picture, _ in row) + GAP for row in rows]
    page = Image.new("RGB", (width, sum(heights)), "#5a5a5a")
    draw, font, top = ImageDraw.Draw(page), ImageFont.load_default(14), 0
    for row, height in zip(rows, heights, strict=True):
        left = GAP
        for picture, text in row:
            draw.text((left, top + 4), text, "#ffffff", font)
            page.paste(picture, (left, top + LINE))
            left += picture.width + GAP
        top += height
    return page


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True)
    makePictures(parser.parse_args().output)


if __name__ == "__main__":
    main()
