"""MedNCALib that came with the module goes before any other copy."""

import subprocess
import sys

import pytest
from support.brightness_model import MODULE, REPOSITORY


def run(script, *folders):
    """Run a script with these folders first in the search path, and the module's at its end, as in Slicer."""
    search = f"import sys; sys.path[:0] = {list(map(str, folders))}; sys.path.append({str(MODULE.parent)!r})\n"
    command = [sys.executable, "-c", search + script]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def other_copy(tmp_path):
    """A folder with another MedNCALib."""
    (tmp_path / "MedNCALib").mkdir()
    (tmp_path / "MedNCALib" / "__init__.py").write_text("")
    return tmp_path


def test_another_copy_in_the_search_path_is_not_taken(other_copy):
    done = run("import MedNCAScene, MedNCALib; print(MedNCALib.__file__)", other_copy)
    assert done.stdout.strip() == str(REPOSITORY / "MedNCALib" / "__init__.py")
    assert done.stderr == ""


def test_another_copy_that_was_imported_before_is_warned_about(other_copy):
    done = run("import MedNCALib, MedNCAScene; print(MedNCALib.__file__)", other_copy)
    assert done.stdout.strip() == str(other_copy / "MedNCALib" / "__init__.py")
    assert len(done.stderr.splitlines()) == 1
    assert str(other_copy) in done.stderr
    assert "restart Slicer" in done.stderr


def test_the_panel_alone_finds_the_same_copy(other_copy):
    script = "import types; sys.modules.update(dict.fromkeys(('qt', 'slicer'), types.ModuleType('x')))\n"
    done = run(script + "import MedNCAPanel, MedNCALib; print(MedNCALib.__file__)", other_copy)
    assert done.stdout.strip() == str(REPOSITORY / "MedNCALib" / "__init__.py")
