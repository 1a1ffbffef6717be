"""Signals as PythonQt has them: part of the PythonQt stand-in.

``widget.clicked.connect(f)`` and ``widget.connect("clicked()", f)`` hold ``f`` until the widget goes or ``disconnect``
is called, and call it with no more arguments than it takes. An exception in a slot ends in ``sys.excepthook``: the
signal's other slots are called all the same.
"""

import contextlib
import inspect
import sys

import shiboken6
from PySide6 import QtCore

# Signals that Qt 6 renamed. Slicer's Qt 5 has them under the signature on the left.
QT5_SIGNALS = {
    ("QComboBox", "activated(QString)"): "textActivated(QString)",
    ("QComboBox", "highlighted(QString)"): "textHighlighted(QString)",
    ("QComboBox", "currentIndexChanged(QString)"): "currentTextChanged(QString)",
    ("QSpinBox", "valueChanged(QString)"): "textChanged(QString)",
    ("QDoubleSpinBox", "valueChanged(QString)"): "textChanged(QString)",
    ("QButtonGroup", "buttonClicked(int)"): "idClicked(int)",
    ("QButtonGroup", "buttonToggled(int,bool)"): "idToggled(int,bool)",
}

# Address of the sender -> the connections made from Python.
_connections = {}
_staticConnect = QtCore.QObject.connect
_staticDisconnect = QtCore.QObject.disconnect


def install(classes):
    """Replace the signals of PySide6's ``classes`` by ones that behave as PythonQt's."""
    for cls in classes:
        for name, value in list(vars(cls).items()):
            if type(value) is QtCore.Signal:
                setattr(cls, name, Signal(name=name, qtSignal=value, qtSignatures=_qtSignatures(cls, name)))


def _qtSignatures(cls, name):
    """The signatures of a signal of a Qt class. Asked for once: later the wrapper of the meta object may be invalid."""
    meta = cls.staticMetaObject
    methods = [meta.method(index) for index in range(meta.methodCount())]
    signals = [method for method in methods if method.methodType() == QtCore.QMetaMethod.Signal]
    signatures = [bytes(method.methodSignature().data()).decode() for method in signals]
    return [signature for signature in signatures if signature.split("(")[0] == name]


def connectionCount():
    """How many connections made from Python are open."""
    return sum(len(connections) for connections in _connections.values())


_attributesAreDropped = False


@contextlib.contextmanager
def attributesDropped():
    """For what PySide6 itself sets on objects: a signal when it is first used, the children's names in QUiLoader."""
    global _attributesAreDropped
    _attributesAreDropped = True
    try:
        yield
    finally:
        _attributesAreDropped = False


def areAttributesDropped():
    return _attributesAreDropped


class Signal:
    """A signal of a class. A stand-in for a C++ class declares its own with the C++ argument types."""

    def __init__(self, *argumentTypes, name=None, qtSignal=None, qtSignatures=()):
        self.argumentTypes = argumentTypes
        self.name = name
        self.qtSignal = qtSignal
        self.qtSignatures = qtSignatures

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        return self if instance is None else BoundSignal(self, instance)

    def signatures(self):
        """The overloads; the one with all arguments comes before those with defaults left out."""
        return self.qtSignatures or [f"{self.name}({','.join(self.argumentTypes)})"]


class BoundSignal:
    """A signal of one object: ``connect``, ``disconnect``, ``emit``; calling it emits, too."""

    def __init__(self, signal, sender):
        self.signal = signal
        self.sender = sender

    def connect(self, *args):
        if len(args) != 1:
            raise ValueError("Called connect with wrong number of arguments")
        return _open(self.sender, self.signal.signatures()[0], args[0])

    def disconnect(self, *args):
        if len(args) > 1:
            raise ValueError("Called disconnect with wrong number of arguments")
        return _close(self.sender, self.signal.signatures()[0], *args)

    def emit(self, *args):
        if self.signal.qtSignal is not None:
            with attributesDropped():
                signalInstance = self.signal.qtSignal.__get__(self.sender)
            signalInstance.emit(*args)
        elif not self.sender.signalsBlocked():
            for connection in list(_connections.get(_address(self.sender), ())):
                if connection.signature == self.signal.signatures()[0]:
                    connection.call(*args)

    __call__ = emit


class _Connection:
    def __init__(self, signature, function):
        self.signature = signature
        self.function = function
        argumentTypes = signature[signature.index("(") + 1 : -1]
        sent = len(argumentTypes.split(",")) if argumentTypes else 0
        self.argumentCount = min(sent, _acceptedArguments(function))
        self.handle = None

    def call(self, *args):
        try:
            self.function(*args[: self.argumentCount])
        except Exception:
            sys.excepthook(*sys.exc_info())


def _acceptedArguments(function):
    isMethod = inspect.ismethod(function) and inspect.isfunction(function.__func__)
    plain = function.__func__ if isMethod else function
    if not inspect.isfunction(plain) or plain.__code__.co_flags & inspect.CO_VARARGS:
        return sys.maxsize
    return plain.__code__.co_argcount - (1 if isMethod else 0)


def _address(sender):
    return shiboken6.getCppPointer(sender)[0]


def _open(sender, signature, function):
    if not callable(function):
        raise TypeError(f"Cannot connect '{signature}' to {function!r}: it is not callable")
    address = _address(sender)
    if address not in _connections:
        _connections[address] = []
        _staticConnect(sender, "2destroyed(QObject*)", lambda *_: _connections.pop(address, None))
    connection = _Connection(signature, function)
    if not _isDeclaredInPython(sender, signature):
        connection.handle = _staticConnect(sender, "2" + signature, lambda *args: connection.call(*args))
    _connections[address].append(connection)
    return True


def _close(sender, signature, *functions):
    """Close the first connection to the given function, or all connections of the signal. Whether there was one."""
    connections = _connections.get(_address(sender), [])
    matching = [c for c in connections if c.signature == signature and (not functions or c.function == functions[0])]
    for connection in matching[:1] if functions else matching:
        connections.remove(connection)
        if connection.handle is not None:
            _staticDisconnect(connection.handle)
    return bool(matching)


def _isDeclaredInPython(sender, signature):
    signal = inspect.getattr_static(type(sender), signature.split("(")[0], None)
    return isinstance(signal, Signal) and signal.qtSignal is None


def _normalizedSignature(sender, signal):
    """The signal's signature as the sender's class declares it.

    Raises ``ValueError`` if there is no such signal; PythonQt prints a warning and goes on.
    """
    signature = QtCore.QMetaObject.normalizedSignature(signal)
    signature = bytes(signature.data()).decode() if not isinstance(signature, str) else signature
    for cls in type(sender).__mro__:
        signature = QT5_SIGNALS.get((cls.__name__, signature), signature)
    name = signature.split("(")[0]
    declared = inspect.getattr_static(type(sender), name, None)
    if isinstance(declared, Signal) and signature in declared.signatures():
        return signature
    raise ValueError(f"QObject::connect() signal '{signal}' does not exist on {type(sender).__name__}")


def connect(sender, signal, receiver, slot=None):
    """``sender.connect("signal(type)", function)`` or ``sender.connect("signal(type)", receiver, "slot(type)")``."""
    function = receiver if slot is None else getattr(receiver, slot.split("(")[0])
    return _open(sender, _normalizedSignature(sender, signal), function)


def disconnect(sender, signal, receiver=None, slot=None):
    function = receiver if slot is None else getattr(receiver, slot.split("(")[0])
    functions = () if function is None else (function,)
    return _close(sender, _normalizedSignature(sender, signal), *functions)
