"""What a finder finds: where a model's structures are, on which side, and how large the brain is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..imaging.contrast_turn import ContrastTurn
from ..imaging.laterality import AnySide

# (R0, R1, A0, A1, S0, S1) in mm along right, anterior and superior.
Box = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class FoundStructure:
    """A structure that was found, and the box that the model segments for it.

    Attributes:
        side: "left" or "right"; None if the finder knows no sides.
        box: (R0, R1, A0, A1, S0, S1) in mm along right, anterior and superior, as a region.
        confidence: mean probability of the structure in the cells in which it was found, 0 to 1.
        is_cut: whether it reaches the border of the image, so that a part of it may lie outside.
        contrast_turn: the curve under which the structure was found, and is segmented, since fluid is bright in the
            image; None takes the image as it is.
    """

    side: AnySide
    box: Box
    confidence: float
    is_cut: bool = False
    contrast_turn: ContrastTurn | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"side": self.side, "box": list(self.box), "confidence": self.confidence}


def around(structures: Sequence[FoundStructure]) -> Box:
    """The smallest box that holds those of all structures."""
    boxes = np.reshape([structure.box for structure in structures], (-1, 3, 2))
    right, anterior, superior = np.stack([boxes[..., 0].min(axis=0), boxes[..., 1].max(axis=0)], axis=1).tolist()
    return (*right, *anterior, *superior)


@dataclass(frozen=True)
class Finding:
    """All that a finder finds in an image.

    Attributes:
        structures: left before right, at least one.
        brain_ml: volume of all tissue inside the skull, in mL; None if the finder does not know it, or if the image
            does not show all of it.
        notes: what a user has to know of it, a sentence each.
    """

    structures: tuple[FoundStructure, ...]
    brain_ml: float | None = None
    notes: tuple[str, ...] = ()
