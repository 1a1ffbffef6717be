"""The panel in each of its states, as a user brings it there: for pictures of it, and for tests of how it looks."""

import time

import numpy as np

RUNS = 5
# Where runs are looked at: what the progress line then begins with.
FINDING, GROWING = "Finding the anatomy, fine stage, step 4", "Right side, fine stage, step 5"
PROGRESS = "Run 3 of 5, middle stage, step 5"


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
    host.waitUntil(lambda: not widget.isRunning, timeout=60)
    yield "done"
    volume_node = ui.inputSelector.currentNode()
    voxels = slicer.util.arrayFromVolume(volume_node).copy()
    voxels[0, 0, 0] = np.nan
    slicer.util.updateVolumeFromArray(volume_node, voxels)
    host.click(ui.segmentButton)
    host.waitUntil(lambda: not widget.isRunning)
    yield "error"


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
    host.waitUntil(lambda: not widget.isRunning, timeout=120)
    host.click(ui.foundButton)
    yield "sides"
    slicer.mrmlScene.Clear()
    host.processEvents()


def _held(host, widget, beginning, state):
    """A run that stands still while it is looked at, as soon as its progress line has this beginning."""
    host.waitUntil(lambda: widget.ui.statusLabel.text.startswith(beginning) or not widget.isRunning, timeout=120)
    # Until the time that is left is shown, and the live preview is due again.
    time.sleep(1)
    host.processEvents()
    timer = widget._runSection._run._timer
    timer.stop()
    yield state
    if widget.isRunning:
        timer.start()
