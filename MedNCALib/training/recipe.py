"""What a training is made of: the network, its optimisers, their learning rate and the loss.

`standard_recipe` is the one of the presets. The loop takes any other, so that other networks and published recipes can
be compared on the same data, augmentation and schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ..automaton.architecture import Architecture
from .batch import Batch
from .correction_rounds import hints_of_rounds
from .loss import dice_and_cross_entropy, partly_known_loss
from .network import Automaton, Network, TrainableNetwork
from .preset import Preset
from .protocols import NamedProtocols
from .windows import crop, drawn_length

_WARM_UP = 0.02  # share of the training

# Share of the windows of a corrected sample that are drawn around what is said.
_AROUND_HINTS = 0.6

NetworkT = TypeVar("NetworkT", bound=TrainableNetwork)


@dataclass(frozen=True)
class Randomness:
    """Where the random choices of one batch come from.

    Attributes:
        choices: of sizes, places and cases, on the processor.
        fire: of the cells that fire, on the network's device.
    """

    choices: np.random.Generator
    fire: torch.Generator


@dataclass(frozen=True)
class Recipe(Generic[NetworkT]):
    """What a training is made of.

    Attributes:
        build_network: makes the network as it is before training.
        build_optimisers: makes those of a network; their learning rate is set before each batch.
        learning_rate: for the next batch, from the share of the training that is done and the batches that are done.
        loss: of a network on one batch.
        largest_gradient: norm that the gradients are clipped to.
        divides_samples: whether the network computes groups of samples side by side; else its products use all threads.
        prepare: called with the network before each batch, and with the share of the training that is done.
    """

    build_network: Callable[[], NetworkT]
    build_optimisers: Callable[[NetworkT], list[torch.optim.Optimizer]]
    learning_rate: Callable[[float, int], float]
    loss: Callable[[NetworkT, Batch, Randomness], Tensor]
    largest_gradient: float = 1.0
    divides_samples: bool = True
    prepare: Callable[[NetworkT, float], None] = lambda network, done: None


def standard_recipe(preset: Preset, architecture: Architecture) -> Recipe[Network]:
    """The recipe of the presets for a cascade of this architecture."""
    only_hints = preset.corrections is not None and preset.corrections.only_hints
    return Recipe(
        build_network=partial(Network, architecture),
        build_optimisers=optimisers_of_hints if only_hints else muon_and_adam,
        learning_rate=partial(cosine_with_restart, preset),
        loss=partial(cascade_loss, preset),
        prepare=lambda network, done: network.join(preset.stages_at(done)) if preset.stage_starts else None,
    )


def muon_and_adam(network: nn.Module) -> list[torch.optim.Optimizer]:
    """Muon (https://kellerjordan.github.io/posts/muon) for the matrices, Adam for the biases."""
    matrices = [value for value in network.parameters() if value.dim() == 2]
    biases = [value for value in network.parameters() if value.dim() == 1]
    return [
        # Scaled so that a step is about as large as Adam's with the same rate (Liu et al., arXiv 2502.16982).
        torch.optim.Muon(matrices, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        torch.optim.Adam(biases, betas=(0.9, 0.99)),
    ]


def optimisers_of_hints(network: Network) -> list[torch.optim.Optimizer]:
    """Muon for the weights that read hints, all others stay, see `Automaton.learn_only_hints`."""
    for module in network.modules():
        if isinstance(module, Automaton):
            module.learn_only_hints()
    matrices = [value for value in network.parameters() if value.requires_grad]
    # Decay would reach the weights that stay.
    return [torch.optim.Muon(matrices, weight_decay=0.0, momentum=0.95, adjust_lr_fn="match_rms_adamw")]


def cosine_with_restart(preset: Preset, done: float, batches: int) -> float:
    """Warm-up, then a cosine; both once more, with another largest rate, from the preset's restart on."""
    largest, begin, end = preset.learning_rate, 0.0, 1 - preset.restart
    if done >= end:
        largest, begin, end = preset.restart_learning_rate, end, 1.0
    part = (done - begin) / (end - begin)
    warm = min(1.0, (part + 1e-4) / _WARM_UP)
    return largest * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * part)) / 2)


def cascade_loss(preset: Preset, network: Network, batch: Batch, random: Randomness) -> Tensor:
    """Loss of the output of the last stage that is trained plus that of the coarser stages' (deep supervision).

    The number of steps is random, and some batches go on beyond it, so that the result learns to stay where it is.
    With collections of different protocols the cells also learn to find out the protocol, see `protocols.py`. With
    simulated corrections they learn to grow on from what is said; what is said of a pixel is not in the loss, so that
    nothing is learned by copying it.
    """
    image, target, knowledge = batch.image, batch.target, batch.knowledge
    stages = network.architecture.stages
    state: Tensor | None = None
    hints = hints_of_rounds(preset, network, batch, random.choices, random.fire) if preset.corrections else None
    total = image.new_zeros(())
    for index, (stage, automaton) in enumerate(zip(stages[: network.joined], network.automata)):
        window = preset.crops[index]
        if window is not None:
            coarser = stages[index - 1].scale if index else stage.scale
            wanted = [drawn_length(length, coarser, random.choices) for length in window]
            size = (min(wanted[0], image.shape[2]), min(wanted[1], image.shape[3]))
            seen, around = image, None
            if hints is not None:
                seen, around = torch.cat([image, hints], dim=1), network.said(hints).amax(dim=1) > 0
            seen, target, state = crop(
                seen, target, state, size, coarser, preset.foreground_share, random.choices, around, _AROUND_HINTS
            )
            image, hints = seen.tensor_split([image.shape[1]], dim=1) if hints is not None else (seen, None)
        state = network.initial_state(image, index, state, hints)
        protocols = None
        if index == 0 and knowledge is not None and knowledge.protocols is not None:
            protocols = NamedProtocols.draw(knowledge.protocols, knowledge.votes, preset.unnamed_share, random.fire)
            state = protocols.begin(state)
        is_last = index == network.joined - 1
        low, high = (round(stage.steps * (1 + sign * preset.step_jitter)) for sign in (-1, 1))
        if is_last and random.choices.random() < preset.persistence:
            with torch.no_grad():
                steps = int(random.choices.integers(stage.steps, 2 * stage.steps + 1))
                state = automaton(state, steps, random.fire)
        state = automaton(state, int(random.choices.integers(low, high + 1)), random.fire)
        weight = 1.0 if is_last else preset.deep_supervision_weight
        if weight:
            small = F.avg_pool2d(target, stage.scale)
            scored = None
            if hints is not None:
                scored = F.avg_pool2d((network.said(hints).amax(dim=1, keepdim=True) < 1).float(), stage.scale)
            logits = network.logits(state)
            total = total + weight * _output_loss(preset, network, logits, small, batch, scored)
        if protocols is not None:
            total = total + preset.vote_weight * protocols.vote_loss(state)
            state = protocols.hand_over(state)
    return total


def _output_loss(
    preset: Preset,
    network: Network,
    logits: Tensor,
    target: Tensor,
    batch: Batch,
    scored: Tensor | None,
) -> Tensor:
    """Loss of one stage's output.

    Args:
        preset, network: of the training.
        logits: (N, outputs, h, w).
        target: (N, K, h, w), as of the batch, on the stage's grid.
        batch: says what is known.
        scored: share of each pixel that counts, (N, 1, h, w); None if all do.
    """
    knowledge = batch.knowledge
    if knowledge is None:
        activation = network.architecture.activation
        weights = preset.dice_weight, preset.dice_reduction, preset.false_weight
        return dice_and_cross_entropy(logits, target, activation, *weights, scored, batch.known, batch.wholes)
    unscored = target[:, -1] if scored is None else torch.maximum(target[:, -1], 1 - scored[:, 0])
    return partly_known_loss(
        logits, target[:, :-1], unscored, knowledge.whole_only, preset.dice_weight, preset.label_weights
    )
