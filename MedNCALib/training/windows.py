"""Random windows of a batch: training a fine stage on a part of the slices saves memory and time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def crop(
    image: Tensor,
    target: Tensor,
    state: Tensor | None,
    size: tuple[int, int],
    scale: int,
    foreground_share: float,
    random: np.random.Generator,
    around: Tensor | None = None,
    around_share: float = 0.0,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The same random window of each sample's image, target and state.

    Args:
        image: (N, image_channels, H, W).
        target: (N, K, H, W), shares of the labels.
        state: (N, C, H / scale, W / scale), or None before the first stage.
        size: rows and columns of the window; they and where it begins are multiples of `scale`.
        scale: of the state.
        foreground_share: share of windows that are drawn around a pixel with a label.
        random: of where the windows are.
        around: pixels to draw windows around in place of those with a label, bool, (N, H, W); samples that have none
            go by their labels.
        around_share: share of windows that are drawn around one of those.
    """
    images, targets, states = [], [], []
    for number in range(len(target)):
        pixel = None
        goes_around = around is not None and bool(around[number].any())
        if random.random() < (around_share if goes_around else foreground_share):
            wanted_pixels = around[number] if around is not None and goes_around else target[number].sum(dim=0) >= 0.5
            places = wanted_pixels.nonzero()
            if len(places):
                pixel = places[int(random.integers(len(places)))].tolist()
        first = []
        for axis, (length, wanted) in enumerate(zip(target.shape[2:], size)):
            low, high = 0, (length - wanted) // scale
            if pixel is not None:  # keep it inside, anywhere
                low, high = max(low, -(-(pixel[axis] - wanted + 1) // scale)), min(high, pixel[axis] // scale)
            first.append(scale * int(random.integers(low, high + 1)))
        rows, columns = (slice(start, start + wanted) for start, wanted in zip(first, size))
        images.append(image[number, :, rows, columns])
        targets.append(target[number, :, rows, columns])
        if state is not None:
            rows, columns = (slice(part.start // scale, part.stop // scale) for part in (rows, columns))
            states.append(state[number, :, rows, columns])
    return torch.stack(images), torch.stack(targets), torch.stack(states) if states else None


def drawn_length(length: int | tuple[int, int], multiple: int, random: np.random.Generator) -> int:
    """A length as given, or a multiple from a range."""
    if isinstance(length, int):
        return length
    low, high = length
    return multiple * int(random.integers(low // multiple, high // multiple + 1))
