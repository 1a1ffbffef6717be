"""Which cells of a stage matter, so that the others need not run.

After a coarse stage most cells are background, and so far from anything else that the steps which are left cannot carry
a label to them. The *target* of a stage is the set of cells whose result is wanted. The first stage's target is every
cell; each later one is found from the stage before: the cells of its target that may belong to a label, and a margin
around them. Targets only shrink.

In its target a result is exactly that of a run of all cells. A step carries a change no further than the rule's radius
r, and the hand-over no further than h cells of the coarser grid, so that it is enough if the state is right

- at the end of stage i, within R(i) cells of the target, with R(last) = 0 and
  R(i) = ceil((R(i + 1) + r * steps(i + 1)) / ratio) + h, ratio being scale(i) / scale(i + 1);
- after each earlier step of a stage, r cells further out: the cone of influence.

Distances are the larger of those along rows and along columns. That nothing appears outside of the target is assumed;
a model's card says how much that costs, see Resources/Documentation/decisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from ..numerics.channels import over_channels
from ..numerics.resampling import Method
from .architecture import Architecture

# How many cells of the coarser grid beside its own one a cell takes its state from.
_HANDOVER_REACH: dict[Method, int] = {"nearest": 0, "linear": 1, "area": 1, "cubic": 2}

Box = tuple[slice, slice, slice]  # of slices, rows and columns
Target = Optional[np.ndarray]  # boolean, shape (N, h, w); None for all cells


@dataclass(frozen=True)
class SkipRule:
    """Which cells may belong to a label.

    Attributes:
        threshold: least probability of any label, by the stage before.
        margin: how far around such cells others may, in cells of the stage to come.
    """

    threshold: float
    margin: int

    def next_target(
        self, probabilities: np.ndarray, target: Target, ratio: int, said: np.ndarray | None = None
    ) -> np.ndarray:
        """The target of the next stage.

        Args:
            probabilities: of the labels at the end of a stage, shape (N, h, w, K).
            target: of that stage.
            ratio: how many times as many rows and columns the next stage has.
            said: hints of the labels on that stage's grid, shape (N, h, w, K), wanted whatever the probability. Hints
                on a coarser grid cover those on a finer one, so that targets still only shrink.

        Returns:
            Boolean, shape (N, h * ratio, w * ratio).
        """
        likely = over_channels(np.add, probabilities) > self.threshold
        if said is not None:
            likely |= said.any(axis=-1)
        found = grown(_enlarged(likely, ratio), self.margin)
        return found if target is None else found & _enlarged(target, ratio)


def reaches(architecture: Architecture) -> list[int]:
    """How far around its target the state must be right at the end of each stage, in its cells: R above."""
    stages, radius = architecture.stages, architecture.kernel_size // 2
    found = [0]
    for stage, after in zip(stages[-2::-1], stages[:0:-1]):
        ratio = stage.scale // after.scale
        found.append(-(-(found[-1] + radius * after.steps) // ratio) + _HANDOVER_REACH[architecture.handover])
    return found[::-1]


def grown(mask: np.ndarray, reach: int) -> np.ndarray:
    """Cells at most `reach` rows and columns from those of a mask; boolean, shape (N, h, w)."""
    for axis in (1, 2):
        narrow, wide = mask.swapaxes(axis, 0), mask.copy()
        lines = wide.swapaxes(axis, 0)
        for distance in range(1, min(reach, len(lines) - 1) + 1):
            lines[distance:] |= narrow[:-distance]
            lines[:-distance] |= narrow[distance:]
        mask = wide
    return mask


def box_around(mask: np.ndarray, reach: int) -> Box:
    """The box of all cells at most `reach` rows and columns from those of a mask; an empty one if it has none."""
    bounds = []
    for axis, margin in enumerate((0, reach, reach)):
        others = tuple(other for other in range(3) if other != axis)
        places = np.flatnonzero(mask.any(axis=others))
        if not len(places):
            return slice(0, 0), slice(0, 0), slice(0, 0)
        bounds.append(slice(max(0, int(places[0]) - margin), min(mask.shape[axis], int(places[-1]) + margin + 1)))
    return bounds[0], bounds[1], bounds[2]


def _enlarged(mask: np.ndarray, ratio: int) -> np.ndarray:
    return mask.repeat(ratio, axis=1).repeat(ratio, axis=2)
