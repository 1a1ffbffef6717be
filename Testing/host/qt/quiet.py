"""Keeps known, harmless complaints of the libraries out of the tests' output."""

import contextlib
import sys

import vtk
from PySide6 import QtCore

# Qt's platform without a screen says this of every window.
HARMLESS_QT_MESSAGES = ("This plugin does not support",)


@contextlib.contextmanager
def quietVtk():
    """No messages of VTK meanwhile."""
    verbosity = vtk.vtkLogger.GetCurrentVerbosityCutoff()
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    try:
        yield
    finally:
        vtk.vtkLogger.SetStderrVerbosity(verbosity)


def quietQt():
    """Drop Qt's harmless messages, for good; print the others."""

    def handle(kind, context, message):
        if not message.startswith(HARMLESS_QT_MESSAGES):
            print(message, file=sys.stderr)

    QtCore.qInstallMessageHandler(handle)
