"""The panel in each of its states, as a user brings it there: for pictures of it, and for tests of how it looks."""

import time

import numpy as np

RUNS = 5
# Where a run is looked at: what its progress line then begins with.
PROGRESS = "Run 3 of 5, middle stage, step 5"


def panel_states(host, widget):
    """A generator of the states' names; the panel stays as it is until the next one is asked for.

    :param widget: of the module, just opened in an empty scene.
    """
    import slicer

    ui = widget.ui
    yield "empty"
    head = load_head()
    ui.inputSelector.setCurrentNode(head)
    yield "head"
    slicer.mrmlScene.RemoveNode(head)
    host.click(ui.tryButton)
    yield "ready"
    ui.uncertaintyCheckBox.setChecked(True)
    ui.keepGrowthCheckBox.setChecked(True)
    ui.runsSpinBox.setValue(RUNS)
    yield from _running(host, widget)
    host.click(ui.segmentButton)
    host.waitUntil(lambda: not widget.isRunning, timeout=60)
    yield "done"
    volume_node = ui.inputSelector.currentNode()
    voxels = slicer.util.arrayFromVolume(volume_node).copy()
    voxels[0, 0, 0] = np.nan
    slicer.util.updateVolumeFromArray(volume_node, voxels)
    host.click(ui.segmentButton)
    host.waitUntil(lambda: not widget.isRunning)
    yield "error"


def load_head():
    """A volume that is much larger than what the model expects, shown in the slice views."""
    import slicer
    from MedNCAScene.inputs.volumes import volumeFromImage

    from MedNCALib.imaging.phantom import make_phantom

    node = volumeFromImage(make_phantom(size=(60, 80, 60), spacing=(1.2, 1.2, 1.2)).image, "Whole head")
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node


def _running(host, widget):
    """A run that stands still while it is looked at, and is then cancelled."""
    host.click(widget.ui.segmentButton)
    host.waitUntil(lambda: widget.ui.statusLabel.text.startswith(PROGRESS), timeout=60)
    # Until the time that is left is shown, and the live preview is due again.
    time.sleep(1)
    host.processEvents()
    timer = widget._runSection._run._timer
    timer.stop()
    yield "running"
    timer.start()
    host.click(widget.ui.segmentButton)
