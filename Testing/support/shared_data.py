"""Where the real images for tests lie; they are no part of the project."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def shared_data(*parts: str) -> Path:
    """A folder or file of the data beside the project; the test is skipped where it is not there.

    The data lies in ../shared/data seen from the repository, or where MEDNCA_SHARED_DATA says.
    """
    root = Path(os.environ.get("MEDNCA_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs {path}; set MEDNCA_SHARED_DATA to the folder that holds {'/'.join(parts)}")
    return path
