"""How a prostate model does if an endorectal coil brightens what lies near it, and in narrower fields of view.

python Testing/tools/coil_figures.py MODEL DATA [--seeds N]

DATA holds `images` and `labels`; the cases are those that the model's card was measured on. Prints a table in Markdown:
mean Dice of single passes over the cases, and the worst case. The coil multiplies intensities by 1 + G exp(-(r / 35
mm)^2), with the distance r in the axial plane from the middle of the labels' hindmost point. A field of view is a
square of so many mm around the labels.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY)]

import numpy as np
import SimpleITK as sitk

import MedNCALib as mednca
from MedNCALib.evaluation.metrics import dices
from MedNCALib.io.image_label_pairs import find_pairs, read_pair

_REACH_MM = 35.0
_HEAD = ("image", "Dice", "worst case")


def near_coil(gain, image, labels):
    """An image that a coil behind the labels has brightened, and the labels."""
    grid = image.GetSize(), image.GetOrigin(), image.GetSpacing(), image.GetDirection()
    places = sitk.GetArrayFromImage(sitk.PhysicalPointSource(sitk.sitkVectorFloat32, *grid))[..., :2]
    shown = places[sitk.GetArrayViewFromImage(labels) > 0]
    coil = shown[:, 0].mean(), shown[:, 1].max()
    distance = np.linalg.norm(places - np.array(coil, np.float32), axis=-1)
    brightened = sitk.GetArrayFromImage(image) * (1 + gain * np.exp(-((distance / _REACH_MM) ** 2)))
    result = sitk.GetImageFromArray(brightened.astype(np.float32))
    result.CopyInformation(image)
    return result, labels


def within(width_mm, image, labels):
    """What an image and its labels show within a square of the axial plane around the labels."""
    low, size = [0, 0, 0], list(image.GetSize())
    shown = np.argwhere(sitk.GetArrayViewFromImage(labels) > 0)[:, ::-1].mean(axis=0)
    for axis in (0, 1):
        width = min(size[axis], round(width_mm / image.GetSpacing()[axis]))
        low[axis] = int(np.clip(round(shown[axis] - width / 2), 0, size[axis] - width))
        size[axis] = width
    return tuple(sitk.RegionOfInterest(each, size, low) for each in (image, labels))


CONDITIONS = {
    "as it is": lambda *pair: pair,
    "coil of gain 4": partial(near_coil, 4),
    "coil of gain 8": partial(near_coil, 8),
    "130 mm wide": partial(within, 130),
    "109 mm wide": partial(within, 109),
    "109 mm wide, coil of gain 4": lambda *pair: within(109, *near_coil(4, *pair)),
}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args(arguments)
    model = mednca.load_model(options.model)
    pairs = find_pairs(options.data / "images", options.data / "labels")
    cases = [read_pair(pair) for pair in pairs if pair.name in model.card.scores.cases]
    print(f"| {' | '.join(_HEAD)} |\n|{'---|' * len(_HEAD)}")
    for name, change in CONDITIONS.items():
        images = [change(*case) for case in cases]
        found = np.mean([[dice_of(model, each, seed) for each in images] for seed in range(options.seeds)], axis=0)
        print(f"| {name} | {np.mean(found):.3f} | {np.min(found):.3f} |", flush=True)


def dice_of(model, pair, seed):
    """Dice of all labels merged in one pass."""
    image, labels = pair
    return dices(labels, mednca.segment(image, model, seed=seed).labels, model.labels)[1]


if __name__ == "__main__":
    main()
