"""Many cases: where and how they run, what is said of them, and what is written when they are done."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ...errors import MedNCAError, all_failed
from ..exit_codes import DONE, SOME_FAILED
from ..streams import print_above_bar, print_message, print_warnings
from .json_output import require_folder
from .progress import ProgressBar

if TYPE_CHECKING:
    from ...cohort.executors import Workers
    from ...cohort.job import Job
    from ...cohort.record import Record
    from ...model.model import Model

SKIP, REDO, FAIL = "skip", "redo", "fail"

# Keys of a record that are the summary of a segmentation.
_SUMMARY = (
    "input", "model", "model_sha256", "version", "seed", "passes", "protocol", "segmentation", "probabilities",
    "uncertainty", "seconds", "volumes_ml", "found", "brain_ml", "notes", "quality", "measurements", "stress",
)  # fmt: skip


def add_execution_options(parser: ArgumentParser) -> None:
    """Options of a cohort."""
    group = parser.add_argument_group(
        "many cases", "with any of these, a record (JSON) of each case is written beside its results"
    )
    where = group.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=int, metavar="N", help="number of cases at a time, each in a process of its own")
    where.add_argument(
        "--dask", metavar="ADDRESS", help="scheduler of a Dask cluster that runs already, or its scheduler file"
    )
    group.add_argument(
        "--shard",
        metavar="I/N",
        help="only the I-th of N parts of the cases; auto in a job array of SLURM, SGE or LSF, auto/N in one of PBS",
    )
    group.add_argument(
        "--existing",
        choices=(SKIP, REDO, FAIL),
        help="what to do with a case whose results are there: skip it if input, model and options are the same "
        "(default), redo it, or fail",
    )
    group.add_argument("--max-failures", type=int, metavar="N", help="begin no case any more after N have failed")
    group.add_argument("--timeout", type=float, metavar="S", help="stop a case after S seconds")
    group.add_argument("--table", type=Path, metavar="FILE", help="write a table of all cases (.tsv)")
    group.add_argument("--report", type=Path, metavar="FILE", help="write a page with pictures of all cases (.html)")
    group.add_argument("--dry-run", action="store_true", help="only list what would be done")
    group.add_argument("--log", type=Path, metavar="FILE", help="append a line for each case")


def is_cohort(options: Namespace) -> bool:
    """Whether an option of a cohort was given."""
    names = ("jobs", "dask", "shard", "existing", "max_failures", "timeout", "table", "report", "dry_run", "log")
    return any(getattr(options, name) not in (None, False) for name in names)


def check_execution(options: Namespace) -> None:
    """Refuse values that make no sense and places that cannot be written to, before the work."""
    for name, least in (("jobs", 1), ("max_failures", 1)):
        value = getattr(options, name)
        if value is not None and value < least:
            raise MedNCAError(f"--{name.replace('_', '-')} must be at least {least}, not {value}.")
    if options.timeout is not None and not options.timeout > 0:
        raise MedNCAError(f"--timeout must be more than 0 seconds, not {options.timeout:g}.")
    for file in filter(None, (options.table, options.report, options.log)):
        require_folder(file)


def in_shard(options: Namespace, jobs: Sequence[Job]) -> Sequence[Job]:
    """The jobs of this process: all of them, or those of its shard."""
    from ...cohort.inputs import shard, shard_of

    return jobs if options.shard is None else shard(jobs, *shard_of(options.shard))


def threads_of(options: Namespace) -> int | None:
    """Threads of a case: as given, or one if other cases run beside it."""
    beside = options.jobs is not None or options.dask is not None
    return 1 if options.threads is None and beside else options.threads


def execute(jobs: Sequence[Job], model: Model, options: Namespace) -> int:
    """Do the jobs, say what came of each, and write table and report; the exit code."""
    if options.dry_run:
        _list(jobs, options)
        return DONE
    tally = _Tally(jobs, model, options)
    try:
        with ExitStack() as stack:
            bar = stack.enter_context(ProgressBar())
            tally.log = stack.enter_context(_opened(options.log)) if options.log else None
            workers = stack.enter_context(_workers(options, tally, bar))
            from ...cohort.run import run_jobs

            for job, record in run_jobs(tally.left_to_do(), workers, options.max_failures):
                tally.add(job, record)
                bar.show(tally.finished / len(jobs), tally.progress)
    except MedNCAError as error:  # the workers are gone
        if not tally.done:
            raise
        print_message(str(error))
        return SOME_FAILED
    finally:  # what is finished is said if the rest is stopped, too
        if options.json and tally.summaries:
            print(json.dumps(tally.summaries, indent=2))
    tally.write_table_and_report()
    return tally.end()


def _workers(options: Namespace, tally: _Tally, bar: ProgressBar) -> Workers:
    from ...cohort.case import segment_case
    from ...cohort.executors import DaskCluster, ThisProcess, WorkerProcesses
    from ...cohort.run import HANG_SECONDS

    if options.dask is not None:
        return DaskCluster(segment_case, options.dask)
    if options.jobs is not None:
        hang_seconds = None if options.timeout is None else options.timeout + HANG_SECONDS
        return WorkerProcesses(segment_case, options.jobs, hang_seconds)

    def show(done: float, text: str) -> None:
        bar.show((tally.finished + done) / len(tally.jobs), text)

    return ThisProcess(partial(segment_case, progress=show, model=tally.model))


def _opened(path: Path) -> TextIO:
    return path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)


@dataclass
class _Tally:
    """Counts the cases and says what came of each."""

    jobs: Sequence[Job]
    model: Model
    options: Namespace
    log: TextIO | None = None
    done: int = 0
    skipped: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    summaries: list[dict[str, Any]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @property
    def keeps_records(self) -> bool:
        """Whether these are the cases of a cohort."""
        return all(job.settings.keep_record for job in self.jobs[:1])

    @property
    def finished(self) -> int:
        return self.done + self.skipped + len(self.failures)

    @property
    def progress(self) -> str:
        """Done, failed, left, and how many a minute."""
        minutes = (time.monotonic() - self.started) / 60
        rate = (self.finished - self.skipped) / minutes if minutes else 0
        left = len(self.jobs) - self.finished
        return f"{self.done + self.skipped} done, {len(self.failures)} failed, {left} left, {rate:.3g} a minute"

    def left_to_do(self) -> Iterator[Job]:
        """The jobs without those that are to be skipped or refused since their results are there."""
        from ...cohort.record import is_done

        existing = self.options.existing or SKIP
        for job in self.jobs:
            if existing == FAIL and _is_there(job):
                self._fail(job, f"{job.file('')}: there are results already. Choose another folder.")
            elif existing == SKIP and job.settings.keep_record and is_done(job):
                self.skipped += 1
                self._note("skipped", job, "")
            else:
                yield job

    def add(self, job: Job, record: Record) -> None:
        """Count a case and say what came of it."""
        if record["error"]:  # and no word on what else there is to say of this image
            self._fail(job, record["error"])
            return
        from ...model.licence import licence_note

        print_warnings([None if self.done else licence_note(self.model), *record["warnings"]], ())
        summary = {**{key: record[key] for key in _SUMMARY}, **record.get("sequence", {})}
        self.done += 1
        self._note("done", job, f"{record['seconds']:.2f} s")
        if self.options.json:
            self.summaries.append(summary)
        else:
            for line in _lines(summary):
                print_above_bar(line, sys.stdout)

    def _fail(self, job: Job, error: str) -> None:
        self.failures[job.name] = error
        self._note("failed", job, error)

    def _note(self, status: str, job: Job, text: str) -> None:
        if self.log:
            cells = (time.strftime("%Y-%m-%dT%H:%M:%S"), status, job.name, text)
            self.log.write("\t".join(" ".join(cell.split()) for cell in cells) + "\n")

    def write_table_and_report(self) -> None:
        """Write what was asked for, of all jobs that have ended, now or before."""
        if not (self.options.table or self.options.report):
            return
        from ...cohort.report import write_report
        from ...cohort.table import write_table

        if self.options.table:
            write_table(self.options.table, (record for _, record in self._records()))
        if self.options.report:
            write_report(self.options.report, list(self._records()), f"MedNCA, {self.model.title}")

    def _records(self) -> Iterator[tuple[Path, Record]]:
        from ...cohort.record import failed, read_record

        for job in self.jobs:
            record = read_record(job.record)
            if record is None and job.name in self.failures:  # the disk did not take it
                record = failed(job, self.failures[job.name])
            if record is not None:
                yield job.record, record

    def end(self) -> int:
        """Say what failed and how many are done; the exit code."""
        if self.failures and not (self.done or self.skipped):
            raise all_failed(list(self.failures.values()))
        for failure in self.failures.values():
            print_message(failure)
        left = len(self.jobs) - self.finished
        if left:
            print_message(f"{left} cases are left after {len(self.failures)} failures. Run the command again to go on.")
        if self.keeps_records and not self.options.json:
            before = f", {self.skipped} of them before" if self.skipped else ""
            print(f"{self.done + self.skipped} done{before}, {len(self.failures)} failed.")
        return SOME_FAILED if self.failures else DONE


def _list(jobs: Sequence[Job], options: Namespace) -> None:
    """Print what would be done with each case."""
    from ...cohort.job import FORMATS
    from ...cohort.record import is_done

    existing = options.existing or SKIP
    for job in jobs:
        state = "to do"
        if not os.path.exists(job.image):  # noqa: PTH110 (as in `read_image`)
            state = "missing"
        elif existing == SKIP and is_done(job):
            state = "done before"
        elif existing == FAIL and _is_there(job):
            state = "there already"
        print(f"{state}: {job.image} -> {job.file(FORMATS[job.settings.formats[0]])}")


def _is_there(job: Job) -> bool:
    from ...cohort.job import FORMATS

    return job.record.exists() or any(job.file(FORMATS[name]).exists() for name in job.settings.formats)


def _lines(summary: dict[str, Any]) -> Iterator[str]:
    if "frames" in summary:
        yield _sequence_line(summary)
        return
    volumes = ", ".join(f"{name} {volume:.2f} mL" for name, volume in summary["volumes_ml"].items())
    verdict = summary["quality"]["verdict"]
    protocol = f"protocol {summary['protocol']}" if summary["protocol"] else None
    brain = f"brain {summary['brain_ml']:.0f} mL" if summary["brain_ml"] else None
    said = [volumes, *filter(None, (brain,)), f"{summary['seconds']:.1f} s", *filter(None, (protocol, verdict))]
    yield f"{summary['segmentation']}: {'; '.join(said)}"
    if summary["stress"]:
        yield f"{summary['stress']['table']}: {summary['stress']['sentence']}"


def _sequence_line(summary: dict[str, Any]) -> str:
    said = [f"{len(summary['frames'])} frames by {summary['sorted_by']}"]
    if "edv_ml" in summary:
        said += [f"EDV {summary['edv_ml']:.1f} mL (frame {summary['ed_frame'] + 1})"]
        said += [f"ESV {summary['esv_ml']:.1f} mL (frame {summary['es_frame'] + 1})"]
        if summary["ejection_fraction"] is not None:
            said += [f"ejection fraction {summary['ejection_fraction']:.1f} %"]
    said += [f"{summary['seconds']:.1f} s"]
    return f"{summary['segmentation']}: {'; '.join(said)}"
