"""mednca bids."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import MedNCAError
from ..exit_codes import DONE
from ..streams import print_message
from .case_options import add_case_options, case_keywords, loaded_model, model_place
from .execution import add_execution_options, check_execution, execute, in_shard, threads_of
from .options import MODEL_HELP, add_run_options

if TYPE_CHECKING:
    from ...cohort.job import Job
    from ...model.model import Model

SUMMARY = "Segment a BIDS data set, as a BIDS App."
DETAILS = (
    "participant segments the images of all subjects and sessions and writes derivatives into OUTPUT_DIR; group writes "
    "their table and their page with pictures."
)

_DEFAULT_MODEL = "hippocampus-mr"


def add_options(parser: ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("dataset", type=Path, metavar="BIDS_DIR", help="the data set")
    parser.add_argument("output", type=Path, metavar="OUTPUT_DIR", help="folder for the derivatives")
    parser.add_argument("level", choices=("participant", "group"), help="what to do")
    parser.add_argument("--participant-label", nargs="+", default=[], metavar="LABEL", help="only these subjects")
    parser.add_argument("-m", "--model", default=_DEFAULT_MODEL, help=f"{MODEL_HELP} (default: {_DEFAULT_MODEL})")
    parser.add_argument("--suffix", help="of the images to segment (default: T1w or T2w, as the model's card says)")
    add_run_options(parser)
    add_case_options(parser)
    parser.add_argument("--json", action="store_true", help="print a summary as JSON")
    add_execution_options(parser)


def run(options: Namespace) -> int:
    """Do one of the levels."""
    return _group(options) if options.level == "group" else _participant(options)


def _participant(options: Namespace) -> int:
    from ...cohort.bids import write_dataset_description

    model = loaded_model(options)
    check_execution(options)
    jobs = _jobs(options, model)
    if not options.dry_run:
        options.output.mkdir(parents=True, exist_ok=True)
        write_dataset_description(options.output, options.dataset, model.name)
    return execute(in_shard(options, jobs), model, options)


def _jobs(options: Namespace, model: Model) -> list[Job]:
    from ...cohort.bids import find_images, suffix_for
    from ...cohort.job import Job, Settings

    suffix = options.suffix or suffix_for(model.card.modality)
    images, without = find_images(options.dataset, suffix, options.participant_label)
    if not images:
        raise MedNCAError(f"{options.dataset} has no images {suffix} in anat folders. Check --suffix.")
    for subject in without:
        print_message(f"warning: {subject} has no {suffix} image.")
    settings = Settings(
        output=os.path.abspath(options.output),
        model=model_place(options.model),
        model_sha256=model.sha256,
        options={**case_keywords(options), "threads": threads_of(options)},
        formats=("nii.gz",),
        picture=True,
        timeout=options.timeout,
    )
    return [
        Job(os.path.abspath(image.path), image.entities, image.base(model.name), settings, image.extra)
        for image in images
    ]


def _group(options: Namespace) -> int:
    from ...cohort.bids import REPORT, TABLE
    from ...cohort.record import find_records
    from ...cohort.report import write_report
    from ...cohort.table import sentences, write_table

    cases = list(find_records(options.output))
    if not cases:
        raise MedNCAError(f"{options.output} holds no results: run the level participant first.")
    write_table(options.table or options.output / TABLE, (record for _, record in cases))
    write_report(options.report or options.output / REPORT, cases, f"MedNCA, {options.dataset.resolve().name}")
    print("\n".join(sentences(record for _, record in cases)))
    return DONE
