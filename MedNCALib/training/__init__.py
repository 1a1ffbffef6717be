"""Training of a model from folders of images and labels: the only part of the engine that needs PyTorch.

Names are imported when they are first used. Proposals and events need no PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .proposal import Proposal, propose_preset
    from .train_model import train

_HOMES = {"Proposal": "proposal", "propose_preset": "proposal", "train": "train_model"}

__all__ = ["Proposal", "propose_preset", "train"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
