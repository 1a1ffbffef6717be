"""The demonstration: the main job with no data but the synthetic phantom, or on a volume of one's own."""

from __future__ import annotations

import time
from pathlib import Path

import SimpleITK as sitk

from ..atomic_write import written_whole
from ..evaluation.metrics import compare
from ..imaging.phantom import make_phantom
from ..io.images import image_stem, read_image
from ..io.segmentation_file import write_segmentation
from ..model.model import Model, load_model
from ..segmentation.growth_animation import write_growth_gif, write_picture
from ..segmentation.segmenter import segment

PHANTOM_NAME = "synthetic-phantom"


def demo_volume(volume: str | Path | None) -> tuple[str, sitk.Image, sitk.Image | None]:
    """What to segment: its name, the image, and the true labels where it is the phantom."""
    if volume is not None:
        return image_stem(Path(volume)), read_image(volume), None
    phantom = make_phantom()
    return PHANTOM_NAME, phantom.image, phantom.labels


def run(output_dir: str | Path, volume: str | Path | None = None, model: str = "hippocampus-mr") -> None:
    """Segment the phantom, or `volume`; leave the volume, the `.seg.nrrd`, a picture and an animation in `output_dir`.

    Prints time, model size and, for the phantom, the Dice against its truth.

    Raises:
        MedNCAError: the volume or the model cannot be used.
    """
    started = time.perf_counter()
    model, (name, image, truth) = load_model(model), demo_volume(volume)
    result = segment(image, model)
    seconds = time.perf_counter() - started
    output = Path(output_dir)
    output.mkdir(parents=True, exist_ok=True)
    files = [output / f"{name}{ending}" for ending in (".nrrd", f"_{model.name}.seg.nrrd", ".png", "_growth.gif")]
    with written_whole(files[0]) as path:
        sitk.WriteImage(image, str(path), useCompression=True)
    write_segmentation(files[1], result.labels, model.labels)
    write_picture(files[2], image, result.labels, model)
    write_growth_gif(files[3], image, result.labels, model)
    for line in (summary(model, seconds), *scores(truth, result.labels, model), *(str(path) for path in files)):
        print(line)


def summary(model: Model, seconds: float) -> str:
    """One line on the model and the time that it took, its loading included."""
    return (
        f"{model.title}: {model.size_bytes / 1000:.0f} kB, {model.cascade.parameter_count} parameters, {seconds:.2f} s"
    )


def scores(truth: sitk.Image | None, found: sitk.Image, model: Model) -> list[str]:
    """A line with the Dice of each label, where the truth is known."""
    if truth is None:
        return []
    by_label, whole = compare(truth, found, model.labels)
    parts = [f"{label} {score.dice:.3f}" for label, score in by_label.items()]
    return [f"Dice against the synthetic phantom's truth: whole {whole.dice:.3f}, {', '.join(parts)}"]
