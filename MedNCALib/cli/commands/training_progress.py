"""How `mednca train` says where it stands: to a person, or to a program."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TextIO

from ...progress import Progress, ignore_progress
from ...training.events import Event as TrainingEvent
from ...training.events import Listener, Proposed, event_json, never
from ..streams import print_message
from .progress import ProgressBar

_SECONDS = 60.0  # between two lines
_STOP = "stop"


@dataclass(frozen=True)
class Shown:
    """What a training is given: `progress`, `listen` and `stop` of `train`."""

    progress: Progress
    listen: Listener
    stop: Callable[[], bool]


@contextmanager
def progress_shown(as_json: bool) -> Iterator[Shown]:
    """Say where a training stands: in JSON, as a bar on a terminal, or by a line a minute anywhere else."""
    if as_json:
        stopped = Event()
        Thread(target=_set_if_stopped, args=(stopped, sys.stdin), daemon=True).start()
        yield Shown(ignore_progress, _print_json, stopped.is_set)
    elif sys.stderr.isatty():
        with ProgressBar() as bar:
            yield Shown(bar.show, _print_proposal, never)
    else:
        yield Shown(MinuteLines().show, _print_proposal, never)


class MinuteLines:
    """A line on stderr about once a minute: the share that is done, the time since the start, and what is going on.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._said = clock()

    def show(self, done: float, text: str) -> None:
        """Print if it is time to; a `Progress`."""
        now = self._clock()
        if now - self._said >= _SECONDS:
            self._said = now
            print_message(f"{done:.0%} after {(now - self._began) / 60:.0f} min: {text}")


def _print_json(event: TrainingEvent) -> None:
    print(json.dumps(event_json(event), ensure_ascii=False), flush=True)


def _print_proposal(event: TrainingEvent) -> None:
    if isinstance(event, Proposed):
        print("\n".join(event.sentences), flush=True)


def _set_if_stopped(stopped: Event, lines: TextIO | None) -> None:
    """Wait for the line that stops, or for the end of the lines."""
    for line in lines or ():
        if line.strip() == _STOP:
            break
    stopped.set()
