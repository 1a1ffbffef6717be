"""Training of a model from folders of images and labels: the only part of the engine that needs PyTorch.

PyTorch is imported with the first name that is used, so that events and proposals can be read without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .train import train

__all__ = ["train"]


def __getattr__(name: str) -> Any:
    if name != "train":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function = import_module(".train", __name__).train
    globals()[name] = function  # in place of the module of the same name, which the import has put there
    return function
