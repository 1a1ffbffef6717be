"""What it costs and gains that cells which cannot belong to a label do not run, for several thresholds and margins.

python Testing/tools/skipping_figures.py MODEL FOLDER [--every 8] [--runs 1] [--rules 0.002:2 0.01:2]

FOLDER holds `images` and `labels`. Prints a table in Markdown: differences from runs of all cells, and how many times
less time a run takes on one processor (of the process, so that other programs do not count).
"""

import argparse
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY)]

import numpy as np

import MedNCALib as mednca
from MedNCALib.evaluation.metrics import dices
from MedNCALib.io.image_label_pairs import find_pairs, read_pair
from MedNCALib.model.card import Skipping

RULES = ("0.002:2", "0.01:1", "0.01:2", "0.1:2", "0.3:2")
HEAD = ("threshold", "margin", "mean change of Dice", "largest", "largest change of NQM", "verdicts changed", "speed")


def timed(image, model, **options):
    began = time.process_time()
    result = mednca.segment(image, model, threads=1, **options)
    return result, time.process_time() - began


def figures(model, folder, every, runs, rules):
    """For each rule the differences of each case, as (Dice, NQM, verdict differs, seconds of all cells, seconds)."""
    found = {rule: [] for rule in rules}
    for pair in find_pairs(folder / "images", folder / "labels")[::every]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image, truth = read_pair(pair, model.labels)
        whole, seconds = timed(image, model, runs=runs, all_cells=True)
        dice = dices(truth, whole.labels, model.labels)[1]
        for rule, rows in found.items():
            threshold, margin = rule.split(":")
            card = replace(model.card, skipping=Skipping(float(threshold), int(margin), 0.0))
            result, less = timed(image, replace(model, card=card), runs=runs)
            rows.append(
                (
                    abs(dices(truth, result.labels, model.labels)[1] - dice),
                    abs((result.quality.nqm or 0) - (whole.quality.nqm or 0)),
                    result.quality.verdict != whole.quality.verdict,
                    seconds,
                    less,
                )
            )
    return {rule: np.array(rows, float) for rule, rows in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=8)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--rules", nargs="+", default=RULES)
    options = parser.parse_args()
    model = mednca.load_model(options.model)
    found = figures(model, options.folder, options.every, options.runs, options.rules)
    print(f"{model.name}, {len(next(iter(found.values())))} cases, {options.runs} passes\n")
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for rule, rows in found.items():
        dice, nqm, verdict, seconds, less = rows.T
        cells = f"{dice.mean():.5f} | {dice.max():.5f} | {nqm.max():.4f} | {verdict.sum():.0f}"
        print(f"| {' | '.join(rule.split(':'))} | {cells} | {seconds.sum() / less.sum():.1f} |")


if __name__ == "__main__":
    main()
