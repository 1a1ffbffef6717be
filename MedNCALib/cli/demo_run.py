"""The demonstration: the main job with no data but the synthetic phantom, or on a volume of one's own."""

from __future__ import annotations

import time
from pathlib import Path

import SimpleITK as sitk

from ..evaluation.metrics import compare
from ..imaging.phantom import make_phantom
from ..io.images import image_stem, read_image, write_image
from ..io.segmentation_file import write_segmentation
from ..model.model import Model, load_model
from ..segmentation.growth_animation import write_growth_gif, write_picture
from ..segmentation.segmenter import segment

PHANTOM_NAME = "synthetic-phantom"


def demo_volume(volume: str | Path | None) -> tuple[str, sitk.Image, sitk.Image | None]:
    """What to segment: its name, the image, and for the phantom its true labels."""
    if volume is not None:
        return image_stem(Path(volume)), read_image(volume), None
    phantom = make_phantom()
    return PHANTOM_NAME, phantom.image, phantom.labels


def run(output_dir: str | Path, volume: str | Path | None = None, model: str = "hippocampus-mr") -> list[str]:
    """Segment the phantom, or `volume`; leave the volume, the `.seg.nrrd`, a picture and an animation in `output_dir`.

    Returns:
        Lines to print: time, model size, for the phantom the Dice against its truth, and the files.

    Raises:
        MedNCAError: the volume or the model cannot be used.
    """
    started = time.perf_counter()
    chosen = load_model(model)
    name, image, truth = demo_volume(volume)
    result = segment(image, chosen)
    seconds = time.perf_counter() - started
    output = Path(output_dir)
    output.mkdir(parents=True, exist_ok=True)
    files = [output / f"{name}{ending}" for ending in (".nrrd", f"_{chosen.name}.seg.nrrd", ".png", "_growth.gif")]
    write_image(files[0], image)
    write_segmentation(files[1], result.labels, chosen.labels)
    write_picture(files[2], image, result.labels, chosen)
    write_growth_gif(files[3], image, result.labels, chosen)
    return [summary(chosen, seconds), *scores(truth, result.labels, chosen), *(str(file) for file in files)]


def summary(model: Model, seconds: float) -> str:
    """One line on the model and the time that it took, loading included."""
    return (
        f"{model.title}: {model.size_bytes / 1000:.0f} kB, {model.cascade.parameter_count} parameters, {seconds:.2f} s"
    )


def scores(truth: sitk.Image | None, found: sitk.Image, model: Model) -> list[str]:
    """A line with the Dice of each label, if the truth is known."""
    if truth is None:
        return []
    by_label, whole = compare(truth, found, model.labels)
    parts = [f"{label} {score.dice:.3f}" for label, score in by_label.items()]
    return [f"Dice against the synthetic phantom's truth: whole {whole.dice:.3f}, {', '.join(parts)}"]
