"""The extension configures, builds and installs with CMake, and what is installed works alone."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.shared_data import REPOSITORY

from MedNCALib._version import __version__


def run(*command, **options):
    command = [str(part) for part in command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The extension's build folder, and the installed folder of scripted modules."""
    assert shutil.which("cmake"), "CMake is needed to test that the extension installs"
    build, prefix = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("prefix")
    slicer = REPOSITORY / "Testing" / "packaging" / "slicer_cmake"
    run("cmake", "-S", REPOSITORY, "-B", build, f"-DSlicer_DIR={slicer}", f"-DCMAKE_INSTALL_PREFIX={prefix}")
    run("cmake", "--build", build)
    run("cmake", "--install", build)
    (modules,) = prefix.glob("lib/Slicer-*/qt-scripted-modules")
    return build, modules


def source_files(folder, *patterns):
    return {path.relative_to(REPOSITORY) for pattern in patterns for path in (REPOSITORY / folder).rglob(pattern)}


def test_every_file_of_the_engine_the_module_and_the_models_is_installed(built):
    _, modules = built
    expected = {
        *(path for path in source_files("MedNCALib", "*.*") if path.suffix != ".pyc"),
        *source_files("weights", "*.json", "*.npz", "*.csv"),
        *(path.relative_to("MedNCA") for path in source_files("MedNCA", "*.py", "*.ui", "*.png")),
        Path("Resources/MedNCA.term.json"),
    }
    installed = {path.relative_to(modules) for path in modules.rglob("*") if path.is_file()}
    assert installed == expected


def test_the_installed_tree_alone_segments_the_phantom(built):
    """In an interpreter that cannot see the source tree."""
    _, modules = built
    script = f"""
import sys
sys.path.insert(0, {str(modules)!r})
import MedNCAScene, MedNCALib as engine
phantom = engine.make_phantom(size=(40, 56, 40))
result = engine.segment(phantom.image, engine.load_model("hippocampus-mr"))
print(engine.__file__)
print(result.quality.volumes_ml["anterior hippocampus"].mean > 0)
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    file, found = run(sys.executable, "-I", "-c", script, cwd=modules, env=environment).split()
    assert Path(file).is_relative_to(modules)
    assert found == "True"


def test_the_installed_module_works_in_the_application(built):
    """The panel, the terminology and the models are found beside the installed module."""
    for package in ("PySide6", "slicer_core"):
        pytest.importorskip(package, reason="the stand-in Slicer application needs it")
    _, modules = built
    script = f"""
import sys
sys.path.insert(0, {str(REPOSITORY / "Testing")!r})
from host import slicerHost
host = slicerHost()
host.loadModule({str(modules / "MedNCA.py")!r})
widget = host.openModule("MedNCA")
import slicer
assert slicer.modules.terminologies.logic().IsTerminologyContextLoaded("MedNCA")
from MedNCAScene.application.sample_data import loadPhantom
loadPhantom()
host.click(widget.ui.segmentButton)
host.waitUntil(lambda: not widget.isRunning, 120)
import MedNCALib, MedNCAPanel
print(MedNCALib.__file__, MedNCAPanel.__file__, sep="\\n")
print(widget.ui.statusLabel.text)
host.quit()
assert not host.errors
host.reset()
"""
    lines = run(sys.executable, "-I", "-c", script, cwd=modules).splitlines()
    engine, panel, status = lines[-3:]
    assert Path(engine).is_relative_to(modules)
    assert Path(panel).is_relative_to(modules)
    assert status.startswith("Done in")


def test_slicers_test_of_the_module_is_registered(built):
    build, _ = built
    assert "py_MedNCA" in run("ctest", "-N", cwd=build)


def test_the_extension_has_the_version_of_the_package(built):
    build, _ = built
    assert f"CMAKE_PROJECT_VERSION:STATIC={__version__}\n" in (build / "CMakeCache.txt").read_text(encoding="utf-8")


def test_the_files_that_describe_the_extension_say_the_same():
    """Slicer's catalogue reads the icon and the screenshots from CMakeLists.txt line by line, without CMake."""
    text = (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")
    entry = json.loads((REPOSITORY / "Resources" / "MedNCA.json").read_text(encoding="utf-8"))
    (icon,) = re.findall(r'^set\(EXTENSION_ICONURL "(.+)"\)$', text, re.MULTILINE)
    (screenshots,) = re.findall(r'^set\(EXTENSION_SCREENSHOTURLS "(.+)"\)$', text, re.MULTILINE)
    (homepage,) = re.findall(r'^set\(EXTENSION_HOMEPAGE "(.+)"\)$', text, re.MULTILINE)
    raw = homepage.replace("github.com", "raw.githubusercontent.com") + f"/{entry['scm_revision']}/"
    assert entry["scm_url"] == homepage
    for url in (icon, *screenshots.split()):
        assert url.startswith(raw)
        assert (REPOSITORY / url.removeprefix(raw)).is_file()


def test_the_catalogue_entry_has_the_keys_of_slicers_schema():
    entry = json.loads((REPOSITORY / "Resources" / "MedNCA.json").read_text(encoding="utf-8"))
    assert set(entry) == {
        "$schema", "build_dependencies", "build_subdirectory", "category", "scm_revision", "scm_url", "tier",
    }  # fmt: skip
    assert 1 <= entry["tier"] <= 5
