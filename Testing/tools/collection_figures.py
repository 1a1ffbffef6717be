"""How well a model does on the collections that a preset trains on, by the subjects that chose nothing.

python Testing/tools/collection_figures.py MODEL DATA [--preset hippocampus-mr] [--card]

DATA holds the collections' folders, as for `mednca train --data`. Prints a table in Markdown: Dice of single passes,
once with the border of the collection's own segmentation protocol and once with the one that the cells find out, if
the model has any. With --card the figures go into the model's own card.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY)]

import numpy as np
import SimpleITK as sitk

import MedNCALib as mednca
from MedNCALib.evaluation.metrics import dices
from MedNCALib.model.card import AUTO
from MedNCALib.training.collection_card import card_of_collections
from MedNCALib.training.collection_preparation import reporting_cases
from MedNCALib.training.preset import load_preset

HEAD = ("collection", "protocol", "cases", "whole", "worst tenth", "labels", "volume, of the reference's")


def figures(model, collection_cases, protocol):
    """A row of the table."""
    whole, by_label, volumes = [], [], []
    for case in collection_cases.cases:
        labels = mednca.segment(case.image, model, protocol=protocol).labels
        each, all_labels = dices(case.labels, labels, model.labels)
        whole.append(all_labels)
        by_label.append(list(each.values()))
        found, known = (np.count_nonzero(sitk.GetArrayViewFromImage(image)) for image in (labels, case.labels))
        volumes.append(found / known)
    row = [
        collection_cases.collection.name,
        protocol,
        str(len(whole)),
        f"{np.mean(whole):.3f}",
        f"{np.sort(whole)[: -(-len(whole) // 10)].mean():.3f}",
        ", ".join(f"{dice:.3f}" for dice in np.mean(by_label, axis=0)) if collection_cases.knows_parts else "-",
        f"{np.mean(volumes):.2f}",
    ]
    return f"| {' | '.join(row)} |"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data", type=Path)
    parser.add_argument("--preset", default="hippocampus-mr")
    parser.add_argument("--card", action="store_true")
    options = parser.parse_args(arguments)
    model = mednca.load_model(options.model)
    collections = reporting_cases(options.data, load_preset(options.preset), model.labels)
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for each in collections:
        protocols = [model.card.protocol_name(each.collection.protocol)] if model.card.protocols else []
        for protocol in (*protocols, AUTO):
            print(figures(model, each, protocol), flush=True)
    if options.card:
        replace(model, card=card_of_collections(model, collections)).save(model.folder)


if __name__ == "__main__":
    main()
