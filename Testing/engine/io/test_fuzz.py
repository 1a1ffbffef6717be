"""Files that are changed at random give a result or one line: no other error, no crash, no hang, bounded memory.

The inputs are the same at every run. MEDNCA_FUZZ=N reads N times as many.
"""

import os
import subprocess
import sys

import pytest
from support.fuzzing import FORMATS
from support.shared_data import REPOSITORY

INPUTS = 40
TIMES = int(os.environ.get("MEDNCA_FUZZ", "1"))
SECONDS = 60


@pytest.mark.parametrize("name", FORMATS)
def test_a_changed_file_gives_a_result_or_one_line(tmp_path, name):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "Testing")])}
    for part in range(TIMES):
        command = [sys.executable, "-m", "support.fuzzing", name, str(part * INPUTS), str(INPUTS)]
        folder = tmp_path / str(part)
        folder.mkdir()
        done = subprocess.run(
            [*command, str(folder)], capture_output=True, text=True, timeout=SECONDS, env=environment, check=False
        )
        last = done.stdout.strip().splitlines()[-1:]
        assert done.returncode == 0, (
            f"{name}, seed {last}, code {done.returncode}:\n{done.stdout[-300:]}\n{done.stderr}"
        )
        assert done.stderr == ""
