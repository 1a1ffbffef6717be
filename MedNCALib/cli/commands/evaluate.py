"""mednca evaluate."""

from __future__ import annotations

import warnings
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import MedNCAError
from ..exit_codes import DONE, SOME_FAILED
from ..streams import print_message, print_warnings
from .json_output import require_folder, write_json
from .model_output import require_free
from .options import MODEL_HELP, add_reading_options, add_run_options, reading_options, run_options
from .progress import ProgressBar

if TYPE_CHECKING:
    from ...evaluation.corrections import CorrectionReport
    from ...evaluation.metrics import Score
    from ...evaluation.report import EvaluationReport
    from ...model.model import Model

SUMMARY = "Measure a model on images whose labels are known."
DETAILS = (
    "Images and label images are paired by name. Labels go by the model's names if the files name them, else by its "
    "values. For each case and label: Dice, 95 % Hausdorff distance, volume and "
    "its error. With --perturb also how much Dice falls if the images are noisy, moved, scaled and so on. With "
    "--corrections also how Dice rises if a simulated person corrects each case: at each turn the largest connected "
    "error gets a disc of 3 mm radius with the right labels, and the cells grow again. With --card "
    "also measure scores, robustness, verdict thresholds and what it costs that not all cells run, and write them into "
    "a model card: that of a copy of the model in DIR (-o), or the model's own (--in-place). With --card skipping only "
    "the last of these, for which cases of the training will do."
)


def add_options(parser: ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("-m", "--model", required=True, help=MODEL_HELP)
    parser.add_argument("--images", required=True, type=Path, metavar="DIR", help="folder of images")
    parser.add_argument(
        "--labels", required=True, type=Path, metavar="DIR", help="folder of label images of the same names"
    )
    add_run_options(parser)
    add_reading_options(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N cases by name")
    parser.add_argument(
        "--perturb", action="store_true", help="also measure what perturbations of the images cost (many more runs)"
    )
    parser.add_argument(
        "--corrections", type=int, metavar="N", help="also measure what N corrections of each case are worth"
    )
    parser.add_argument(
        "--poor-slices",
        type=float,
        metavar="DICE",
        help="with --corrections: also correct each slice whose Dice is lower than this, by itself",
    )
    parser.add_argument(
        "--card",
        nargs="?",
        const="all",
        choices=("all", "skipping"),
        metavar="skipping",
        help="also write the figures of single passes with seed 0 into a card; for cases that the model was not "
        "trained on (many more runs)",
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="with --card: folder for a copy of the model with the new card"
    )
    place.add_argument("--in-place", action="store_true", help="with --card: replace the card of the model itself")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")


def run(options: Namespace) -> int:
    """Evaluate, print the tables and write what was asked for."""
    from ...evaluation.evaluate import evaluate
    from ...model.licence import licence_note
    from ...model.model import load_model

    model = load_model(options.model)
    _check_output(options)
    with ProgressBar() as bar, warnings.catch_warnings(record=True) as notes:
        report = evaluate(
            model,
            options.images,
            options.labels,
            limit=options.limit,
            perturb=options.perturb,
            corrections=options.corrections,
            poor_slices=options.poor_slices,
            reading=reading_options(options),
            progress=bar.show,
            **run_options(options),
        )
    print_warnings([licence_note(model)], notes)
    if options.json:
        write_json(options.json, report.as_dict())
    _print_scores(report)
    _print_perturbations(report)
    if report.corrections is not None:
        print("\n".join(["", *correction_lines(report.corrections)]))
    if options.card:
        _write_card(model, report, options)
    for failure in report.failures.values():
        print_message(failure)
    return SOME_FAILED if report.failures else DONE


def _check_output(options: Namespace) -> None:
    """Refuse places that cannot be written to, before the work rather than afterwards."""
    if options.json:
        require_folder(options.json)
    if options.card and not (options.output or options.in_place):
        raise MedNCAError("--card needs a place: -o DIR for a copy of the model with the new card, or --in-place.")
    if not options.card and (options.output or options.in_place):
        raise MedNCAError("-o and --in-place say where a card goes: add --card, or leave them out.")
    if options.output:
        require_free(options.output, "--in-place replaces the card of the model that is measured")


def _write_card(model: Model, report: EvaluationReport, options: Namespace) -> None:
    from ...evaluation.card_scores import measured_card
    from ...evaluation.evaluate import CasesInFiles
    from ...evaluation.skipping import measured_skipping
    from ...io.image_label_pairs import find_pairs
    from ...model.model import CARD

    scored = {case.name for case in report.cases}
    pairs = [pair for pair in find_pairs(options.images, options.labels) if pair.name in scored]
    with ProgressBar() as bar:
        cases = CasesInFiles(pairs, model.all_labels, reading_options(options))
        if options.card == "skipping":
            card = replace(model.card, skipping=measured_skipping(model, cases, bar.show))
        else:
            card = measured_card(model, list(cases), bar.show)
    folder: Path = model.folder if options.in_place and model.folder else options.output
    replace(model, card=card).save(folder)
    print(f"\nThe figures of {len(pairs)} cases are in {folder / CARD}.")


def _print_scores(report: EvaluationReport) -> None:
    rows = [(case.name, case.labels, case.whole) for case in report.cases]
    rows.append(("mean", report.mean_labels, report.mean_whole))
    names = [*report.mean_labels, "whole"]
    first = max(len(name) for name, *_ in rows)
    widths = [max(len(name), 14) for name in names]
    print(f"{'Dice / HD95':{first}}  " + "  ".join(f"{name:>{width}}" for name, width in zip(names, widths)))
    for name, labels, whole in rows:
        cells = [*(_cell(labels[each]) if each in labels else "" for each in report.mean_labels), _cell(whole)]
        print(f"{name:{first}}  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths)))


def _print_perturbations(report: EvaluationReport) -> None:
    if report.perturbations is None:
        return
    title = "whole, all cases"
    width = max(len(name) for name in (title, *report.perturbations))
    print(f"\n{title:{width}}  {'Dice':>6}  {'fall':>6}")
    for name, scores in report.perturbations.items():
        print(f"{name:{width}}  {scores.whole:6.3f}  {scores.dice_drop:6.3f}")


def correction_lines(report: CorrectionReport) -> list[str]:
    """The table of what corrections are worth."""
    from ...evaluation.corrections import SURROUNDINGS_MM

    rows = [
        ("regrown", report.whole.regrown),
        ("painting alone", report.whole.painted),
        ("regrown, without what is painted", report.whole.regrown_elsewhere),
        ("painting alone, without what is painted", report.whole.painted_elsewhere),
        ("regrown, mean of the labels", report.labels.regrown),
        ("painting alone, mean of the labels", report.labels.painted),
        ("regrown, the worst case", report.worst),
    ]
    poor = report.poor_slices
    if poor is not None and poor.slices:
        rows.append((f"regrown, {poor.slices} slices below {poor.below:g}, each by itself", poor.whole))
    width = max(len(name) for name, _ in rows)
    lines = [f"{'Dice after so many corrections':{width}}" + "".join(f"{turn:7d}" for turn in range(report.turns + 1))]
    lines += [f"{name:{width}}" + "".join(f"{dice:7.3f}" for dice in curve) for name, curve in rows]
    if report.seconds is not None:
        far = max(case.changed_far for case in report.cases)
        lines.append(
            f"A turn takes {report.seconds:.2f} s and changes at most {far:.2%} of the voxels more than "
            f"{SURROUNDINGS_MM:.0f} mm away from it."
        )
    return [*lines, *report.failures.values()]


def _cell(score: Score) -> str:
    distance = "-" if score.hd95_mm is None else f"{score.hd95_mm:.1f} mm"
    return f"{score.dice:.3f} {distance:>8}"
