"""What `pip install` brings: the wheel and the source package hold what they need and nothing else, and work alone."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from support.shared_data import REPOSITORY

from MedNCALib._version import __version__

MODEL_FILES = {"card.json", "labels.csv", "weights.npz"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The wheel and the source package, built from the checkout."""
    pytest.importorskip("hatchling", reason="building packages needs hatchling")
    folder = tmp_path_factory.mktemp("packages")
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, timeout=300)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


def engine_files():
    files = (path for path in (REPOSITORY / "MedNCALib").rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(REPOSITORY) for path in files}


def model_files():
    folders = {card.parent.relative_to(REPOSITORY) for card in (REPOSITORY / "weights").rglob("card.json")}
    return {folder / file for folder in folders for file in MODEL_FILES}  # those of finders too


def bundled_models():
    return {card.parent.name for card in (REPOSITORY / "weights").glob("*/card.json")}


def test_the_wheel_holds_the_engine_and_the_models_and_nothing_else(packages):
    wheel, _ = packages
    with zipfile.ZipFile(wheel) as archive:
        files = {Path(name) for name in archive.namelist() if ".dist-info/" not in name}
    assert files == engine_files() | {Path("MedNCALib", file) for file in model_files()}


def test_the_packages_have_the_version_of_the_engine(packages):
    wheel, source = packages
    assert wheel.name == f"mednca-{__version__}-py3-none-any.whl"
    assert source.name == f"mednca-{__version__}.tar.gz"


def test_the_source_package_holds_no_more_than_a_wheel_is_made_of(packages):
    _, source = packages
    with tarfile.open(source) as archive:
        files = {Path(*Path(member.name).parts[1:]) for member in archive if member.isfile()}
    assert engine_files() | model_files() <= files
    about = {".gitignore", "CITATION.cff", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
    provenance = {path for path in files if path.parts[0] == "weights" and path.name == "TRAINING.md"}
    assert files - engine_files() - model_files() - provenance == {Path(name) for name in about}


def test_the_installed_wheel_lists_the_models_and_segments_the_phantom(packages, tmp_path):
    wheel, _ = packages
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")

    def mednca(*arguments):
        """The command in an interpreter that cannot see the source tree."""
        start = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); "
        start += "from MedNCALib.cli.main import main; sys.exit(main())"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MEDNCA"))}
        done = subprocess.run(
            [sys.executable, "-I", "-c", start, *map(str, arguments)],
            capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    models = json.loads(mednca("models", "--json"))
    assert {model["name"] for model in models} == bundled_models()
    assert all(Path(model["folder"]).is_relative_to(tmp_path / "site") for model in models)
    mednca("demo", "-o", tmp_path / "demo")
    mednca("segment", tmp_path / "demo" / "synthetic-phantom.nrrd", "-m", "hippocampus-mr", "-o", tmp_path / "out")
    assert (tmp_path / "out" / "synthetic-phantom_hippocampus-mr.seg.nrrd").is_file()
