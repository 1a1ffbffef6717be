"""A file is replaced by a whole one or stays as it was, whatever goes wrong while it is written."""

import errno
import os
import shutil
from pathlib import Path

import pytest
from support.command_line import python

from MedNCALib.atomic_write import written_whole
from MedNCALib.errors import MedNCAError


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    return path


def is_untouched(path):
    return path.read_text() == "old" and os.listdir(path.parent) == [path.name]


def test_a_file_is_replaced_when_the_block_ends(old):
    with written_whole(old) as beside:
        beside.write_text("new")
        assert old.read_text() == "old"
        assert beside.name == old.name
    assert old.read_text() == "new"
    assert os.listdir(old.parent) == [old.name]


@pytest.mark.parametrize(("of", "name"), [(shutil, "rmtree"), (Path, "mkdir")])
def test_a_signal_while_the_folder_comes_or_goes_leaves_nothing(old, monkeypatch, of, name):
    real, stops = getattr(of, name), [SystemExit(1)]

    def stopped_once(*arguments, **options):
        if name == "mkdir" or not stops:
            real(*arguments, **options)
        if stops:
            raise stops.pop()

    monkeypatch.setattr(of, name, stopped_once)
    with pytest.raises(SystemExit), written_whole(old) as beside:
        beside.write_text("new")
    assert not stops
    assert os.listdir(old.parent) == [old.name]


def fail_halfway(path, error):
    with written_whole(path) as beside:
        beside.write_text("half")
        raise error


def test_an_error_of_the_block_comes_through_and_leaves_the_old_file(old):
    with pytest.raises(KeyError):
        fail_halfway(old, KeyError("other"))
    assert is_untouched(old)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ESTALE])
def test_what_the_system_refuses_becomes_one_line(old, number):
    with pytest.raises(MedNCAError) as refused:
        fail_halfway(old, OSError(number, os.strerror(number)))
    assert str(refused.value).startswith(f"{old} cannot be written: {os.strerror(number)}.")
    assert is_untouched(old)


def test_an_error_that_shows_only_when_the_file_is_flushed_leaves_the_old_one(old, monkeypatch):
    def lost(_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", lost)
    with pytest.raises(MedNCAError, match="cannot be written"), written_whole(old) as beside:
        beside.write_text("new")
    assert is_untouched(old)


def test_a_file_system_that_cannot_flush_is_written_to(old, monkeypatch):
    def unsupported(_):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", unsupported)
    with written_whole(old) as beside:
        beside.write_text("new")
    assert old.read_text() == "new"


@pytest.mark.parametrize("write", [lambda path: None, lambda path: path.touch()])
def test_a_writer_that_silently_wrote_nothing_is_noticed(old, write):
    with pytest.raises(MedNCAError, match="only a part of it arrived"), written_whole(old) as beside:
        write(beside)
    assert is_untouched(old)


def test_a_file_that_the_check_finds_wanting_replaces_nothing(old):
    check = lambda path: path.read_text() == "whole"  # noqa: E731
    with pytest.raises(MedNCAError, match="only a part of it arrived"), written_whole(old, check) as beside:
        beside.write_text("who")
    assert is_untouched(old)
    with written_whole(old, check) as beside:
        beside.write_text("whole")
    assert old.read_text() == "whole"


def test_a_missing_folder_and_a_folder_in_place_of_the_file_are_refused(tmp_path):
    for path in (tmp_path / "nowhere" / "file.txt", tmp_path):
        with pytest.raises(MedNCAError, match="cannot be written"), written_whole(path) as beside:
            beside.write_text("new")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_limit_on_the_size_of_files_leaves_the_old_one(old):
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
from MedNCALib.atomic_write import written_whole
from MedNCALib.errors import MedNCAError
try:
    with written_whole({str(old)!r}) as beside:
        beside.write_bytes(bytes(10000))
except MedNCAError as error:
    print(error)
"""
    assert "file.txt cannot be written: File too large" in python(code)
    assert is_untouched(old)


@pytest.mark.skipif(os.name == "nt", reason="file names are Unicode there")
def test_a_name_of_any_bytes_is_written(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9")
    with written_whole(path) as beside:
        beside.write_text("new")
    assert os.listdir(os.fsencode(tmp_path)) == [b"caf\xe9"]
