"""The commands and job scripts of the page on cohorts run as they are shown, one after the other."""

import os
import re
import stat
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from support.dicom_files import series
from support.shared_data import REPOSITORY

from MedNCALib import make_phantom
from MedNCALib.io.images import write_image

PAGE = (REPOSITORY / "Resources" / "Documentation" / "cohorts.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
SCRIPTS = [text for kind, text in BLOCKS if kind == "bash"]
COMMANDS = [line for kind, text in BLOCKS if kind == "" for line in text.splitlines()]
TASK = {
    "SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "20",
    "PBS_ARRAY_INDEX": "2", "SGE_TASK_ID": "1", "SGE_TASK_FIRST": "1", "SGE_TASK_LAST": "20",
    "LSB_JOBINDEX": "1", "LSB_JOBINDEX_END": "20",
}  # fmt: skip
SYSTEMS = {"#SBATCH": "SLURM_", "#PBS": "PBS_", "#BSUB": "LSB_", "#$": "SGE_"}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="scripts are those of a POSIX shell")


@pytest.fixture
def place(tmp_path):
    """A folder with what the page speaks of, and with `mednca` on the path; environment of a shell in it."""
    for name in (
        "scans/a.nii.gz",
        "scans/more/b_T1w.nii.gz",
        "data/sub-01/anat/sub-01_T1w.nii.gz",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(tmp_path / name, make_phantom(size=(24, 30, 24)).image)
    values = np.random.default_rng(0).integers(0, 900, (5, 24, 24)).astype(np.uint16)
    series(tmp_path / "study", change=lambda number: {"stored": values[number]})
    (tmp_path / "todo.txt").write_text("scans/a.nii.gz\n", encoding="utf-8")
    (tmp_path / "results").mkdir()
    command = tmp_path / "bin" / "mednca"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m MedNCALib "$@"\n', encoding="utf-8")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    path = os.pathsep.join([str(command.parent), os.environ["PATH"]])
    clean = {name: value for name, value in os.environ.items() if name not in TASK}
    return {**clean, "PATH": path, "PYTHONPATH": str(REPOSITORY), "PBS_O_WORKDIR": str(tmp_path)}


def shell(text, environment, folder):
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", text],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_commands_run(place, tmp_path):
    run = [line for line in COMMANDS if re.search(r"\bmednca\b", line) and not re.match(r"FROM|COPY|RUN|ENTRY", line)]
    run = [line for line in run if "--dask" not in line]  # a test of its own has a cluster
    if find_spec("highdicom") is None:
        run = [line for line in run if "dicom-seg" not in line]
    assert len(run) >= 10
    for line in run:
        shell(line, place, tmp_path)
    written = {path.name for path in (tmp_path / "results").iterdir()}
    assert {"table.tsv", "report.html", "log.tsv", "a_hippocampus-mr.seg.nrrd", "a_hippocampus-mr.nii.gz"} <= written
    assert (tmp_path / "data" / "derivatives" / "mednca" / "mednca.html").is_file()


@pytest.mark.parametrize("script", SCRIPTS, ids=[script.splitlines()[1].split()[0] for script in SCRIPTS])
def test_the_scripts_of_job_arrays_do_their_shard(script, place, tmp_path):
    (prefix,) = (prefix for mark, prefix in SYSTEMS.items() if script.splitlines()[1].startswith(f"{mark} "))
    variables = {name: value for name, value in TASK.items() if name.startswith(prefix)}
    (tmp_path / "scans" / "c.nii.gz").write_bytes((tmp_path / "scans" / "a.nii.gz").read_bytes())
    assert "1 done, 0 failed." in shell(script, {**place, **variables}, tmp_path)
    case = "c" if prefix == "PBS_" else "a"
    assert (tmp_path / "results" / f"{case}_hippocampus-mr.seg.nrrd").is_file()
