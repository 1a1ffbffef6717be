"""mednca segment --corrections: what a person has said of the image."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import MedNCAError

if TYPE_CHECKING:
    from ...model.model import Model


def add_corrections_option(parser: ArgumentParser) -> None:
    """The option."""
    parser.add_argument(
        "--corrections",
        type=Path,
        metavar="FILE",
        help="label image of what you say of the image, on its grid or any other: 0 nothing, a label's value 'this is "
        "it', 255 'this is background'; it stays, and the rest grows again around it",
    )


def check_corrections(options: Namespace, model: Model, images: Sequence[str]) -> None:
    """Refuse corrections that cannot be used, before the first image is read.

    Raises:
        MedNCAError: more than one image, another option that they do not go with, or a model that cannot regrow.
    """
    if options.corrections is None:
        return
    from ...segmentation.regrowing import require_can_regrow

    if len(images) > 1:
        raise MedNCAError("--corrections is of one image: give one, or segment the others without it.")
    for name in ("stress", "probability", "largest_only"):
        if getattr(options, name):
            raise MedNCAError(f"--corrections does not go with --{name.replace('_', '-')}: leave one of them out.")
    require_can_regrow(model)
