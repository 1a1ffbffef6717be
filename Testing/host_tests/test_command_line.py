"""The script that runs the module's tests inside Slicer, run in the stand-in by the command that the workflow gives."""

import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys

import pytest
from support.shared_data import REPOSITORY

WORKFLOWS = REPOSITORY / ".github" / "workflows"
MODULE = """
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleTest


class MedNCA(ScriptedLoadableModule):
    pass


class MedNCATest(ScriptedLoadableModuleTest):
    def setUp(self):
        self.isSetUp = True

    def test_first(self):
        assert self.isSetUp
        print("test_first is done")

    def test_second(self):
        {second}
"""


def slicer_arguments():
    """What the workflow gives to Slicer, which it starts in the checkout."""
    text = (WORKFLOWS / "slicer.yml").read_text(encoding="utf-8")
    return shlex.split(re.search(r"^  ARGUMENTS: (.+)$", text, re.MULTILINE).group(1))


def run_in_host(checkout):
    return subprocess.run(
        [sys.executable, "-m", "host", *slicer_arguments()],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "Testing")},
    )


@pytest.fixture
def run_here(host, monkeypatch, capsys):
    """A function that runs a checkout's script in the application of this process, as another takes long to start.

    It gives the status that the application is asked to exit with, and what is said on stderr.
    """
    import slicer.util

    def run(checkout, module="MedNCA/MedNCA.py"):
        status = []
        monkeypatch.setattr(slicer.util, "exit", status.append)
        host.loadModule(checkout / module)
        runpy.run_path(str(checkout / "Testing" / "tools" / "run_in_slicer.py"), run_name="__main__")
        (status,) = status
        return status, capsys.readouterr().err

    return run


@pytest.fixture
def checkout(host, tmp_path):
    """A function that makes a checkout of the script and a module with two tests, of which it gets the second's body.

    It needs the host's own fixture only for the skip if the host is not installed.
    """

    def make(second, module=MODULE):
        for folder in ("MedNCA", "Testing/tools"):
            (tmp_path / folder).mkdir(parents=True)
        shutil.copy(REPOSITORY / "Testing" / "tools" / "run_in_slicer.py", tmp_path / "Testing" / "tools")
        (tmp_path / "MedNCA" / "MedNCA.py").write_text(module.format(second=second))
        return tmp_path

    return make


def test_each_test_is_set_up_and_run(checkout):
    done = run_in_host(checkout(second="assert self.isSetUp; print('test_second is done')"))
    assert done.returncode == 0, done.stderr
    assert "test_first is done" in done.stdout
    assert "test_second is done" in done.stdout
    assert done.stderr.endswith("OK\n")


def test_failing_tests_are_named_and_give_an_exit_code_other_than_zero(checkout):
    third = "\n\n    def test_third(self):\n        raise OSError('too large')"
    done = run_in_host(checkout("assert False, 'too little'" + third))
    assert done.returncode == 1
    for said in ("test_second", "too little", "test_third", "too large"):
        assert said in done.stderr
    assert "test_first is done" in done.stdout  # the other tests are run all the same


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("def test_", "def check_"), "MedNCATest has no tests"),
        (("class MedNCATest", "class OtherTest"), "has no attribute 'MedNCATest'"),
    ],
    ids=["no tests", "no test class"],
)
def test_module_without_tests_does_not_pass(checkout, run_here, change, said):
    status, printed = run_here(checkout("pass", MODULE.replace(*change)))
    assert status == 1
    assert said in printed


def test_module_of_another_folder_is_not_taken_for_the_checkouts(checkout, run_here):
    (folder := checkout("pass") / "installed").mkdir()
    shutil.copy(folder.parent / "MedNCA" / "MedNCA.py", folder)
    status, said = run_here(folder.parent, module="installed/MedNCA.py")
    assert status == 1
    assert f"Slicer has loaded {folder / 'MedNCA.py'}, not" in said


def test_changes_are_tested_by_what_a_developer_runs():
    assert ".ci/run" in (WORKFLOWS / "ci.yml").read_text(encoding="utf-8")
    assert os.access(REPOSITORY / ".ci" / "run", os.X_OK)
