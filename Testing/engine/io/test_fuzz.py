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
SECONDS = 60  # for a format
AT_ONCE = 5  # formats that one process reads, as its start takes longer than what it reads
GROUPS = [list(FORMATS)[first : first + AT_ONCE] for first in range(0, len(FORMATS), AT_ONCE)]


@pytest.mark.parametrize("names", GROUPS, ids=" ".join)
def test_a_changed_file_gives_a_result_or_one_line(tmp_path, names):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "Testing")])}
    for part in range(TIMES):
        folder = tmp_path / str(part)
        folder.mkdir()
        command = [sys.executable, "-m", "support.fuzzing", str(part * INPUTS), str(INPUTS), str(folder), *names]
        timeout = SECONDS * len(names)
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment, check=False)
        last = done.stdout.strip().splitlines()[-1:]
        assert done.returncode == 0, f"{last}, code {done.returncode}:\n{done.stdout[-300:]}\n{done.stderr}"
        assert done.stderr == ""
