"""Parts of a card to and from JSON: objects whose keys are attributes, and keys that are not known are kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any

from ..checks import require, require_list, require_number, require_object

# Attributes whose key in `card.json` has another name.
KEYS = {"thresholds": "quality"}


def values_of(cls: type, settings: Any, name: str, needed: Collection[str] = ()) -> dict[str, Any]:
    """The constructor's keywords for the keys of an object, with those that it does not know as `extra`."""
    require_object(settings, name)
    attributes = {KEYS.get(each.name, each.name): each.name for each in fields(cls) if each.name != "extra"}
    missing = [key for key in needed if key not in settings]
    require(not missing, f"{name} lacks {', '.join(missing)}")
    values = {attributes[key]: value for key, value in settings.items() if key in attributes}
    values["extra"] = {key: value for key, value in settings.items() if key not in attributes}
    return values


def json_of(part: Any, optional: Collection[str] = ()) -> dict[str, Any]:
    """The attributes of a part by their keys; of the optional ones those that say something."""
    card = {}
    for each in fields(part):
        value = getattr(part, each.name)
        if each.name != "extra" and (value or each.name not in optional):
            card[KEYS.get(each.name, each.name)] = list(value) if isinstance(value, tuple) else value
    return {**card, **part.extra}


def tuple_of(value: Any, name: str) -> tuple[Any, ...]:
    """The entries of a list."""
    require_list(value, name)
    return tuple(value)


def require_numbers(value: Any, name: str) -> None:
    """An object whose values are numbers."""
    require_object(value, name)
    for key, number in value.items():
        require_number(number, f"{key} of {name}")
