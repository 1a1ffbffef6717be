"""How a parameter of a given type is stored in the parameter node: as text, and nodes as node references."""

import abc
import enum
import logging
import pathlib
import types
import typing

import slicer
import slicer.util

from .annotations import IsInstance, IsNone, NotNone, Validator, splitAnnotations

_registered = []


class Serializer(abc.ABC):
    """Stores values of one type. ``name`` is the parameter's name."""

    @staticmethod
    @abc.abstractmethod
    def canSerialize(type_):
        """Whether it stores values of this type."""

    @staticmethod
    @abc.abstractmethod
    def create(type_):
        """A serializer for this type."""

    @abc.abstractmethod
    def default(self):
        """The value of a parameter without a default."""

    def isIn(self, parameterNode, name):
        return parameterNode.HasParameter(name)

    @abc.abstractmethod
    def write(self, parameterNode, name, value):
        """Store the value."""

    @abc.abstractmethod
    def read(self, parameterNode, name):
        """The stored value."""

    def remove(self, parameterNode, name):
        parameterNode.UnsetParameter(name)

    def supportsCaching(self):
        return True


class ValidatedSerializer(Serializer):
    """A serializer that lets no forbidden value in."""

    def __init__(self, serializer, validators):
        if isinstance(serializer, ValidatedSerializer):
            validators = serializer.validators + list(validators)
            serializer = serializer.serializer
        self.serializer = serializer
        self.validators = list(validators)

    @staticmethod
    def canSerialize(type_):
        return False

    @staticmethod
    def create(type_):
        raise TypeError("A ValidatedSerializer is made from another serializer")

    def validate(self, value):
        for validator in self.validators:
            validator.validate(value)

    def default(self):
        return self.serializer.default()

    def isIn(self, parameterNode, name):
        return self.serializer.isIn(parameterNode, name)

    def write(self, parameterNode, name, value):
        self.validate(value)
        self.serializer.write(parameterNode, name, value)

    def read(self, parameterNode, name):
        return self.serializer.read(parameterNode, name)

    def remove(self, parameterNode, name):
        self.serializer.remove(parameterNode, name)

    def supportsCaching(self):
        return self.serializer.supportsCaching()


def parameterNodeSerializer(classtype=None):
    """Class decorator: make a serializer known."""

    def register(cls):
        _registered.append(cls)
        return cls

    return register if classtype is None else register(classtype)


def createSerializer(type_, annotations):
    """The serializer for a type, and the annotations that it does not use."""
    validators = [a for a in annotations if isinstance(a, Validator)]
    others = [a for a in annotations if not isinstance(a, Validator)]
    given = [a for a in others if isinstance(a, Serializer)]
    others = [a for a in others if not isinstance(a, Serializer)]
    serializer = given[0] if given else None
    if serializer is None:
        factory = next((cls for cls in _registered if cls.canSerialize(type_)), None)
        if factory is None:
            raise TypeError(f"Unable to create serializer for type: {type_}")
        serializer = factory.create(type_)
    return ValidatedSerializer(serializer, validators), others


def _forAnnotated(annotatedType):
    serializer, unused = createSerializer(*splitAnnotations(annotatedType))
    if unused:
        logging.warning("Unused annotations: %s", unused)
    return serializer


class _TextSerializer(Serializer):
    """For the types with a plain text form."""

    types_ = ()

    def __init__(self, type_):
        self.type = type_

    @classmethod
    def canSerialize(cls, type_):
        return type_ in cls.types_

    @classmethod
    def create(cls, type_):
        accepted = (int, float) if type_ is float else type_
        return ValidatedSerializer(cls(type_), [NotNone(), IsInstance(accepted)])

    def default(self):
        return self.type()

    def write(self, parameterNode, name, value):
        parameterNode.SetParameter(name, str(value))

    def read(self, parameterNode, name):
        return self.type(parameterNode.GetParameter(name))


@parameterNodeSerializer
class NumberSerializer(_TextSerializer):
    types_ = (int, float)


@parameterNodeSerializer
class StringSerializer(_TextSerializer):
    types_ = (str,)


@parameterNodeSerializer
class PathSerializer(_TextSerializer):
    types_ = (pathlib.Path, pathlib.PosixPath, pathlib.PurePath, pathlib.PurePosixPath)


@parameterNodeSerializer
class BoolSerializer(_TextSerializer):
    types_ = (bool,)

    def read(self, parameterNode, name):
        return parameterNode.GetParameter(name) == "True"


@parameterNodeSerializer
class EnumSerializer(Serializer):
    """An enum member is stored by its name."""

    def __init__(self, type_):
        self.enum = type_

    @staticmethod
    def canSerialize(type_):
        return isinstance(type_, type) and issubclass(type_, enum.Enum)

    @staticmethod
    def create(type_):
        return ValidatedSerializer(EnumSerializer(type_), [IsInstance(type_)])

    def default(self):
        return next(iter(self.enum))

    def write(self, parameterNode, name, value):
        parameterNode.SetParameter(name, value.name)

    def read(self, parameterNode, name):
        key = parameterNode.GetParameter(name)
        if key not in self.enum.__members__:
            raise ValueError(f"Found {key!r} in parameter node but it is not a name in {self.enum!r}")
        return self.enum[key]


@parameterNodeSerializer
class NodeSerializer(Serializer):
    """A node is stored as a node reference; an empty text marks a parameter that is there but None."""

    @staticmethod
    def canSerialize(type_):
        return isinstance(type_, type) and issubclass(type_, slicer.vtkMRMLNode)

    @staticmethod
    def create(type_):
        return ValidatedSerializer(NodeSerializer(), [IsInstance(type_)])

    def default(self):
        return None

    def write(self, parameterNode, name, value):
        parameterNode.SetParameter(name, "")
        parameterNode.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    def read(self, parameterNode, name):
        return parameterNode.GetNodeReference(name)

    def remove(self, parameterNode, name):
        parameterNode.UnsetParameter(name)
        parameterNode.RemoveNodeReferenceIDs(name)


@parameterNodeSerializer
class NoneSerializer(Serializer):
    @staticmethod
    def canSerialize(type_):
        return type_ is type(None)

    @staticmethod
    def create(type_):
        return ValidatedSerializer(NoneSerializer(), [IsNone()])

    def default(self):
        return None

    def write(self, parameterNode, name, value):
        parameterNode.SetParameter(name, "True")

    def read(self, parameterNode, name):
        return None


@parameterNodeSerializer
class UnionSerializer(Serializer):
    """``A | B`` is stored under ``name.0`` or ``name.1``, whichever takes the value."""

    def __init__(self, serializers):
        self._serializers = [ValidatedSerializer(serializer, []) for serializer in serializers]

    @staticmethod
    def canSerialize(type_):
        return typing.get_origin(type_) is typing.Union or isinstance(type_, types.UnionType)

    @staticmethod
    def create(type_):
        return UnionSerializer([_forAnnotated(argument) for argument in typing.get_args(type_)])

    def default(self):
        isOptional = len(self._serializers) == 2 and isinstance(self._serializers[1].serializer, NoneSerializer)
        return None if isOptional else self._serializers[0].default()

    def _named(self, name):
        return [(f"{name}.{index}", serializer) for index, serializer in enumerate(self._serializers)]

    def isIn(self, parameterNode, name):
        return any(serializer.isIn(parameterNode, key) for key, serializer in self._named(name))

    def write(self, parameterNode, name, value):
        key, serializer = self._serializerFor(name, value)
        with slicer.util.NodeModify(parameterNode):
            self.remove(parameterNode, name)
            serializer.write(parameterNode, key, value)

    def _serializerFor(self, name, value):
        error = TypeError(f"Unable to write value '{value}' of type '{type(value)}'")
        for key, serializer in self._named(name):
            if serializer.serializer.canSerialize(type(value)):
                try:
                    serializer.validate(value)
                    return key, serializer
                except (TypeError, ValueError) as refused:
                    error = refused
        raise error

    def read(self, parameterNode, name):
        for key, serializer in self._named(name):
            if serializer.isIn(parameterNode, key):
                return serializer.read(parameterNode, key)
        raise KeyError(f"Unable to find value for name: {name}")

    def remove(self, parameterNode, name):
        with slicer.util.NodeModify(parameterNode):
            for key, serializer in self._named(name):
                serializer.remove(parameterNode, key)

    def supportsCaching(self):
        return all(serializer.supportsCaching() for serializer in self._serializers)


class _SequenceSerializer(Serializer):
    """Elements are stored under ``name.0``, ``name.1``, ... The value read is a copy: assign it to change it."""

    def supportsCaching(self):
        return False


@parameterNodeSerializer
class TupleSerializer(_SequenceSerializer):
    def __init__(self, serializers):
        self._serializers = serializers

    @staticmethod
    def canSerialize(type_):
        return typing.get_origin(type_) is tuple

    @staticmethod
    def create(type_):
        return TupleSerializer([_forAnnotated(argument) for argument in typing.get_args(type_)])

    def default(self):
        return tuple(serializer.default() for serializer in self._serializers)

    def isIn(self, parameterNode, name):
        return self._serializers[0].isIn(parameterNode, f"{name}.0")

    def write(self, parameterNode, name, values):
        values = tuple(values)
        if len(values) != len(self._serializers):
            raise ValueError("Unexpected number of tuple values")
        with slicer.util.NodeModify(parameterNode):
            for index, (value, serializer) in enumerate(zip(values, self._serializers, strict=True)):
                serializer.write(parameterNode, f"{name}.{index}", value)

    def read(self, parameterNode, name):
        return tuple(s.read(parameterNode, f"{name}.{index}") for index, s in enumerate(self._serializers))

    def remove(self, parameterNode, name):
        for index, serializer in enumerate(self._serializers):
            serializer.remove(parameterNode, f"{name}.{index}")


@parameterNodeSerializer
class ListSerializer(_SequenceSerializer):
    """A list also has its length under ``name.len``. Slicer's value stores changes in place; this one is a copy."""

    def __init__(self, elementSerializer):
        self._element = elementSerializer

    @staticmethod
    def canSerialize(type_):
        return typing.get_origin(type_) is list

    @staticmethod
    def create(type_):
        return ListSerializer(_forAnnotated(typing.get_args(type_)[0]))

    def default(self):
        return []

    def isIn(self, parameterNode, name):
        return parameterNode.HasParameter(f"{name}.len")

    def _length(self, parameterNode, name):
        return int(parameterNode.GetParameter(f"{name}.len")) if self.isIn(parameterNode, name) else 0

    def write(self, parameterNode, name, values):
        oldLength = self._length(parameterNode, name)
        with slicer.util.NodeModify(parameterNode):
            for index, value in enumerate(values):
                self._element.write(parameterNode, f"{name}.{index}", value)
            parameterNode.SetParameter(f"{name}.len", str(len(values)))
            for index in range(len(values), oldLength):
                self._element.remove(parameterNode, f"{name}.{index}")

    def read(self, parameterNode, name):
        return tuple(
            self._element.read(parameterNode, f"{name}.{index}") for index in range(self._length(parameterNode, name))
        )

    def remove(self, parameterNode, name):
        with slicer.util.NodeModify(parameterNode):
            for index in range(self._length(parameterNode, name)):
                self._element.remove(parameterNode, f"{name}.{index}")
            parameterNode.UnsetParameter(f"{name}.len")
