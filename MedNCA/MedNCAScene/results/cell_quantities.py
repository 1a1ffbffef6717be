"""What can be shown of the cells: a small class for each kind of quantity."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import slicer
from slicer.i18n import tr as _

import MedNCALib as mednca

from .cell_colors import addCellColors, addSignedColors, encodeCells


class CellQuantity(ABC):
    """A quantity of the cells that can be kept and shown.

    Attributes:
        key: as the scene saves it.
        title: for the user.
        dtype: numpy type of a voxel.
    """

    def __init__(self, key: str, title: str, dtype: type[np.generic]) -> None:
        self.key = key
        self.title = title
        self.dtype = np.dtype(dtype)

    @abstractmethod
    def window(self, values: np.ndarray) -> tuple[float, float]:
        """The values at which the colours begin and end."""

    @abstractmethod
    def colors(self, model: mednca.Model) -> slicer.vtkMRMLColorTableNode:
        """A colour table for the values: a new node, or one of the application's own."""


class StepQuantity(CellQuantity):
    """A quantity that the cells have after each step."""

    @abstractmethod
    def values(self, step: mednca.Step) -> np.ndarray:
        """The values of the cells after a step, shape (n, h, w)."""


class AllLabels(StepQuantity):
    """The likeliest label and its probability; key "labels"."""

    def __init__(self) -> None:
        super().__init__("labels", _("All labels"), np.uint8)

    def values(self, step: mednca.Step) -> np.ndarray:
        return encodeCells(step.probabilities())

    def window(self, values: np.ndarray) -> tuple[float, float]:
        return 0, 255

    def colors(self, model: mednca.Model) -> slicer.vtkMRMLColorTableNode:
        return addCellColors(model.labels, hidden=False)


class LabelProbability(StepQuantity):
    """The probability of one label in percent; key "probability:VALUE".

    Args:
        label: the label.
        index: its place among the model's labels.
    """

    def __init__(self, label: mednca.Label, index: int) -> None:
        title = _("Probability of {label} (%)").format(label=label.name)
        super().__init__(f"probability:{label.value}", title, np.uint8)
        self._label = label
        self._index = index

    def values(self, step: mednca.Step) -> np.ndarray:
        return np.rint(100 * step.probabilities()[..., self._index]).astype(np.uint8)

    def window(self, values: np.ndarray) -> tuple[float, float]:
        return 0, 100

    def colors(self, model: mednca.Model) -> slicer.vtkMRMLColorTableNode:
        return addCellColors([self._label], hidden=False)


class HiddenChannel(StepQuantity):
    """A channel of the state that is neither image nor output; key "hidden:NUMBER".

    Args:
        number: which of the hidden channels, from 1.
        channel: its index in the state.
    """

    def __init__(self, number: int, channel: int) -> None:
        super().__init__(f"hidden:{number}", _("Hidden channel {number}").format(number=number), np.float32)
        self._channel = channel

    def values(self, step: mednca.Step) -> np.ndarray:
        return step.state[..., self._channel]

    def window(self, values: np.ndarray) -> tuple[float, float]:
        # The few cells that go far beyond the others must not pale them.
        strong = float(np.percentile(np.abs(values), 98)) or 1.0
        return -strong, strong

    def colors(self, model: mednca.Model) -> slicer.vtkMRMLColorTableNode:
        return addSignedColors()


class SettlingStep(CellQuantity):
    """The step after which a cell no longer changed its label, known at the end of a run; key "settled".

    Args:
        steps: number of steps of a run.
    """

    def __init__(self, steps: int) -> None:
        super().__init__("settled", _("When it settled (step)"), np.uint16)
        self._steps = steps

    def window(self, values: np.ndarray) -> tuple[float, float]:
        return 0, self._steps

    def colors(self, model: mednca.Model) -> slicer.vtkMRMLColorTableNode:
        return slicer.mrmlScene.GetNodeByID("vtkMRMLColorTableNodeIron")


def quantitiesOf(model: mednca.Model) -> list[CellQuantity]:
    """All that can be shown of a model's cells."""
    architecture = model.cascade.without_hints.architecture
    firstHidden = architecture.first_hidden
    return [
        AllLabels(),
        *(LabelProbability(label, index) for index, label in enumerate(model.labels)),
        SettlingStep(sum(stage.steps for stage in architecture.stages)),
        *(HiddenChannel(channel - firstHidden + 1, channel) for channel in range(firstHidden, architecture.channels)),
    ]


def quantityOf(model: mednca.Model, key: str) -> CellQuantity:
    """The quantity of a key; all labels if this model has none of that key."""
    quantities = quantitiesOf(model)
    return next((quantity for quantity in quantities if quantity.key == key), quantities[0])
