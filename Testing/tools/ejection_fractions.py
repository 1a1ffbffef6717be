"""How far the ejection fraction is off, from sequences that are made of the labelled slices of single patients.

python Testing/tools/ejection_fractions.py MODEL IMAGES LABELS [--spacing 1.3 1.3 8] [--runs N] [--all] [--keep FOLDER]

IMAGES and LABELS hold pictures of the Sunnybrook Cardiac Data, whose names end with a number that is 20 times the slice
plus the phase. Of each patient the two phases with the most labelled slices become a sequence of two frames; a slice
that is labelled in one of them only is empty in the other. Patients are those that the model's card names as held out;
--all takes every patient. --keep writes the sequences as NIfTI files. Prints a table in Markdown.
"""

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY)]

import numpy as np
import SimpleITK as sitk

import MedNCALib as mednca
from MedNCALib.io.frame_times import FrameTimes
from MedNCALib.segmentation.steps import run_to_end

NAME = re.compile(r"(SC-[A-Z-]+\d+)-IM-\d+-(\d+)")
PHASES = 20
HEAD = ("patient", "slices", "EDV, mL", "found", "ESV, mL", "found", "EF, %", "found")


def patients(folder):
    """File of each phase and slice, by patient."""
    found = defaultdict(lambda: defaultdict(dict))
    for path in sorted(folder.iterdir()):
        match = NAME.search(path.name)
        if match:
            number, phase = divmod(int(match[2]) - 1, PHASES)
            found[match[1]][phase][number] = path
    return found


def volume(files, numbers, spacing):
    """A volume of slices; those without a file are empty."""
    planes = {number: plane(path) for number, path in files.items()}
    shape = next(iter(planes.values())).shape
    image = sitk.GetImageFromArray(np.stack([planes.get(number, np.zeros(shape, np.uint8)) for number in numbers]))
    image.SetSpacing(spacing)
    return image


def plane(path):
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    return voxels.reshape(voxels.shape[-2:])


def figures(patient, images, labels, model, options):
    """What is known and what is found: EDV, ESV and EF of each, and the number of slices."""
    phases = sorted(images, key=lambda phase: -len(labels[phase]))[:2]
    numbers = sorted(set(labels[phases[0]]) | set(labels[phases[1]]))
    frames = [volume(images[phase], numbers, options.spacing) for phase in phases]
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(sitk.JoinSeries(frames), str(options.keep / f"{patient}.nii.gz"))
    voxel_ml = float(np.prod(options.spacing)) / 1000
    known = [sum(np.count_nonzero(plane(path)) for path in labels[phase].values()) * voxel_ml for phase in phases]
    results = run_to_end(mednca.segment_sequence_steps(frames, 2, model, runs=options.runs))
    beat = mednca.chamber_volumes(results, model, FrameTimes()).measure()
    edv, esv = max(known), min(known)
    fraction = 0.0 if beat.ejection_fraction is None else beat.ejection_fraction.value
    return [edv, beat.edv.value, esv, beat.esv.value, 100 * (edv - esv) / edv, fraction], len(numbers)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("images", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--spacing", nargs=3, type=float, default=(1.3, 1.3, 8.0))
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args(arguments)
    model = mednca.load_model(options.model)
    held_out = {NAME.search(case)[1] for case in (model.card.scores.cases if model.card.scores else ())}
    images, labels = patients(options.images), patients(options.labels)
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    rows = []
    for patient in sorted(images if options.all else held_out):
        row, slices = figures(patient, images[patient], labels[patient], model, options)
        rows.append(row)
        print(f"| {patient} | {slices} | {' | '.join(f'{value:.1f}' for value in row)} |", flush=True)
    known, found = np.array(rows)[:, ::2], np.array(rows)[:, 1::2]
    percent = np.abs(found[:, :2] / known[:, :2] - 1).mean(axis=0) * 100
    off = np.abs(found[:, 2] - known[:, 2])
    print(f"\nVolumes are off by {percent[0]:.1f} % (EDV) and {percent[1]:.1f} % (ESV) on average.")
    print(f"The ejection fraction is off by {off.mean():.1f} points on average, {off.max():.1f} at most.")


if __name__ == "__main__":
    main()
