"""Counts what a module may leave behind, for tests that look for leaks."""

import gc

from PySide6 import QtCore, QtWidgets

from .qt import signals
from .qt.pythonqt import isAlive


def counts():
    """Nodes, observers on the scene, connections, widgets, running timers; what is unreachable is collected first."""
    import slicer

    gc.collect()
    return {
        "nodes": slicer.mrmlScene.GetNumberOfNodes(),
        "sceneObservers": observerCount(slicer.mrmlScene),
        "connections": signals.connectionCount(),
        "widgets": len(QtWidgets.QApplication.allWidgets()),
        "timers": len(activeTimers()),
    }


def activeTimers():
    timers = [each for each in gc.get_objects() if type(each) is QtCore.QTimer]
    return [timer for timer in timers if isAlive(timer) and timer.active]


def observerCount(vtkObject):
    """How many observers a VTK object has. VTK numbers them; those that were removed leave gaps."""
    last = vtkObject.AddObserver("AnyEvent", lambda *_: None)
    vtkObject.RemoveObserver(last)
    return sum(vtkObject.GetCommand(tag) is not None for tag in range(1, last))
