"""How work that takes long reports how far it is: the one protocol for it."""

from __future__ import annotations

from typing import Callable

# Called with the share of the work that is done, 0 to 1, and with what is going on.
Progress = Callable[[float, str], None]


def ignore_progress(done: float, message: str) -> None:
    """A `Progress` that reports to nobody."""


def part_of(progress: Progress, begin: float, end: float) -> Progress:
    """A `Progress` for a part of the work, from one share of the whole to another."""

    def part(done: float, message: str) -> None:
        progress(begin + done * (end - begin), message)

    return part
