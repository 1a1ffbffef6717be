"""How little the engine needs: memory, and what it imports."""

import subprocess
import sys

import pytest
from support.random_models import random_model

from MedNCALib.benchmark import models


@pytest.fixture(scope="module")
def hippocampus(tmp_path_factory):
    """A model folder and a volume of the size of a hippocampus model's: 36 slices of 50 x 36."""
    folder = tmp_path_factory.mktemp("hippocampus")
    model = random_model(((4, 12), (2, 10), (1, 10)), channels=16, field_of_view_mm=[36, 50, 36]).save(folder / "model")
    assert models.write_volume(folder / "volume.nrrd", model) == (36, 50, 36)
    return model.folder, folder / "volume.nrrd"


def in_new_process(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_whole_process_stays_under_220_mb(hippocampus):
    peak = models.measure_in_process(*hippocampus, "numpy").peak_mb
    if peak is None:
        pytest.skip("this system does not report how much memory a process held")
    assert peak < 220


def test_half_a_gigabyte_of_address_space_and_one_thread_are_enough(hippocampus):
    pytest.importorskip("resource")
    code = """
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, (512 << 20, 512 << 20))
import MedNCALib as mednca
image, model = mednca.read_image(sys.argv[2]), mednca.load_model(sys.argv[1])
print(mednca.segment(image, model, engine="numpy", threads=1).labels.GetSize())
"""
    assert "".join(in_new_process(code, *hippocampus)) == "(36,50,36)"


def test_importing_the_package_imports_neither_numpy_nor_simpleitk():
    code = "import sys, MedNCALib; print(*({'numpy', 'SimpleITK', 'torch'} & set(sys.modules)))"
    assert in_new_process(code) == []
