"""mednca segment."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import warnings
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._version import __version__
from ...errors import MedNCAError, MedNCAWarning, all_failed
from ..exit_codes import DONE, SOME_FAILED
from ..failures import USER_ERRORS, failure_text
from ..streams import print_above_bar, print_message, print_warnings
from .corrections_option import add_corrections_option, check_corrections, corrected_run
from .options import MODEL_HELP, add_reading_options, add_run_options, reading_options, run_options
from .progress import ProgressBar
from .segment_sequence import add_sequence_options, check_single, segment_sequence, sequence_line
from .stress_table import write_stress_table

if TYPE_CHECKING:
    import SimpleITK as sitk

    from ...evaluation.stress_test import StressTest
    from ...model.model import Model
    from ...progress import Progress
    from ...segmentation.steps import Result

SUMMARY = "Segment volumes."
DETAILS = (
    "For each IMAGE, a file or a folder with DICOM files, STEM_MODEL.seg.nrrd is written into DIR: a label image that "
    "3D Slicer opens with names and colours. STEM is the name of the file without its ending, or the name of the "
    "folder. An IMAGE with several volumes of one place, a cine, gives STEM_MODEL.nii.gz with the labels of all frames "
    "and, if the model finds the left ventricle, its volumes as STEM_MODEL_volumes.csv and .png. Images that cannot be "
    "segmented do not stop the others: the exit code is then 1, or 2 if none can be."
)


def add_options(parser: ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="file, or folder with one DICOM series")
    parser.add_argument("-m", "--model", required=True, help=MODEL_HELP)
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="DIR", help="folder for the results")
    add_run_options(parser)
    add_reading_options(parser, series=True)
    parser.add_argument(
        "--region",
        nargs=6,
        type=float,
        metavar=("R0", "R1", "A0", "A1", "S0", "S1"),
        help="look only at this box, in mm along right, anterior and superior",
    )
    add_sequence_options(parser)
    parser.add_argument("--largest-only", action="store_true", help="keep only the largest island of each label")
    parser.add_argument("--probability", action="store_true", help="write each label's probability too")
    parser.add_argument("--uncertainty", action="store_true", help="write the standard deviation over the passes too")
    parser.add_argument(
        "--stress",
        action="store_true",
        help="segment again with noise, bias field, ghosting, another scale, place and seed, and write a table of how "
        "much the result changes; takes about eleven times as long",
    )
    add_corrections_option(parser)
    parser.add_argument("--json", action="store_true", help="print a summary as JSON")


def run(options: Namespace) -> int:
    """Segment each image and print what was found."""
    from ...model.licence import licence_note
    from ...model.model import load_model
    from ...segmentation.options import RunOptions
    from ...segmentation.protocol import named_protocol

    model = load_model(options.model)
    # Values that make no sense are refused before the first image is read.
    named_protocol(model, RunOptions(**run_options(options)).protocol)
    stems = _stems(options.images)
    check_corrections(options, model)
    options.output.mkdir(parents=True, exist_ok=True)
    summaries: list[dict[str, Any]] = []
    failures: list[str] = []
    try:
        with ProgressBar() as bar:
            for number, (path, stem) in enumerate(zip(options.images, stems)):
                try:
                    with warnings.catch_warnings(record=True) as notes:
                        summary = _segment(path, stem, model, options, bar, number)
                except USER_ERRORS as error:  # and no word on what else there is to say of this image
                    failures.append(failure_text(error))
                    continue
                print_warnings([None if summaries else licence_note(model)], notes)
                if not options.json:
                    for line in _lines(summary):
                        print_above_bar(line, sys.stdout)
                summaries.append(summary)
    finally:  # what is finished is said if the rest is stopped, too
        if options.json and summaries:
            print(json.dumps(summaries, indent=2))
    if not summaries:
        raise all_failed(failures)
    for failure in failures:
        print_message(failure)
    return SOME_FAILED if failures else DONE


def _stems(images: list[Path]) -> list[str]:
    from ...io.images import image_stem

    stems = [image_stem(path) for path in images]
    for number, stem in enumerate(stems):
        if stem in stems[:number]:
            raise MedNCAError(
                f"{images[stems.index(stem)]} and {images[number]} would be written to the same file. Segment them "
                "into different folders."
            )
    return stems


def _segment(path: Path, stem: str, model: Model, options: Namespace, bar: ProgressBar, number: int) -> dict[str, Any]:
    """Segment one image and write what was asked for; a summary for JSON."""
    from ...io.image_sequence import ImageSequence, read_volumes
    from ...measurement.volumes import measure
    from ...segmentation.input_checks import check_input

    def progress(done: float, text: str) -> None:
        bar.show((number + done) / len(options.images), path.name + text)

    bar.show(number / len(options.images), f"reading {path.name}")
    image = read_volumes(
        path, **reading_options(options), interval_ms=options.frame_interval, leave_out=options.leave_out
    )
    base = f"{stem}_{_file_name(model.name)}"
    record = {
        "model": model.name,
        "model_sha256": model.sha256,
        "version": __version__,
        "seed": options.seed,
        "passes": options.runs,
    }
    if isinstance(image, ImageSequence):
        try:
            found = segment_sequence(image, path, options.output / base, model, options, progress)
        except MedNCAError as error:
            raise MedNCAError(f"{path}: {error}") from error
        return {"input": str(path), **record, **found}
    try:
        check_single(options)
        for reason in check_input(image, model, options.region, options.find):
            warnings.warn(f"{path}: {reason}", MedNCAWarning, stacklevel=2)
        started = time.perf_counter()
        result, test = _run(image, model, options, progress)
    except MedNCAError as error:
        raise MedNCAError(f"{path}: {error}") from error
    seconds = time.perf_counter() - started
    for note in result.notes:
        warnings.warn(f"{path}: {note}", MedNCAWarning, stacklevel=2)
    if result.protocol:
        record["protocol"] = result.protocol
    table = options.output / f"{base}_stress.csv"
    if test:
        write_stress_table(table, test)
    files = _write(result, options.output, base, record)
    quality = result.quality.as_dict()
    return {
        "input": str(path),
        **record,
        "protocol": result.protocol,
        **files,
        "seconds": seconds,
        "volumes_ml": {name: volume["mean"] for name, volume in quality["volumes_ml"].items()},
        "found": [structure.as_dict() for structure in result.found],
        "brain_ml": result.brain_ml,
        "notes": list(result.notes),
        "quality": quality,
        "measurements": [asdict(measurement) for measurement in measure(result)],
        "stress": {"table": str(table), **test.as_dict()} if test else None,
    }


def _run(image: sitk.Image, model: Model, options: Namespace, progress: Progress) -> tuple[Result, StressTest | None]:
    """Segment an image; the result, and the stress test if that was asked for."""
    from ...evaluation.stress_test import stress_test_steps
    from ...segmentation.segmenter import segment_steps
    from ...segmentation.steps import run_to_end

    keywords = {
        "region": options.region,
        "probabilities": options.probability,
        "uncertainty": options.uncertainty,
        "largest_only": options.largest_only,
        **run_options(options),
    }
    if options.corrections:
        steps = corrected_run(image, model, options.corrections, keywords)
        return run_to_end(steps, lambda step: progress(step.fraction, "")), None
    if not options.stress:
        return run_to_end(segment_steps(image, model, **keywords), lambda step: progress(step.fraction, "")), None
    test = run_to_end(
        stress_test_steps(image, model, **keywords),
        lambda step: progress(step.fraction, f", {step.perturbation or 'unperturbed'}"),
    )
    return test.result, test


def _write(result: Result, output: Path, base: str, record: dict[str, Any]) -> dict[str, Any]:
    """Write the segmentation and what else there is; the files, for JSON."""
    from ...io.images import write_image
    from ...io.segmentation_file import write_segmentation

    segmentation = output / f"{base}.seg.nrrd"
    names = {label.name: _file_name(label.file_name) for label in result.label_table}
    probabilities = {name: output / f"{base}_{names[name]}_probability.nrrd" for name in result.probabilities}
    uncertainty = output / f"{base}_uncertainty.nrrd" if result.uncertainty else None
    for name, file in probabilities.items():
        write_image(file, result.probabilities[name], record)
    if uncertainty and result.uncertainty:
        write_image(uncertainty, result.uncertainty, record)
    write_segmentation(segmentation, result.labels, result.label_table, record)
    return {
        "segmentation": str(segmentation),
        "probabilities": {name: str(file) for name, file in probabilities.items()},
        "uncertainty": str(uncertainty) if uncertainty else None,
    }


def _lines(summary: dict[str, Any]) -> Iterator[str]:
    if "frames" in summary:
        yield sequence_line(summary)
        return
    volumes = ", ".join(f"{name} {volume:.2f} mL" for name, volume in summary["volumes_ml"].items())
    verdict = summary["quality"]["verdict"]
    protocol = f"protocol {summary['protocol']}" if summary["protocol"] else None
    brain = f"brain {summary['brain_ml']:.0f} mL" if summary["brain_ml"] else None
    said = [volumes, *filter(None, (brain,)), f"{summary['seconds']:.1f} s", *filter(None, (protocol, verdict))]
    yield f"{summary['segmentation']}: {'; '.join(said)}"
    if summary["stress"]:
        yield f"{summary['stress']['table']}: {summary['stress']['sentence']}"


def _file_name(name: str) -> str:
    """The name without characters that mean something else to file systems or shells."""
    readable = re.sub(r"[^\w.-]+", "-", name)
    return os.fsdecode(readable.encode("utf-8", "surrogateescape"))  # also if the locale's encoding lacks them
