"""What the commands that write a model folder share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import MedNCAError

if TYPE_CHECKING:
    from ...model.model import Model

OVERWRITE_HELP = "replace a model that is in the folder"


def require_free(folder: Path, instead: str = "--overwrite replaces it") -> None:
    """Refuse a folder that holds a model.

    Args:
        folder: where a model shall be written.
        instead: what to do to write there all the same.

    Raises:
        MedNCAError: it holds one.
    """
    from ...model.model import CARD

    if (folder / CARD).exists():
        raise MedNCAError(f"{folder} already holds a model. Choose another folder; {instead}.")


def model_line(model: Model) -> str:
    """A line that says where a new model is and how large it is."""
    return (
        f"{model.folder}: {model.title}, {model.cascade.parameter_count} parameters, {model.size_bytes / 1000:.0f} kB"
    )
