"""A model that knows two segmentation protocols: what is bright, with or without a rim that is less bright.

Its label is known to the voxel, and so is the protocol that its cells vote for: that with the rim if the image is
bright on average.
"""

import numpy as np
import SimpleITK as sitk

from MedNCALib.automaton.architecture import Architecture, Stage
from MedNCALib.automaton.cascade import Cascade
from MedNCALib.automaton.rule import Rule
from MedNCALib.imaging.labels import Label
from MedNCALib.imaging.normalisation import Normalisation
from MedNCALib.imaging.slice_format import SliceFormat
from MedNCALib.model.card import ModelCard, Protocol
from MedNCALib.model.model import Model

WIDE = Protocol("wide", "The rim belongs to the structure.", 3.0)
TIGHT = Protocol("tight", "The rim does not belong to the structure.", -3.0)

_RIM, _CORE, _HAZE = 60, 100, 20


def protocol_model(name="two-protocols", **card) -> Model:
    """Channels: image, logits of background and structure, and the hidden one for the protocol.

    Further attributes of the card may be given.
    """
    architecture = Architecture(
        channels=4, hidden=2, filters=1, kernel_size=1, image_channels=1, outputs=2, activation="softmax",
        fire_rate=1.0, padding="edge", downscale="area", handover="nearest", stages=(Stage(2, 3), Stage(1, 3)),
    )  # fmt: skip
    voting, drawing = (
        {parameter: np.zeros(shape, np.float32) for parameter, shape in architecture.rule_shapes.items()} for _ in "12"
    )
    # Hidden units: 1 and the image; the protocol's channel moves a little towards the image's brightness less 0.14.
    voting["hidden"][1, 0] = 1
    voting["hidden_bias"][0] = 1
    voting["update"][3] = -0.014, 0.1
    # Hidden units: 1 and 10 + image + protocol / 15, so that the border is at 0.4 for a protocol of 3, 0.8 for -3.
    drawing["hidden"][1, [0, 3]] = 1, 1 / 15
    drawing["hidden_bias"][:] = 1, 10
    drawing["update"][2] = 8 * np.array([-10.6, 1])
    return Model(
        ModelCard(
            name=name, title=name, description="A core and its rim", modality="test images", anatomy="none",
            licence="Apache-2.0", protocols=card.pop("protocols", (WIDE, TIGHT)), **card,
        ),
        Cascade(architecture, (Rule(**voting), Rule(**drawing))),
        SliceFormat("LPS", (None, None, None)),
        Normalisation("volume", (0.0, 100.0)),
        (Label(1, "structure", (230, 159, 0)),),
    )  # fmt: skip


def rimmed_image(hazy_slices=0, size=(24, 20, 12)) -> sitk.Image:
    """An int16 image with a core in a rim in the dark; where it is hazy, the dark is less so.

    The cells of the model vote for `TIGHT` without haze, and for `WIDE` if half of the slices are hazy.

    Args:
        hazy_slices: the number of the first slices, along the third voxel axis, that are hazy.
        size: of the image.
    """
    voxels = np.zeros(size[::-1], np.int16)
    voxels[:hazy_slices] = _HAZE
    voxels[3:9, 6:14, 6:16] = _RIM
    voxels[4:8, 8:12, 8:14] = _CORE
    voxels[0, 0, 0] = 0
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((1.0, 1.5, 2.0))
    image.SetOrigin((-7.0, 11.0, 30.0))
    return image


def border_of(image: sitk.Image, protocol: Protocol) -> np.ndarray:
    """The labels that the model gives with a protocol: uint8, shape (slices, rows, columns)."""
    least = {WIDE.name: _RIM, TIGHT.name: _CORE}[protocol.name]
    return (sitk.GetArrayViewFromImage(image) >= least).astype(np.uint8)
