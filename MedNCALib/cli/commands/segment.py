"""mednca segment."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import MedNCAError
from .case_options import add_case_options, case_keywords, loaded_model, model_place
from .corrections_option import add_corrections_option, check_corrections
from .execution import add_execution_options, check_execution, execute, in_shard, is_cohort, threads_of
from .options import MODEL_HELP, add_reading_options, add_run_options, reading_options

if TYPE_CHECKING:
    from ...cohort.job import Job
    from ...model.model import Model

SUMMARY = "Segment volumes."
DETAILS = (
    "For each IMAGE, a file or a folder with DICOM files, STEM_MODEL.seg.nrrd is written into DIR: a label image that "
    "3D Slicer opens with names and colours. STEM is the name of the file without its ending, or the name of the "
    "folder. An IMAGE with several volumes of one place, a cine, gives STEM_MODEL.nii.gz with the labels of all frames "
    "and, if the model finds the left ventricle, its volumes as STEM_MODEL_volumes.csv and .png. Of a folder with "
    "volumes each is segmented; if two have one name, folders are made below DIR as they lie. Images that cannot be "
    "segmented do not stop the others: the exit code is then 1, or 2 if none can be. A second run with the same "
    "options goes on after what is done, if records are kept."
)


def add_options(parser: ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "images", nargs="*", type=Path, metavar="IMAGE", help="file, folder with DICOM files, folder of volumes"
    )
    parser.add_argument("-m", "--model", required=True, help=MODEL_HELP)
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="DIR", help="folder for the results")
    parser.add_argument("--list", metavar="FILE", help="file with the paths of further images, one a line; - is stdin")
    parser.add_argument("--recursive", action="store_true", help="look into the folders below a folder, too")
    parser.add_argument(
        "--pattern", metavar="GLOB", help="only images of a folder whose names match, as '*_T1w.nii.gz'"
    )
    add_run_options(parser)
    add_reading_options(parser, series=True)
    parser.add_argument(
        "--region",
        nargs=6,
        type=float,
        metavar=("R0", "R1", "A0", "A1", "S0", "S1"),
        help="look only at this box, in mm along right, anterior and superior",
    )
    _add_sequence_options(parser)
    add_case_options(parser)
    parser.add_argument("--probability", action="store_true", help="write each label's probability too")
    parser.add_argument("--uncertainty", action="store_true", help="write the standard deviation over the passes too")
    parser.add_argument(
        "--stress",
        action="store_true",
        help="segment again with noise, bias field, ghosting, another scale, place and seed, and write a table of how "
        "much the result changes; takes about eleven times as long",
    )
    parser.add_argument(
        "--format",
        nargs="+",
        choices=("seg.nrrd", "nii.gz", "dicom-seg"),
        default=["seg.nrrd"],
        metavar="FORMAT",
        help="of the segmentation, one or more: seg.nrrd (default), nii.gz with a table of the labels (.tsv), "
        "dicom-seg (.dcm) of a DICOM input",
    )
    add_corrections_option(parser)
    parser.add_argument("--json", action="store_true", help="print a summary as JSON")
    add_execution_options(parser)


def _add_sequence_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--frame-interval",
        type=float,
        metavar="MS",
        help="of a sequence: milliseconds between frames, in place of what the file says",
    )
    parser.add_argument(
        "--leave-out",
        action="store_true",
        help="of a DICOM cine: go on without planes that do not belong to the stack, and without slices that do not "
        "have all phases",
    )
    parser.add_argument(
        "--slices",
        nargs=2,
        type=int,
        metavar=("FIRST", "LAST"),
        help="of a heart's sequence: slices whose volume is counted, from 1 (default: all around the fullest one in "
        "which something is found)",
    )


def run(options: Namespace) -> int:
    """Segment each image and print what was found."""
    model = loaded_model(options)
    check_execution(options)
    if "dicom-seg" in options.format:
        from ...io.dicom_seg import require_highdicom

        require_highdicom()
    jobs = in_shard(options, _jobs(options, model))
    if not options.dry_run:
        options.output.mkdir(parents=True, exist_ok=True)
    return execute(jobs, model, options)


def _jobs(options: Namespace, model: Model) -> list[Job]:
    """A job for each image: alone as it is named, in a cohort by absolute paths and with a record."""
    from ...cohort.inputs import jobs_for
    from ...cohort.job import Job, Settings, file_name

    images, cohort = _images(options)
    check_corrections(options, model, images)
    settings = Settings(
        output=os.path.abspath(options.output) if cohort else str(options.output),
        model=model_place(options.model),
        model_sha256=model.sha256,
        options={**case_keywords(options), "threads": threads_of(options)},
        reading={
            **reading_options(options),
            "interval_ms": options.frame_interval,
            "leave_out": options.leave_out,
        },
        formats=tuple(dict.fromkeys(options.format)),
        slices=tuple(options.slices) if options.slices else None,
        stress=options.stress,
        corrections=str(options.corrections) if options.corrections else None,
        picture=options.report is not None,
        keep_record=cohort,
        timeout=options.timeout,
    )
    if cohort:
        return jobs_for(images, settings, model.name)
    ending = f"_{file_name(model.name)}"
    return [Job(image, name, name + ending, settings) for image, name in zip(images, _stems(images))]


def _images(options: Namespace) -> tuple[list[str], bool]:
    """All images, and whether they are a cohort: a folder of volumes, a list, or an option of cohorts is given."""
    from ...cohort.inputs import images_in, is_folder_of_images, listed_images

    cohort = is_cohort(options) or options.list is not None or options.recursive or options.pattern is not None
    images: list[str] = []
    for path in map(str, options.images):
        is_folder = os.path.isdir(path)  # noqa: PTH112 (a path may be any text)
        if is_folder and (options.recursive or options.pattern or is_folder_of_images(path)):
            found = images_in(path, options.recursive, options.pattern)
            if not found:
                raise MedNCAError(f"There are no volumes in {path} that are meant. Check --recursive and --pattern.")
            images += found
            cohort = True
        else:
            images.append(path)
    if options.list is not None:
        images += listed_images(options.list)
    if not images:
        raise MedNCAError("There is no image to segment: name one, or a folder, or a list with --list.")
    return images, cohort


def _stems(images: list[str]) -> list[str]:
    from ...io.images import image_stem

    stems = [image_stem(path) for path in images]
    for number, stem in enumerate(stems):
        if stem in stems[:number]:
            raise MedNCAError(
                f"{images[stems.index(stem)]} and {images[number]} would be written to the same file. Segment them "
                "into different folders."
            )
    return stems
