"""The panel in each of its states, as a user brings it there: for pictures of it, and for tests of how it looks."""

from contextlib import contextmanager

import numpy as np
import SimpleITK as sitk

from support.learning import until, until_learned

RUNS = 5
LEARNING_MINUTES = 3
TIMEOUT = 300  # seconds, on a machine that does much else
# Where runs are looked at: what the progress line then begins with, and the percentage that is done at least.
FINDING, GROWING = ("Finding the anatomy, fine stage, step 5", 30), ("Right side, fine stage, step 5", 0)
PROGRESS = ("Run 3 of 5, middle stage, step 5", 0)


def panel_states(host, widget):
    """A generator of the states' names; the panel stays as it is until the next one is asked for.

    :param widget: of the module, just opened in an empty scene.
    """
    import slicer

    ui = widget.ui
    yield "empty"
    yield from _whole_head(host, widget)
    host.click(ui.tryButton)
    yield "ready"
    ui.uncertaintyCheckBox.setChecked(True)
    ui.keepGrowthCheckBox.setChecked(True)
    ui.runsSpinBox.setValue(RUNS)
    host.click(ui.segmentButton)
    yield from _held(host, widget, PROGRESS, "running")
    host.waitUntil(lambda: not widget.isRunning, timeout=TIMEOUT)
    yield "done"
    volume_node = ui.inputSelector.currentNode()
    voxels = slicer.util.arrayFromVolume(volume_node).copy()
    voxels[0, 0, 0] = np.nan
    slicer.util.updateVolumeFromArray(volume_node, voxels)
    host.click(ui.segmentButton)
    host.waitUntil(lambda: not widget.isRunning)
    yield "error"


def learn_states(host, widget):
    """As `panel_states`, of the section Learn, which is open from the second state on.

    The training is the engine's own, unless `MedNCAScene.learning.process.command` is another.
    """
    import slicer

    ui = widget.ui
    for section in ("inputs", "outputs", "growth", "quality", "advanced"):
        getattr(ui, f"{section}CollapsibleButton").collapsed = True
    ui.learnCollapsibleButton.collapsed = False
    host.processEvents()
    yield "learn: no cases"
    for seed in range(1, 5):
        add_drawn_phantom(seed)
    host.processEvents()
    ui.learnNameLineEdit.setText("my-hippocampus")
    yield "learn: cases"
    ui.learnChoicesCollapsibleButton.collapsed = False
    ui.learnAboutCollapsibleButton.collapsed = False
    host.click(ui.learnProposeButton)
    yield "learn: choices"
    ui.learnChoicesCollapsibleButton.collapsed = True
    ui.learnAboutCollapsibleButton.collapsed = True
    ui.learnMinutesSpinBox.setValue(LEARNING_MINUTES)
    host.click(ui.learnStartButton)
    training = widget._panel._learn._training
    until(host, widget, lambda: training._history.preview is not None and len(training._history.validations) > 1)
    host.click(ui.learnPlotButton)
    training._run._timer.stop()
    yield "learn: training"
    training._run._timer.start()
    until_learned(host, widget)
    yield "learn: done"
    ui.learnRemoveButton.click()
    slicer.mrmlScene.Clear()
    host.processEvents()


def add_drawn_phantom(seed):
    """A synthetic block as a volume, and its labels as somebody would have drawn them."""
    import slicer
    from MedNCAScene.inputs.volumes import volumeFromImage

    import MedNCALib as mednca

    phantom = mednca.make_phantom(seed=seed)
    volume = volumeFromImage(phantom.image, f"patient {seed}")
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"patient {seed} drawn")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    values = sitk.GetArrayFromImage(phantom.labels)
    for name, value, color in (("head", 1, (0.9, 0.62, 0.0)), ("body and tail", 2, (0.34, 0.71, 0.91))):
        segment_id = node.GetSegmentation().AddEmptySegment("", name, color)
        drawn = (values == value).astype(np.uint8)
        slicer.util.updateSegmentBinaryLabelmapFromArray(drawn, node, segment_id, volume)


def _whole_head(host, widget):
    """A head from the choice of its volume to the boxes in which the model has looked; nothing of it stays."""
    import slicer
    from MedNCAScene.application.sample_data import loadHead

    ui = widget.ui
    ui.inputSelector.setCurrentNode(loadHead(spacing=(2.0, 2.0, 2.0)))
    yield "head"
    host.click(ui.segmentButton)
    yield from _held(host, widget, FINDING, "finding")
    yield from _held(host, widget, GROWING, "growing")
    host.waitUntil(lambda: not widget.isRunning, timeout=TIMEOUT)
    host.click(ui.foundButton)
    yield "sides"
    slicer.mrmlScene.Clear()
    host.processEvents()


def _held(host, widget, place, state):
    """A run that stands still at a place while it is looked at."""
    beginning, percent = place
    ui = widget.ui

    def is_there():
        return ui.statusLabel.text.startswith(beginning) and ui.progressBar.value >= percent

    with _each_step_shown():
        host.waitUntil(lambda: is_there() or not widget.isRunning, timeout=TIMEOUT)
    timer = widget._runSection._run._timer
    timer.stop()
    yield state
    if widget.isRunning:
        timer.start()


@contextmanager
def _each_step_shown():
    """Have the live preview show each step, however slow the machine is."""
    from MedNCAScene.display.live_overlay import LiveOverlay

    names = ("SHORTEST_INTERVAL", "REST")
    before = {name: getattr(LiveOverlay, name) for name in names}
    try:
        for name in names:
            setattr(LiveOverlay, name, 0)
        yield
    finally:
        for name, value in before.items():
            setattr(LiveOverlay, name, value)
