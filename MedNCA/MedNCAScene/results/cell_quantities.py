"""What can be shown of the cells, and how: by a key that the scene saves."""

from dataclasses import dataclass

import numpy as np
import slicer
from slicer.i18n import tr as _

from .cell_colors import addCellColors, addSignedColors, encodeCells

LABELS, SETTLED = "labels", "settled"


@dataclass(frozen=True)
class CellQuantity:
    """One thing to show of the cells.

    Attributes:
        key: as saved: "labels", "settled", "probability:VALUE" (a label's value) or "hidden:NUMBER" (from 1).
        title: for the user.
        kind: numpy type of a voxel.
        window: values at which the colours begin and end; None goes by the values.
    """

    key: str
    title: str
    kind: type
    window: tuple | None


def quantitiesOf(model) -> list[CellQuantity]:
    """All that can be shown of a model's cells."""
    views = [CellQuantity(LABELS, _("All labels"), np.uint8, (0, 255))]
    for label in model.labels:
        title = _("Probability of {label} (%)").format(label=label.name)
        views.append(CellQuantity(f"probability:{label.value}", title, np.uint8, (0, 100)))
    steps = sum(stage.steps for stage in model.cascade.architecture.stages)
    views.append(CellQuantity(SETTLED, _("When it settled (step)"), np.uint16, (0, steps)))
    for number in range(1, _hiddenChannels(model) + 1):
        title = _("Hidden channel {number}").format(number=number)
        views.append(CellQuantity(f"hidden:{number}", title, np.float32, None))
    return views


def quantityOf(model, key: str) -> CellQuantity:
    """The view of a key; all labels if this model has none of that key."""
    views = quantitiesOf(model)
    return next((view for view in views if view.key == key), views[0])


def valuesOf(view: CellQuantity, model):
    """A function from a step of a run to the view's values of the cells, shape (n, h, w)."""
    what, _colon, number = view.key.partition(":")
    if what == "probability":
        index = [str(label.value) for label in model.labels].index(number)
        return lambda step: np.rint(100 * step.probabilities()[..., index]).astype(np.uint8)
    if what == "hidden":
        channel = model.cascade.architecture.channels - _hiddenChannels(model) + int(number) - 1
        return lambda step: step.state[..., channel]
    return lambda step: encodeCells(step.probabilities())


def windowOf(view: CellQuantity, values: np.ndarray) -> tuple:
    """Values at which the view's colours begin and end, for these values."""
    if view.window is not None:
        return view.window
    # The few cells that go far beyond the others must not pale them.
    strong = float(np.percentile(np.abs(values), 98)) or 1.0
    return -strong, strong


def colorsOf(view: CellQuantity, model):
    """A colour table for the view, new or one that the application has."""
    what, _colon, number = view.key.partition(":")
    if what == "probability":
        return addCellColors([label for label in model.labels if str(label.value) == number], hidden=False)
    if what == "hidden":
        return addSignedColors()
    if what == SETTLED:
        return slicer.mrmlScene.GetNodeByID("vtkMRMLColorTableNodeIron")
    return addCellColors(model.labels, hidden=False)


def _hiddenChannels(model) -> int:
    architecture = model.cascade.architecture
    return architecture.channels - architecture.image_channels - architecture.outputs
