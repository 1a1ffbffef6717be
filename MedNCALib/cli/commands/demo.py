"""mednca demo."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from .options import MODEL_HELP, add_reading_options, reading_options

SUMMARY = "Segment a synthetic phantom, or a volume of your own, and leave pictures and files to look at."
DETAILS = (
    "Without -m a volume is segmented by the model that fits it. If that is not one, you are asked on a terminal, and "
    "the command is refused elsewhere."
)


def add_options(parser: ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="DIR", help="folder for the results")
    parser.add_argument("--volume", type=Path, help="file or DICOM folder to take instead of the phantom")
    parser.add_argument("-m", "--model", help=f"{MODEL_HELP} (default: the one that fits)")
    add_reading_options(parser, series=True)


def run(options: Namespace) -> None:
    """Run the demonstration and print what it left."""
    from .. import demo_run

    for line in demo_run.run(options.output, options.volume, options.model, **reading_options(options)):
        print(line)
