"""Reads Qt Designer's .ui files, as ``qt.QUiLoader`` does in Slicer, with the stand-ins for Slicer's own widgets.

Where Qt prints a warning and goes on (an unknown widget class, a property that the class does not have, a connection
that cannot be made), this raises ``RuntimeError``: such a file does not do what its author meant.
"""

import functools
import xml.etree.ElementTree as ElementTree

from PySide6 import QtCore, QtUiTools, QtWidgets

from .pythonqt import declaredProperty
from .signals import attributesDropped

standInClasses = {}
# What the file may give to a widget besides the properties of its class.
DESIGNER_PROPERTIES = {"buddy", "sizeHint"}


def registerStandIns(module):
    """Make the stand-in widget classes of a module known to the loader."""
    for name, value in vars(module).items():
        if isinstance(value, type) and value.__module__ == module.__name__ and hasattr(value, "_standsForCppClass"):
            standInClasses[name] = value


class UiLoader(QtUiTools.QUiLoader):
    def createWidget(self, className, parent=None, name=""):
        widgetClass = standInClasses.get(className) or getattr(QtWidgets, className, None)
        if widgetClass is None:
            # Names that exist in Designer only, such as "Line".
            return super().createWidget(className, parent, name)
        widget = widgetClass(parent)
        widget.setObjectName(name)
        return widget

    def load(self, device, parent=None):
        """The widget in the file (an open ``qt.QFile``, or its path)."""
        if isinstance(device, str):
            with open(device, "rb") as file:
                content = file.read()
        else:
            content = bytes(device.readAll().data())
        forQt, properties, connections = _divided(content, tuple(self.availableWidgets()))
        buffer = QtCore.QBuffer()
        buffer.setData(forQt)
        buffer.open(QtCore.QIODevice.ReadOnly)
        with attributesDropped():
            widget = super().load(buffer, parent)
        byName = {widget.objectName: widget} | {child.objectName: child for child in widget.findChildren()}
        for name, values in properties.items():
            for propertyName, value in values:
                setattr(byName[name], propertyName, value)
        for sender, signal, receiver, slot in connections:
            _connect(byName, sender, signal, receiver, slot)
        return widget


@functools.cache  # each test that opens a panel loads its files
def _divided(content, availableWidgets):
    """What of a file Qt reads, which properties only the stand-ins have, and the connections."""
    root = ElementTree.fromstring(content)
    for element in root.iter("widget"):
        className = element.get("class")
        if className not in standInClasses and className not in availableWidgets:
            raise RuntimeError(f"The .ui file has a widget '{element.get('name')}' of unknown class {className}")
    properties, connections = _takeStandInProperties(root), _takeConnections(root)
    return ElementTree.tostring(root), properties, connections


def _takeStandInProperties(root):
    """Take out what only the stand-in classes understand: widget name -> [(property, value)]."""
    taken = {}
    for element in root.iter("widget"):
        widgetClass = standInClasses.get(element.get("class")) or getattr(QtWidgets, element.get("class"), None)
        if widgetClass is None:
            continue
        for child in element.findall("property"):
            name = child.get("name")
            declared = declaredProperty(widgetClass, name)
            isKnown = child.get("stdset") == "0" or name in DESIGNER_PROPERTIES
            if declared is None and not isKnown and not _isQtProperty(widgetClass, name):
                raise RuntimeError(f"Widget '{element.get('name')}' ({element.get('class')}) has no property '{name}'")
            if declared is not None and not _isQtProperty(widgetClass, name):
                taken.setdefault(element.get("name"), []).append((name, _value(child[0], widgetClass)))
                element.remove(child)
    return taken


def _isQtProperty(widgetClass, name):
    owner = next((base for base in widgetClass.__mro__ if name in vars(base)), None)
    return owner is not None and owner.__module__.startswith("PySide6")


def _value(element, widgetClass):
    text = element.text or ""
    if element.tag == "bool":
        return text == "true"
    if element.tag in ("number", "double"):
        return float(text) if element.tag == "double" else int(text)
    if element.tag == "stringlist":
        return [string.text or "" for string in element.findall("string")]
    if element.tag in ("enum", "set"):
        values = [_enumValue(name, widgetClass) for name in text.split("|") if name]
        combined = values[0] if values else 0
        for value in values[1:]:
            combined |= value
        return combined
    if element.tag in ("string", "cstring"):
        return text
    raise RuntimeError(
        f"The .ui file gives a property of {widgetClass.__name__} as <{element.tag}>, which the loader cannot read"
    )


def _enumValue(qualifiedName, widgetClass):
    className, _, name = qualifiedName.rpartition("::")
    owner = widgetClass
    if className == "Qt":
        owner = QtCore.Qt
    elif className and className != widgetClass.__name__:
        owner = standInClasses.get(className) or getattr(QtWidgets, className)
    return getattr(owner, name)


def _takeConnections(root):
    taken = []
    for element in root.findall("connections"):
        for connection in element.findall("connection"):
            taken.append([connection.findtext(part) for part in ("sender", "signal", "receiver", "slot")])
        root.remove(element)
    return taken


def _connect(byName, sender, signal, receiver, slot):
    description = f"connection {sender}.{signal} -> {receiver}.{slot}"
    if sender not in byName or receiver not in byName:
        raise RuntimeError(f"The .ui file has a {description}, but no such widget")
    try:
        byName[sender].connect(signal, byName[receiver], slot)
    except (ValueError, AttributeError) as error:
        raise RuntimeError(f"The .ui file has a {description} that cannot be made: {error}") from error
