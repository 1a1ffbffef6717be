"""The demonstration as a user sees it: the host application loads a volume, Segment is clicked, the result is saved.

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
from MedNCALib.io.images import write_image
from MedNCALib.segmentation.growth_animation import write_growth_gif
from MedNCALib.segmentation.input_checks import check_input


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


def run(output, volume=None, model=None):
    """Fill the folder `output`; without a model's name the one that fits the volume is taken, or asked for."""
    import slicer

    host = slicerHost()
    name, image, truth = demo_volume(volume)
    model = demo_model(model, volume, image)
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
    labels = mednca.read_image(files[1])
    write_growth_gif(pictures[3], image, labels, model)
    for line in (summary(model, seconds), *scores(truth, labels, model), *map(str, files + pictures)):
        print(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--volume", type=Path)
    parser.add_argument("-m", "--model", help="default: the one that fits the volume")
    options = parser.parse_args()
    try:
        run(options.output, options.volume, options.model)
    except mednca.MedNCAError as error:
        sys.exit(f"host_demo: {error}")


if __name__ == "__main__":
    main()
