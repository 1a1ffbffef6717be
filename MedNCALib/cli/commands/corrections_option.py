"""mednca segment --corrections: what a person has said of the image."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import MedNCAError

if TYPE_CHECKING:
    import SimpleITK as sitk

    from ...model.model import Model
    from ...segmentation.steps import Result, Step


def add_corrections_option(parser: ArgumentParser) -> None:
    """The option."""
    parser.add_argument(
        "--corrections",
        type=Path,
        metavar="FILE",
        help="label image of what you say of the image, on its grid or any other: 0 nothing, a label's value 'this is "
        "it', 255 'this is background'; it stays, and the rest grows again around it",
    )


def check_corrections(options: Namespace, model: Model) -> None:
    """Refuse corrections that cannot be used, before the first image is read.

    Raises:
        MedNCAError: more than one image, another option that they do not go with, or a model that cannot regrow.
    """
    if options.corrections is None:
        return
    from ...segmentation.regrowing import require_can_regrow

    if len(options.images) > 1:
        raise MedNCAError("--corrections is of one image: give one, or segment the others without it.")
    for name in ("stress", "probability", "largest_only"):
        if getattr(options, name):
            raise MedNCAError(f"--corrections does not go with --{name.replace('_', '-')}: leave one of them out.")
    require_can_regrow(model)


def corrected_run(
    image: sitk.Image, model: Model, corrections: Path, keywords: dict[str, Any]
) -> Generator[Step, None, Result]:
    """The steps of a segmentation with corrections from a file; keywords are those of `segment_steps`."""
    from ...io.images import read_image
    from ...segmentation.corrected import corrected_steps

    return corrected_steps(image, model, read_image(corrections), **keywords)
