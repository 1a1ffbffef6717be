"""Segment volumes.

For each IMAGE, a file or a folder with one DICOM series, STEM_MODEL.seg.nrrd is written into DIR: a label image that 3D
Slicer opens with names and colours. STEM is the name of the file without its ending, or the name of the folder.
"""

from __future__ import annotations

import json
import re
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ...errors import MedNCAError
from .options import MODEL_HELP, add_engine_options
from .progress import ProgressBar


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="file, or folder with one DICOM series")
    parser.add_argument("-m", "--model", required=True, help=MODEL_HELP)
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="DIR", help="folder for the results")
    add_engine_options(parser)
    parser.add_argument(
        "--region",
        nargs=6,
        type=float,
        metavar=("R0", "R1", "A0", "A1", "S0", "S1"),
        help="look only at this box, in mm along right, anterior and superior",
    )
    parser.add_argument("--probability", action="store_true", help="write each label's probability too")
    parser.add_argument("--uncertainty", action="store_true", help="write the standard deviation over the runs too")
    parser.add_argument("--json", action="store_true", help="print a summary as JSON")


def run(options: Namespace) -> None:
    from ...model.model import load_model

    model = load_model(options.model)
    stems = _stems(options.images)
    options.output.mkdir(parents=True, exist_ok=True)
    summaries = []
    with ProgressBar() as bar:
        for number, (path, stem) in enumerate(zip(options.images, stems)):
            summaries.append(_segment(path, stem, model, options, bar, number))
    if options.json:
        print(json.dumps(summaries, indent=2))
        return
    for summary in summaries:
        volumes = ", ".join(f"{name} {volume:.2f} mL" for name, volume in summary["volumes_ml"].items())
        verdict = summary["quality"]["verdict"]
        print(f"{summary['segmentation']}: {volumes}; {summary['seconds']:.1f} s{f'; {verdict}' if verdict else ''}")


def _stems(images: list[Path]) -> list[str]:
    from ...io.images import image_stem

    stems = [image_stem(path) for path in images]
    for number, stem in enumerate(stems):
        if stem in stems[:number]:
            raise MedNCAError(
                f"{images[stems.index(stem)]} and {images[number]} would be written to the same file. Segment them "
                "into different folders."
            )
    return stems


def _segment(path: Path, stem: str, model, options: Namespace, bar: ProgressBar, number: int) -> dict:
    from ...io.images import read_image, write_image
    from ...io.segmentation_file import write_segmentation
    from ...segmentation.segmenter import segment_steps

    bar.show(number / len(options.images), f"reading {path.name}")
    image = read_image(path)
    started = time.perf_counter()
    steps = segment_steps(
        image,
        model,
        region=options.region,
        runs=options.runs,
        seed=options.seed,
        engine=options.engine,
        threads=options.threads,
        probabilities=options.probability,
        uncertainty=options.uncertainty,
    )
    try:
        while True:
            bar.show((number + next(steps).fraction) / len(options.images), path.name)
    except StopIteration as end:
        result = end.value
    except MedNCAError as error:
        raise MedNCAError(f"{path}: {error}") from error
    seconds = time.perf_counter() - started

    base = f"{stem}_{_file_name(model.name)}"
    segmentation = options.output / f"{base}.seg.nrrd"
    probabilities = {
        name: options.output / f"{base}_{_file_name(name)}_probability.nrrd" for name in result.probabilities
    }
    uncertainty = options.output / f"{base}_uncertainty.nrrd" if result.uncertainty else None
    for name, target in probabilities.items():
        write_image(target, result.probabilities[name])
    if uncertainty:
        write_image(uncertainty, result.uncertainty)
    write_segmentation(segmentation, result.labels, model.labels)

    quality = result.quality.as_dict()
    return {
        "input": str(path),
        "model": model.name,
        "segmentation": str(segmentation),
        "probabilities": {name: str(target) for name, target in probabilities.items()},
        "uncertainty": str(uncertainty) if uncertainty else None,
        "seconds": seconds,
        "volumes_ml": {name: volume["mean"] for name, volume in quality["volumes_ml"].items()},
        "quality": quality,
    }


def _file_name(name: str) -> str:
    """The name without what file systems or shells take for their own."""
    return re.sub(r"[^\w.-]+", "-", name)
