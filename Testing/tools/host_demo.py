"""The demonstration as a user sees it: the host application loads a volume, Segment is clicked, the result is saved.

Without a volume, a synthetic block with one hippocampus and a synthetic whole head are segmented, one after the other.

python Testing/tools/host_demo.py --output demo [--volume FILE_OR_DICOM_FOLDER] [--model MODEL]
"""

import argparse
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "Testing")]

from host import slicerHost

import MedNCALib as mednca
from MedNCALib.cli.demo_run import demo_model, demo_volume, scores, summary
from MedNCALib.imaging.laterality import without_sides
from MedNCALib.imaging.phantom_head import make_head
from MedNCALib.io.images import write_image
from MedNCALib.model.card import AUTO
from MedNCALib.segmentation.growth_animation import write_growth_gif
from MedNCALib.segmentation.input_checks import check_input

HEAD_NAME = "synthetic-head"


def segmentAsAUser(volumePath, model):
    """Load a volume, open the module and click Segment.

    :return: segmentation node, the module's widget, seconds from the click to the result.
    :raises MedNCAError: what the panel says went wrong.
    """
    import slicer

    host = slicerHost()
    host.loadModule(REPOSITORY / "MedNCA" / "MedNCA.py")
    volumeNode = slicer.util.loadVolume(str(volumePath))
    widget = host.openModule("MedNCA")
    widget.ui.inputSelector.setCurrentNode(volumeNode)
    widget.ui.modelComboBox.setCurrentIndex(widget.ui.modelComboBox.findData(model))
    started = time.perf_counter()
    host.click(widget.ui.segmentButton)
    host.waitUntil(lambda: not widget.isRunning, timeout=3600)
    seconds = time.perf_counter() - started
    segmentationNode = widget.ui.outputSelector.currentNode()
    if segmentationNode is None:
        raise mednca.MedNCAError(widget.ui.statusLabel.text)
    return segmentationNode, widget, seconds


def run(output, name, image, truth, model):
    """Segment a volume and fill the folder `output`.

    :param name: of the volume's file, without its ending.
    :param truth: its true labels; None if they are not known.
    """
    import slicer

    host = slicerHost()
    for reason in check_input(image, model):
        print(f"host_demo: warning: {reason}", file=sys.stderr)
    output.mkdir(parents=True, exist_ok=True)
    volumePath = output / f"{name}.nrrd"
    write_image(volumePath, image)
    segmentationNode, widget, seconds = segmentAsAUser(volumePath, model.name)
    files = [volumePath, *(output / f"{name}{end}" for end in ("_segmentation.seg.nrrd", "_scene.mrb"))]
    slicer.util.saveNode(segmentationNode, str(files[1]))
    slicer.util.saveScene(str(files[2]))
    pictures = [output / picture for picture in ("slices.png", "panel.png", "application.png", "growth.gif")]
    host.sliceViewPicture(str(pictures[0]))
    host.screenshot(widget, str(pictures[1]), width=420)
    host.applicationPicture(str(pictures[2]), widget, showSegments=True)
    labels, outcome = mednca.read_image(files[1]), widget.logic.outcome
    sides = [structure.side for structure in outcome.found] or [None]
    table = [label for side in sides for label in model.labels_on(side)]
    shown, region = (without_sides(labels), outcome.found[0].box) if outcome.found else (labels, None)
    write_growth_gif(pictures[3], image, shown, model, region, protocol=outcome.protocol or AUTO)
    for line in (summary(model, seconds), *scores(truth, labels, table), *map(str, files + pictures)):
        print(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--volume", type=Path)
    parser.add_argument("-m", "--model", help="default: the one that fits the volume")
    options = parser.parse_args()
    try:
        name, image, truth = demo_volume(options.volume)
        run(options.output, name, image, truth, demo_model(options.model, options.volume, image))
        if options.volume is None and options.model is None:
            slicerHost().reset()
            head = make_head()
            run(options.output / "head", HEAD_NAME, head.image, head.labels, demo_model(None, None, head.image))
    except mednca.MedNCAError as error:
        sys.exit(f"host_demo: {error}")


if __name__ == "__main__":
    main()
