"""Options that several commands share."""

from __future__ import annotations

from argparse import ArgumentParser

MODEL_HELP = "name of a model (see `mednca models`), or a model folder"


def add_engine_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--runs", type=int, default=1, metavar="N", help="how often to run; two or more give quality scores"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the random draws; same seed, same result")
    parser.add_argument("--engine", default="auto", metavar="E", help="auto (default), numpy or torch")
    parser.add_argument("--threads", type=int, metavar="N", help="how many processors to use (default: all)")
