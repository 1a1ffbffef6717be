"""The standard streams: whatever state they are in, and warnings of whatever kind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.shared_data import REPOSITORY

from MedNCALib.cli.main import main

# Runs `mednca models --json` with a piece of code in the middle of the command.
WITHIN = """
import sys, warnings
from MedNCALib.cli import main
from MedNCALib.cli.commands import models
from MedNCALib.errors import MedNCAWarning
list_them = models.run
def run(options):
    {code}
    return list_them(options)
models.run = run
sys.exit(main.main(["models", "--json"]))
"""

FULL = Path("/dev/full")
POSIX = pytest.mark.skipif(os.name != "posix", reason="descriptors are closed as shells of POSIX systems do it")


def run_python(*arguments, **options):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=REPOSITORY / "Testing",
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **options.pop("environment", {})},
        timeout=300,
        check=False,
        **options,
    )


def test_each_warning_of_the_project_is_one_line_and_those_of_other_packages_are_not_seen():
    code = (
        "warnings.warn('qform and\\nsform disagree', MedNCAWarning);"
        "[warnings.warn('large', MedNCAWarning) for _ in range(2)];"
        "warnings.warn('deprecated', DeprecationWarning); warnings.warn('hm')"
    )
    done = run_python("-c", WITHIN.format(code=code), capture_output=True, text=True)
    assert done.returncode == 0
    json.loads(done.stdout)
    texts = ("qform and sform disagree", "large", "large")
    assert done.stderr.splitlines() == [f"mednca: warning: {text}" for text in texts]


@POSIX
@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_closed_streams_do_not_keep_a_command_from_its_work(model_folder, volume_file, tmp_path, closed):
    arguments = ["-m", "MedNCALib", "segment", volume_file, "-m", model_folder, "-o", tmp_path / "out"]
    done = run_python(*arguments, preexec_fn=lambda: [os.close(descriptor) for descriptor in closed])
    assert done.returncode == 0
    assert main([str(word) for word in ("segment", volume_file, "-m", model_folder, "-o", tmp_path / "open")]) == 0
    name = "scan_threshold.seg.nrrd"
    assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "open" / name).read_bytes()


@POSIX
def test_with_closed_streams_a_failure_is_still_code_2(model_folder, tmp_path):
    arguments = ["-m", "MedNCALib", "segment", tmp_path / "nothing.nii", "-m", model_folder, "-o", tmp_path]
    assert run_python(*arguments, preexec_fn=lambda: [os.close(1), os.close(2)]).returncode == 2


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
def test_output_that_does_not_arrive_is_one_line_and_code_2():
    with FULL.open("w") as full:
        done = run_python("-m", "MedNCALib", "models", stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("mednca: ")
    assert done.stderr.count("\n") == 1


def test_a_closed_pipe_is_no_error(model_folder):
    # What `mednca models | head -1` does.
    process = subprocess.Popen(
        [sys.executable, "-m", "MedNCALib", "models", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=REPOSITORY,
        env={**os.environ, "MEDNCA_MODELS": str(Path(model_folder).parent)},
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(300) == 0


def test_a_pipe_that_is_closed_before_all_is_printed_is_no_error():
    code = WITHIN.format(code="print('x' * 10**6)")
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(300) == 0
