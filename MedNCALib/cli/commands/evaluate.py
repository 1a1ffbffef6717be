"""Measure a model on images whose labels are known.

Images and label images are paired by name. For each case and label: Dice, 95 % Hausdorff distance, volume and its
error. With --perturb also how much Dice falls where the images are noisy, moved, scaled and so on. With --card what the
model's card tells, its Dice, how robust it is and which results pass, is measured and written into the card.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from ...errors import MedNCAError
from .options import MODEL_HELP, add_engine_options
from .progress import ProgressBar


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("-m", "--model", required=True, help=MODEL_HELP)
    parser.add_argument("--images", required=True, type=Path, metavar="DIR", help="folder of images")
    parser.add_argument(
        "--labels", required=True, type=Path, metavar="DIR", help="folder of label images of the same names"
    )
    add_engine_options(parser)
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N cases by name")
    parser.add_argument(
        "--perturb", action="store_true", help="also measure what perturbations of the images cost (many more runs)"
    )
    parser.add_argument(
        "--card",
        action="store_true",
        help="also write the figures of single runs with seed 0 into the model's card; for cases that it was not "
        "trained on (many more runs)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")


def run(options: Namespace) -> None:
    from ...atomic_write import written_whole
    from ...evaluation.evaluate import evaluate
    from ...model.model import load_model

    model = load_model(options.model)
    if options.json and not options.json.parent.is_dir():  # told now rather than after an hour
        raise MedNCAError(f"There is no folder {options.json.parent} to write {options.json.name} into.")
    with ProgressBar() as bar:
        report = evaluate(
            model,
            options.images,
            options.labels,
            runs=options.runs,
            seed=options.seed,
            engine=options.engine,
            limit=options.limit,
            threads=options.threads,
            perturb=options.perturb,
            progress=lambda done, count, name: bar.show(done / count, name),
        )
    if options.json:
        with written_whole(options.json) as path:
            path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _print_table(report)
    if options.perturb:
        _print_perturbations(report["perturbations"])
    if options.card:
        _write_card(model, options)


def _write_card(model, options: Namespace) -> None:
    from ...evaluation.card_scores import measured
    from ...io.image_label_pairs import find_pairs, read_pair

    cases = {pair.name: read_pair(pair) for pair in find_pairs(options.images, options.labels)[: options.limit]}
    with ProgressBar() as bar:
        figures = measured(model, cases, bar.show)
    replace(model, card={**model.card, **figures}).save(model.folder)
    print(f"\nThe figures of {len(cases)} cases are in {model.folder / 'card.json'}.")


def _print_table(report: dict) -> None:
    rows = [(case["name"], case) for case in report["cases"]] + [("mean", report["mean"])]
    labels = list(report["mean"]["labels"])
    first = max(len(name) for name, _ in rows)
    widths = [max(len(label), 14) for label in [*labels, "whole"]]
    titles = "  ".join(f"{label:>{width}}" for label, width in zip([*labels, "whole"], widths))
    print(f"{'Dice / HD95':{first}}  {titles}")
    for name, scores in rows:
        cells = [_cell(score) for score in (*scores["labels"].values(), scores["whole"])]
        print(f"{name:{first}}  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths)))


def _print_perturbations(perturbations: dict) -> None:
    title = "whole, all cases"
    width = max(len(name) for name in (title, *perturbations))
    print(f"\n{title:{width}}  {'Dice':>6}  {'fall':>6}")
    for name, scores in perturbations.items():
        print(f"{name:{width}}  {scores['whole']:6.3f}  {scores['fall']:6.3f}")


def _cell(score: dict) -> str:
    distance = "-" if score["hd95_mm"] is None else f"{score['hd95_mm']:.1f} mm"
    return f"{score['dice']:.3f} {distance:>8}"
