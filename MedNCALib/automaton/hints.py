"""Hints: what a person has said of some cells, and what there was before, as channels of the state.

A cell's state is `[image | said | present | outputs | hidden]`. For each output, the background among them, `said` is 1
in a cell of which a person has said that it is this, less in cells of the slices beside it, and 0 elsewhere. `present`
is the share of each output in the segmentation that the person has looked at; all 0 if the cells grow from nothing.
Like the image, both are the same after every step.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Any

import numpy as np

from ..checks import require, require_keys, require_number, require_whole_number


@dataclass(frozen=True)
class HintFormat:
    """How hints come in; a part of the architecture of a model that can take them.

    Attributes:
        slices: to how many slices on either side of its own a hint comes in.
        fade: slices over which a hint becomes weaker by a factor of e.

    Raises:
        ValueError: values out of range.
    """

    slices: int
    fade: float

    def __post_init__(self) -> None:
        require_whole_number(self.slices, "slices of the hints", 0)
        require_number(self.fade, "fade of the hints")
        require(self.fade > 0, f"fade of the hints must be positive, not {self.fade}")

    @classmethod
    def from_json(cls, settings: Any) -> HintFormat:
        """From the object `hints` of an architecture."""
        require_keys(settings, "hints", ("slices", "fade"))
        return cls(**settings)

    def strength(self, distance: int) -> float:
        """Of a hint so many slices away from its own, 1 at 0."""
        return exp(-abs(distance) / self.fade)

    def spread(self, said: np.ndarray) -> np.ndarray:
        """Let hints come into the slices beside their own.

        Args:
            said: 1 where a person has said it, shape (slices, H, W, outputs).

        Returns:
            float32, the same shape: in each cell the strongest of the hints that come in.
        """
        found = said.astype(np.float32)
        for distance in range(1, min(self.slices, len(said) - 1) + 1):
            weaker = np.float32(self.strength(distance)) * said.astype(np.float32)
            np.maximum(found[distance:], weaker[:-distance], out=found[distance:])
            np.maximum(found[:-distance], weaker[distance:], out=found[:-distance])
        return found


def at_scale(said: np.ndarray, scale: int) -> np.ndarray:
    """Hints on a coarser grid: the strongest of each cell, so that a small one is not lost; (N, H, W, outputs)."""
    if scale == 1:
        return said
    count, height, width, outputs = said.shape
    return said.reshape(count, height // scale, scale, width // scale, scale, outputs).max(axis=(2, 4))
