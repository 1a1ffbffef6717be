"""What the models are compared with: the published recipe, and a UNet of at least 500 times their size.

Both see the slices, the split and the time of the model that they are compared with. The UNet takes the place of a
cascade, so that everything around it (physical space, segmentation, scores) is the engine's.
"""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from MedNCALib.automaton.architecture import Architecture, Stage
from MedNCALib.automaton.cascade import CascadeStep
from MedNCALib.training.augmentation import Augmentation
from MedNCALib.training.loss import dice_and_cross_entropy
from MedNCALib.training.network import Network, TrainableNetwork, fast_in_bfloat16
from MedNCALib.training.recipe import Recipe, cosine_with_restart, standard_recipe

TIMES_LARGER = 500
CHECKPOINT_SECONDS = 120.0  # of a UNet: with a gigabyte to write, which would take time from the training
_COARSEST = 3  # pixels across at least: five levels make 3 of 48, six make 4 of 128
_LARGEST_RATE = 0.001  # of the UNet, Adam's usual one


def reference_recipe(preset, data):
    """The published recipe: Adam (0.5, 0.5), a learning rate of 0.0016 that falls by 0.9999 a batch, no clipping.

    Source: Kalkhof, González and Mukhopadhyay, "Med-NCA", IPMI 2023 (arXiv 2302.03473), and its public code.
    """
    return replace(
        standard_recipe(preset, data.model.cascade.architecture),
        build_optimisers=lambda network: [torch.optim.Adam(network.parameters(), betas=(0.5, 0.5))],
        learning_rate=lambda done, batches: 0.0016 * 0.9999**batches,
        largest_gradient=float("inf"),
    )


def reference_preset(preset):
    """The preset without what the published recipe does not have, and with its crop: as large as the small image."""
    *coarser, before, _ = [stage.scale for stage in preset.architecture.stages]
    coarsest = (*coarser, before)[0]
    crop = tuple(-(-length // coarsest // before) * before for length in preset.canvas)
    return replace(
        preset,
        architecture=replace(preset.architecture, firing="independent"),
        augmentation=Augmentation(rotation=0.0, scale=1.0, shear=0.0, shift=0.0, mirror=False, chance=0.0),
        final_phase=0.0,
        crops=(*[None] * (len(preset.crops) - 1), crop),
        deep_supervision_weight=0.0,
        dice_weight=1.0,
        ema_decay=0.0,
        step_jitter=0.0,
        persistence=0.0,
        phantoms=0,
        stage_starts=(),
    )


def unet_recipe(preset, data):
    """MONAI's UNet with the preset's augmentation, loss, EMA and schedule."""
    architecture = data.model.cascade.architecture
    levels = unet_levels(data.canvas)
    parameters = TIMES_LARGER * Network(architecture).to_cascade().parameter_count
    scaled = _LARGEST_RATE / preset.learning_rate
    return Recipe(
        build_network=lambda: UNetNetwork(architecture, parameters, levels),
        build_optimisers=lambda network: [torch.optim.Adam(network.parameters(), betas=(0.9, 0.99))],
        learning_rate=lambda done, batches: scaled * cosine_with_restart(preset, done, batches),
        loss=partial(unet_loss, preset, architecture.activation),
        divides_samples=False,
    )


def unet_levels(canvas):
    """Levels of a UNet for slices of this size."""
    return 1 + int(math.log2(min(canvas) / _COARSEST))


def unet_canvas(canvas):
    """The smallest canvas from this one on whose sides every level of its UNet halves."""
    multiple = 2 ** (unet_levels(canvas) - 1)
    whole = tuple(multiple * math.ceil(length / multiple) for length in canvas)
    return whole if unet_levels(whole) == unet_levels(canvas) else unet_canvas(whole)


def unet_loss(preset, activation, network, batch, random):
    device = batch.image.device
    with torch.autocast(device.type, torch.bfloat16, enabled=fast_in_bfloat16(device)):
        logits = network(batch.image)
    return dice_and_cross_entropy(
        logits, batch.target, activation, preset.dice_weight, preset.dice_reduction, preset.false_weight
    )


class UNetNetwork(TrainableNetwork):
    """A UNet for the slices and labels of a cascade, wide enough to have so many parameters."""

    def __init__(self, architecture, parameters, levels):
        from monai.networks.nets import UNet  # here, as it takes seconds, and a cascade does without

        super().__init__()
        self._architecture, self._levels = architecture, levels
        width = 0
        while width == 0 or sum(each.numel() for each in self.parameters()) < parameters:
            width += 8
            self.unet = UNet(
                spatial_dims=2,
                in_channels=architecture.image_channels,
                out_channels=architecture.outputs,
                channels=[width * 2**level for level in range(levels)],
                strides=[2] * (levels - 1),
            )

    def forward(self, image):
        return self.unet(image)

    def load_rules(self, rules):
        """Nothing of a cascade's fits here."""

    def to_cascade(self):
        # The first stage stands for the UNet's coarsest level, of which the slices have to be a multiple.
        stages = (Stage(2 ** (self._levels - 1), 1), Stage(1, 1))
        return UNetCascade(replace(self._architecture, stages=stages), self.cpu().eval())


@dataclass(frozen=True)
class UNetCells:
    """What a UNet gives, as the cells of a cascade's last stage."""

    architecture: Architecture
    state: np.ndarray

    def probabilities(self):
        return self.architecture.probabilities(self.state)


@dataclass(frozen=True)
class UNetCascade:
    """Runs a UNet in place of a cascade: one step."""

    architecture: Architecture
    network: UNetNetwork

    @property
    def parameter_count(self):
        return sum(each.numel() for each in self.network.parameters())

    @property
    def without_hints(self):
        return self

    @torch.inference_mode()
    def run(self, image, slices, draws, *_, **__):
        planes = torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, -1, 1)))
        # One slice at a time: a UNet's copies of a whole group would take gigabytes.
        logits = np.concatenate([self.network(plane[None]).numpy() for plane in planes])
        state = np.concatenate([image, np.moveaxis(logits, 1, -1)], axis=-1)
        yield CascadeStep(0, 0, UNetCells(self.architecture, state))
