"""Which real images the input checks notice as not meant for a model: every image against every bundled model.

python Testing/tools/check_inputs.py [--data ../shared/data]

Prints a table in Markdown: for each set of images and each model how many are noticed as wrong and, after a plus, how
many only need a region.
"""

import argparse
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "Testing")]

from support.shared_data import data_folder

import MedNCALib as mednca
from MedNCALib.segmentation.input_checks import check_input, fitting_models

SETS = ("hippocampus", "head", "prostate", "left_ventricle")


def images(data):
    """Name -> paths of the images of each set, and of each other input."""
    sets = {name: sorted((data / name / "images").iterdir()) for name in SETS}
    return {**sets, **{path.name: [path] for path in sorted((data / "inputs").iterdir())}}


def table(data, models):
    """The lines of the table, and the longest time that a check took in milliseconds."""
    lines = [
        "| images | number | " + " | ".join(model.name for model in models) + " |",
        "|---" * (len(models) + 2) + "|",
    ]
    longest = 0.0
    for name, paths in images(data).items():
        wrong, large = [0] * len(models), [0] * len(models)
        for image in map(mednca.read_image, paths):
            fitting = fitting_models(image, models)
            for index, model in enumerate(models):
                started = time.perf_counter()
                reasons = check_input(image, model)
                longest = max(longest, 1000 * (time.perf_counter() - started))
                wrong[index] += model not in fitting
                large[index] += model in fitting and bool(reasons)
        cells = (f"{count} + {more}" if more else str(count) for count, more in zip(wrong, large, strict=True))
        lines.append(f"| {name} | {len(paths)} | " + " | ".join(cells) + " |")
    return lines, longest


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=data_folder(), help="the folder of real images")
    lines, longest = table(parser.parse_args().data, mednca.list_models())
    print(*lines, f"Longest check: {longest:.0f} ms", sep="\n")


if __name__ == "__main__":
    main()
