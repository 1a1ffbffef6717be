"""One table: a model, its preset in one run from the start, the published recipe, and a UNet of 500 times its size.

python Testing/tools/comparison.py hippocampus-mr --images DIR --labels DIR --minutes 120 42 120 -o DIR

All are trained on the same cases, and measured on those that the model's card names as held out. A run that was stopped
goes on where it was. Prints the tables, and writes comparison.json into a folder of the model's name in the output
folder. `benchmark_page.py --record` takes the rows of that file over into the documentation.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "Testing")]

import numpy as np
import SimpleITK as sitk
import torch

import MedNCALib as mednca
from MedNCALib.errors import TrainingError
from MedNCALib.evaluation.evaluate import perturbed_scores
from MedNCALib.evaluation.metrics import compare
from MedNCALib.evaluation.perturbations import UNPERTURBED
from MedNCALib.process_memory import peak_mb
from MedNCALib.segmentation.options import RunOptions
from MedNCALib.training.length import Minutes
from MedNCALib.training.preparation import prepare
from MedNCALib.training.preset import Preset, load_preset
from MedNCALib.training.recipe import Recipe, standard_recipe
from MedNCALib.training.trainer import CHECKPOINT_SECONDS, Trainer
from tools import baselines
from tools.benchmark_page import BUNDLED, PRESET, RECIPE, UNET, comparison_tables


@dataclass(frozen=True)
class Contender:
    """A network that is trained for the comparison.

    folder - Where its training lies in the model's folder.
    recipe - Makes the recipe, from the preset and the prepared data.
    preset - Makes its preset from the model's.
    checkpointSeconds - Time between two checkpoints.
    """

    folder: str
    recipe: Callable[..., Recipe]
    preset: Callable[[Preset], Preset] = lambda preset: preset
    checkpointSeconds: float = CHECKPOINT_SECONDS


CONTENDERS = {
    PRESET: Contender("preset", lambda preset, data: standard_recipe(preset, data.model.cascade.architecture)),
    RECIPE: Contender("published", baselines.reference_recipe, baselines.reference_preset),
    UNET: Contender("unet", baselines.unet_recipe, checkpointSeconds=baselines.CHECKPOINT_SECONDS),
}


def main(arguments):
    model = mednca.load_model(arguments.model)
    # All contenders see one collection, the one that is given.
    preset = replace(load_preset(arguments.preset or model.card.training.preset), collections=())
    output = arguments.output / model.name
    rows = {}
    for (network, contender), minutes in zip(CONTENDERS.items(), arguments.minutes):
        folder, settings = output / contender.folder, contender.preset(preset)
        data = prepare(arguments.images, arguments.labels, folder, settings, seed=0)
        trainer = Trainer(
            data,
            settings,
            contender.recipe(settings, data),
            folder,
            seed=0,
            length=Minutes(minutes),
            keep=lambda model: None,  # the checkpoint holds the best weights
            progress=report,
            checkpoint_seconds=contender.checkpointSeconds,
        )
        competitor, remark = train(trainer, folder)
        rows[network] = {"remark": remark, "training_minutes": minutes}
        if competitor:
            rows[network] |= measure(competitor, data.held_out)
    minutes = model.card.training.minutes
    rows = {BUNDLED: {"remark": "", "training_minutes": minutes, **measure(model, data.held_out)}, **rows}
    (output / "comparison.json").write_text(json.dumps(rows, indent=2), encoding="utf-8")
    print(comparison_tables([{"network": network, **row} for network, row in rows.items()]))


def report(done, message):
    print(f"\r{done:5.0%} {message}", end="\n" if done == 1 else "", flush=True, file=sys.stderr)


def train(trainer, folder):
    """Train until the end or until it diverges: the best model, None if there is none, and a remark."""
    if (folder / "checkpoint.pt").is_file():
        trainer.resume()
    try:
        return trainer.run(), ""
    except TrainingError as error:
        return trainer.best(), str(error)


def measure(model, cases):
    """Scores on the cases, cost of one of them, and how much each perturbation costs."""
    scores = [
        compare(case.labels, mednca.segment(case.image, model, engine="torch").labels, model.labels)[1]
        for case in cases
    ]
    distances = [score.hd95_mm for score in scores if score.hd95_mm is not None]
    found = perturbed_scores(model, cases, RunOptions(engine="torch"))
    return {
        "dice": float(np.mean([score.dice for score in scores])),
        "hd95_mm": float(np.mean(distances)) if distances else None,
        "parameters": model.cascade.without_hints.parameter_count,
        "megabytes": 4 * model.cascade.without_hints.parameter_count / 1e6,
        **cost(model, cases[0].image),
        "dice_drop": {name: score.dice_drop for name, score in found.items() if name != UNPERTURBED},
    }


def cost(model, image):
    """Seconds for a volume, the faster of two runs, and peak memory, in a process of its own."""
    with TemporaryDirectory() as folder:
        files = [str(Path(folder) / name) for name in ("model.pt", "image.nrrd")]
        torch.save(model, files[0])
        sitk.WriteImage(image, files[1])
        command = [sys.executable, __file__, "--cost", *files]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def cost_here(model_file, image_file):
    model, image = torch.load(model_file, weights_only=False), sitk.ReadImage(image_file)
    # A cascade needs no PyTorch, but the model's file did: so the memory is that of PyTorch in either case.
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        mednca.segment(image, model)
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"seconds": min(seconds), "peak_mb": peak_mb()}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--cost"]:
        cost_here(*sys.argv[2:])
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("model", help="name or folder of the model")
        parser.add_argument("--images", required=True, help="folder of images")
        parser.add_argument("--labels", required=True, help="folder of label images of the same names")
        parser.add_argument("--preset", help="default: the one that the model was trained with")
        parser.add_argument(
            "--minutes",
            required=True,
            type=float,
            nargs=len(CONTENDERS),
            metavar=("PRESET", "RECIPE", "UNET"),
            help="how long the preset, the published recipe and the UNet are trained",
        )
        parser.add_argument("-o", "--output", required=True, type=Path, metavar="DIR", help="folder of the competitors")
        main(parser.parse_args())
