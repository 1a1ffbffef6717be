"""A stand-in 3D Slicer application for tests and pictures.

Real are the MRML scene, its logics and ``slicer.util`` (from slicer-core), and Qt (from PySide6). This package fills in
what lies between them in Slicer: ``slicer.app``, ``slicer.modules``, the widgets, the scripted module classes, the
parameter node wrapper, reading and writing files, and the views. ``slicerHost()`` starts it.
"""


def slicerHost():
    """The running host; a process has one, started on the first call."""
    from .host import slicerHost as start

    return start()
