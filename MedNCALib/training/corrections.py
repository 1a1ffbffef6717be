"""Simulated corrections: what a person would say of the present result of a slice, or of a slice beside it.

A correction is a stroke or a disc, drawn around the innermost point of a region in which the result is wrong, or now
and then where it is right. Its pixels say what they truly are. Of a slice beside the sample only the truth is known: if
that differs from the sample's own result, which is like its neighbour's, the neighbour is taken to be wrong. Its hints
come into the sample weakened, as those of `HintFormat` do, and say nothing certain of the sample's own pixels.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..checks import require, require_keys, require_list, require_number, require_whole_number
from ..imaging.connected_components import distances_to, innermost, numbered_pieces

# How far from a label's border corrections of what is right may lie, in pixels.
_NEAR = 6


@dataclass(frozen=True)
class SimulatedCorrections:
    """Settings of the simulated person, a part of a preset.

    Attributes:
        none: share of samples that are not corrected: they grow from nothing, as without a person.
        right: share of corrections that say what the result says already.
        beside: share of corrections in a slice beside the sample's.
        wrong_only: share of corrections that keep to pixels in which the result is wrong, as those do that are found
            by comparing an edited result with what it was.
        from_nothing: share of corrected samples that do not see the present result.
        rounds: most rounds of correction and growth of a sample; the loss is that of the last.
        strokes: most corrections in a round.
        radius: smallest and largest radius of a disc, and half width of a stroke, in pixels.
        length: longest stroke, in pixels.
        only_hints: whether only weights that read hints are learned. What the model does if nobody says anything then
            stays exactly what it was, so that `none` may be 0.

    Raises:
        ValueError: values out of range.
    """

    none: float = 0.3
    right: float = 0.15
    beside: float = 0.35
    wrong_only: float = 0.3
    from_nothing: float = 0.3
    rounds: int = 2
    strokes: int = 3
    radius: tuple[float, float] = (1.5, 3.5)
    length: float = 10.0
    only_hints: bool = False

    def __post_init__(self) -> None:
        for name in ("none", "right", "beside", "wrong_only", "from_nothing"):
            require_number(getattr(self, name), name)
            require(0 <= getattr(self, name) <= 1, f"{name} must be from 0 to 1, not {getattr(self, name)}")
        for name in ("rounds", "strokes"):
            require_whole_number(getattr(self, name), name)
        require_list(self.radius, "radius", 2)
        for value in (*self.radius, self.length):
            require_number(value, "radius and length of corrections")
        require(0 < self.radius[0] <= self.radius[1], f"radius must be two rising lengths, not {self.radius}")
        require(isinstance(self.only_hints, bool), f"only_hints must be true or false, not {self.only_hints!r}")
        require(self.length >= 0, f"length must not be negative, but is {self.length}")

    @classmethod
    def from_json(cls, settings: Any) -> SimulatedCorrections:
        """From the object `corrections` of a preset."""
        require_keys(settings, "corrections", (), list(asdict(cls())))
        if "radius" in settings:
            require_list(settings["radius"], "radius", 2)
            settings = {**settings, "radius": tuple(settings["radius"])}
        return cls(**settings)

    def says(
        self,
        found: np.ndarray,
        truth: np.ndarray,
        beside: np.ndarray | None,
        strength: float,
        outputs: int,
        choices: np.random.Generator,
    ) -> np.ndarray:
        """What is said of one sample in one round.

        Args:
            found: number of the likeliest output of each pixel, shape (H, W).
            truth: number of the right one, the same shape, -1 where it is not known.
            beside: the truth of a slice beside this one; None without one.
            strength: of hints of that slice.
            outputs: number of outputs, the background among them.
            choices: of all that is random.

        Returns:
            Strength with which each output is said, float32, shape (outputs, H, W).
        """
        said = np.zeros((outputs, *found.shape), np.float32)
        for _ in range(int(choices.integers(1, self.strokes + 1))):
            right, loudness = truth, 1.0
            if beside is not None and choices.random() < self.beside:
                right, loudness = beside, strength
            wrong = (found != right) & (right >= 0)
            point = self._point(wrong, right, choices)
            if point is None:
                continue
            stroke = self._stroke(found.shape, point, choices) & (right >= 0)
            if wrong[point] and choices.random() < self.wrong_only:
                stroke &= wrong
            rows, columns = np.nonzero(stroke)
            numbers = right[rows, columns]
            said[numbers, rows, columns] = np.maximum(said[numbers, rows, columns], loudness)
        return said

    def _point(self, wrong: np.ndarray, right: np.ndarray, choices: np.random.Generator) -> tuple[int, int] | None:
        """Where a correction is drawn: deep in a region that is wrong, or anywhere near a label; None if nowhere."""
        if wrong.any() and choices.random() >= self.right:
            regions = numbered_pieces(wrong)
            sizes = np.bincount(regions.ravel())[1:]
            return innermost(regions == 1 + choices.choice(len(sizes), p=sizes / sizes.sum()), (1.0, 1.0))
        if not (right > 0).any():
            return None
        near = np.argwhere(distances_to(right > 0, (1.0, 1.0)) <= _NEAR)
        row, column = near[choices.integers(len(near))].tolist()
        return row, column

    def _stroke(self, shape: tuple[int, ...], point: tuple[int, int], choices: np.random.Generator) -> np.ndarray:
        """Pixels within a radius of a line through the point; half of the time it is the point alone, a disc."""
        radius = choices.uniform(*self.radius)
        length = 0.0 if choices.random() < 0.5 else choices.uniform(0, self.length)
        angle = choices.uniform(0, np.pi)
        rows, columns = np.ogrid[: shape[0], : shape[1]]
        down, across = rows - point[0], columns - point[1]
        along = np.clip(down * np.sin(angle) + across * np.cos(angle), -length / 2, length / 2)
        return (down - along * np.sin(angle)) ** 2 + (across - along * np.cos(angle)) ** 2 <= radius**2
