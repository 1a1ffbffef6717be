"""A stand-in 3D Slicer application for tests and pictures.

Real are the MRML scene, its logics and ``slicer.util`` (from slicer-core), and Qt (from PySide6). This package fills in
what lies between them in Slicer: ``slicer.app``, ``slicer.modules``, the widgets, the scripted module classes, the
parameter node wrapper, reading and writing files, and the views. ``slicerHost()`` starts it.

Example, with the pytest fixture ``host`` (which starts empty for each test)::

    def test_segmentIsEnabledByAVolume(host):
        host.loadModule("MedNCA/MedNCA.py")
        panel = host.openModule("MedNCA")
        volumeNode = slicer.util.loadVolume("brain.nrrd")
        panel.ui.inputSelector.setCurrentNode(volumeNode)
        host.click(panel.ui.segmentButton)
        host.waitUntil(lambda: not panel.isRunning, timeout=60)
        assert host.messages.texts("error") == []
        host.screenshot(panel, "panel.png", width=520)
        host.sliceViewPicture("slices.png")
"""

import os

# These are read when PySide6 is first imported, which a test may do before it asks for the host.
# PythonQt's enums are integers: ``stateChanged(int)`` is compared with ``qt.Qt.Checked``.
os.environ.setdefault("PYSIDE6_OPTION_PYTHON_ENUM", "0x3")
if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
    os.environ["QT_QPA_PLATFORM"] = "offscreen"


def slicerHost():
    """The running host; a process has one, started on the first call."""
    from .host import slicerHost as start

    return start()
