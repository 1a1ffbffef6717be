"""Licences of models: which of them restrict the use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import Model

# How licences begin that allow any use, commercial use too. A demand to pass the same licence on (CC BY-SA) is none
# that restricts the use.
_FREE = ("apache", "mit", "bsd", "isc", "cc0", "cc by", "cc-by", "public domain", "unlicense", "mpl", "gpl", "lgpl")
_RESTRICTED = re.compile(r"\b(nc|nd|non-?commercial|research|academic|personal)\b", re.IGNORECASE)
_UNKNOWN = ("", "not stated")  # as in the card of a model that somebody has trained for themselves


def is_restricted(licence: str) -> bool:
    """Whether a user has to know the licence before using a model.

    Args:
        licence: the text in a card. One that is not known to be free counts as restricted.

    >>> [is_restricted(licence) for licence in ("CC BY-SA 4.0", "CC BY-NC 4.0", "Research use only", "not stated")]
    [False, True, True, False]
    """
    text = licence.strip().lower()
    return text not in _UNKNOWN and (not text.startswith(_FREE) or bool(_RESTRICTED.search(text)))


def licence_note(model: Model) -> str | None:
    """A sentence on a licence that restricts the use of a model; None for one that does not."""
    if not is_restricted(model.card.licence):
        return None
    return f"The licence of {model.name} restricts its use: {model.card.licence}."
