"""The demonstration: the main job with no data but the synthetic phantom, or on a volume of one's own."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from ..errors import MedNCAWarning
from ..evaluation.metrics import compare
from ..imaging.labels import Label
from ..imaging.phantom import make_phantom
from ..io.images import image_stem, read_image, write_image
from ..io.segmentation_file import write_segmentation
from ..model.card import AUTO
from ..model.licence import licence_note
from ..model.model import Model, load_model
from ..segmentation.growth_animation import write_growth_gif, write_picture
from ..segmentation.input_checks import check_input
from ..segmentation.segmenter import segment
from .model_choice import model_for

PHANTOM_NAME, PHANTOM_MODEL = "synthetic-phantom", "hippocampus-mr"


def demo_volume(volume: str | Path | None, **reading: Any) -> tuple[str, sitk.Image, sitk.Image | None]:
    """What to segment: its name, the image, and for the phantom its true labels.

    Args:
        volume: file or DICOM folder; None is the phantom.
        **reading: keywords of `read_image`.
    """
    if volume is not None:
        return image_stem(Path(volume)), read_image(volume, **reading), None
    phantom = make_phantom()
    return PHANTOM_NAME, phantom.image, phantom.labels


def demo_model(name: str | None, volume: str | Path | None, image: sitk.Image) -> Model:
    """The model that is named; for the phantom the one that was made for it, for a volume the one that fits.

    Raises:
        MedNCAError: there is none, or it is not clear which.
    """
    if name is None and volume is not None:
        return model_for(image)
    return load_model(name or PHANTOM_MODEL)


def run(
    output_dir: str | Path, volume: str | Path | None = None, model: str | None = None, **reading: Any
) -> list[str]:
    """Segment the phantom, or `volume`; leave the volume, the `.seg.nrrd`, a picture and an animation in `output_dir`.

    Args:
        output_dir: folder for the results.
        volume: file or DICOM folder; None is the phantom.
        model: name or folder; None is the one that fits.
        **reading: keywords of `read_image`.

    Returns:
        Lines to print: time, model size, for the phantom the Dice against its truth, and the files.

    Raises:
        MedNCAError: the volume or the model cannot be used.
    """
    started = time.perf_counter()
    name, image, truth = demo_volume(volume, **reading)
    chosen = demo_model(model, volume, image)
    for note in filter(None, (licence_note(chosen), *check_input(image, chosen))):
        warnings.warn(note, MedNCAWarning, stacklevel=2)
    result = segment(image, chosen)
    seconds = time.perf_counter() - started
    output = Path(output_dir)
    output.mkdir(parents=True, exist_ok=True)
    files = [output / f"{name}{ending}" for ending in (".nrrd", f"_{chosen.name}.seg.nrrd", ".png", "_growth.gif")]
    write_image(files[0], image)
    write_segmentation(files[1], result.labels, result.label_table)
    shown, first = result.labels_without_sides, next(iter(result.found), None)
    region, turn = (first.box, first.contrast_turn) if first else (None, None)
    write_picture(files[2], image, shown, chosen, region)
    write_growth_gif(files[3], image, shown, chosen, region, protocol=result.protocol or AUTO, contrast_turn=turn)
    return [summary(chosen, seconds), *scores(truth, shown, chosen.labels), *(str(file) for file in files)]


def summary(model: Model, seconds: float) -> str:
    """One line on the model and the time that it took, loading included."""
    return (
        f"{model.title}: {model.size_bytes / 1000:.0f} kB, {model.cascade.parameter_count} parameters, {seconds:.2f} s"
    )


def scores(truth: sitk.Image | None, found: sitk.Image, labels: Sequence[Label]) -> list[str]:
    """A line with the Dice of each label, if the truth is known."""
    if truth is None:
        return []
    by_label, whole = compare(truth, found, labels)
    parts = [f"{label} {score.dice:.3f}" for label, score in by_label.items()]
    return [f"Dice against the synthetic phantom's truth: whole {whole.dice:.3f}, {', '.join(parts)}"]
