"""Many jobs in worker processes that fail, die and hang: every job has its record, and nothing stops the run."""

import itertools
import os
import signal
import threading
import time
from dataclasses import replace

import pytest
from support.cohort_jobs import as_named, done, jobs_of, write_and_wait
from support.threshold_model import threshold_model

from MedNCALib.cohort import run as cohort_run
from MedNCALib.cohort.executors import ThisProcess, WorkerProcesses, _put_away
from MedNCALib.cohort.record import DONE, read_record
from MedNCALib.cohort.run import TRIES, run_jobs

POSIX = pytest.mark.skipif(os.name != "posix", reason="processes are killed as on POSIX systems")


@pytest.fixture
def jobs(tmp_path):
    folder = threshold_model().save(tmp_path / "threshold").folder

    def jobs(*names, **settings):
        options = {"count": str(tmp_path / "count")}
        return jobs_of([tmp_path / name for name in names], tmp_path / "out", folder, options=options, **settings)

    return jobs


def counted(tmp_path):
    return sorted((tmp_path / "count").read_text(encoding="utf-8").split())


@pytest.mark.parametrize("workers", [ThisProcess, lambda function: WorkerProcesses(function, 2)], ids=["1", "2"])
def test_each_job_is_done_once(jobs, tmp_path, workers):
    names = [f"case{number}" for number in range(5)]
    with workers(done) as running:
        records = {job.name: record for job, record in run_jobs(jobs(*names), running)}
    assert sorted(records) == counted(tmp_path) == names
    assert {record["status"] for record in records.values()} == {DONE}


def test_two_processes_share_the_jobs_and_stay(jobs):
    with WorkerProcesses(done, 2) as workers:
        first = {record["process"] for _, record in run_jobs(jobs("a", "b"), workers)}
        both = first | {record["process"] for _, record in run_jobs(jobs("c", "d", "e"), workers)}
    assert first == both
    assert len(first) == 2
    assert os.getpid() not in both


@POSIX
def test_a_worker_that_dies_costs_its_own_job_two_more_tries_and_no_other_job(jobs, tmp_path):
    with WorkerProcesses(as_named, 2) as workers:
        records = {job.name: record for job, record in run_jobs(jobs("die9", "a", "die2", "b", "fail", "c"), workers)}
    failures = {name: record["error"] for name, record in records.items() if record["status"] != DONE}
    assert set(failures) == {"die9", "fail"}
    assert f"the process that segmented it died, {TRIES} times" in failures["die9"]
    assert "A defect in MedNCA: ValueError: as asked for" in failures["fail"]
    assert counted(tmp_path) == sorted(["a", "b", "c", "fail", *["die2"] * 3, *["die9"] * TRIES])
    assert read_record(tmp_path / "out" / "die9.json")["error"] == failures["die9"]


@POSIX
def test_a_case_that_hangs_is_ended_with_its_process(jobs, tmp_path, monkeypatch):
    monkeypatch.setattr(cohort_run, "TRIES", 1)
    monkeypatch.setattr(cohort_run, "HANG_SECONDS", 0.4)
    with WorkerProcesses(as_named, 1, hang_seconds=2) as workers:
        records = {job.name: record for job, record in run_jobs(jobs("hang", "a", timeout=0.1), workers)}
    assert "it was stopped after 0.1 s" in records["hang"]["error"]
    assert records["a"]["status"] == DONE


def test_no_job_is_begun_after_so_many_failures(jobs, tmp_path):
    every = jobs("a", *["fail"] * 5)
    with ThisProcess(as_named) as workers:
        records = [record for _, record in run_jobs(every, workers, max_failures=2)]
    assert len(records) == 3
    assert counted(tmp_path) == ["a", "fail", "fail"]


def test_jobs_are_taken_as_workers_are_free(jobs):
    (job,) = jobs("a")
    taken = itertools.count()
    endless = (replace(job, name=f"a{next(taken)}") for _ in itertools.count())
    with ThisProcess(done) as workers:
        records = list(itertools.islice(run_jobs(endless, workers), 10))
    assert len(records) == 10
    assert next(taken) <= 12


@pytest.fixture
def ctrl_c():
    """Ctrl-C interrupts, though the tests may run as a background job, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@POSIX
@pytest.mark.usefixtures("ctrl_c")
def test_what_a_stopped_worker_has_begun_is_put_away(jobs, tmp_path):
    """As with Ctrl-C: the run ends although a worker would wait for long, and leaves whole files or none."""
    (tmp_path / "out").mkdir()

    def stop_when_half_written():
        while not (tmp_path / "count").exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    stopper = threading.Thread(target=stop_when_half_written)
    stopper.start()
    with pytest.raises(KeyboardInterrupt), WorkerProcesses(write_and_wait, 1) as workers:
        list(run_jobs(jobs("wait"), workers))
    stopper.join()
    assert list((tmp_path / "out").iterdir()) == []


@POSIX
def test_a_worker_that_puts_away_its_files_is_not_disturbed_again():
    before = signal.signal(signal.SIGTERM, _put_away)
    try:
        with pytest.raises(SystemExit):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
