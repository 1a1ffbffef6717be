"""mednca collect."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import MedNCAError
from .json_output import require_folder

if TYPE_CHECKING:
    from ...cohort.record import Record

SUMMARY = "Table and page of what a cohort has left."
DETAILS = (
    "Reads the records in DIR and in the folders below it, and writes what is asked for; with nothing asked for it "
    "says how many cases are done and which failed."
)


def add_options(parser: ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder with results")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write a table of all cases (.tsv)")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write a page with pictures of all cases (.html)")
    parser.add_argument(
        "--least-sure",
        type=int,
        metavar="N",
        help="print the table of the N cases to look at first: those that failed, then by agreement and NQM",
    )


def run(options: Namespace) -> None:
    """Read the records, write and print what is asked for."""
    from ...cohort.record import find_records
    from ...cohort.report import write_report
    from ...cohort.table import least_sure, sentences, table_text, write_table

    for file in filter(None, (options.table, options.report)):
        require_folder(file)
    if not options.folder.is_dir():
        raise MedNCAError(f"There is no folder {options.folder}. Check the name.")
    if next(find_records(options.folder), None) is None:
        raise MedNCAError(
            f"{options.folder} holds no records of cases. `mednca segment` writes them for a folder, a list, or with "
            "an option for many cases."
        )

    def records() -> Iterator[Record]:  # read anew each time, as there may be more than the memory takes
        return (record for _, record in find_records(options.folder))

    if options.table:
        write_table(options.table, records())
    if options.report:
        write_report(options.report, list(find_records(options.folder)), f"MedNCA, {options.folder.resolve().name}")
    if options.least_sure is not None:
        sys.stdout.write(table_text(least_sure(records(), options.least_sure)))
    elif not (options.table or options.report):
        print("\n".join(sentences(records())))
