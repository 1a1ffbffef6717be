"""A test that did not run is accounted for: which reasons pass, and which fail the run."""

import os
import subprocess
import sys

import pytest
from support.shared_data import REPOSITORY

TESTS = {
    "data": "from support.shared_data import shared_data\ndef test_it():\n    shared_data('images')\n",
    "package": "import pytest\npytest.importorskip('no_such_package', reason='needs no_such_package')\n",
    "nothing": "def test_it():\n    pass\n",
}


@pytest.fixture
def run(tmp_path):
    def run(needs, data_is_there, all_tests):
        """Exit code and output of a run of two tests: of one that needs something, and of one that passes."""
        (tmp_path / "test_it.py").write_text(TESTS[needs], encoding="utf-8")
        (tmp_path / "test_other.py").write_text(TESTS["nothing"], encoding="utf-8")
        (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        if data_is_there:
            (tmp_path / "data").mkdir()
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(REPOSITORY / "Testing"), str(REPOSITORY))),
            "MEDNCA_SHARED_DATA": str(tmp_path / "data"),
            "MEDNCA_RUN_ALL_TESTS": "1" if all_tests else "",
        }
        command = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider", str(tmp_path)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    return run


@pytest.mark.parametrize(
    ("needs", "data_is_there", "all_tests", "failed"),
    [
        ("data", False, True, False),
        ("data", True, False, True),
        ("package", True, False, False),
        ("package", False, True, True),
        ("nothing", True, True, False),
    ],
)
def test_a_skip_fails_the_run_if_what_it_needs_should_be_there(run, needs, data_is_there, all_tests, failed):
    code, output = run(needs, data_is_there, all_tests)
    assert code == failed, output
    assert ("not allowed here" in output) is failed


def test_the_reasons_are_counted_at_the_end(run):
    _, output = run("package", data_is_there=False, all_tests=False)
    assert "   1 needs no_such_package" in output
