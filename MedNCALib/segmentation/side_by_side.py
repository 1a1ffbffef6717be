"""Runs side by side, in a thread each: of the groups of slices of a volume, or of the frames of a sequence."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import islice
from threading import Lock
from typing import Callable, Generic

from ..automaton.kernels import KernelName
from ..numerics import blas_threads
from .steps import ResultT, Step, part_of_run

# More would wait for the interpreter's lock, and each takes its own memory.
_MOST_AT_ONCE = 4

# Seconds for which the threads go on between two steps that the caller sees. At its end each waits for the others to
# finish their step; a longer span would keep an event loop waiting.
_SPAN = 0.05


def threads_for_runs(kernel: KernelName, threads: int | None) -> int:
    """How many runs may go on side by side with so many processors, None for all that NumPy's products would take."""
    # PyTorch's number of threads belongs to the whole process, so that runs beside each other would change it.
    return min(threads or blas_threads.threads(), _MOST_AT_ONCE) if kernel == "numpy" else 1


def side_by_side(
    runs: Iterable[Generator[Step, None, ResultT]],
    weights: Sequence[float],
    at_once: int,
    done: Callable[[ResultT], object],
    ahead: int = 0,
) -> Generator[Step, None, None]:
    """Drive several runs to their ends.

    No thread runs while the caller has a step, so that all end at once when this generator is closed.

    Args:
        runs: are asked for one by one, as they begin, in the caller's thread.
        weights: the work of each.
        at_once: how many go on side by side.
        done: is called with the result of each, in their order, one at a time, in any thread.
        ahead: how many further runs are asked for, so that no thread has to wait for the caller when its run has ended.

    Yields:
        One at a time: every step. Side by side: now and then, a step of the first run that goes on. With the share of
        all work that is done.
    """
    total = sum(weights)
    if at_once == 1:
        before = 0.0
        for run, weight in zip(runs, weights):
            done((yield from part_of_run(run, before / total, (before + weight) / total)))
            before += weight
        return
    work = _Work(runs, done)
    lanes = [_Lane(work) for _ in range(at_once)]
    try:
        with ThreadPoolExecutor(at_once) as pool:
            while True:
                work.ask_for(ahead + sum(lane.is_free for lane in lanes))
                if work.is_over and all(lane.is_free for lane in lanes):
                    return
                end = time.monotonic() + _SPAN
                spans = [pool.submit(lane.advance, end) for lane in lanes]
                wait(spans)
                for span in spans:
                    span.result()
                seen = [lane.seen for lane in lanes if lane.seen is not None]
                if seen:
                    _, step = min(seen, key=lambda each: each[0])
                    share = sum(weights[number] * share for number, share in work.shares.items()) / total
                    yield replace(step, fraction=share)
    finally:
        for lane in lanes:
            lane.close()


class _Work(Generic[ResultT]):
    """The runs, which several lanes take one after the other; arguments as for `side_by_side`.

    Attributes:
        shares: of each run that has begun, by its number, the share that is done.
    """

    def __init__(self, runs: Iterable[Generator[Step, None, ResultT]], done: Callable[[ResultT], object]) -> None:
        self._runs, self._done = enumerate(runs), done
        self._ready: deque[tuple[int, Generator[Step, None, ResultT]]] = deque()
        self._results: dict[int, ResultT] = {}  # of runs that have overtaken one before them
        self._ended, self._ending = 0, Lock()
        self.shares: dict[int, float] = {}

    @property
    def is_over(self) -> bool:
        """Whether no run is ready."""
        return not self._ready

    def ask_for(self, count: int) -> None:
        """Have so many runs ready, if there are as many left."""
        self._ready.extend(islice(self._runs, max(0, count - len(self._ready))))

    def take(self) -> tuple[int, Generator[Step, None, ResultT]] | None:
        """The next run; None if none is ready."""
        try:
            return self._ready.popleft()
        except IndexError:
            return None

    def end(self, number: int, result: ResultT) -> None:
        """Hand on the result of a run, if those before it are ended."""
        with self._ending:
            self._results[number] = result
            while self._ended in self._results:
                self._done(self._results.pop(self._ended))
                self._ended += 1


class _Lane(Generic[ResultT]):
    """Drives run after run, in whichever thread calls it.

    Attributes:
        seen: the last step within the span that was driven last, and the number of its run; None if there was none.
    """

    def __init__(self, work: _Work[ResultT]) -> None:
        self._work = work
        self._now: tuple[int, Generator[Step, None, ResultT]] | None = None
        self.seen: tuple[int, Step] | None = None

    @property
    def is_free(self) -> bool:
        """Whether it has no run that goes on."""
        return self._now is None

    def advance(self, end: float) -> None:
        """Go on until this time, or until no run is ready."""
        self.seen = None
        while time.monotonic() < end or self.seen is None:
            self._now = self._now or self._work.take()
            if self._now is None:
                return
            number, run = self._now
            try:
                self.seen = number, next(run)
                self._work.shares[number] = self.seen[1].fraction
            except StopIteration as stop:
                self._now = None
                self._work.end(number, stop.value)

    def close(self) -> None:
        """End the run that goes on."""
        if self._now is not None:
            self._now[1].close()
