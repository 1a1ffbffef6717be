"""Makes PySide6 read like PythonQt, the Qt binding inside 3D Slicer.

PythonQt shows a Qt property as a Python attribute (``button.text``, never ``button.text()``), refuses attributes that
the C++ class does not have, knows ``objectName`` as ``name`` too, finds dynamic properties and named children as
attributes, connects signals by their signature in a string, keeps what it connects alive, and passes a slot as many
arguments as it takes. ``install()`` teaches all of this to the classes of PySide6 in place, so that also the objects
made by Qt itself (the widgets in a .ui file, the line edit in a spin box) behave like it.

Where PythonQt only prints a warning (connecting a signal that does not exist), this raises: a test must notice.
"""

import ctypes
import functools
import inspect
import sys

import shiboken6
from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

from . import signals

# Qt asks Python for these virtual functions by their name, so the name has to stay a method.
VIRTUAL_FUNCTIONS = {"sizeHint", "minimumSizeHint", "spacing"}
# PythonQt leaves this property out, because the static function of that name is needed.
HIDDEN_PROPERTIES = {("QTimer", "singleShot")}

# object.__setattr__ refuses classes that bring their own attribute setting, as PySide6's do.
_plainSetattr = ctypes.pythonapi.PyObject_GenericSetAttr
_plainSetattr.argtypes = [ctypes.py_object] * 3
_installed = False


def isAlive(qobject):
    """Whether the C++ object behind ``qobject`` still exists."""
    return shiboken6.isValid(qobject)


def wrappedClass(cls):
    """Class decorator: ``cls`` stands for a C++ class that PythonQt wraps, so its instances take no new attributes.

    Names with a leading underscore are free for the stand-in's own state.
    """
    cls._standsForCppClass = cls
    return cls


def install():
    """Teach the classes of PySide6 the behaviour of PythonQt (once for a process)."""
    global _installed
    if _installed:
        return
    _installed = True
    _makeSingletonsImmortal()
    # PySide6 creates a class when it is first asked for by name, so the names have to be walked.
    candidates = [getattr(module, name) for module in (QtCore, QtGui, QtWidgets, QtUiTools) for name in dir(module)]
    classes = [value for value in candidates if isinstance(value, type) and issubclass(value, QtCore.QObject)]
    for cls in classes:
        _addProperties(cls)
    QtCore.QObject.name = Property(
        "objectName", QtCore.QObject.objectName.getter, QtCore.QObject.objectName.setter, str
    )
    QtCore.QObject.className = lambda self: self.metaObject().className()
    QtCore.QObject.delete = lambda self: shiboken6.delete(self)
    QtCore.QObject.findChildren = _findChildren
    QtCore.QObject.findChild = _findChild
    signals.install(classes)
    QtCore.QObject.__getattr__ = _getUnknownAttribute
    for cls in classes:
        if "__getattribute__" in vars(cls):
            cls.__getattribute__ = _attributeGetter(cls.__getattribute__)
        cls.__setattr__ = _setAttribute


def _makeSingletonsImmortal():
    """Keep PySide6 from deallocating None.

    The wheels for all versions of Python count on None, True and False being immortal, which they are from Python 3.12
    on: every call that returns nothing takes a reference to None away. (Seen in PySide6 6.12.)
    """
    if sys.version_info < (3, 12):
        for singleton in (None, True, False, Ellipsis, NotImplemented):
            ctypes.c_ssize_t.from_address(id(singleton)).value += 1 << 40


class Property:
    """A Qt property as a Python attribute."""

    def __init__(self, name, getter, setter, pythonType):
        self.name = name
        self.getter = getter
        self.setter = setter
        self.pythonType = pythonType

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        if not isAlive(instance):
            raise ValueError(f"Trying to read property '{self.name}' from a destroyed {type(instance).__name__} object")
        return self.getter(instance)

    def __set__(self, instance, value):
        className = type(instance).__name__
        if not isAlive(instance):
            raise AttributeError(f"Trying to set property '{self.name}' on a destroyed {className} object")
        if self.setter is None:
            raise AttributeError(f"Property '{self.name}' of {className} object is not writable")
        try:
            self.setter(instance, self._converted(value))
        except TypeError as error:
            raise AttributeError(
                f"Property '{self.name}' of {className} does not accept an object of type "
                f"{type(value).__name__} ({value!r})"
            ) from error

    def _converted(self, value):
        """PythonQt's conversions: any number is a truth value or an integer, anything has a string."""
        if self.pythonType is str:
            return value if isinstance(value, str) else str(value)
        if self.pythonType in (bool, int, float):
            if not isinstance(value, int | float):
                raise TypeError
            return self.pythonType(value)
        return value


def storedProperty(name, default, pythonType=None, onChange=None):
    """A property of a stand-in class that is only remembered; ``onChange(self)`` lets the widget follow it."""

    def setter(self, value):
        setattr(self, "_" + name, value)
        if onChange is not None:
            onChange(self)

    return Property(name, lambda self: getattr(self, "_" + name, default), setter, pythonType)


def declaredProperty(cls, name):
    """The ``Property`` that a class or one of its bases declares, or None."""
    attribute = inspect.getattr_static(cls, name, None)
    return attribute if isinstance(attribute, Property) else None


def _addProperties(cls):
    meta = cls.staticMetaObject
    for index in range(meta.propertyOffset(), meta.propertyCount()):
        metaProperty = meta.property(index)
        name = metaProperty.name()
        if name in VIRTUAL_FUNCTIONS or (cls.__name__, name) in HIDDEN_PROPERTIES:
            continue
        pythonType = {"QString": str, "bool": bool, "int": int, "double": float}.get(metaProperty.typeName())
        setattr(cls, name, Property(name, _getter(cls, name), _setter(cls, metaProperty), pythonType))


def _getter(cls, name):
    capital = name[0].upper() + name[1:]
    for candidate in (name, "is" + capital, "has" + capital):
        method = getattr(cls, candidate, None)
        if isinstance(method, Property):
            return method.getter
        if _isMethod(method):
            return method
    return lambda self: self.property(name)


def _isMethod(function):
    """Whether it takes the object first; some accessors of the application class are static."""
    return (
        callable(function)
        and not isinstance(function, type)
        and type(function).__name__ != "builtin_function_or_method"
    )


def _setter(cls, metaProperty):
    if not metaProperty.isWritable():
        return None
    name = metaProperty.name()
    method = getattr(cls, "set" + name[0].upper() + name[1:], None)
    if _isMethod(method):
        return method

    def setByName(self, value):
        if not self.setProperty(name, value):
            raise TypeError

    return setByName


def _attributeGetter(plainGetattr):
    """``connect`` and ``disconnect`` first: PySide6 answers for these two itself, whatever the class says."""

    def getAttribute(self, name):
        if name == "connect":
            return functools.partial(signals.connect, self)
        if name == "disconnect":
            return functools.partial(signals.disconnect, self)
        return plainGetattr(self, name)

    return getAttribute


def _getUnknownAttribute(self, name):
    """A dynamic property or a named child; PythonQt looks for these last.

    Names with a leading underscore are the stand-ins' own state, which may not be there yet.
    """
    if not name.startswith("_") and isAlive(self):
        if name.encode() in [bytes(dynamic.data()) for dynamic in self.dynamicPropertyNames()]:
            return self.property(name)
        for child in self.children():
            if child.objectName == name:
                return child
    raise AttributeError(f"{type(self).__name__} has no attribute named '{name}'")


def _setAttribute(self, name, value):
    cls = type(self)
    standIn = getattr(cls, "_standsForCppClass", None)
    isWrapped = cls.__module__.startswith("PySide6") or standIn is cls
    if not isWrapped or (standIn is cls and name.startswith("_")):
        _plainSetattr(self, name, value)
        return
    if signals.areAttributesDropped():
        return
    attribute = inspect.getattr_static(cls, name, None)
    if attribute is None:
        if name.encode() in [bytes(dynamic.data()) for dynamic in self.dynamicPropertyNames()]:
            self.setProperty(name, value)
            return
        raise AttributeError(
            f"'{name}' does not exist on {cls.__name__} and creating new attributes on C++ objects is not allowed"
        )
    if isinstance(attribute, Property | property):
        _plainSetattr(self, name, value)
        return
    kind = "Signal" if isinstance(attribute, signals.Signal) else "Slot"
    raise AttributeError(f"{kind} '{name}' can not be overwritten on {cls.__name__} object")


def _findChildren(self, classOrName=None, name=None):
    """All descendants of a class (given as the class or its name) and, if asked, of a name."""
    found = []
    for child in self.children():
        isClass = True
        if isinstance(classOrName, str):
            isClass = child.inherits(classOrName)
        elif classOrName is not None:
            isClass = isinstance(child, classOrName)
        if isClass and (name is None or child.objectName == name):
            found.append(child)
        found += _findChildren(child, classOrName, name)
    return found


def _findChild(self, classOrName=None, name=None):
    found = _findChildren(self, classOrName, name)
    return found[0] if found else None
