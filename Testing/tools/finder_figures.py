"""What the finder of a model finds, and how well the model does with it from a whole head to both hippocampi.

python Testing/tools/finder_figures.py MODEL DATA [--preset hippocampus-finder] [--protocol NAME] [--only TEXT]

DATA holds the collections' folders, as for `mednca train --data`, and `inputs` with foreign volumes. Prints
tables in Markdown: Dice of the finder's labels in the preset's heads that choose nothing; what is found in these heads,
as they are and changed, and in heads that are drawn from the held-out label maps; what is found in volumes that show no
hippocampus; how sure the engine is of what it finds in the same images; and Dice of each side, through the finder and
in a box that is placed around the known label. With --only a part: the rows of the second table whose names hold one of
the texts, such as "rotated" or "drawn", and the other tables by "labels", "foreign", "sure" and "whole way".
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "Testing")]

import numpy as np
import SimpleITK as sitk

import MedNCALib as mednca
from MedNCALib.errors import NotFoundError
from MedNCALib.evaluation.metrics import dice
from MedNCALib.imaging.laterality import SIDES
from MedNCALib.model.model import structures_of
from MedNCALib.segmentation.finder import Search
from MedNCALib.segmentation.steps import run_to_end
from MedNCALib.training.preset import load_preset
from tools.finder_conditions import LEFT, RIGHT, centre, conditions, read_heads, read_maps, whole_heads

FARTHEST = 12.0  # mm between the centres of what is found and of the label
LEAST_PIECE_ML = 0.4  # smaller pieces do not count
LEAST_LABEL_ML = 1.0  # of less of a hippocampus the image does not show it
LEAST_BRAIN_ML = 300.0  # of less the error says nothing

FOREIGN = {
    "spine, T1": "spine_t1w.nii.gz",
    "spine, T2": "spine_t2_PSR.nii.gz",
    "abdomen, MR": "abdomen_mr_LPS_3mm.nii.gz",
    "prostate, T2": "ProstateX-0000_t2_tra_dicom",
    "head, CT": "CTHeadAxialDicom",
}

LABELS = ("label of the finder", "Dice")
FOUND = (
    "images", "volumes", "hippocampi in them", "found", "false pieces", "distance, mm", "largest, mm",
    "error of the brain, %",
)  # fmt: skip
SURE = ("images", "volumes", "sides found", "confidence, mean", "lowest", "volumes with a note that it is low")
FOREIGN_HEAD = ("volume", "pieces found", "taken for brain, mL")
WHOLE_WAY = (
    "images", "sides", "Dice through the finder", "worst", "Dice in a placed box", "worst", "error of the brain, %",
)  # fmt: skip


# --- What is found ---


@dataclass(frozen=True)
class Findings:
    """What a finder finds in one volume.

    Attributes:
        known: number of hippocampi that the volume shows.
        distances: mm from each one that is found to its label.
        pieces: how many were found in all.
        brain_error: of its volume, as a share; None if there is too little.
    """

    known: int
    distances: list
    pieces: int
    brain_error: float | None


def volume_ml(mask):
    """Of a mask."""
    return np.count_nonzero(sitk.GetArrayViewFromImage(mask)) * float(np.prod(mask.GetSpacing())) / 1000


def piece_centres(mask):
    """Centres of the pieces of a mask that count, in LPS mm, the largest first."""
    shapes = sitk.LabelShapeStatisticsImageFilter()
    shapes.Execute(sitk.ConnectedComponent(mask, True))
    large = [number for number in shapes.GetLabels() if shapes.GetPhysicalSize(number) / 1000 >= LEAST_PIECE_ML]
    return [np.array(shapes.GetCentroid(each)) for each in sorted(large, key=shapes.GetPhysicalSize, reverse=True)]


def findings(case, finder):
    """What a finder finds in a case."""
    labels = mednca.segment(case.image, finder).labels
    known, distances, pieces = 0, [], 0
    for side, structure in zip((LEFT, RIGHT), structures_of(finder)):
        centres, truth = piece_centres(labels == structure.value), case.labels == side
        pieces += len(centres)
        if volume_ml(truth) > LEAST_LABEL_ML:
            known += 1
            distances += [float(np.linalg.norm(each - centre(truth))) for each in centres[:1]]
    brain_ml = volume_ml(case.labels > 0)
    error = volume_ml(labels > 0) / brain_ml - 1 if brain_ml > LEAST_BRAIN_ML else None
    return Findings(known, [mm for mm in distances if mm <= FARTHEST], pieces, error)


def found_row(name, cases, finder):
    """A row of the table of what is found."""
    each = [findings(case, finder) for case in cases]
    distances = [mm for one in each for mm in one.distances]
    return (
        name,
        len(each),
        sum(one.known for one in each),
        len(distances),
        sum(one.pieces for one in each) - len(distances),
        f"{np.mean(distances):.1f}" if distances else "-",
        f"{max(distances):.1f}" if distances else "-",
        mean_error([one.brain_error for one in each]),
    )


def mean_error(errors):
    """Mean of the absolute values of those that are known, in per cent."""
    known = [abs(error) for error in errors if error is not None]
    return f"{100 * np.mean(known):.1f}" if known else "-"


def label_rows(heads, finder):
    """Mean Dice of each label of a finder over heads, on their own grid."""
    pairs = [(case.labels, mednca.segment(case.image, finder).labels) for _, cases in heads for case in cases]
    voxels = [[sitk.GetArrayViewFromImage(labels) for labels in pair] for pair in pairs]
    for number, label in enumerate(finder.labels, 1):
        yield label.name, f"{np.mean([dice(truth == number, found == label.value) for truth, found in voxels]):.3f}"


def foreign_row(name, image, finder):
    """A row of the table of volumes that show no hippocampus."""
    labels = mednca.segment(image, finder).labels
    pieces = sum(len(piece_centres(labels == structure.value)) for structure in structures_of(finder))
    return name, pieces, f"{volume_ml(labels > 0):.0f}"


def sure_row(name, cases, model):
    """A row of the table of how sure the engine is; an image in which it finds nothing has no confidence."""
    lowest, each = [], []
    for case in cases:
        try:
            finding = run_to_end(Search(case.image, model, mednca.RunOptions()).steps())
        except NotFoundError:
            continue
        each += [structure.confidence for structure in finding.structures]
        lowest.append(min(structure.confidence for structure in finding.structures))
    noted = sum(confidence < model.card.finder.usual_confidence for confidence in lowest)
    figures = (f"{np.mean(each):.2f}", f"{min(each):.2f}") if each else ("-", "-")
    return name, len(cases), len(each), *figures, noted


# --- The whole way ---


def whole_way(case, model, protocol):
    """Dice of each side through the finder, and in a placed box, and the error of the brain's volume as a share."""
    through, error = [0.0, 0.0], None
    truths = [sitk.GetArrayFromImage(case.labels) == side for side in (LEFT, RIGHT)]
    try:
        result = mednca.segment(case.image, model, protocol=protocol, find="always")
    except NotFoundError:
        pass
    else:
        found = sitk.GetArrayViewFromImage(result.labels)
        values = [[label.value for label in model.labels_on(side)] for side in SIDES]
        through = [dice(truth, np.isin(found, own)) for truth, own in zip(truths, values)]
        error = None if result.brain_ml is None else result.brain_ml / volume_ml(case.labels > 0) - 1
    placed = []
    for side, truth in zip((LEFT, RIGHT), truths):
        region = box_around(centre(case.labels == side), model.card.field_of_view_mm)
        labels = mednca.segment(case.image, model, protocol=protocol, region=region).labels
        placed.append(dice(truth, sitk.GetArrayViewFromImage(labels) > 0))
    return through, placed, error


def box_around(place, extent):
    """A region of an extent in mm around a place in LPS."""
    middle, half = place * (-1, -1, 1), np.array(extent) / 2
    return np.stack([middle - half, middle + half], axis=1).ravel().tolist()


def whole_way_row(name, cases, model, protocol):
    """A row of the table of the whole way."""
    through, placed, errors = zip(*(whole_way(case, model, protocol) for case in cases))
    dices = [f"{figure(each):.3f}" for each in (through, placed) for figure in (np.mean, np.min)]
    return name, np.size(through), *dices, mean_error(errors)


# --- Tables ---


def print_table(head, rows):
    """In Markdown, each row as soon as it is known; nothing without rows."""
    number = 0
    for number, row in enumerate(rows, 1):
        if number == 1:
            print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
        print(f"| {' | '.join(map(str, row))} |", flush=True)
    if number:
        print()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data", type=Path)
    parser.add_argument("--preset", default="hippocampus-finder")
    parser.add_argument("--protocol", default="FreeSurfer")
    parser.add_argument("--only", nargs="+", default=[""], metavar="TEXT")
    options = parser.parse_args(arguments)
    model = mednca.load_model(options.model)
    finder = model.finder
    if finder is None:
        parser.error(f"the model {model.name} has no finder")
    collections = load_preset(options.preset).collections
    heads = [(each, read_heads(each, options.data)) for each in collections if each.images is not None]
    maps = [(each, read_maps(each, options.data)) for each in collections if each.images is None]

    def is_wanted(name):
        return any(text in name for text in options.only)

    if is_wanted("labels"):
        print_table(LABELS, label_rows(heads, finder))
    found = (found_row(name, cases, finder) for name, cases in conditions(heads, maps) if is_wanted(name))
    print_table(FOUND, found)
    if is_wanted("foreign"):
        files = {name: options.data / "inputs" / file for name, file in FOREIGN.items()}
        print_table(FOREIGN_HEAD, (foreign_row(name, mednca.read_image(file), finder) for name, file in files.items()))
    if is_wanted("sure"):
        print_table(SURE, (sure_row(name, [*cases], model) for name, cases in conditions(heads, maps)))
    if is_wanted("whole way"):
        ways = (whole_way_row(name, cases, model, options.protocol) for name, cases in whole_heads(heads, maps))
        print_table(WHOLE_WAY, ways)


if __name__ == "__main__":
    main()
