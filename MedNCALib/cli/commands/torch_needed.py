"""What the commands that need PyTorch say if it is not installed."""

from __future__ import annotations

from importlib.util import find_spec

from ...errors import MedNCAError


def require_torch(what: str) -> None:
    """Refuse work that needs PyTorch; `what` begins the sentence.

    Raises:
        MedNCAError: PyTorch is not installed.
    """
    if find_spec("torch") is None:
        raise MedNCAError(f"{what} needs PyTorch, which is not installed: pip install torch")
