"""The class decorator ``parameterNodeWrapper``: annotated members become parameters stored in a parameter node."""

import logging
import types
import typing
import weakref

import qt
import slicer.util
import vtk

from .annotations import Default, splitAnnotations
from .connectors import GuiConnector, createGuiConnector
from .serializers import createSerializer

SlicerParameterNamePropertyName = "SlicerParameterName"


class _ParameterInfo:
    """What the class knows of a parameter."""

    def __init__(self, name, serializer, default, dataType):
        self.basename = name
        self.serializer = serializer
        self.default = default
        self.unalteredType = dataType


class _Parameter:
    """A parameter of one parameter node. Values that can be kept are read again only when the node was modified."""

    def __init__(self, info, parameterNode):
        self.info = info
        self.parameterNode = parameterNode
        self._writing = False
        self._observation = None
        if not info.serializer.isIn(parameterNode, info.basename):
            info.serializer.write(parameterNode, info.basename, info.default.value)
        self.isCached = info.serializer.supportsCaching()
        if self.isCached:
            self._value = self._readFromNode()
            # The node must not keep the wrapper alive.
            reference = weakref.ref(self)
            self._observation = parameterNode.AddObserver(
                vtk.vtkCommand.ModifiedEvent, lambda *_: reference()._onModified() if reference() else None
            )

    def __del__(self):
        if self._observation is not None:
            self.parameterNode.RemoveObserver(self._observation)

    def _readFromNode(self):
        info = self.info
        if not info.serializer.isIn(self.parameterNode, info.basename):
            info.serializer.write(self.parameterNode, info.basename, info.default.value)
        return info.serializer.read(self.parameterNode, info.basename)

    def _onModified(self):
        if not self._writing:
            self._value = self._readFromNode()

    def read(self):
        return self._value if self.isCached else self._readFromNode()

    def write(self, value):
        self._writing = True
        try:
            # Observers must find the new value, so it is read back before they are called.
            with slicer.util.NodeModify(self.parameterNode):
                self.info.serializer.write(self.parameterNode, self.info.basename, value)
                if self.isCached:
                    self._value = self._readFromNode()
        finally:
            self._writing = False


class _ParameterNodeWrapper:
    """The methods that the decorator adds to the class."""

    def __init__(self, parameterNode):
        self.parameterNode = parameterNode
        self._parameters = {name: _Parameter(info, parameterNode) for name, info in self.allParameters.items()}
        self._guis = {}
        self._nextGuiTag = 0
        self._updatingGui = False

    def _parameter(self, name):
        if name not in self._parameters:
            raise ValueError(f"Cannot find a param with the given name: {name}; there are {list(self._parameters)}")
        return self._parameters[name]

    def getValue(self, name):
        return self._parameter(name).read()

    def setValue(self, name, value):
        self._parameter(name).write(value)

    def default(self, name):
        return self._parameter(name).info.default

    def isCached(self, name):
        return self._parameter(name).isCached

    @classmethod
    def dataType(cls, name):
        if name not in cls.allParameters:
            raise ValueError(f"Cannot find a param with the given name: {name}")
        return cls.allParameters[name].unalteredType

    def StartModify(self):
        return self.parameterNode.StartModify()

    def EndModify(self, wasModified):
        return self.parameterNode.EndModify(wasModified)

    def AddObserver(self, event, callback, priority=0.0):
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag):
        self.parameterNode.RemoveObserver(tag)

    def Modified(self):
        self.parameterNode.Modified()

    #
    # Widgets
    #
    def connectGui(self, gui):
        """Bind each widget that has the property SlicerParameterName to its parameter; returns a tag.

        ``gui`` is a widget, or what ``slicer.util.childWidgetVariables`` returns.
        """
        isWidget = getattr(gui, "isWidgetType", lambda: False)()
        widgets = gui.findChildren(qt.QWidget) if isWidget else gui.__dict__.values()
        named = {widget.property(SlicerParameterNamePropertyName): widget for widget in widgets}
        return self.connectParametersToGui({name: widget for name, widget in named.items() if name})

    def connectParametersToGui(self, mapping):
        """Bind parameters to widgets (or connectors): ``{name: widget}``; returns a tag."""
        for name in mapping:
            self._parameter(name)
        connectors = {
            name: value if isinstance(value, GuiConnector) else createGuiConnector(value, self.dataType(name))
            for name, value in mapping.items()
        }
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.onChanged(self._guiCallback(name, connector))
        tag = self._nextGuiTag
        self._nextGuiTag += 1
        observer = self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._updateGui())
        self._guis[tag] = (connectors, observer)
        return tag

    def disconnectGui(self, tag):
        """Undo the ``connectGui`` that returned the tag; a tag that is not known is ignored."""
        if tag in self._guis:
            connectors, observer = self._guis.pop(tag)
            for connector in connectors.values():
                connector.onChanged(None)
            if (slicer.app.majorVersion, slicer.app.minorVersion) >= (5, 12):
                self.RemoveObserver(observer)

    def _guiCallback(self, name, connector):
        def callback():
            if not self._updatingGui:
                with slicer.util.NodeModify(self):
                    self.setValue(name, connector.read())

        return callback

    def _updateGui(self):
        if self._updatingGui:
            return
        self._updatingGui = True
        try:
            with slicer.util.NodeModify(self):
                for connectors, _ in list(self._guis.values()):
                    for name, connector in connectors.items():
                        connector.write(self.getValue(name))
        finally:
            self._updatingGui = False


def parameterNodeWrapper(classtype=None):
    """Class decorator; the class is then made with a parameter node: ``Parameters(logic.getParameterNode())``."""

    def wrap(cls):
        return _wrap(cls)

    return wrap if classtype is None else wrap(classtype)


def _wrap(cls):
    parameters = {}
    for name, dataType in typing.get_type_hints(cls, include_extras=True).items():
        if name in vars(_ParameterNodeWrapper):
            raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
        parameters[name] = _parameterInfo(cls, name, dataType)
    cls.allParameters = parameters
    cls._is_parameter_node_wrapper = True
    for name in parameters:
        setattr(cls, name, property(_getter(name), _setter(name)))
    for name, method in vars(_ParameterNodeWrapper).items():
        if name not in ("__dict__", "__weakref__", "__doc__", "__module__"):
            if name != "__init__" and name in vars(cls):
                raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
            setattr(cls, name, method)
    return cls


def _parameterInfo(cls, name, dataType):
    actualType, annotations = splitAnnotations(dataType)
    if isinstance(actualType, types.UnionType):
        actualType = typing.Union[typing.get_args(actualType)]  # noqa: UP007
    try:
        serializer, annotations = createSerializer(actualType, annotations)
    except Exception as error:
        raise TypeError(f"Unable to create serializer for {cls} member {name}") from error
    defaults = [annotation for annotation in annotations if isinstance(annotation, Default)]
    unused = [annotation for annotation in annotations if not isinstance(annotation, Default)]
    if len(defaults) > 1:
        raise ValueError(f"Multiple defaults found for {name}")
    if hasattr(cls, name):
        default = Default(getattr(cls, name))
    else:
        default = defaults[0] if defaults else Default(serializer.default())
    if unused:
        logging.warning("Unused annotations: %s", unused)
    return _ParameterInfo(name, serializer, default, dataType)


def _getter(name):
    return lambda self: self._parameters[name].read()


def _setter(name):
    return lambda self, value: self._parameters[name].write(value)


def isParameterNodeWrapper(classOrObject):
    return getattr(classOrObject, "_is_parameter_node_wrapper", False)


def findChildWidgetForParameter(widget, parameter):
    """The child widget that is bound to a parameter, or None."""
    for child in widget.findChildren(qt.QWidget):
        if child.property(SlicerParameterNamePropertyName) == parameter:
            return child
    return None
