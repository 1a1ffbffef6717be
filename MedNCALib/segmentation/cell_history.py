"""The history of one cell: its channels and the labels' probabilities after every step.

Fire draws depend on the slice's number, so that a slice alone goes through the same states as within its volume.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError
from ..imaging.contrast_turn import ContrastTurn
from ..model.card import AUTO
from ..model.model import Model
from .model_input import ModelInput
from .protocol import value_for_run


@dataclass(frozen=True)
class CellHistory:
    """One row a step, over all stages.

    Attributes:
        channels: the cell's state, shape (steps, C).
        probabilities: of the labels, shape (steps, K).
    """

    channels: np.ndarray
    probabilities: np.ndarray


def cell_history(
    image: sitk.Image,
    model: Model,
    point: Sequence[float],
    region: Sequence[float] | None = None,
    seed: int = 0,
    protocol: str = AUTO,
    contrast_turn: ContrastTurn | None = None,
) -> CellHistory:
    """Follow the cell at a point through the first pass.

    Args:
        image, model, region, seed, protocol: as for `segment_steps`.
        point: in mm along left, posterior and superior (LPS).
        contrast_turn: of what was found at the point.

    Raises:
        ImageError: the point lies outside of the volume or the region.
        ArgumentError: the model does not have the protocol.
    """
    architecture = model.cascade.without_hints.architecture
    model_input = ModelInput(image, model, region, contrast_turn)
    space = model_input.space
    index = np.linalg.solve(space.index_to_physical(), [*point, 1])[:3]
    column, row, number = np.rint(index).astype(int)
    if not all(0 <= at < length for at, length in zip((number, row, column), space.inside_shape)):
        raise ImageError("The point lies outside of what is segmented. Place it in the volume, and in the region.")
    row, column = row + space.inside[1].start, column + space.inside[2].start
    group = range(number, number + 1)
    value = value_for_run(model_input, model, protocol, seed)
    cells = []
    draws = architecture.fire_draws(seed)
    for now in model.cascade.without_hints.run(model_input.slices(group), group, draws, protocol=value):
        scale = architecture.stages[now.stage].scale
        cells.append(now.state[0, row // scale, column // scale].copy())
    channels = np.array(cells)
    return CellHistory(channels, architecture.probabilities(channels))
