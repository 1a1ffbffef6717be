"""Checks of the values that make a value class, as its constructor and its `from_json` need them.

All raise `ValueError` with a clause that names the value, says what it must be and what it is.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from numbers import Integral, Real
from typing import Any


def require(condition: bool, message: str) -> None:
    """Raise `ValueError` with the message unless the condition holds."""
    if not condition:
        raise ValueError(message)


def require_whole_number(value: Any, name: str, least: int = 1) -> None:
    """A whole number that is at least `least`; truth values are none."""
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    require(is_whole and value >= least, f"{name} must be a whole number of at least {least}, not {value!r}")


def require_number(value: Any, name: str) -> None:
    """A finite number; truth values are none."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    require(is_number and math.isfinite(value), f"{name} must be a number, not {value!r}")


def require_text(value: Any, name: str) -> None:
    """Text."""
    require(isinstance(value, str), f"{name} must be a text, not {value!r}")


def require_choice(value: Any, name: str, choices: Collection[str]) -> None:
    """One of several words."""
    known = isinstance(value, str) and value in choices
    require(known, f"{name} must be one of {', '.join(choices)}, not {value!r}")


def require_object(value: Any, name: str) -> None:
    """A JSON object."""
    require(isinstance(value, Mapping), f"{name} must be an object with keys, not {value!r}")


def require_list(value: Any, name: str, length: int | None = None) -> None:
    """A JSON list, of `length` entries if that is given."""
    is_list = isinstance(value, (list, tuple))
    count = "" if length is None else f" of {length} entries"
    require(is_list and length in (None, len(value)), f"{name} must be a list{count}, not {value!r}")


def require_keys(value: Any, name: str, needed: Collection[str], allowed: Collection[str] = ()) -> None:
    """A JSON object that has all needed keys, and no others but those allowed."""
    require_object(value, name)
    missing = [key for key in needed if key not in value]
    require(not missing, f"{name} lacks {', '.join(missing)}")
    unknown = [key for key in value if key not in needed and key not in allowed]
    require(not unknown, f"{name} has keys that are not known: {', '.join(map(str, unknown))}")
