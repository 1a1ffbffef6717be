"""A checkpoint is written whole or not at all."""

import pytest

pytest.importorskip("torch", reason="training needs torch")
resource = pytest.importorskip("resource", reason="only Unix limits the size of files")

import torch

from MedNCALib.errors import MedNCAError
from MedNCALib.training.checkpoint import Checkpoint
from MedNCALib.training.preset import load_preset


def test_a_full_disk_leaves_the_older_checkpoint_and_nothing_beside_it(tmp_path):
    preset = load_preset("general")
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", preset, preset.architecture_for(2), seed=0)
    checkpoint.save({"batch": 7})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(MedNCAError, match=r"checkpoint\.pt cannot be written: .*Make room"):
            checkpoint.save({"batch": 8, "weights": torch.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert checkpoint.load(torch.device("cpu"))["batch"] == 7
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]
