"""Threads of a training: groups of samples side by side, each with products of one thread.

Products are small, so that two threads within a product wait for each other most of the time, above all beside other
work. Samples do not depend on each other: each thread has its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

_MOST = 4  # small groups cost more than they gain
_LEAST_CELLS = 1000  # of a group: with fewer, threads wait for each other longer than they compute

ResultT = TypeVar("ResultT")

_pool: ThreadPoolExecutor | None = None
_count = 1


def usable_cores() -> int:
    """Number of threads that a training uses if nobody says otherwise."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST)


@contextmanager
def training_threads(count: int, divides_samples: bool = True) -> Iterator[None]:
    """Within the block, groups of samples are computed on so many threads, and each product on one.

    Args:
        count: of the threads.
        divides_samples: false for networks without groups, whose products then use all threads.
    """
    global _pool, _count
    before, earlier = torch.get_num_threads(), (_pool, _count)
    torch.set_num_threads(1 if divides_samples else count)
    with ThreadPoolExecutor(count, "training", initializer=one_thread_a_product) as pool:
        _pool, _count = pool, count
        try:
            yield
        finally:
            _pool, _count = earlier
            torch.set_num_threads(before)


def one_thread_a_product() -> None:
    """What a new thread begins with."""
    # The number of threads is kept for each thread and initialised from the global one at the first get_num_threads().
    # That has to happen before 1 is set, or the global number is read later.
    torch.get_num_threads()
    torch.set_num_threads(1)


def group_count(samples: int, cells: int, device: torch.device) -> int:
    """Into how many groups samples of together so many cells are divided: at most one a thread.

    On other devices than the processor it is one group.
    """
    return max(1, min(samples, _count, cells // _LEAST_CELLS)) if device.type == "cpu" else 1


def side_by_side(function: Callable[..., ResultT], calls: Sequence[tuple[Any, ...]]) -> list[ResultT]:
    """The results of several calls, in their order; the first is made by this thread, the others by the pool's."""
    others = [] if _pool is None else [_pool.submit(function, *call) for call in calls[1:]]
    results = [function(*calls[0])]
    if _pool is None:
        return results + [function(*call) for call in calls[1:]]
    return results + [other.result() for other in others]
