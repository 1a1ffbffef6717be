"""A real Dask scheduler and two worker processes on this machine: the same as without, and they may die."""

import csv
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from support.cohort_jobs import write_broken_cases, write_cases
from support.command_line import refused
from support.packages import needs
from support.shared_data import REPOSITORY

from MedNCALib.cli.main import main

pytestmark = needs("distributed", reason="needs distributed")

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
WAIT_SECONDS = 180  # on a busy machine a worker takes long to start


class Cluster:
    """A scheduler and workers, each a process of its own, which live on from test to test: they take long to start."""

    def __init__(self, folder):
        self.file = folder / "scheduler.json"
        self.processes, self.workers = [], []
        self.scheduler = None

    def with_workers(self, count):
        """Have the scheduler and at least so many workers run; the workers."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            self.close()
            self.file.unlink(missing_ok=True)
            self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
            wait_for(self.file.exists)
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        self.workers += [
            self._start("worker", "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1")
            for _ in range(count - len(self.workers))
        ]
        return self.workers

    def _start(self, *arguments):
        options = ["--no-dashboard", "--scheduler-file", str(self.file)]
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments, *options],
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def close(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        self.processes, self.workers = [], []


def wait_for(condition):
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [{key: value for key, value in row.items() if key not in ("seconds", "segmentation")} for row in rows]


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "MedNCALib", *map(str, arguments)],
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_cluster_gives_the_table_of_a_run_on_this_machine(cluster, model_folder, tmp_path):
    cluster.with_workers(2)
    images = write_cases(tmp_path / "in", 4)
    write_broken_cases(images, 2)
    for name, options in (("a", ["--dask", cluster.file]), ("b", [])):
        command = ["segment", images, "-m", model_folder, "-o", tmp_path / name, "--table", tmp_path / f"{name}.tsv"]
        assert main([str(word) for word in (*command, *options)]) == 1
    assert table(tmp_path / "a.tsv") == table(tmp_path / "b.tsv")
    for path in (tmp_path / "a").glob("*.nrrd"):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_a_worker_that_is_killed_costs_no_case(cluster, model_folder, tmp_path):
    worker, *_ = cluster.with_workers(2)
    images = write_cases(tmp_path / "in", 8, size=(40, 40, 40))
    process = start("segment", images, "-m", model_folder, "-o", tmp_path / "out", "--dask", cluster.file)
    wait_for(lambda: len(list(tmp_path.glob("out/*.json"))) >= 2)
    worker.send_signal(signal.SIGKILL)
    assert process.communicate(timeout=WAIT_SECONDS)[1] == ""
    assert process.returncode == 0
    assert len(list((tmp_path / "out").glob("*.json"))) == 8


def test_without_its_scheduler_a_run_ends_in_a_line_and_a_second_one_goes_on(cluster, model_folder, tmp_path, capsys):
    cluster.with_workers(1)
    images = write_cases(tmp_path / "in", 16, size=(40, 40, 40))  # enough that some are left
    command = ["segment", images, "-m", model_folder, "-o", tmp_path / "out"]
    log = tmp_path / "log.jsonl"
    process = start(*command, "--dask", cluster.file, "--log", log)
    wait_for(lambda: log.is_file() and len(log.read_text("utf-8").splitlines()) >= 2)  # it knows that they are done
    cluster.scheduler.kill()
    said = process.communicate(timeout=WAIT_SECONDS)[1]
    assert process.returncode == 1
    assert re.fullmatch(r"mednca: The Dask scheduler at .* is gone\. .*\n", said)
    assert main([*map(str, command), "--existing", "skip"]) == 0
    assert re.search(r"16 done, ([2-9]|1\d) of them before, 0 failed", capsys.readouterr().out)


def test_a_scheduler_that_is_not_there_is_one_line(model_folder, volume_file, tmp_path, capsys, monkeypatch):
    from MedNCALib.cohort import executors

    monkeypatch.setattr(executors, "_SECONDS_TO_CONNECT", 0.5)
    command = ["segment", volume_file, "-m", model_folder, "-o", tmp_path / "out", "--dask", "tcp://127.0.0.1:9"]
    assert "There is no Dask scheduler at tcp://127.0.0.1:9" in refused(capsys, *command)
