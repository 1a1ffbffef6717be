"""Pictures of a segmentation that grows: one slice, the cells' probability after every step.

Fire draws are keyed by slice, so running one slice alone shows exactly what it did within the whole volume.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..atomic_write import written_whole
from ..imaging.slice_space import SliceSpace
from ..model.model import Model
from .model_input import ModelInput

_LONG_SIDE = 360  # pixels of a picture's longer side
_GREYS, _COLOURS = 32, 64  # of an animation: thirty frames stay below half a megabyte
_FRAME_MS, _LAST_MS = 120, 1500


def write_growth_gif(
    path: str | Path,
    image: sitk.Image,
    labels: sitk.Image,
    model: Model,
    region: Sequence[float] | None = None,
    seed: int = 0,
) -> int:
    """Write an animation of the slice in which the result is largest.

    Args:
        path: a `.gif` file.
        image, labels: the volume and its result, on the same grid.
        model, region, seed: as the result was made.

    Returns:
        Number of frames: the slice itself, and one for each step.
    """
    architecture = model.cascade.architecture
    model_input = ModelInput(image, model, region)
    number = largest_slice(labels, model, region)
    group = range(number, number + 1)
    plane, mm = model_input.plane(number), model_input.space.spacing[1:]
    colours = [label.color for label in model.labels]
    frames = [draw(plane, None, colours, mm, "the image")]
    for now in model.cascade.run(model_input.slices(group), group, architecture.fire_draws(seed)):
        stage = architecture.stages[now.stage]
        caption = f"stage {now.stage + 1} of {len(architecture.stages)}, step {now.step + 1} of {stage.steps}"
        frames.append(draw(plane, architecture.probabilities(now.state)[0], colours, mm, caption))
    durations = [_FRAME_MS] * (len(frames) - 1) + [_LAST_MS]
    flat = _with_one_palette(frames)
    with written_whole(path) as beside:
        flat[0].save(beside, save_all=True, append_images=flat[1:], duration=durations, loop=0)
    return len(frames)


def _with_one_palette(frames) -> list:
    """Pillow images that share their colours, so that an animation stores what does not change only once.

    The greys are those of the first frame, the image alone; without colours of their own they would get a tint.
    """
    from PIL import Image

    width, height = frames[0].size
    strip = Image.new("RGB", (width, height * len(frames)))
    for index, frame in enumerate(frames):
        strip.paste(frame, (0, index * height))
    palette = Image.new("P", (1, 1))
    palette.putpalette(_main_colours(frames[0], _GREYS) + _main_colours(strip, _COLOURS))
    return [frame.quantize(palette=palette, dither=0) for frame in frames]


def _main_colours(picture, count: int) -> list:
    return picture.quantize(count).getpalette()[: 3 * count]


def write_picture(
    path: str | Path, image: sitk.Image, labels: sitk.Image, model: Model, region: Sequence[float] | None = None
) -> None:
    """Write the slice in which the result is largest, with the result over it, as PNG."""
    space = SliceSpace(image, model.slice_format, 1, region)
    number = largest_slice(labels, model, region)
    plane = model.normalisation.scale(space.read(number, number + 1), model.normalisation.limits(space.voxels))[0]
    masks = np.stack([_label_slice(labels, label.value, model, region, number) for label in model.labels], axis=-1)
    found = draw(plane, masks, [label.color for label in model.labels], space.spacing[1:], "the result")
    with written_whole(path) as beside:
        found.save(beside)


def largest_slice(labels: sitk.Image, model: Model, region: Sequence[float] | None) -> int:
    """Number of the model's slice with the most labelled pixels; the middle one where nothing was found."""
    space = SliceSpace(sitk.Cast(labels > 0, sitk.sitkFloat32), model.slice_format, 1, region)
    areas = np.concatenate([space.read(index, index + 1).sum(axis=(1, 2)) for index in range(space.count)])
    return int(areas.argmax()) if areas.any() else space.count // 2


def _label_slice(labels: sitk.Image, value: int, model: Model, region, number: int) -> np.ndarray:
    space = SliceSpace(sitk.Cast(labels == value, sitk.sitkFloat32), model.slice_format, 1, region)
    return space.read(number, number + 1)[0]


def draw(
    plane: np.ndarray,
    probabilities: np.ndarray | None,
    colours: Sequence[tuple[int, int, int]],
    mm: tuple[float, float],
    caption: str,
):
    """A slice with the labels' probabilities over it, as a Pillow image.

    Args:
        plane: intensities 0..1, shape (H, W).
        probabilities: shape (h, w, K), any size: each cell becomes a rectangle; None for the slice alone.
        colours: red, green and blue of each label, 0..255.
        mm: height and width of a pixel, for the picture's proportions.
        caption: a line under the slice.
    """
    from PIL import Image, ImageDraw, ImageFont  # pictures are for the command line; Slicer has views of its own

    height, width = plane.shape[0] * mm[0], plane.shape[1] * mm[1]
    zoom = _LONG_SIDE / max(height, width)
    size = round(width * zoom), round(height * zoom)
    grey = Image.fromarray((plane * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    picture = np.repeat(np.asarray(grey, np.float32)[..., None], 3, axis=-1)
    for label, colour in enumerate(colours if probabilities is not None else ()):
        cells = Image.fromarray((probabilities[..., label] * 255).astype(np.uint8)).resize(
            size, Image.Resampling.NEAREST
        )
        share = np.asarray(cells, np.float32)[..., None] / 255 * 0.6  # the anatomy stays visible under a sure label
        picture = picture * (1 - share) + np.asarray(colour, np.float32) * share
    framed = Image.new("RGB", (size[0], size[1] + 24))
    framed.paste(Image.fromarray(picture.astype(np.uint8)))
    ImageDraw.Draw(framed).text((8, size[1] + 4), caption, (230, 230, 230), ImageFont.load_default(14))
    return framed
