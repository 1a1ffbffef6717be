"""The Python modules ``qt`` and ``ctk``, which Slicer gives to its scripts.

``qt`` is all of Qt in one module, in the manner of PythonQt and with the places that classes have in Qt 5.
"""

import sys
import types

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

from .qt import pythonqt, ui_loader
from .widgets import ctk as ctk_widgets
from .widgets import ctk_values

# PySide6's own tools for declaring and connecting; PythonQt has none of these names.
NOT_IN_PYTHONQT = {"Signal", "SignalInstance", "Slot", "Property", "SIGNAL", "SLOT", "ClassInfo", "QtMsgType"}


def install():
    """Create the modules and put them where ``import qt`` and ``import ctk`` find them."""
    pythonqt.install()
    qt = types.ModuleType("qt", "Qt, as PythonQt shows it to Slicer's scripts.")
    for source in (QtCore, QtGui, QtWidgets, QtUiTools):
        for name in dir(source):
            if not name.startswith("_") and name not in NOT_IN_PYTHONQT:
                setattr(qt, name, getattr(source, name))
    qt.QUiLoader = ui_loader.UiLoader
    ctk = types.ModuleType("ctk", "Stand-ins for the widgets of the Common Toolkit.")
    for name, value in (vars(ctk_widgets) | vars(ctk_values)).items():
        if name.startswith("ctk"):
            setattr(ctk, name, value)
    sys.modules["qt"] = qt
    sys.modules["ctk"] = ctk
    return qt, ctk
