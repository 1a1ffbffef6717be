"""When a case counts as done, and what its record says."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from support.cohort_jobs import jobs_of, same_but_for_time, write_cases
from support.threshold_model import threshold_model

from MedNCALib.cohort.case import segment_case
from MedNCALib.cohort.record import DONE, FAILED, find_records, is_done, read_record

SETTINGS = {"options": {"runs": 2, "seed": 3}, "formats": ("seg.nrrd", "nii.gz"), "picture": True}


@pytest.fixture
def job(tmp_path):
    model = threshold_model().save(tmp_path / "threshold").folder
    (image,) = write_cases(tmp_path / "in", 1).iterdir()
    return jobs_of([image], tmp_path / "out", model, **SETTINGS)[0]


def test_a_record_says_what_was_done_with_what_and_what_came_of_it(job):
    record = segment_case(job)
    assert read_record(job.record) == record
    assert record["status"] == DONE
    assert record["input"] == job.image
    assert record["input_bytes"] == Path(job.image).stat().st_size
    assert (record["seed"], record["passes"], record["quality"]["runs"]) == (3, 2, 2)
    assert record["model_sha256"] == job.settings.model_sha256
    assert record["labels"] == {"medium": {"value": 1, "color": "#e69f00"}, "bright": {"value": 2, "color": "#56b4e9"}}
    folder = job.record.parent
    assert record["files"] == {path.name: path.stat().st_size for path in folder.iterdir() if path != job.record}
    assert {path.suffix for path in folder.iterdir()} == {".nrrd", ".gz", ".tsv", ".jpg", ".json"}
    assert job.file(".tsv").read_text(encoding="utf-8") == (
        "index\tname\tcolor\n1\tmedium\t#e69f00\n2\tbright\t#56b4e9\n"
    )


def test_a_case_is_done_if_input_model_and_options_are_the_same_and_the_files_whole(job, tmp_path):
    assert not is_done(job)
    segment_case(job)
    assert is_done(job)
    assert is_done(replace(job, settings=replace(job.settings, options={**job.settings.options, "threads": 1})))
    assert not is_done(replace(job, settings=replace(job.settings, options={**job.settings.options, "seed": 4})))
    assert not is_done(replace(job, settings=replace(job.settings, model_sha256="0" * 64)))
    assert not is_done(replace(job, settings=replace(job.settings, reading={"axes": "RAS"})))
    os.truncate(job.file(".nii.gz"), 20)
    assert not is_done(job)
    segment_case(job)
    os.utime(job.image, (0, 0))
    assert not is_done(job)
    segment_case(job)
    assert is_done(job)
    shutil.move(job.image, tmp_path / "elsewhere")
    assert not is_done(job)


def test_a_case_that_fails_has_a_record_and_is_not_done(job):
    os.truncate(job.image, 100)
    record = segment_case(job)
    assert (record["status"], read_record(job.record)) == (FAILED, record)
    assert job.image in record["error"]
    assert not is_done(job)


def test_the_record_of_older_results_goes_before_they_are_replaced(job, monkeypatch):
    from MedNCALib.cohort import volume_case

    segment_case(job)

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(volume_case, "write_segmentation", killed)
    with pytest.raises(KeyboardInterrupt):
        segment_case(job)
    assert read_record(job.record) is None


def test_a_json_file_that_is_no_record_is_none(job, tmp_path):
    for number, text in enumerate(['{"a": 1}', "[]", "nonsense", '{"mednca_record": 99}', '{"mednca_record": 1', ""]):
        (tmp_path / f"{number}.json").write_text(text, encoding="utf-8")
        assert read_record(tmp_path / f"{number}.json") is None
    segment_case(job)
    assert [path for path, _ in find_records(tmp_path)] == [job.record]


def test_results_do_not_depend_on_the_process(job, tmp_path):
    from MedNCALib.cohort.executors import WorkerProcesses
    from MedNCALib.cohort.run import run_jobs

    here = segment_case(job)
    files = {path.name: path.read_bytes() for path in job.record.parent.iterdir() if path.suffix != ".json"}
    with WorkerProcesses(segment_case, 1) as workers:
        ((_, there),) = run_jobs([job], workers)
    assert same_but_for_time(here) == same_but_for_time(there)
    assert files == {path.name: path.read_bytes() for path in job.record.parent.iterdir() if path.suffix != ".json"}


def test_a_model_that_is_another_one_where_the_case_runs_is_refused(job):
    record = segment_case(replace(job, settings=replace(job.settings, model_sha256="0" * 64)))
    assert "is another one here" in record["error"]


def test_a_case_is_stopped_at_its_next_step_if_its_time_is_over(job):
    record = segment_case(replace(job, settings=replace(job.settings, timeout=1e-9)))
    assert record["error"] == f"{job.image}: it was stopped after 1e-09 s. Give it more time, or choose a region."
