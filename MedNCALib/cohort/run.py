"""Many jobs, a bounded number of them at a time, whatever happens to the workers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice

from ..errors import MedNCAError, failure_text
from .case import keep_failure, time_is_over
from .executors import Workers
from .job import Job
from .record import FAILED, Record, failed

TRIES = 3  # of a job whose worker dies
HANG_SECONDS = 5.0  # beyond its timeout after which a case is taken to hang
_CHECKED_EVERY = 1.0


@dataclass(frozen=True)
class _Running:
    job: Job
    tries: int
    since: float


def run_jobs(jobs: Iterable[Job], workers: Workers, max_failures: int | None = None) -> Iterator[tuple[Job, Record]]:
    """Do jobs and give the record of each as it is finished.

    Args:
        jobs: may be many: they are taken as workers are free.
        workers: of `segment_case`.
        max_failures: after so many no job is begun any more; None for any number.

    Raises:
        MedNCAError: the workers are gone.
    """
    left, running, failures = iter(jobs), dict[Future[Record], _Running](), 0
    while True:
        enough = max_failures is not None and failures >= max_failures
        for job in islice(left, 0 if enough else max(0, workers.free(len(running)))):
            running[workers.submit(job)] = _Running(job, 1, time.monotonic())
        if not running:
            return
        finished, _ = wait(running, _CHECKED_EVERY, FIRST_COMPLETED)
        if not finished:
            workers.check()
        for future in finished:
            now = running.pop(future)
            record = _record_of(future, now, workers)
            if record is None:
                running[workers.submit(now.job)] = _Running(now.job, now.tries + 1, time.monotonic())
                continue
            failures += record["status"] == FAILED
            yield now.job, record


def _record_of(future: Future[Record], running: _Running, workers: Workers) -> Record | None:
    """What came of a job; None if it is to be tried again."""
    try:
        return future.result()
    except BrokenProcessPool:
        if running.tries < TRIES:
            return None
        error = f"{running.job.image}: {_how_it_died(running)}"
    except CancelledError as gone:
        workers.check()
        error = f"{running.job.image}: it was cancelled ({gone})."
    except MedNCAError as known:
        error = failure_text(known)
    except Exception as defect:
        error = f"{running.job.image}: {failure_text(defect)}"
    record = failed(running.job, error)
    keep_failure(running.job, record)
    return record


def _how_it_died(running: _Running) -> str:
    timeout = running.job.settings.timeout
    if timeout is not None and time.monotonic() - running.since > timeout + HANG_SECONDS:
        return time_is_over(timeout)
    return (
        f"the process that segmented it died, {TRIES} times. Look for a lack of memory, try fewer --jobs, or leave the "
        "image out."
    )
