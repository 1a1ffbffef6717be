"""mednca demo."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from .options import MODEL_HELP

SUMMARY = "Segment a synthetic phantom, or a volume of your own, and leave pictures and files to look at."
DETAILS = ""


def add_options(parser: ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="DIR", help="folder for the results")
    parser.add_argument("--volume", type=Path, help="file or DICOM folder to take instead of the phantom")
    parser.add_argument("-m", "--model", default="hippocampus-mr", help=f"{MODEL_HELP} (default: hippocampus-mr)")


def run(options: Namespace) -> None:
    """Run the demonstration and print what it left."""
    from .. import demo_run

    for line in demo_run.run(options.output, volume=options.volume, model=options.model):
        print(line)
