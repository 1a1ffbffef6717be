"""mednca segment for many cases, and mednca collect: folders, lists, broken cases, resuming, tables."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
from support.cohort_jobs import write_broken_cases, write_cases
from support.command_line import mednca, refused
from support.shared_data import REPOSITORY

from MedNCALib.cli.main import main
from MedNCALib.cohort.record import find_records

POSIX = pytest.mark.skipif(os.name != "posix", reason="processes are killed as on POSIX systems")


@pytest.fixture
def mixed(tmp_path):
    """A folder with six cases of which two are broken."""
    write_cases(tmp_path / "in", 4)
    write_broken_cases(tmp_path / "in", 2)
    return tmp_path / "in"


def run(*arguments):
    return main([str(argument) for argument in arguments])


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def without_time(path):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows(path)]


def log(path, status):
    lines = path.read_text(encoding="utf-8").splitlines()
    return sorted(line.split("\t")[2] for line in lines if line.split("\t")[1] == status)


def test_a_folder_goes_through_past_its_broken_cases(mixed, model_folder, tmp_path, capsys):
    out, table = tmp_path / "out", tmp_path / "table.tsv"
    assert run("segment", mixed, "-m", model_folder, "-o", out, "--table", table, "--log", tmp_path / "log") == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == "4 done, 2 failed."
    assert len(printed.err.splitlines()) == 2
    assert [row["status"] for row in rows(table)] == ["failed"] * 2 + ["done"] * 4
    assert log(tmp_path / "log", "done") == [f"case{number:03d}" for number in range(4)]
    assert log(tmp_path / "log", "failed") == ["broken00-empty", "broken01-cut"]
    assert run("collect", out, "--table", tmp_path / "collected.tsv") == 0
    assert without_time(tmp_path / "collected.tsv") == without_time(table)


def test_the_number_of_jobs_changes_no_byte(mixed, model_folder, tmp_path):
    for name, options in (("one", []), ("two", ["--jobs", "2"])):
        out = tmp_path / name / "out"
        out.parent.mkdir()
        table = ["--table", tmp_path / f"{name}.tsv"]
        assert run("segment", mixed, "-m", model_folder, "-o", out, *options, *table) == 1
    ones, twos = (
        {path.name: path.read_bytes() for path in (tmp_path / name / "out").glob("*.nrrd")} for name in ("one", "two")
    )
    assert len(ones) == 4
    assert ones == twos
    texts = [
        (tmp_path / f"{name}.tsv").read_text(encoding="utf-8").replace(f"/{name}/", "/x/") for name in ("one", "two")
    ]
    for name, text in zip(("one", "two"), texts):
        (tmp_path / f"{name}.tsv").write_text(text, encoding="utf-8")
    assert without_time(tmp_path / "one.tsv") == without_time(tmp_path / "two.tsv")


def test_a_second_run_does_only_what_is_not_done(mixed, model_folder, tmp_path, capsys):
    command = ["segment", mixed, "-m", model_folder, "-o", tmp_path / "out"]
    assert run(*command, "--existing", "skip") == 1
    capsys.readouterr()
    (tmp_path / "out" / "case001_threshold.seg.nrrd").write_bytes(b"cut short")
    assert run(*command, "--log", tmp_path / "log") == 1
    assert "4 done, 3 of them before, 2 failed." in capsys.readouterr().out
    assert log(tmp_path / "log", "done") == ["case001"]
    assert run(*command, "--log", tmp_path / "redone", "--existing", "redo") == 1
    assert len(log(tmp_path / "redone", "done")) == 4
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    capsys.readouterr()
    assert "None of the 6 cases is done" in refused(capsys, *command, "--existing", "fail")
    assert before == {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}


@POSIX
def test_a_run_that_was_killed_goes_on_where_it_ended(model_folder, tmp_path):
    images = write_cases(tmp_path / "in", 24, size=(40, 40, 40))
    command = ["segment", images, "-m", model_folder, "-o", tmp_path / "out", "--jobs", "2", "--table", "t.tsv"]
    process = subprocess.Popen(
        [sys.executable, "-m", "MedNCALib", *map(str, command)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
    )
    while len(list(tmp_path.glob("out/*.json"))) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = {record["case"]: path.stat().st_mtime_ns for path, record in find_records(tmp_path / "out")}
    assert 2 <= len(finished) < 24
    command = ["segment", images, "-m", model_folder]  # the number of jobs changes nothing, and its processes take long
    assert run(*command, "-o", tmp_path / "out", "--table", tmp_path / "t.tsv", "--log", tmp_path / "log") == 0
    now = {record["case"]: path.stat().st_mtime_ns for path, record in find_records(tmp_path / "out")}
    assert {name: now[name] for name in finished} == finished
    assert set(finished) <= set(log(tmp_path / "log", "skipped"))
    other = tmp_path / "other"
    assert run(*command, "-o", other, "--table", other.with_suffix(".tsv")) == 0
    assert [row["volume_ml"] for row in rows(tmp_path / "t.tsv")] == [
        row["volume_ml"] for row in rows(other.with_suffix(".tsv"))
    ]
    assert len(rows(tmp_path / "t.tsv")) == 24


@POSIX
@pytest.mark.parametrize("seconds", [0.1, 0.3, None])
def test_ctrl_c_keeps_what_is_finished_and_leaves_no_half_file(model_folder, tmp_path, seconds):
    """Soon after the first worker has begun, when it reads its modules, or with two cases finished."""
    images = write_cases(tmp_path / "in", 24, size=(40, 40, 40))
    command = ["segment", images, "-m", model_folder, "-o", tmp_path / "out", "--jobs", "2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "MedNCALib", *map(str, command)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Children of a background job ignore Ctrl-C.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no threads here)
    )
    begun = ["pgrep", "-f", "-P", str(process.pid), "spawn_main"]
    while subprocess.run(begun, check=False).returncode or (
        seconds is None and len(list(tmp_path.glob("out/*.json"))) < 2
    ):
        assert process.poll() is None
        time.sleep(0.02)
    time.sleep(seconds or 0)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers, too
    assert process.communicate(timeout=300)[1] == "mednca: stopped.\n"
    assert process.returncode == 130
    names = [path.name for path in (tmp_path / "out").iterdir()]
    assert all(re.fullmatch(r"case\d+_threshold\.(json|seg\.nrrd)", name) for name in names)
    assert all(record["status"] == "done" for _, record in find_records(tmp_path / "out"))


def test_a_list_may_name_images_that_are_missing(model_folder, tmp_path, capsys):
    images = sorted(write_cases(tmp_path / "in", 2).iterdir())
    listed = tmp_path / "list.txt"
    listed.write_text(
        f"# cases\n{images[0]}\n{tmp_path / 'missing.nii'}\n\n{images[1]}\n{images[0]}\n", encoding="utf-8"
    )
    assert run("segment", "--list", listed, "-m", model_folder, "-o", tmp_path / "out") == 1
    printed = capsys.readouterr()
    assert "2 done, 1 failed." in printed.out
    assert "There is no file or folder" in printed.err


def test_folders_are_made_as_they_lie_if_two_images_have_one_name(model_folder, tmp_path):
    for name in ("a", "b/c"):
        write_cases(tmp_path / "in" / name, 1)
    assert run("segment", tmp_path / "in", "--recursive", "-m", model_folder, "-o", tmp_path / "out") == 0
    written = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.nrrd"))
    assert written == ["a/case000_threshold.seg.nrrd", "b/c/case000_threshold.seg.nrrd"]


def test_shards_share_the_cases(model_folder, tmp_path, monkeypatch):
    images = write_cases(tmp_path / "in", 5)
    command = ["segment", images, "-m", model_folder, "-o", tmp_path / "out", "--shard"]
    assert run(*command, "1/2") == 0
    assert len(list((tmp_path / "out").glob("*.seg.nrrd"))) == 3
    for name, value in (("ID", "2"), ("MIN", "1"), ("MAX", "2")):
        monkeypatch.setenv(f"SLURM_ARRAY_TASK_{name}", value)
    assert run(*command, "auto") == 0
    assert len(list((tmp_path / "out").glob("*.seg.nrrd"))) == 5


def test_a_dry_run_says_what_would_be_done_and_does_nothing(mixed, model_folder, tmp_path, capsys):
    command = ["segment", mixed, tmp_path / "missing.nii", "-m", model_folder, "-o", tmp_path / "out", "--dry-run"]
    assert run(*command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert [line.split(":")[0] for line in lines] == ["to do"] * 6 + ["missing"]
    assert not (tmp_path / "out").exists()


def test_no_case_is_begun_after_too_many_failures(model_folder, tmp_path, capsys):
    images = write_broken_cases(tmp_path / "in", 4)
    write_cases(tmp_path / "in" / "a", 1)
    images = [*sorted((tmp_path / "in" / "a").iterdir()), *sorted((tmp_path / "in").glob("broken*"))]
    command = ["segment", *images, "-m", model_folder, "-o", tmp_path / "out", "--max-failures", "2"]
    assert run(*command) == 1
    assert "2 cases are left after 2 failures." in capsys.readouterr().err


def test_formats_are_written_as_they_are_asked_for(model_folder, volume_file, tmp_path, capsys):
    formats = ["--format", "nii.gz", "seg.nrrd"]
    assert run("segment", volume_file, "-m", model_folder, "-o", tmp_path / "out", *formats) == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["scan_threshold.nii.gz", "scan_threshold.seg.nrrd", "scan_threshold.tsv"]
    assert "scan_threshold.nii.gz: medium" in capsys.readouterr().out


def test_dicom_seg_without_its_package_is_refused_before_the_work(
    model_folder, volume_file, tmp_path, capsys, monkeypatch
):
    from MedNCALib.io import dicom_seg

    monkeypatch.setattr(dicom_seg, "find_spec", lambda name: None)
    command = ["segment", volume_file, "-m", model_folder, "-o", tmp_path / "out", "--format", "dicom-seg"]
    assert "needs the package highdicom" in refused(capsys, *command)
    assert not (tmp_path / "out").exists()


def test_the_least_sure_cases_are_printed(model_folder, tmp_path, capsys):
    images = write_cases(tmp_path / "in", 3)
    write_broken_cases(images, 1)
    out = tmp_path / "out"
    assert run("segment", images, "-m", model_folder, "-o", out, "--runs", "2", "--report", tmp_path / "r.html") == 1
    assert (tmp_path / "r.html").is_file()
    assert len(list(out.glob("*.jpg"))) == 3
    capsys.readouterr()
    assert run("collect", out, "--least-sure", "2", "--report", tmp_path / "again.html") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("broken00-empty\tfailed")
    assert run("collect", out) == 0
    assert capsys.readouterr().out.startswith("3 done, 1 failed.\nbroken00-empty: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--jobs", "0"], "--jobs must be at least 1"),
        (["--jobs", "2", "--dask", "tcp://127.0.0.1:1"], "not allowed with"),
        (["--timeout", "0"], "--timeout must be more than 0"),
        (["--max-failures", "0"], "--max-failures must be at least 1"),
        (["--table", "nowhere/t.tsv"], "There is no folder nowhere"),
        (["--shard", "5/4"], "numbered from 1"),
        (["--pattern", "*.none"], "There are no volumes"),
        (["--format", "png"], "--format"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_the_work(
    mixed, model_folder, tmp_path, capsys, arguments, message
):
    assert message in refused(capsys, "segment", mixed, "-m", model_folder, "-o", tmp_path / "out", *arguments)
    assert not (tmp_path / "out").exists()


def test_nothing_to_segment_and_nothing_to_collect_are_one_line(model_folder, tmp_path, capsys):
    assert "There is no image to segment" in refused(capsys, "segment", "-m", model_folder, "-o", tmp_path)
    assert "holds no records" in refused(capsys, "collect", tmp_path)
    assert "There is no folder" in refused(capsys, "collect", tmp_path / "missing")


def test_a_full_disk_costs_what_does_not_fit_and_no_more(mixed, model_folder, tmp_path, capsys, monkeypatch):
    from MedNCALib import atomic_write

    flush = atomic_write._flushed_size

    def full(path):
        if "case001" in path.name:
            raise OSError(28, "No space left on device")
        return flush(path)

    monkeypatch.setattr(atomic_write, "_flushed_size", full)
    table = tmp_path / "t.tsv"
    assert run("segment", mixed, "-m", model_folder, "-o", tmp_path / "out", "--table", table) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert [row["status"] for row in rows(table)].count("done") == 3
    assert "No space left" in next(row for row in rows(table) if row["case"] == "case001")["error"]
    assert [path.name for path in (tmp_path / "out").iterdir() if "case001" in path.name] == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' file names are text")
def test_names_may_have_any_bytes(model_folder, tmp_path, capsys):
    images = write_cases(tmp_path / "in", 2)
    odd = images / os.fsdecode(b"c\xff\tas\ne<b>.nrrd")
    sorted(images.iterdir())[0].rename(odd)
    command = ["segment", images, "-m", model_folder, "-o", tmp_path / "out", "--jobs", "1", "--log", tmp_path / "log"]
    ended = mednca(*command, "--table", tmp_path / "t.tsv", "--report", tmp_path / "r.html")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert b"c\xff\tas\ne<b>_threshold.seg.nrrd" in [os.fsencode(path.name) for path in (tmp_path / "out").iterdir()]
    assert len(rows(tmp_path / "t.tsv")) == 2
    assert len((tmp_path / "log").read_text(encoding="utf-8").splitlines()) == 2
    assert "e<b>" not in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert run(*command) == 0
    assert "2 done, 2 of them before, 0 failed." in capsys.readouterr().out
