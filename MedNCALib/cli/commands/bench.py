"""Measure how fast the kernels are on this machine."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")


def run(options: Namespace) -> None:
    from ...benchmark import report

    report.run(json_file=options.json)
