"""Where jobs run: in this process, in worker processes of this machine, on a Dask cluster.

All of them are `concurrent.futures`: `submit(job)` gives a future of what the function returns.
"""

from __future__ import annotations

import faulthandler
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, Callable, Protocol, TextIO

import SimpleITK as sitk

from .._version import __version__
from ..errors import MedNCAError

Function = Callable[[Any], Any]

_SECONDS_TO_END = 3.0  # that workers have for putting away what they have begun
_SECONDS_TO_CONNECT = 10
_LOGGERS = ("distributed", "distributed.client", "distributed.comm", "tornado.application")  # an error is one line


class Workers(Protocol):
    """What does the jobs; a context manager that stops them if its block fails."""

    def __enter__(self) -> Workers: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None: ...

    def submit(self, job: Any) -> Future[Any]:
        """Begin a job."""

    def free(self, running: int) -> int:
        """How many jobs more to submit if this number is not finished yet."""

    def check(self) -> None:
        """Raise a `MedNCAError` if no job can be finished any more."""


class ThisProcess:
    """Jobs one after the other, each done when `submit` returns."""

    def __init__(self, function: Function) -> None:
        self._function = function

    def __enter__(self) -> ThisProcess:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, job: Any) -> Future[Any]:
        """Do a job."""
        future: Future[Any] = Future()
        try:
            future.set_result(self._function(job))
        except Exception as error:  # as any executor does
            future.set_exception(error)
        return future

    def free(self, running: int) -> int:
        """One job at a time."""
        return 1 - running

    def check(self) -> None:
        """This process runs."""


class WorkerProcesses:
    """Processes of this machine; each is a pool of its own, so that one that dies takes no other's job with it.

    Args:
        function: of a job; can be pickled, as its jobs and results.
        count: number of processes.
        hang_seconds: after which a process that does not finish its job is ended; None for never.
    """

    def __init__(self, function: Function, count: int, hang_seconds: float | None = None) -> None:
        self._slots = [_Slot(partial(_within, function, hang_seconds)) for _ in range(count)]

    def __enter__(self) -> WorkerProcesses:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            _end([slot.process for slot in self._slots if slot.process is not None])
        for slot in self._slots:
            slot.close()

    def submit(self, job: Any) -> Future[Any]:
        """Begin a job in a process that has none."""
        return next(slot for slot in self._slots if slot.is_free()).submit(job)

    def free(self, running: int) -> int:
        """As many as there are processes."""
        return len(self._slots) - running

    def check(self) -> None:
        """A process that dies is replaced."""


class _Slot:
    """A pool of one process, replaced by another if the process dies.

    Attributes:
        process: the process, from when it is started.
    """

    def __init__(self, function: Function) -> None:
        self._function = function
        self._job: Future[Any] | None = None
        self._open()

    def _open(self) -> None:
        self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin_worker)
        self.process: multiprocessing.process.BaseProcess | None = None

    def is_free(self) -> bool:
        return self._job is None or self._job.done()

    def submit(self, job: Any) -> Future[Any]:
        try:
            self._job = self._submitted(job)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False)
            self._open()
            self._job = self._submitted(job)
        return self._job

    def _submitted(self, job: Any) -> Future[Any]:
        if self.process is not None:
            return self._pool.submit(self._function, job)
        others = set(multiprocessing.active_children())
        with _ctrl_c_later():
            future = self._pool.submit(self._function, job)
        self.process = next(iter(set(multiprocessing.active_children()) - others), None)
        return future

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Ctrl-C waits until the block ends; processes that are started in it never get it, not even while they begin."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(processes: list[multiprocessing.process.BaseProcess]) -> None:
    """End worker processes: they put away what they have begun, or are killed."""
    for process in processes:
        process.terminate()
    end = time.monotonic() + _SECONDS_TO_END
    for process in processes:
        process.join(max(0, end - time.monotonic()))
        if process.is_alive():
            process.kill()


def _begin_worker() -> None:
    """A worker leaves Ctrl-C to its parent, ends with it, warns of nothing by itself and uses one thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _put_away)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


def _put_away(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the parent's request and its end are two
    sys.exit(1)  # files that are half written are removed on the way out


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_SECONDS_TO_END)
        os._exit(1)


def _within(function: Function, seconds: float | None, job: Any) -> Any:
    """Do a job; the process ends if that takes longer, whatever it waits for."""
    if seconds is None:
        return function(job)
    faulthandler.dump_traceback_later(seconds, exit=True, file=_nowhere())
    try:
        return function(job)
    finally:
        faulthandler.cancel_dump_traceback_later()


@cache
def _nowhere() -> TextIO:
    return open(os.devnull, "w")  # noqa: PTH123 (open as long as the process)


class DaskCluster:
    """A Dask cluster that runs already; its scheduler does a job again if a worker dies.

    Args:
        function: of a job; can be pickled, as its jobs and results.
        address: of the scheduler, as "tcp://host:8786", or a scheduler file.

    Raises:
        MedNCAError: `distributed` is not installed, there is no scheduler, or its workers lack MedNCA.
    """

    def __init__(self, function: Function, address: str) -> None:
        try:
            import distributed
        except ImportError as error:
            raise MedNCAError("A Dask cluster needs the package distributed: pip install 'mednca[cluster]'.") from error
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._function, self._address = function, address
        where = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
        try:
            self._client = distributed.Client(**where, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise MedNCAError(
                f"There is no Dask scheduler at {address}: {error}. Start it, or check the name."
            ) from error
        self._check_workers()
        self._executor = self._client.get_executor(pure=False)

    def _check_workers(self) -> None:
        try:
            versions = set(self._client.run(_version_here).values())
        except Exception as error:  # whatever the workers raise
            self._client.close(timeout=1)
            raise MedNCAError(
                f"The workers at {self._address} cannot run MedNCA {__version__}: {error}. Install it there."
            ) from error
        if versions - {__version__}:
            self._client.close(timeout=1)
            raise MedNCAError(
                f"The workers at {self._address} have MedNCA {', '.join(sorted(versions))}, and this is {__version__}. "
                "Install the same."
            )

    def __enter__(self) -> DaskCluster:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._executor.shutdown(wait=kind is None)
        self._client.close(timeout=_SECONDS_TO_END)

    def submit(self, job: Any) -> Future[Any]:
        """Begin a job."""
        with self._connection():
            future: Future[Any] = self._executor.submit(self._function, job)
        return future

    def free(self, running: int) -> int:
        """Twice as many as there are threads, so that none waits, and some in any case, so that clusters grow."""
        with self._connection():
            threads = sum(self._client.nthreads().values())
        return max(2 * threads, 8) - running

    def check(self) -> None:
        """Raise an error if the scheduler is gone."""
        if self._client.status != "running":
            raise self._gone()

    @contextmanager
    def _connection(self) -> Iterator[None]:
        """The scheduler may be lost while it is asked for something, too."""
        try:
            yield
        except Exception as error:  # whatever a client raises that has lost it
            raise self._gone() from error

    def _gone(self) -> MedNCAError:
        return MedNCAError(
            f"The Dask scheduler at {self._address} is gone. What is finished is kept: run the command again."
        )


def _version_here() -> str:
    return __version__
