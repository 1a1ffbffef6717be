"""Pictures of a segmentation: an animation of how it grows in one slice, and the result in that slice.

Fire draws depend on the slice's number, so that a slice alone goes through the same states as within its volume.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import SimpleITK as sitk

from ..atomic_write import written_whole
from ..imaging.contrast_turn import ContrastTurn
from ..imaging.oblique_slice_space import slice_space
from ..imaging.slice_space import SliceSpace
from ..model.card import AUTO
from ..model.model import Model
from .model_input import ModelInput
from .protocol import value_for_run

if TYPE_CHECKING:
    # Pillow is imported when a picture is drawn: it is for the command line, Slicer draws by itself.
    from PIL.Image import Image as Picture

_LONG_SIDE = 360  # pixels of a picture's longer side
_LARGEST_SHARE = 0.6  # of a label's colour in a pixel: the anatomy stays visible under a sure label
_GREYS, _COLOURS = 32, 64  # colours of an animation; few, so that its file stays small
_FRAME_MS, _LAST_MS = 120, 1500


def write_growth_gif(
    path: str | Path,
    image: sitk.Image,
    labels: sitk.Image,
    model: Model,
    region: Sequence[float] | None = None,
    seed: int = 0,
    protocol: str = AUTO,
    contrast_turn: ContrastTurn | None = None,
) -> int:
    """Write an animation of how the result grows in the slice in which it is largest.

    Args:
        path: a `.gif` file.
        image, labels: the volume and its result, on the same grid.
        model, region, seed, protocol, contrast_turn: those of the result.

    Returns:
        Number of frames: the slice itself, and one for each step.
    """
    architecture = model.cascade.without_hints.architecture
    model_input = ModelInput(image, model, region, contrast_turn)
    number = largest_slice(labels, model, region)
    group = range(number, number + 1)
    plane, mm = model_input.plane(number), model_input.space.spacing[1:]
    colours = [label.color for label in model.labels]
    frames = [draw(plane, None, colours, mm, "the image")]
    value = value_for_run(model_input, model, protocol, seed)
    draws = architecture.fire_draws(seed)
    for now in model.cascade.without_hints.run(model_input.slices(group), group, draws, protocol=value):
        stage = architecture.stages[now.stage]
        caption = f"stage {now.stage + 1} of {len(architecture.stages)}, step {now.step + 1} of {stage.steps}"
        frames.append(draw(plane, architecture.probabilities(now.state)[0], colours, mm, caption))
    durations = [_FRAME_MS] * (len(frames) - 1) + [_LAST_MS]
    flat = _with_one_palette(frames)
    with written_whole(path) as beside:
        flat[0].save(beside, save_all=True, append_images=flat[1:], duration=durations, loop=0)
    return len(frames)


def write_picture(
    path: str | Path, image: sitk.Image, labels: sitk.Image, model: Model, region: Sequence[float] | None = None
) -> None:
    """Write the slice in which the result is largest, with the result over it, as PNG; arguments as above."""
    space = slice_space(image, model.slice_format, 1, region)
    number = largest_slice(labels, model, region)
    plane = model.normalisation.scale(space.read(number, number + 1), model.normalisation.limits(space.voxels))[0]
    masks = [_mask_space(labels == label.value, model, region).read(number, number + 1)[0] for label in model.labels]
    colours = [label.color for label in model.labels]
    found = draw(plane, np.stack(masks, axis=-1), colours, space.spacing[1:], "the result")
    with written_whole(path) as beside:
        found.save(beside)


def largest_slice(labels: sitk.Image, model: Model, region: Sequence[float] | None) -> int:
    """Number of the model's slice with the most labelled pixels; the middle one if nothing was found."""
    space = _mask_space(labels > 0, model, region)
    areas = np.concatenate([space.read(index, index + 1).sum(axis=(1, 2)) for index in range(space.count)])
    return int(areas.argmax()) if areas.any() else space.count // 2


def _mask_space(mask: sitk.Image, model: Model, region: Sequence[float] | None) -> SliceSpace:
    return slice_space(sitk.Cast(mask, sitk.sitkFloat32), model.slice_format, 1, region, outside=0.0)


def draw(
    plane: np.ndarray,
    probabilities: np.ndarray | None,
    colours: Sequence[tuple[int, int, int]],
    mm: tuple[float, float],
    caption: str,
) -> Picture:
    """A slice with the labels' probabilities over it.

    Args:
        plane: intensities 0..1, shape (H, W).
        probabilities: shape (h, w, K), any size: each cell becomes a rectangle; None for the slice alone.
        colours: red, green and blue of each label, 0..255.
        mm: height and width of a pixel, for the picture's proportions.
        caption: a line under the slice.
    """
    from PIL import Image, ImageDraw, ImageFont

    height, width = plane.shape[0] * mm[0], plane.shape[1] * mm[1]
    zoom = _LONG_SIDE / max(height, width)
    size = max(1, round(width * zoom)), max(1, round(height * zoom))
    grey = Image.fromarray((plane * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    picture: np.ndarray = np.repeat(np.asarray(grey, np.float32)[..., None], 3, axis=-1)
    if probabilities is not None:
        for label, colour in enumerate(colours):
            cells = Image.fromarray((probabilities[..., label] * 255).astype(np.uint8))
            enlarged = np.asarray(cells.resize(size, Image.Resampling.NEAREST), np.float32)[..., None]
            share = enlarged / 255 * _LARGEST_SHARE
            picture = picture * (1 - share) + np.asarray(colour, np.float32) * share
    framed = Image.new("RGB", (size[0], size[1] + 24))
    framed.paste(Image.fromarray(picture.astype(np.uint8)))
    ImageDraw.Draw(framed).text((8, size[1] + 4), caption, (230, 230, 230), ImageFont.load_default(14))
    return framed


def _with_one_palette(frames: Sequence[Picture]) -> list[Picture]:
    """Pictures that share their colours, so that an animation stores what does not change only once.

    The greys are those of the first frame, which is the image alone; colours in common with labels would tint them.
    """
    from PIL import Image

    width, height = frames[0].size
    strip = Image.new("RGB", (width, height * len(frames)))
    for index, frame in enumerate(frames):
        strip.paste(frame, (0, index * height))
    palette = Image.new("P", (1, 1))
    palette.putpalette(_main_colours(frames[0], _GREYS) + _main_colours(strip, _COLOURS))
    return [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]


def _main_colours(picture: Picture, count: int) -> list[int]:
    """Red, green and blue of the colours that stand for a picture best, one after the other."""
    return (picture.quantize(count).getpalette() or [])[: 3 * count]
