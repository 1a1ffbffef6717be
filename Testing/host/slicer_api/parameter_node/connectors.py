"""Which widget can show which parameter type, and how a value gets in and out of it.

The table is Slicer's: a combination that Slicer refuses (a line edit for a number, a slider without a range) is
refused.
"""

import abc
import enum
import pathlib
import types
import typing

import ctk
import qt
import slicer

from . import annotations as hints
from .annotations import findFirst, splitAnnotations, unannotatedType

_registered = []


class GuiConnector(abc.ABC):
    """Moves one value between a parameter and a widget."""

    @staticmethod
    @abc.abstractmethod
    def canRepresent(widget, datatype):
        """Whether this connector joins a widget of this class and a parameter of this type."""

    @staticmethod
    @abc.abstractmethod
    def create(widget, datatype):
        """A connector for them."""

    def __init__(self):
        super().__init__()
        self._callback = None

    def onChanged(self, callback):
        """Call ``callback`` when the user changes the widget; None stops that."""
        self._callback = callback
        if callback is None:
            self._disconnect()
        else:
            self._connect()

    def changed(self):
        if self._callback:
            self._callback()

    @abc.abstractmethod
    def _connect(self):
        """Listen to the widget."""

    @abc.abstractmethod
    def _disconnect(self):
        """Stop listening."""

    @abc.abstractmethod
    def widget(self):
        """The widget."""

    @abc.abstractmethod
    def read(self):
        """The value that the widget shows."""

    @abc.abstractmethod
    def write(self, value):
        """Show the value."""


def parameterNodeGuiConnector(classtype=None):
    """Class decorator: make a connector known."""

    def register(cls):
        _registered.append(cls)
        return cls

    return register if classtype is None else register(classtype)


def createGuiConnector(widget, datatype):
    if isinstance(datatype, types.UnionType):
        datatype = typing.Union[typing.get_args(datatype)]  # noqa: UP007
    for connector in _registered:
        if connector.canRepresent(widget, datatype):
            return connector.create(widget, datatype)
    raise RuntimeError(f"Unable to create GUI connector from datatype '{datatype}' to widget type '{type(widget)}'.")


class _Connector(GuiConnector):
    """The common shape: classes of widgets, types of values, one signal, one property."""

    widgetClasses: tuple = ()
    dataTypes: tuple = ()
    signal = ""
    attribute = ""

    def __init__(self, widget, datatype):
        super().__init__()
        self._widget = widget
        self._type, self._annotations = splitAnnotations(datatype)

    @classmethod
    def canRepresent(cls, widget, datatype):
        return type(widget) in cls.widgetClasses and unannotatedType(datatype) in cls.dataTypes

    @classmethod
    def create(cls, widget, datatype):
        return cls(widget, datatype)

    def _connect(self):
        getattr(self._widget, self.signal).connect(self.changed)

    def _disconnect(self):
        getattr(self._widget, self.signal).disconnect(self.changed)

    def widget(self):
        return self._widget

    def read(self):
        return getattr(self._widget, self.attribute)

    def write(self, value):
        setattr(self._widget, self.attribute, value)


@parameterNodeGuiConnector
class CheckBoxConnector(_Connector):
    widgetClasses = (qt.QCheckBox, ctk.ctkCheckBox)
    dataTypes = (bool,)
    signal = "stateChanged"
    attribute = "checked"


@parameterNodeGuiConnector
class CheckablePushButtonConnector(_Connector):
    widgetClasses = (qt.QPushButton, ctk.ctkCheckablePushButton)
    dataTypes = (bool,)
    signal = "toggled"
    attribute = "checked"

    def __init__(self, widget, datatype):
        super().__init__(widget, datatype)
        if not widget.checkable:
            widget.checkable = True


class _NumberConnector(_Connector):
    signal = "valueChanged"
    attribute = "value"
    needsBounds: tuple = ()
    unbounded = (0, 0)

    def __init__(self, widget, datatype):
        super().__init__(widget, datatype)
        singleStep = findFirst(self._annotations, hints.SingleStep)
        if singleStep is not None:
            widget.singleStep = singleStep.value
        withinRange = findFirst(self._annotations, hints.WithinRange)
        minimum = findFirst(self._annotations, hints.Minimum)
        maximum = findFirst(self._annotations, hints.Maximum)
        low = withinRange.minimum if withinRange else minimum.minimum if minimum else None
        high = withinRange.maximum if withinRange else maximum.maximum if maximum else None
        if type(widget) in self.needsBounds and (low is None or high is None):
            raise RuntimeError(f"Cannot have a connection to {type(widget).__name__} if the value is unbounded.")
        widget.minimum = self.unbounded[0] if low is None else low
        widget.maximum = self.unbounded[1] if high is None else high

    def read(self):
        return self._type(self._widget.value)

    def write(self, value):
        self._widget.value = self._type(value)


@parameterNodeGuiConnector
class SliderOrSpinBoxConnector(_NumberConnector):
    widgetClasses = (qt.QSlider, qt.QSpinBox)
    dataTypes = (int,)
    needsBounds = (qt.QSlider,)
    unbounded = (-(2**31), 2**31 - 1)


@parameterNodeGuiConnector
class DoubleConnector(_NumberConnector):
    widgetClasses = (
        qt.QDoubleSpinBox, ctk.ctkSliderWidget, slicer.qMRMLSliderWidget, ctk.ctkDoubleSlider, ctk.ctkDoubleSpinBox,
        slicer.qMRMLSpinBox,
    )  # fmt: skip
    dataTypes = (float, int)
    needsBounds = (ctk.ctkSliderWidget, slicer.qMRMLSliderWidget)
    # Qt itself stops at the largest double.
    unbounded = (-1.7e308, 1.7e308)

    def __init__(self, widget, datatype):
        actualType, annotations = splitAnnotations(datatype)
        if type(widget) is not ctk.ctkDoubleSlider:
            decimals = findFirst(annotations, hints.Decimals)
            if actualType is int:
                widget.decimals = 0
            elif decimals is not None:
                widget.decimals = decimals.value
        super().__init__(widget, datatype)


class _ComboBoxConnector(_Connector):
    """Fills the combo box with the choices; what the designer put in is lost, as in Slicer."""

    widgetClasses = (qt.QComboBox, ctk.ctkComboBox)
    signal = "currentIndexChanged"

    def _fill(self, labels, values):
        self._values = values
        self._widget.clear()
        for label in labels:
            self._widget.addItem(label)

    def read(self):
        return self._values[self._widget.currentIndex]

    def write(self, value):
        if value not in self._values:
            raise ValueError(f"Unable to find value {value} in choices {self._values}")
        self._widget.currentIndex = self._values.index(value)


@parameterNodeGuiConnector
class ComboBoxToChoiceConnector(_ComboBoxConnector):
    dataTypes = (int, float, str, bool)

    def __init__(self, widget, datatype):
        super().__init__(widget, datatype)
        choice = findFirst(self._annotations, hints.Choice)
        if choice is None:
            raise RuntimeError("ComboBoxToStringableConnector requires the Choice annotation to be used.")
        self._fill([str(value) for value in choice.choices], list(choice.choices))


@parameterNodeGuiConnector
class ComboBoxToEnumConnector(_ComboBoxConnector):
    @classmethod
    def canRepresent(cls, widget, datatype):
        dataType = unannotatedType(datatype)
        return type(widget) in cls.widgetClasses and isinstance(dataType, type) and issubclass(dataType, enum.Enum)

    def __init__(self, widget, datatype):
        super().__init__(widget, datatype)
        label = getattr(self._type, "label", lambda member: member.name)
        current = max(widget.currentIndex, 0)
        self._fill([label(member) for member in self._type], list(self._type))
        self._widget.currentIndex = min(current, len(self._values) - 1)


@parameterNodeGuiConnector
class LineEditConnector(_Connector):
    widgetClasses = (qt.QLineEdit,)
    dataTypes = (str,)
    signal = "textChanged"
    attribute = "text"

    def write(self, value):
        # Setting the text moves the cursor, also while the user types.
        if value != self._widget.text:
            self._widget.text = value


@parameterNodeGuiConnector
class TextEditConnector(_Connector):
    widgetClasses = (qt.QTextEdit,)
    dataTypes = (str,)
    signal = "textChanged"

    def read(self):
        return self._widget.toPlainText()

    def write(self, value):
        self._widget.setPlainText(value)


@parameterNodeGuiConnector
class LabelConnector(_Connector):
    widgetClasses = (qt.QLabel,)
    dataTypes = (str,)
    attribute = "text"

    def _connect(self):
        """A label does not change by itself."""

    def _disconnect(self):
        """See ``_connect``."""


class _PathConnector(_Connector):
    dataTypes = (pathlib.Path, pathlib.PosixPath, pathlib.PurePath, pathlib.PurePosixPath)

    def read(self):
        return self._type(super().read())

    def write(self, value):
        super().write(str(value))


@parameterNodeGuiConnector
class PathLineEditConnector(_PathConnector):
    widgetClasses = (ctk.ctkPathLineEdit,)
    signal = "currentPathChanged"
    attribute = "currentPath"


@parameterNodeGuiConnector
class DirectoryButtonConnector(_PathConnector):
    widgetClasses = (ctk.ctkDirectoryButton,)
    signal = "directoryChanged"
    attribute = "directory"


@parameterNodeGuiConnector
class NodeComboBoxConnector(_Connector):
    """Sets the combo box's node types from the parameter's type, whatever the .ui file says."""

    signal = "currentNodeChanged"

    @classmethod
    def canRepresent(cls, widget, datatype):
        return type(widget) is slicer.qMRMLNodeComboBox and bool(nodeClasses(datatype))

    def __init__(self, widget, datatype):
        super().__init__(widget, datatype)
        widget.nodeTypes = [nodeClass().GetClassName() for nodeClass in nodeClasses(datatype)]

    def read(self):
        return self._widget.currentNode()

    def write(self, value):
        self._widget.setCurrentNode(value)


def nodeClasses(datatype):
    """The node classes in a type: the type itself, or all of a union (beside None). Empty if it is anything else."""
    dataType = unannotatedType(datatype)
    members = typing.get_args(dataType) if typing.get_origin(dataType) is typing.Union else (dataType,)
    members = [unannotatedType(member) for member in members if member is not type(None)]
    if all(isinstance(member, type) and issubclass(member, slicer.vtkMRMLNode) for member in members):
        return members
    return []
