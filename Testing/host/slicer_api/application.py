"""Stand-in for qSlicerApplication (``slicer.app``): the Qt application, its settings, and access to everything else."""

import os
import tempfile

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from ..qt.pythonqt import Property, wrappedClass
from ..qt.signals import Signal
from .modules import qSlicerModuleManager

# The version whose MRML libraries the slicer-core wheel carries.
VERSION = (5, 13)


@wrappedClass
class qSlicerApplication(QtWidgets.QApplication):
    startupCompleted = Signal()

    def __init__(self, temporaryFolder):
        super().__init__(["Slicer"])
        self._temporaryFolder = temporaryFolder
        self._version = VERSION
        self._commandOptions = CommandOptions()
        self._useSettingsFile(os.path.join(temporaryFolder, "settings"))
        self._useReadableLook()
        self._moduleManager = qSlicerModuleManager()
        self._applicationLogic = slicer.vtkSlicerApplicationLogic()
        self._applicationLogic.SetTemporaryPath(temporaryFolder)
        self._scene = None
        self._layoutManager = None
        self._ioManager = None

    def _useSettingsFile(self, folder):
        self.setOrganizationName("NA-MIC")
        self.setApplicationName("Slicer")
        QtCore.QSettings.setDefaultFormat(QtCore.QSettings.IniFormat)
        for scope in (QtCore.QSettings.UserScope, QtCore.QSettings.SystemScope):
            QtCore.QSettings.setPath(QtCore.QSettings.IniFormat, scope, folder)
        self._settings = QtCore.QSettings()
        self._resetSettings()

    def _resetSettings(self):
        """Slicer's settings at first start (those that scripted modules read)."""
        self._settings.clear()
        self._settings.setValue("Developer/DeveloperMode", "false")
        self._settings.setValue("Developer/SelfTestDisplayMessageDelay", "0")

    def _useReadableLook(self):
        self.setStyle(QtWidgets.QStyleFactory.create("Fusion"))
        families = QtGui.QFontDatabase.families()
        for family in ("DejaVu Sans", "Liberation Sans", "Noto Sans"):
            if family in families:
                self.setFont(QtGui.QFont(family, 9))
                break
        self._useTheme(dark=False)

    def _useTheme(self, dark):
        """The palettes of Slicer's two styles."""
        window, base, text, button = ("#323232", "#242424", "#e8e8e8", "#464646") if dark else (
            "#efefef", "#ffffff", "#141414", "#e6e6e6")  # fmt: skip
        palette = QtGui.QPalette(QtGui.QColor(button), QtGui.QColor(window))
        for role, color in (
            (QtGui.QPalette.WindowText, text), (QtGui.QPalette.Text, text), (QtGui.QPalette.ButtonText, text),
            (QtGui.QPalette.Base, base), (QtGui.QPalette.Window, window), (QtGui.QPalette.AlternateBase, window),
            (QtGui.QPalette.Highlight, "#3080c8"), (QtGui.QPalette.HighlightedText, "#ffffff"),
            (QtGui.QPalette.PlaceholderText, "#8c8c8c"), (QtGui.QPalette.Link, "#58a6ff" if dark else "#0a58ca"),
        ):  # fmt: skip
            palette.setColor(role, QtGui.QColor(color))
        for role in (QtGui.QPalette.WindowText, QtGui.QPalette.Text, QtGui.QPalette.ButtonText):
            palette.setColor(QtGui.QPalette.Disabled, role, QtGui.QColor("#808080" if dark else "#a0a0a0"))
        self.setPalette(palette)

    #
    # What scripted modules ask of slicer.app
    #
    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene):
        self._scene = scene

    def applicationLogic(self):
        return self._applicationLogic

    def moduleManager(self):
        return self._moduleManager

    def layoutManager(self):
        return self._layoutManager

    def coreIOManager(self):
        return self._ioManager

    def settings(self):
        return self._settings

    def userSettings(self):
        return self._settings

    def commandOptions(self):
        return self._commandOptions

    def testingEnabled(self):
        return self._commandOptions.isTestingEnabled

    def translate(self, context, text):
        return text

    def pauseRender(self):
        self._applicationLogic.PauseRender()

    def resumeRender(self):
        self._applicationLogic.ResumeRender()

    def restart(self):
        raise RuntimeError("The host cannot restart")

    def startupEnvironment(self):
        return QtCore.QProcessEnvironment.systemEnvironment()

    def moduleDocumentationUrl(self, moduleName):
        return f"{self.documentationBaseUrl}user_guide/modules/{moduleName.lower()}.html"

    temporaryPath = Property("temporaryPath", lambda self: self._temporaryFolder, None, str)
    slicerHome = Property("slicerHome", lambda self: self._temporaryFolder, None, str)
    slicerUserSettingsFilePath = Property(
        "slicerUserSettingsFilePath", lambda self: self._settings.fileName(), None, str
    )
    documentationBaseUrl = Property(
        "documentationBaseUrl", lambda self: "https://slicer.readthedocs.io/en/latest/", None, str
    )
    majorVersion = Property("majorVersion", lambda self: self._version[0], None, int)
    minorVersion = Property("minorVersion", lambda self: self._version[1], None, int)


class CommandOptions:
    """``slicer.app.commandOptions()``: started with a main window, not in testing mode, so that dialogs are shown."""

    isTestingEnabled = False
    runPythonAndExit = False


@wrappedClass
class qSlicerMainWindow(QtWidgets.QMainWindow):
    """The main window, as far as ``slicer.util`` looks into it."""

    def __init__(self):
        super().__init__()
        self.setObjectName("qSlicerMainWindow")
        self.setStatusBar(QtWidgets.QStatusBar(self))
        self._moduleSelector = qSlicerModuleSelectorToolBar(self)

    def moduleSelector(self):
        return self._moduleSelector

    def pythonConsole(self):
        return None


@wrappedClass
class qSlicerModuleSelectorToolBar(QtWidgets.QToolBar):
    """Switches modules: leaves the one shown, enters the one asked for."""

    moduleSelected = Signal("QString")

    def __init__(self, parent):
        super().__init__(parent)
        self._selectedModule = ""

    def selectModule(self, name):
        manager = slicer.app.moduleManager()
        module = manager.module(name)
        if module is None:
            raise ValueError(f"There is no module named '{name}'")
        left = manager.module(self._selectedModule)
        if left is module:
            return
        if left is not None and left.widgetRepresentation() is not None:
            left.widgetRepresentation().exit()
            left.widgetRepresentation().hide()
        self._selectedModule = name
        widget = module.widgetRepresentation()
        if widget is not None:
            widget.enter()
            widget.show()
        self.moduleSelected.emit(name)

    def _leave(self):
        left = slicer.app.moduleManager().module(self._selectedModule)
        if left is not None and left.widgetRepresentation() is not None:
            left.widgetRepresentation().exit()
            left.widgetRepresentation().hide()
        self._forget()

    def _forget(self):
        self._selectedModule = ""

    selectedModule = Property("selectedModule", lambda self: self._selectedModule, None, str)


def temporaryFolder():
    """A folder for the settings and the temporary files; it goes with the process."""
    folder = tempfile.TemporaryDirectory(prefix="slicer-host-")
    return folder, folder.name
