"""mednca train."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from .model_output import OVERWRITE_HELP, model_line
from .options import add_reading_options, reading_options
from .torch_needed import require_torch
from .training_progress import progress_shown

SUMMARY = "Train a model on images with labels (needs PyTorch)."
DETAILS = (
    "Images and label images are paired by name. A labels.csv in MODEL_DIR, or among the label files, gives the "
    "labels' names, colours and terminology; without it the names in the label files are taken, if they have any. A "
    "label that is named as the sum of others (A + B), or as what the names of several others end with, is the whole "
    "of these: cases that know no more teach their sum. A MODEL_DIR that already holds a model is refused, unless its "
    "training goes on (--resume) or it is to be replaced (--overwrite)."
)


def add_options(parser: ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--images", type=Path, metavar="DIR", help="folder of images")
    parser.add_argument("--labels", type=Path, metavar="DIR", help="folder of label images of the same names")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="in place of --images and --labels, for a preset with collections: folder that holds their folders",
    )
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="MODEL_DIR", help="folder of the new model")
    parser.add_argument(
        "--preset",
        default="general",
        metavar="P",
        help="name of a preset, a JSON file, or auto: settings that follow from the data (default: general)",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, metavar="M", help="how long to train")
    length.add_argument("--batches", type=int, metavar="N", help="how many batches to train (default: the preset's)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="same seed and batches, same weights")
    parser.add_argument(
        "--from",
        dest="start_from",
        metavar="MODEL",
        help="start from this model's weights; its finder and its weights for corrections are kept if they fit",
    )
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--resume", action="store_true", help="go on with a training that was stopped in MODEL_DIR")
    existing.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)
    parser.add_argument(
        "--json-progress",
        action="store_true",
        help="print one JSON object a line that says what goes on; the line `stop`, or the end, of standard input ends "
        "the training and keeps the best so far",
    )
    add_reading_options(parser)


def run(options: Namespace) -> None:
    """Train and print what the model is."""
    require_torch("Training")
    from ...training import train

    with progress_shown(options.json_progress) as shown:
        model = train(
            options.images,
            options.labels,
            options.output,
            preset=options.preset,
            minutes=options.minutes,
            batches=options.batches,
            seed=options.seed,
            start_from=options.start_from,
            resume=options.resume,
            overwrite=options.overwrite,
            progress=shown.progress,
            data=options.data,
            listen=shown.listen,
            stop=shown.stop,
            **reading_options(options),
        )
    if not options.json_progress:
        print(model_line(model))
