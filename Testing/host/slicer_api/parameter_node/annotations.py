"""What may stand in ``Annotated[type, ...]``: the default, what values are allowed, and hints for the widget."""

import abc
import dataclasses
import typing


class Default:
    """The value a parameter has before it is set; ``generator`` makes a new one each time."""

    def __init__(self, value=None, *, generator=None):
        self._value = value
        self._generator = generator

    @property
    def value(self):
        return self._generator() if self._generator is not None else self._value

    def __repr__(self):
        return f"Default(value={self._value}, generator={self._generator})"


@dataclasses.dataclass
class Decimals:
    value: int


@dataclasses.dataclass
class SingleStep:
    value: float


class Validator(abc.ABC):
    """Says whether a value is allowed."""

    @abc.abstractmethod
    def validate(self, value):
        """Raise ``ValueError`` (or ``TypeError``) if it is not."""


class NotNone(Validator):
    def validate(self, value):
        if value is None:
            raise ValueError("Value must not be None")


class IsNone(Validator):
    def validate(self, value):
        if value is not None:
            raise ValueError("Value must be None")


class IsInstance(Validator):
    def __init__(self, classtype):
        self.classtype = classtype

    def validate(self, value):
        if value is not None and not isinstance(value, self.classtype):
            raise TypeError(f"Value must be of type '{self.classtype}', is type '{type(value)}' value '{value}'")


class Minimum(Validator):
    def __init__(self, minimum):
        self.minimum = minimum

    def validate(self, value):
        if value < self.minimum:
            raise ValueError(f"Value must be greater than {self.minimum}, is {value}")


class Maximum(Validator):
    def __init__(self, maximum):
        self.maximum = maximum

    def validate(self, value):
        if value > self.maximum:
            raise ValueError(f"Value must be less than {self.maximum}, is {value}")


class WithinRange(Validator):
    def __init__(self, minimum, maximum):
        self.minimum = minimum
        self.maximum = maximum

    def validate(self, value):
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], is {value}")


class Choice(Validator):
    def __init__(self, choices):
        self.choices = choices

    def validate(self, value):
        if value not in self.choices:
            raise ValueError(f"Value is {value}, but must be in one of the following: {self.choices}")


class Exclude(Validator):
    def __init__(self, excludedValues):
        self.excludedValues = excludedValues

    def validate(self, value):
        if value in self.excludedValues:
            raise ValueError(f"Value is {value}, but must not be an excluded value: {self.excludedValues}")


def splitAnnotations(dataType):
    """``Annotated[int, a, b]`` -> (int, [a, b]); a plain type has no annotations."""
    if typing.get_origin(dataType) is typing.Annotated:
        actualType, *annotations = typing.get_args(dataType)
        return actualType, annotations
    return dataType, []


def unannotatedType(dataType):
    return splitAnnotations(dataType)[0]


def findFirst(annotations, annotationType):
    return next((annotation for annotation in annotations if isinstance(annotation, annotationType)), None)
