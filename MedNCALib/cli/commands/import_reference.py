"""mednca import-reference."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from .model_output import OVERWRITE_HELP, model_line, require_free
from .torch_needed import require_torch

SUMMARY = "Turn two checkpoints of the reference implementation of Med-NCA into a model folder (needs PyTorch)."
DETAILS = "The checkpoints are state dicts (.pth); size and steps are those that the stages were trained with."


def add_options(parser: ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("stage1", type=Path, metavar="STAGE1.pth", help="checkpoint of the first, coarse stage")
    parser.add_argument("stage2", type=Path, metavar="STAGE2.pth", help="checkpoint of the second stage")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="MODEL_DIR", help="folder of the new model")
    parser.add_argument(
        "--size", required=True, type=int, metavar="N", help="pixels along a slice's edge in the second stage"
    )
    parser.add_argument("--steps", required=True, type=int, metavar="N", help="steps of each stage")
    parser.add_argument(
        "--fire-rate", type=float, default=0.5, metavar="F", help="the code's cell_fire_rate (default: 0.5)"
    )
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)


def run(options: Namespace) -> None:
    """Import the checkpoints and print what the model is."""
    require_torch("Importing checkpoints")
    from ...model.reference_checkpoints import import_reference

    if not options.overwrite:
        require_free(options.output)
    checkpoints = (options.stage1, options.stage2)
    model = import_reference(*checkpoints, options.output, options.size, options.steps, options.fire_rate)
    print(model_line(model))
