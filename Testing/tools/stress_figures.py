"""How stable results are under a stress test, and whether right ones are more stable than wrong ones.

python Testing/tools/stress_figures.py [--data ../shared/data] [--sets head prostate] [--every 4]

Prints two tables in Markdown: the lowest Dice of the stress tests by the true Dice of the results, and for several
thresholds how many results of each true Dice are called stable.
"""

import argparse
import json
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "Testing")]

import numpy as np
import SimpleITK as sitk
from support.shared_data import data_folder

import MedNCALib as mednca
from MedNCALib.evaluation.metrics import dice, dices
from MedNCALib.evaluation.stress_test import stress_test
from MedNCALib.io.image_label_pairs import find_pairs, read_pair

SETS = ("head", "hippocampus", "prostate", "left_ventricle")
HIPPOCAMPUS, MARGIN = 48, 15.0  # the left one's value in the labels of whole heads, and mm around it
BINS = ((0.0, 0.7), (0.7, 0.8), (0.8, 0.85), (0.85, 0.9), (0.9, 1.01))  # of the true Dice
THRESHOLDS = (0.8, 0.825, 0.85, 0.875, 0.9)


def tested(image, model, region, truth_dice):
    """True Dice of the result as it is, and the Dice with each perturbation."""
    test = stress_test(image, model, region=region, threads=1)
    return {
        "model": model.name,
        "true": truth_dice(test.result.labels),
        "changes": {change.perturbation: change.dice for change in test.changes},
    }


def own_cases(data, every, model, folder, **reading):
    """Cases of the collection that a model is made for; those it was trained on are among them."""
    for pair in find_pairs(data / folder / "images", data / folder / "labels")[::every]:
        image, truth = read_pair(pair, model.labels, **reading)

        def mean_dice(found, truth=truth):
            return float(np.mean(list(dices(truth, found, model.labels)[0].values())))

        yield {"set": folder, "name": pair.name, **tested(image, model, None, mean_dice)}


def heads(data, every, model):
    """Left hippocampi in whole heads of another scanner, in a box around each."""
    for pair in find_pairs(data / "head" / "images", data / "head" / "labels")[::every]:
        image, truth = (
            mednca.read_image(pair.image),
            sitk.Cast(sitk.ReadImage(str(pair.label)), sitk.sitkUInt16) == HIPPOCAMPUS,
        )
        where = np.argwhere(sitk.GetArrayViewFromImage(truth))[:, ::-1].tolist()
        points = np.array([truth.TransformIndexToPhysicalPoint(index) for index in where]) * (-1, -1, 1)
        low, high = points.min(axis=0) - MARGIN, points.max(axis=0) + MARGIN
        mask = sitk.GetArrayFromImage(truth) > 0

        def whole_dice(found, mask=mask):
            return dice(mask, sitk.GetArrayViewFromImage(found) > 0)

        region = np.stack([low, high], axis=1).ravel().tolist()
        yield {"set": "head", "name": pair.name, **tested(image, model, region, whole_dice)}


def tables(cases):
    """The lines of both tables."""
    lowest = {id(case): min(case["changes"].values()) for case in cases}
    yield "| data | true Dice | cases | " + " | ".join(f"{share} % of them" for share in (10, 50, 90)) + " | worst by |"
    yield "|---" * 7 + "|"
    by_bin = {}
    for name in dict.fromkeys(case["set"] for case in cases):
        for low, high in BINS:
            inside = [case for case in cases if case["set"] == name and low <= case["true"] < high]
            by_bin.setdefault((low, high), []).extend(inside)
            if inside:
                values = np.quantile([lowest[id(case)] for case in inside], (0.1, 0.5, 0.9))
                worst = [min(case["changes"], key=case["changes"].get) for case in inside]
                often = max(set(worst), key=worst.count)
                cells = " | ".join(f"{value:.3f}" for value in values)
                yield f"| {name} | {low:.2f} to {min(high, 1):.2f} | {len(inside)} | {cells} | {often} |"
    yield ""
    yield "| true Dice | cases | " + " | ".join(f"stable at {threshold}" for threshold in THRESHOLDS) + " |"
    yield "|---" * (2 + len(THRESHOLDS)) + "|"
    for (low, high), inside in by_bin.items():
        shares = (100 * np.mean([lowest[id(case)] >= threshold for case in inside] or [0]) for threshold in THRESHOLDS)
        cells = " | ".join(f"{share:.0f} %" for share in shares)
        yield f"| {low:.2f} to {min(high, 1):.2f} | {len(inside)} | {cells} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=data_folder(), help="the folder of real images")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, help="which sets of images (default: all)")
    parser.add_argument("--every", type=int, default=4, help="take every n-th case of each (default: 4)")
    parser.add_argument("--json", type=Path, help="write the Dice of each case")
    options = parser.parse_args()
    hippocampus, prostate, ventricle = map(
        mednca.load_model, ("hippocampus-mr", "prostate-mr-t2", "left-ventricle-cine-mr")
    )
    data, every = options.data, options.every
    sources = {
        "head": heads(data, every, hippocampus),
        "hippocampus": own_cases(data, every, hippocampus, "hippocampus"),
        "prostate": own_cases(data, every, prostate, "prostate"),
        "left_ventricle": own_cases(data, every, ventricle, "left_ventricle", spacing=(1.3, 1.3, 8.0)),
    }
    cases = []
    for name in options.sets:
        for case in sources[name]:
            cases.append(case)
            print(f"{name} {case['name']}: true Dice {case['true']:.3f}", file=sys.stderr)
            if options.json:
                options.json.write_text(json.dumps(cases, indent=1), encoding="utf-8")
    print(*tables(cases), sep="\n")


if __name__ == "__main__":
    main()
