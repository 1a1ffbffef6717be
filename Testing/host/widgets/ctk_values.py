"""Stand-ins for CTK's widgets that hold a value: numbers, ranges, paths, colours."""

import os

from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Qt

from ..qt.pythonqt import Property, storedProperty, wrappedClass
from ..qt.signals import Signal


class _DoubleRange:
    """The numbers behind a slider of doubles: range, step, decimals, and a value kept inside."""

    def _initializeRange(self):
        self._minimum, self._maximum, self._value = 0.0, 99.0, 0.0
        self._singleStep, self._decimals = 1.0, 2

    def _setBounds(self, minimum=None, maximum=None):
        if minimum is not None:
            self._minimum = minimum
            self._maximum = max(self._maximum, minimum)
        if maximum is not None:
            self._maximum = maximum
            self._minimum = min(self._minimum, maximum)
        self._updateControls()
        self._setValue(self._value)

    def _setValue(self, value):
        value = round(min(max(float(value), self._minimum), self._maximum), self._decimals)
        changed = value != self._value
        self._value = value
        self._updateControls()
        if changed:
            self.valueChanged.emit(value)

    def _setSingleStep(self, value):
        self._singleStep = value
        self._updateControls()

    def _setDecimals(self, value):
        self._decimals = value
        self._updateControls()

    minimum = Property("minimum", lambda self: self._minimum, lambda self, value: self._setBounds(minimum=value), float)
    maximum = Property("maximum", lambda self: self._maximum, lambda self, value: self._setBounds(maximum=value), float)
    value = Property("value", lambda self: self._value, lambda self, value: self._setValue(value), float)
    singleStep = Property(
        "singleStep", lambda self: self._singleStep, lambda self, value: self._setSingleStep(value), float
    )


def _fill(slider, owner):
    """Show the owner's numbers on a QSlider, which counts in steps."""
    step = owner._singleStep or 1.0
    slider.blockSignals(True)
    slider.setRange(0, max(round((owner._maximum - owner._minimum) / step), 0))
    slider.setValue(round((owner._value - owner._minimum) / step))
    slider.blockSignals(False)


@wrappedClass
class ctkSliderWidget(_DoubleRange, QtWidgets.QWidget):
    """A slider and a spin box for one number."""

    valueChanged = Signal("double")

    def __init__(self, parent=None):
        super().__init__(parent)
        self._initializeRange()
        self._slider = QtWidgets.QSlider(Qt.Horizontal, self)
        self._spinBox = QtWidgets.QDoubleSpinBox(self)
        self._spinBox.setAlignment(Qt.AlignRight)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        layout.addWidget(self._spinBox)
        self._slider.valueChanged.connect(
            lambda steps: self._setValue(self._minimum + steps * (self._singleStep or 1.0))
        )
        self._spinBox.valueChanged.connect(self._setValue)
        self._updateControls()

    def _updateControls(self):
        _fill(self._slider, self)
        self._spinBox.blockSignals(True)
        self._spinBox.setDecimals(self._decimals)
        self._spinBox.setRange(self._minimum, self._maximum)
        self._spinBox.setSingleStep(self._singleStep)
        self._spinBox.setValue(self._value)
        self._spinBox.setPrefix(self.prefix)
        self._spinBox.setSuffix(self.suffix)
        self._spinBox.blockSignals(False)

    def setValue(self, value):
        self._setValue(value)

    def setDecimals(self, decimals):
        self._setDecimals(decimals)

    decimals = Property("decimals", lambda self: self._decimals, lambda self, value: self._setDecimals(value), int)
    prefix = storedProperty("prefix", "", str, lambda self: self._updateControls())
    suffix = storedProperty("suffix", "", str, lambda self: self._updateControls())
    tracking = storedProperty("tracking", True, bool, lambda self: self._slider.setTracking(self.tracking))


@wrappedClass
class ctkDoubleSlider(_DoubleRange, QtWidgets.QWidget):
    """A slider that counts in doubles."""

    valueChanged = Signal("double")

    def __init__(self, *args):
        orientation = args[0] if args and isinstance(args[0], Qt.Orientation) else Qt.Vertical
        parent = args[-1] if args and isinstance(args[-1], QtWidgets.QWidget) else None
        super().__init__(parent)
        self._initializeRange()
        self._slider = QtWidgets.QSlider(orientation, self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        self._slider.valueChanged.connect(
            lambda steps: self._setValue(self._minimum + steps * (self._singleStep or 1.0))
        )
        self._updateControls()

    def _updateControls(self):
        _fill(self._slider, self)

    def setValue(self, value):
        self._setValue(value)


@wrappedClass
class ctkDoubleSpinBox(QtWidgets.QWidget):
    """A spin box of doubles."""

    valueChanged = Signal("double")

    def __init__(self, parent=None):
        super().__init__(parent)
        self._spinBox = QtWidgets.QDoubleSpinBox(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._spinBox)
        self._spinBox.valueChanged.connect(self.valueChanged.emit)

    def setValue(self, value):
        self._spinBox.setValue(value)

    def setDecimals(self, decimals):
        self._spinBox.setDecimals(decimals)


def _forwardToSpinBox(name, pythonType):
    def setter(self, value):
        setattr(self._spinBox, name, value)

    return Property(name, lambda self: getattr(self._spinBox, name), setter, pythonType)


for _name, _type in (
    ("value", float),
    ("minimum", float),
    ("maximum", float),
    ("singleStep", float),
    ("decimals", int),
):
    setattr(ctkDoubleSpinBox, _name, _forwardToSpinBox(_name, _type))


@wrappedClass
class ctkPathLineEdit(QtWidgets.QWidget):
    """A path, typed or browsed for."""

    currentPathChanged = Signal("QString")
    validInputChanged = Signal("bool")
    Dirs, Files, Drives, Readable, Writable, Executable = 0x001, 0x002, 0x004, 0x010, 0x020, 0x040
    AllEntries = Dirs | Files | Drives

    def __init__(self, *args):
        super().__init__(args[-1] if args and isinstance(args[-1], QtWidgets.QWidget) else None)
        self._edit = QtWidgets.QComboBox(self)
        self._edit.setEditable(True)
        self._edit.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        self._button = QtWidgets.QToolButton(self)
        self._button.setText("...")
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._edit)
        layout.addWidget(self._button)
        self._hasValidInput = False
        self._edit.editTextChanged.connect(self._updateHasValidInput)
        self._button.clicked.connect(lambda: self.browse())

    def _updateHasValidInput(self, path):
        """An empty path is not acceptable: only ``validInputChanged`` is emitted for it."""
        before, self._hasValidInput = self._hasValidInput, bool(path)
        if path:
            self.currentPathChanged.emit(path)
        if self._hasValidInput != before:
            self.validInputChanged.emit(self._hasValidInput)

    def browse(self):
        chooseFolder = not self.filters & self.Files
        choose = QtWidgets.QFileDialog.getExistingDirectory if chooseFolder else QtWidgets.QFileDialog.getOpenFileName
        path = choose(self, self.label)
        if path:
            self.setCurrentPath(path)

    def setCurrentPath(self, path):
        self._edit.setEditText(path)

    def comboBox(self):
        return self._edit

    currentPath = Property(
        "currentPath", lambda self: self._edit.currentText, lambda self, v: self._edit.setEditText(v), str
    )
    label = storedProperty("label", "", str)
    filters = storedProperty("filters", AllEntries, int)
    showBrowseButton = storedProperty(
        "showBrowseButton", True, bool, lambda self: self._button.setVisible(self.showBrowseButton)
    )


@wrappedClass
class ctkDirectoryButton(QtWidgets.QWidget):
    """A button that shows a folder and lets the user choose another."""

    directoryChanged = Signal("QString")
    directorySelected = Signal("QString")

    def __init__(self, *args):
        super().__init__(args[-1] if args and isinstance(args[-1], QtWidgets.QWidget) else None)
        self._directory = QtCore.QDir.currentPath()
        self._button = QtWidgets.QPushButton(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._button)
        self._button.clicked.connect(lambda: self.browse())
        self._button.setText(self._directory)

    def _setDirectory(self, path):
        path = os.path.abspath(path)
        if path != self._directory:
            self._directory = path
            self._button.setText(path)
            self.directoryChanged.emit(path)

    def browse(self):
        path = QtWidgets.QFileDialog.getExistingDirectory(self, self.caption, self._directory)
        if path:
            self._setDirectory(path)
            self.directorySelected.emit(path)

    directory = Property("directory", lambda self: self._directory, lambda self, value: self._setDirectory(value), str)
    caption = storedProperty("caption", "", str)
    text = Property("text", lambda self: self._button.text, lambda self, value: self._button.setText(value), str)
