"""What the tests of the command line share: a model, images, and ways to run a command."""

import os
import subprocess
import sys

import pytest
import SimpleITK as sitk

from MedNCALib.cli.main import main
from support.shared_data import REPOSITORY
from support.threshold_model import case, threshold_model


@pytest.fixture
def model_folder(tmp_path):
    folder = tmp_path / "models" / "threshold"
    threshold_model().save(folder)
    return str(folder)


@pytest.fixture
def volume_file(tmp_path):
    path = tmp_path / "scan.nii.gz"
    sitk.WriteImage(case(0)[0], str(path))
    return path


@pytest.fixture
def cohort(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for seed in range(2):
        for folder, image in zip(("images", "labels"), case(seed)):
            sitk.WriteImage(image, str(tmp_path / folder / f"case{seed}.nrrd"))
    return ["--images", str(tmp_path / "images"), "--labels", str(tmp_path / "labels")]


def mednca(*arguments, **environment):
    """Run the command in a process of its own, from elsewhere than the source tree's root."""
    return subprocess.run(
        [sys.executable, "-m", "MedNCALib", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=REPOSITORY / "Testing",
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONIOENCODING": "utf-8", **environment},
        timeout=300,
        check=False,
    )


def python(code):
    """What a fresh interpreter prints for the code."""
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=REPOSITORY, timeout=300, check=True
    ).stdout.strip()


def refused(capsys, *arguments):
    """The one line that a refused command leaves on stderr."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as end:  # argparse's way of refusing arguments
        code = end.code
    output = capsys.readouterr()
    assert code == 2
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert "Traceback" not in output.err
    return output.err


def array(path):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
