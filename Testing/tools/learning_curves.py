"""What a training reaches with few cases and few minutes, on four structures, beside MONAI's UNet.

    python Testing/tools/learning_curves.py DATA -o build/learning_curves.json [--for MINUTES]

DATA holds `head`, `prostate` and `left_ventricle`. One figure after the other, the cheapest first: 1, 3, 5, 10 and 20
cases, 3, 10 and 30 minutes, from nothing, from a bundled model of another structure, and a UNet. Each figure is in the
file as soon as it is measured; what is there is not measured again, so the program can be stopped at any time. With
`--structures`, `--cases`, `--minutes` and `--networks` only these are measured. A file holds the figures of one
machine, on which nothing else may run meanwhile.
`benchmark_page.py --curves build/learning_curves.json` takes the figures over into the documentation.

A case of the left ventricle is a patient. All settings are those of `--preset auto`, also for the UNet. The Dice is
that of all labels merged, mean over cases that took no part.
"""

import argparse
import json
import re
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "Testing")]

import numpy as np
import SimpleITK as sitk

from MedNCALib.errors import TrainingError
from MedNCALib.evaluation.perturbations import LabelledCase
from MedNCALib.io.image_label_pairs import find_pairs, read_pair
from MedNCALib.model.model import load_model
from MedNCALib.training.length import Minutes
from MedNCALib.training.preparation import prepare_cases, read_cases
from MedNCALib.training.proposal import propose_preset, spread_over
from MedNCALib.training.recipe import standard_recipe
from MedNCALib.training.trainer import Trainer
from MedNCALib.training.validation import validation_scores
from tools import baselines
from tools.benchmark_page import UNET, source

COMMAND = "python Testing/tools/learning_curves.py"
CASES, MINUTES = (1, 3, 5, 10, 20), (3, 10, 30)
TESTED = 8  # cases
NOTHING, BUNDLED = "from nothing", "from a bundled model"
NETWORKS = (NOTHING, BUNDLED, UNET)


@dataclass(frozen=True)
class Structure:
    """What is learned.

    folder - Of the data.
    start - Bundled model of another structure to start from.
    values - Label values that are the structure; none for all.
    subject - Finds the case in a file's name.
    """

    folder: str
    start: str
    values: tuple[int, ...] = ()
    subject: str = ".+"


STRUCTURES = {
    "lateral ventricles": Structure("head", "hippocampus-mr", (51, 52)),
    "thalami": Structure("head", "hippocampus-mr", (59, 60)),
    "prostate": Structure("prostate", "left-ventricle-cine-mr"),
    "left ventricle": Structure("left_ventricle", "prostate-mr-t2", (), "SC-[A-Z]+(-[A-Z]+)?-[0-9]+"),
}
CHOICES = {"structures": tuple(STRUCTURES), "cases": CASES, "minutes": MINUTES, "networks": NETWORKS}


def main(data, output, budget, structures=CHOICES["structures"], cases=CASES, minutes=MINUTES, networks=NETWORKS):
    begin, rows = time.monotonic(), read(output)
    if {row["machine"] for row in rows} - {source(COMMAND)["machine"]}:
        sys.exit(f"{output} has figures of another machine, which learns more or less in a minute: name another file.")
    done = {(row["structure"], row["cases"], row["minutes"], row["network"]) for row in rows}
    for length, count, network, name in product(minutes, cases, networks, structures):
        if (name, count, length, network) in done:
            continue
        if budget is not None and time.monotonic() - begin > 60 * budget:
            return
        scratch = output.parent / "learning_curves" / f"{name}-{count}-{length}-{network}".replace(" ", "_")
        found = measure(data, STRUCTURES[name], count, length, network, scratch)
        which = {"structure": name, "cases": count, "minutes": length, "network": network}
        rows.append({**which, **found, **source(COMMAND)})
        partial = output.with_suffix(".part")
        partial.write_text(json.dumps(rows, indent=2), encoding="utf-8")
        partial.replace(output)
        shutil.rmtree(scratch)
        print(f"{name}, {count} cases, {length} minutes, {network}: {found}", flush=True)


def read(output):
    return json.loads(output.read_text(encoding="utf-8")) if output.is_file() else []


def measure(data, structure, count, minutes, network, scratch):
    """Train once, or go on with it, and measure: `dice`, None if no model came about, and `batches`."""
    learned, tested = chosen(data / structure.folder, structure, count)
    folders = scratch / "images", scratch / "labels"
    for pair in learned:
        write_case(pair, structure.values, folders)
    read_in = read_cases(*folders, scratch / "model")
    start = load_model(structure.start) if network == BUNDLED else None
    cases = *read_in.training, *read_in.validation
    proposal = propose_preset(spread_over(cases), read_in.labels, start, len(cases))
    prepared = prepare_cases(read_in, scratch / "model", proposal.preset, 0, start)
    make: Callable = of_cascade
    if network == UNET:
        make, prepared = baselines.unet_recipe, replace(prepared, canvas=baselines.unet_canvas(prepared.canvas))
    recipe = make(proposal.preset, prepared)
    seconds = {"checkpoint_seconds": baselines.CHECKPOINT_SECONDS} if network == UNET else {}
    folder = scratch / "training"
    trainer = Trainer(prepared, proposal.preset, recipe, folder, 0, Minutes(minutes), lambda model: None, **seconds)
    if (folder / "checkpoint.pt").is_file():
        trainer.resume()
    try:
        model = trainer.run()
    except TrainingError as error:
        return {"dice": None, "batches": trainer.batches, "remark": str(error)}
    others = [LabelledCase(pair.name, *labelled(pair, structure.values)) for pair in tested]
    return {"dice": round(validation_scores(model, others)[-1], 4), "batches": trainer.batches}


def of_cascade(preset, data):
    return standard_recipe(preset, data.model.cascade.architecture)


def chosen(folder, structure, count):
    """Pairs that are learned from and pairs that are tested, always in the same order."""
    pairs = find_pairs(folder / "images", folder / "labels")
    subjects = {}
    for pair in pairs:
        subjects.setdefault(re.search(structure.subject, pair.name).group(), []).append(pair)
    order = [list(subjects)[number] for number in np.random.default_rng(36).permutation(len(subjects))]
    learned, tested = order[:count], order[max(CASES) : max(CASES) + TESTED]
    return [[pair for name in names for pair in subjects[name]] for names in (learned, tested)]


def labelled(pair, values):
    """Image and label image of a case, with one label for all values."""
    image, labels = read_pair(pair)
    voxels = sitk.GetArrayViewFromImage(labels)
    merged = sitk.GetImageFromArray((np.isin(voxels, values) if values else voxels > 0).astype(np.uint8))
    merged.CopyInformation(labels)
    return image, merged


def write_case(pair, values, folders):
    for folder, image in zip(folders, labelled(pair, values)):
        folder.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(image, str(folder / f"{pair.name}.nii.gz"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="FILE")
    parser.add_argument("--for", dest="budget", type=float, metavar="MINUTES", help="begin no figure after that long")
    for name, known in CHOICES.items():
        kind = type(known[0])
        parser.add_argument(f"--{name}", nargs="+", type=kind, choices=known, default=known, help=f"only these {name}")
    options = vars(parser.parse_args())
    main(options.pop("data"), options.pop("output"), options.pop("budget"), **options)
