"""A model whose result is known beforehand: it tells dark, medium and bright voxels apart, without any training.

A voxel that lies at 0, at half or at all of the image's range becomes background, label 1 or label 2. The logits grow
in each step in which a cell fires, all in the same proportion, so that the result does not depend on who fires.
"""

import numpy as np
import SimpleITK as sitk

from MedNCALib.automaton.architecture import Architecture, Stage
from MedNCALib.automaton.cascade import Cascade
from MedNCALib.automaton.rule import Rule
from MedNCALib.imaging.labels import Label
from MedNCALib.imaging.normalisation import Normalisation
from MedNCALib.imaging.slice_format import SliceFormat
from MedNCALib.model.card import ModelCard
from MedNCALib.model.model import Model

LABELS = (Label(1, "medium", (230, 159, 0)), Label(2, "bright", (86, 180, 233)))


def threshold_model(name="threshold", fire_rate=0.8, axes="RAS", labels=LABELS, **card):
    """Channels: image, logits of background, medium and bright. Hidden units: a constant and two ramps of the image.

    Further keys of the card may be given.
    """
    architecture = Architecture(
        channels=4,
        hidden=3,
        filters=1,
        kernel_size=1,
        image_channels=1,
        outputs=3,
        activation="softmax",
        fire_rate=fire_rate,
        padding="edge",
        downscale="area",
        handover="nearest",
        stages=(Stage(scale=1, steps=8),),
    )
    arrays = {key: np.zeros(shape, np.float32) for key, shape in architecture.rule_shapes.items()}
    arrays["hidden"][1:, 0] = 1
    arrays["hidden_bias"][:] = (1, -0.25, -0.75)
    arrays["update"][1:, :] = np.diag((0.5, 4, 16))
    return Model(
        ModelCard.from_json(
            {
                "name": name,
                "title": "Threshold",
                "description": "Tells dark, medium and bright voxels apart.",
                "modality": "any",
                "anatomy": "none",
                "licence": "Apache-2.0",
                **card,
            }
        ),
        Cascade(architecture, (Rule(**arrays),)),
        SliceFormat(axes=axes, spacing=(None, None, None)),
        Normalisation("volume", (0, 100)),
        labels,
    )


def case(seed=0, size=(9, 8, 7), spacing=(1.0, 1.5, 2.0)):
    """An image and the labels that the model must find in it: boxes of medium and of bright voxels."""
    rng = np.random.default_rng(seed)
    values = np.zeros(size[::-1], np.uint8)
    for value in (1, 2):
        low = rng.integers(0, np.array(values.shape) - 4)
        values[tuple(slice(first, first + 4) for first in low)] = value
    labels = sitk.GetImageFromArray(values)
    labels.SetSpacing(spacing)
    image = sitk.Cast(labels, sitk.sitkInt16) * 500 + 100
    return image, labels
