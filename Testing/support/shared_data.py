"""The folder of real images for tests; they are no part of the project."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
VARIABLE = "MEDNCA_SHARED_DATA"


def data_folder() -> Path:
    """../shared/data seen from the repository, or the folder that MEDNCA_SHARED_DATA names; it need not be there."""
    return Path(os.environ.get(VARIABLE) or REPOSITORY.parent / "shared" / "data")


def shared_data(*parts: str) -> Path:
    """A folder or file of the data beside the project; the test is skipped if it is not there."""
    path = data_folder().joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs {path}; set {VARIABLE} to the folder that holds {'/'.join(parts)}")
    return path
