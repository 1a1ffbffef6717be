"""How each case is segmented and written: options that `segment` and `bids` share, and the settings they stand for."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .options import run_options

if TYPE_CHECKING:
    from ...model.model import Model


def add_case_options(parser: ArgumentParser) -> None:
    """Those besides the ones of `RunOptions`."""
    parser.add_argument("--largest-only", action="store_true", help="keep only the largest island of each label")


def case_keywords(options: Namespace) -> dict[str, Any]:
    """Keyword arguments of `segment_steps`."""
    return {
        "region": getattr(options, "region", None),
        "probabilities": getattr(options, "probability", False),
        "uncertainty": getattr(options, "uncertainty", False),
        "largest_only": options.largest_only,
        **run_options(options),
    }


def loaded_model(options: Namespace) -> Model:
    """The model, after a look at the values of the options: those that make no sense are refused before any image.

    Raises:
        MedNCAError: there is no such model, or a value makes no sense.
    """
    from ...model.model import load_model
    from ...segmentation.options import RunOptions
    from ...segmentation.protocol import named_protocol

    model = load_model(options.model)
    named_protocol(model, RunOptions(**run_options(options)).protocol)
    return model


def model_place(name_or_folder: str) -> str:
    """A model as a worker in another folder finds it: a name as it is, a folder by its absolute path."""
    from ...model.model import CARD

    return os.path.abspath(name_or_folder) if (Path(name_or_folder) / CARD).is_file() else name_or_folder
