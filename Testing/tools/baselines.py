"""What the models are compared with: the reference's recipe, and a UNet of at least 500 times their size.

Both see the slices, the split and the time of the model that they are compared with. The UNet stands where a cascade
stands, so that everything around it (physical space, segmentation, scores) is the engine's own.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from monai.networks.nets import UNet

from MedNCALib.automaton.architecture import Architecture, Stage
from MedNCALib.automaton.cascade import CascadeStep
from MedNCALib.training.loss import dice_and_cross_entropy
from MedNCALib.training.network import Network, fast_in_bfloat16
from MedNCALib.training.trainer import Trainer

TIMES_LARGER = 500
_COARSEST = 3  # pixels across at least: five levels make 3 of 48, six make 4 of 128


class ReferenceTrainer(Trainer):
    """The published recipe: Adam (0.5, 0.5), a learning rate of 0.0016 that falls by 0.9999 a batch, no clipping.

    Source: Kalkhof, González and Mukhopadhyay, "Med-NCA", IPMI 2023 (arXiv 2302.03473), and its public code.
    """

    largest_gradient = float("inf")

    def build_optimisers(self):
        return [torch.optim.Adam(self._network.parameters(), betas=(0.5, 0.5))]

    def learning_rate(self, done):
        return 0.0016 * 0.9999**self.batches


def reference_preset(preset):
    """The preset without what the published recipe does not have, and with its crop: as large as the small image."""
    *coarser, before, _ = [stage["scale"] for stage in preset.architecture["stages"]]
    coarsest = (*coarser, before)[0]
    crop = tuple(-(-length // coarsest // before) * before for length in preset.canvas)
    return replace(
        preset,
        architecture={**preset.architecture, "firing": "independent"},
        augmentation={"rotation": 0.0, "scale": 1.0, "shear": 0.0, "shift": 0.0, "mirror": False, "chance": 0.0},
        finish=0.0,
        crops=(*[None] * (len(preset.crops) - 1), crop),
        supervision=0.0,
        dice_weight=1.0,
        averaging=0.0,
        jitter=0.0,
        rest=0.0,
        phantoms=0,
    )


class UNetTrainer(Trainer):
    """MONAI's UNet with the preset's augmentation, loss, averaging and schedule, from Adam's usual rate of 0.001."""

    checkpoint_seconds = 120.0  # with a gigabyte to write, which would take time from the training

    def build_network(self):
        parameters = Network(self._architecture).to_cascade().parameter_count
        levels = 1 + int(math.log2(min(self._canvas) / _COARSEST))
        return UNetNetwork(self._architecture, TIMES_LARGER * parameters, levels)

    def build_optimisers(self):
        return [torch.optim.Adam(self._network.parameters(), betas=(0.9, 0.99))]

    def learning_rate(self, done):
        return super().learning_rate(done) / self._preset.learning_rate * 0.001

    def loss(self, image, target, random):
        with torch.autocast(image.device.type, torch.bfloat16, enabled=fast_in_bfloat16(image.device)):
            logits = self._network(image)
        preset = self._preset
        return dice_and_cross_entropy(
            logits, target, self._architecture.activation, preset.dice_weight, preset.dice_over
        )

    def keep(self, model):
        """The checkpoint holds the best weights; a model folder holds rules, which a UNet has none of."""


class UNetNetwork(torch.nn.Module):
    """A UNet for the slices and labels of a cascade, wide enough to have so many parameters."""

    def __init__(self, architecture, parameters, levels):
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
class UNetCascade:
    """Runs a UNet where the engine runs a cascade: one step."""

    architecture: Architecture
    network: UNetNetwork

    @property
    def parameters(self):
        return sum(each.numel() for each in self.network.parameters())

    @torch.inference_mode()
    def run(self, image, slices, draws, engine="torch", threads=None):
        planes = torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, -1, 1)))
        # One slice at a time: a UNet's copies of a whole group would take gigabytes.
        logits = np.concatenate([self.network(plane[None]).numpy() for plane in planes])
        yield CascadeStep(1, 0, np.concatenate([image, np.moveaxis(logits, 1, -1)], axis=-1))
