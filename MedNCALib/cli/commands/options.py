"""Options that several commands share."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from ...model.card import AUTO

MODEL_HELP = "name of a model (see `mednca models`), or a model folder"


def add_run_options(parser: ArgumentParser) -> None:
    """Those of `RunOptions`."""
    parser.add_argument(
        "--runs", type=int, default=1, metavar="N", help="number of passes; two or more give quality scores"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the random draws; same seed, same result")
    parser.add_argument(
        "--engine", default="auto", metavar="E", help="kernel: numpy, torch, or auto, which is numpy (default: auto)"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="how many processors to use (default: all)")
    parser.add_argument(
        "--all-cells",
        action="store_true",
        help="run also the cells that cannot belong to a label, as the model's card has it: slower, with a result that "
        "differs by less than the card says",
    )
    parser.add_argument(
        "--protocol",
        default=AUTO,
        metavar="NAME",
        help="for models that know several: the segmentation protocol whose border is drawn (default: auto, as the "
        "image looks)",
    )
    parser.add_argument(
        "--find",
        default=AUTO,
        metavar="WHEN",
        help="for models with a finder: whether it first looks for the anatomy in the whole image: always, never, or "
        "auto, if the image is larger than what the model expects (default: auto)",
    )


def run_options(options: Namespace) -> dict[str, Any]:
    """Keywords for `RunOptions`, `segment` and `evaluate`."""
    names = ("runs", "seed", "engine", "threads", "all_cells", "protocol", "find")
    return {name: getattr(options, name) for name in names}


def add_reading_options(parser: ArgumentParser, series: bool = False) -> None:
    """Those for images whose files do not say enough, or say something wrong.

    Args:
        parser: of the command.
        series: whether folders with several DICOM series can be read.
    """
    parser.add_argument(
        "--axes",
        metavar="RAS",
        help="where the first, second and third voxel axis run to, for files that do not say: three letters of R, L, "
        "A, P, S and I",
    )
    parser.add_argument(
        "--spacing",
        nargs=3,
        type=float,
        metavar=("X", "Y", "Z"),
        help="size of the voxels in mm along their axes, in place of what the file says",
    )
    if series:
        parser.add_argument(
            "--series", metavar="UID", help="which DICOM series of a folder: its UID, or its number in the list"
        )


def reading_options(options: Namespace) -> dict[str, Any]:
    """Keywords for `read_image`: those that were given."""
    given = {name: getattr(options, name, None) for name in ("axes", "spacing", "series")}
    return {name: value for name, value in given.items() if value is not None}
