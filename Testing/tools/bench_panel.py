"""Event-loop latency while the panel runs a segmentation.

Segment is clicked in the real panel, in the stand-in for the application, on a volume of 256 x 256 x 24 voxels.

`python Testing/tools/bench_panel.py` prints, as JSON:

- "longest_block_ms": the longest time without control for the event loop between the click and the result: the maximum
  of a run, median over the runs that show the cells;
- "live_cost": how much longer a run takes that shows the cells than one that does not, as a share; medians of
  alternating runs. It is the processor time of the thread that draws and waits for the kernels, which is the time that
  the user waits, without the share of other programs.

Each bundled model is measured, and the largest figures count. The very first run, in which much is imported, does not.
The slice views are computed as the application's are, but not brought to a screen.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "Testing")]

from host import slicerHost

from MedNCALib.errors import MedNCAError
from MedNCALib.imaging.phantom import make_phantom
from MedNCALib.model.model import bundled_models_directory, list_models

SIZE = (256, 256, 24)  # voxels
SECONDS = 40.0  # for the runs of all models; each has two of each kind at least


class EventLoopWatch:
    """Measures, while it lasts, how often the event loop gets control: a timer without delay that times its own ticks.

    longest - Longest time between two of them so far, in seconds.
    """

    def __init__(self):
        from PySide6 import QtCore

        self.longest = 0.0
        self._timer = QtCore.QTimer(interval=0)
        self._timer.timeout.connect(self._tick)

    def __enter__(self):
        self._last = time.perf_counter()
        self._timer.start()
        return self

    def __exit__(self, *_):
        self._timer.stop()

    def _tick(self):
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._last)
        self._last = now


class ComputedSliceViews:
    """Computes the slice views, while it lasts, whenever they change.

    The application's views are computed in a turn of the event loop of their own, the stand-in's when a picture is
    asked for.
    """

    def __init__(self):
        import slicer

        layoutManager = slicer.app.layoutManager()
        self._logics = [layoutManager.sliceWidget(name).sliceLogic() for name in layoutManager.sliceViewNames()]
        self._changed = set()

    def __enter__(self):
        self._tags = [logic.AddObserver("ModifiedEvent", self._onModified) for logic in self._logics]
        return self

    def __exit__(self, *_):
        for logic, tag in zip(self._logics, self._tags):
            logic.RemoveObserver(tag)

    def _onModified(self, logic, _event):
        from PySide6 import QtCore

        if not self._changed:
            QtCore.QTimer.singleShot(0, self._compute)
        self._changed.add(logic)

    def _compute(self):
        for logic in self._changed:
            if logic.GetImageDataConnection() is not None:
                logic.GetImageDataConnection().GetProducer().Update()
        self._changed.clear()


@dataclass(frozen=True)
class Run:
    """Seconds of the longest block of a run, and of the main thread's processor time."""

    block: float
    work: float


def watch_run(host, start, isRunning) -> Run:
    """Start something that the event loop drives, and measure it until it is over."""
    with EventLoopWatch() as watch, ComputedSliceViews():
        began = time.thread_time()
        start()
        while isRunning():
            host.processEvents()
        work = time.thread_time() - began
        host.processEvents()  # what the end has left to do, and the last tick
    return Run(watch.longest, work)


def segment(host, widget, showWhileRunning) -> Run:
    """Click Segment and measure the run.

    :raises MedNCAError: what the panel says went wrong.
    """
    widget.ui.showWhileRunningCheckBox.setChecked(showWhileRunning)
    host.processEvents()
    before = widget.logic.outcome
    run = watch_run(host, lambda: host.click(widget.ui.segmentButton), lambda: widget.isRunning)
    if widget.logic.outcome is before:
        raise MedNCAError(widget.ui.statusLabel.text)
    return run


def measure(host, widget, seconds) -> dict[str, float]:
    """The figures, with the JSON's keys, of the volume and the model that are chosen in the panel."""
    hidden, shown = [], []
    began = time.perf_counter()
    while len(shown) < 2 or time.perf_counter() - began < seconds:
        hidden.append(segment(host, widget, showWhileRunning=False))
        shown.append(segment(host, widget, showWhileRunning=True))
    return {
        "longest_block_ms": 1000 * median(run.block for run in shown),
        "live_cost": median(run.work for run in shown) / median(run.work for run in hidden) - 1,
    }


def main():
    import slicer

    models = [model.name for model in list_models() if model.folder.parent == bundled_models_directory()]
    if not models:
        sys.exit("there are no bundled models")
    host = slicerHost()
    host.loadModule(REPOSITORY / "MedNCA" / "MedNCA.py")
    from MedNCAScene.inputs.volumes import volumeFromImage

    volumeNode = volumeFromImage(make_phantom(SIZE, (1.0, 1.0, 1.0)).image, "phantom")
    slicer.util.setSliceViewerLayers(background=volumeNode, fit=True)
    widget = host.openModule("MedNCA")
    widget.ui.inputSelector.setCurrentNode(volumeNode)
    widget.ui.findComboBox.setCurrentIndex(widget.ui.findComboBox.findData("never"))  # the phantom is a block, no head
    segment(host, widget, showWhileRunning=True)
    figures = []
    for name in models:
        widget.ui.modelComboBox.setCurrentIndex(widget.ui.modelComboBox.findData(name))
        figures.append(measure(host, widget, SECONDS / len(models)))
    print(json.dumps({key: max(each[key] for each in figures) for key in figures[0]}))


if __name__ == "__main__":
    main()
