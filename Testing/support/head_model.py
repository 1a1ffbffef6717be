"""Small synthetic heads, a model for their "hippocampi" and its finder, whose results are known to the voxel.

A head is a brain in air with a structure on each side: anterior part and posterior part, bright on the left and dark on
the right. The model takes both sides alike: what is farthest from the middle of the range is the anterior part. The
finder tells the sides apart by bright and dark.
"""

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from MedNCALib.automaton.architecture import Architecture, Stage
from MedNCALib.automaton.cascade import Cascade
from MedNCALib.automaton.rule import Rule
from MedNCALib.imaging.labels import CodedConcept, Label
from MedNCALib.imaging.normalisation import Normalisation
from MedNCALib.imaging.slice_format import SliceFormat
from MedNCALib.model.card import ModelCard, Skipping
from MedNCALib.model.model import Model

AIR, BRAIN = 40, 60
ANTERIOR, POSTERIOR = {"left": 100, "right": 0}, {"left": 80, "right": 20}

HIPPOCAMPUS = {
    "category": CodedConcept("SCT", "123037004", "Anatomical Structure"),
    "type": CodedConcept("SCT", "5366008", "Hippocampus"),
}
LABELS = (
    Label(1, "anterior hippocampus", (230, 159, 0), HIPPOCAMPUS),
    Label(2, "posterior hippocampus", (86, 180, 233), HIPPOCAMPUS),
)
FINDER_LABELS = (Label(1, "left hippocampus"), Label(2, "right hippocampus"), Label(3, "brain"))
FIELD_OF_VIEW = (24.0, 36.0, 24.0)  # mm


def head_model(folder=None, with_finder=True, **card):
    """The model, saved to a folder if there is one. Further attributes of the card may be given."""
    # Hidden units: 1, and the distances of the image above and below the middle. A part is at 0.2 to 0.4, or farther.
    deciding = {
        "hidden": [[0], [1], [-1]],
        "hidden_bias": [1, -0.5, 0.5],
        "outputs": [[0] * 3, [-12, 40, 40], [-4, 20, 20]],
    }
    architecture = _architecture(hidden=3, outputs=3, stages=(Stage(2, 2), Stage(1, 2)))
    settings = {"field_of_view_mm": FIELD_OF_VIEW, "anatomy": "Hippocampus", **card}
    model = _model("head-blocks", architecture, deciding, SliceFormat("PIL", (None,) * 3), LABELS, settings)
    if with_finder:
        model = model.with_finder(finder_model())
    return model if folder is None else model.save(Path(folder) / model.card.name)


def finder_model():
    """The finder, on a grid of 3 mm."""
    # Hidden units: 1 and the image. Dark below 0.25, air to 0.5, brain to 0.7, bright above.
    outputs = [[0, 0], [-60, 100], [12.5, -50], [-25, 50]]
    deciding = {"hidden": [[0], [1]], "hidden_bias": [1, 0], "outputs": outputs}
    architecture = _architecture(hidden=2, outputs=4, stages=(Stage(4, 1), Stage(2, 1), Stage(1, 1)))
    card = {"anatomy": "Head", "skipping": Skipping(0.002, 1, 0.0)}
    return _model("head-finder", architecture, deciding, SliceFormat("LIP", (3.0,) * 3), FINDER_LABELS, card)


def _architecture(hidden, outputs, stages):
    return Architecture(
        channels=1 + outputs, hidden=hidden, filters=1, kernel_size=1, image_channels=1, outputs=outputs,
        activation="softmax", fire_rate=1.0, padding="edge", downscale="area", handover="nearest", stages=stages,
    )  # fmt: skip


def _model(name, architecture, deciding, slice_format, labels, card):
    """Coarse stages do nothing; the last one sets the logits from the image."""
    silent = {parameter: np.zeros(shape, np.float32) for parameter, shape in architecture.rule_shapes.items()}
    last = {parameter: array.copy() for parameter, array in silent.items()}
    last["hidden"][:, :1] = deciding["hidden"]
    last["hidden_bias"][:] = deciding["hidden_bias"]
    last["update"][1:] = 10 * np.array(deciding["outputs"])
    rules = [Rule(**silent) for _ in architecture.stages[:-1]]
    settings = {
        "name": name, "title": name, "description": "Bright and dark structures", "modality": "test images",
        "licence": "Apache-2.0", **card,
    }  # fmt: skip
    return Model(
        ModelCard(**settings),
        Cascade(architecture, (*rules, Rule(**last))),
        slice_format,
        Normalisation("volume", (0.0, 100.0)),
        labels,
    )


def head(sides=("left", "right"), spacing=(1.5, 1.5, 1.5), size=(84, 96, 84), shift=(0, 0, 0), heads=1):
    """A head and its labels on the sides: int16 and uint8 images, stored LPS.

    Args:
        sides: which have a structure.
        spacing: of the voxels.
        size: of the volume, in mm along left, posterior and superior.
        shift: of the head's middle from that of the volume, in mm.
        heads: how many there are, from front to back.
    """
    counts = [round(mm / voxel) for mm, voxel in zip(size, spacing)]
    z, y, x = np.meshgrid(*(
        (np.arange(count) - (count - 1) / 2) * voxel - by
        for count, voxel, by in zip(counts[::-1], spacing[::-1], shift[::-1])
    ), indexing="ij", sparse=True)  # fmt: skip
    voxels = np.full(counts[::-1], AIR, np.int16)
    if not sides:
        voxels[0, 0, 0], voxels[-1, -1, -1] = 0, 100  # the range is the same whatever the image shows
    labels = np.zeros(counts[::-1], np.uint8)
    for number in range(heads):
        back = y - 100 * number
        voxels[(x / 36) ** 2 + (back / 42) ** 2 + (z / 36) ** 2 < 1] = BRAIN
        for side in sides:
            sign, other = {"left": (1, "right"), "right": (-1, "left")}[side]
            near = (abs(sign * x - 18) < 5) & (abs(z + 2) < 5)
            for part, value, (first, last) in ((ANTERIOR, 1, (-12, 0)), (POSTERIOR, 2, (0, 12))):
                inside = near & (back > first) & (back < last)
                voxels[inside] = part[side]
                labels[inside] = {"left": 10, "right": 20}[side] + value
            # A speck of the other side's intensity, so that the range is the same in a box around one side alone.
            speck = tuple(np.argwhere(labels == {"left": 11, "right": 21}[side])[0])
            voxels[speck] = ANTERIOR[other]
    return _image(voxels, spacing), _image(labels, spacing)


def _image(voxels, spacing):
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(spacing)
    image.SetOrigin((-61.0, -40.0, 17.0))
    return image
