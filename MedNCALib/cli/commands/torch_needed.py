"""What the commands that need PyTorch say where it is not installed."""

from __future__ import annotations

from importlib.util import find_spec

from ...errors import MedNCAError


def require_torch(what: str) -> None:
    """Raise MedNCAError where PyTorch is not installed; `what` begins the sentence."""
    if find_spec("torch") is None:
        raise MedNCAError(f"{what} needs PyTorch, which is not installed: pip install torch")
