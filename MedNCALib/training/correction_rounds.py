"""Rounds of growth and correction of a batch: what is said and what is present when the loss is computed.

The network grows each sample, without gradients; the simulated person looks at the result and says something; the next
round grows on from there. So the network learns from results of its own, which change while it learns.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .batch import Batch
from .network import Network, resize
from .preset import Preset
from .protocols import NamedProtocols


@torch.no_grad()
def hints_of_rounds(
    preset: Preset, network: Network, batch: Batch, choices: np.random.Generator, fire: torch.Generator
) -> Tensor:
    """What is said and present of each sample after its rounds.

    Args:
        preset: with corrections.
        network: that is trained.
        batch: after its augmentation.
        choices, fire: see `Randomness`.

    Returns:
        The hints as `Network.initial_state` takes them, (N, 2 * hint_outputs, H, W); zeros for a sample that nobody
        corrects.
    """
    settings, hint_format = preset.corrections, network.architecture.hints
    assert settings is not None  # the preset has checked both
    assert hint_format is not None
    count, outputs = len(batch.image), network.architecture.hint_outputs
    hints = batch.image.new_zeros(count, 2 * outputs, *batch.image.shape[2:])
    corrected = np.flatnonzero(choices.random(count) >= settings.none).tolist()
    sees_present = choices.random(count) >= settings.from_nothing
    rounds = int(choices.integers(1, settings.rounds + 1))
    if not corrected:
        return hints
    batch = batch.samples(corrected)
    truth = _right_outputs(batch.target, batch)
    beside = None if batch.beside is None else _right_outputs(batch.beside, batch)
    distances = [0] * len(corrected) if batch.distances is None else batch.distances.tolist()
    for _ in range(rounds):
        found = _grown(preset, network, batch, hints[corrected], fire)
        for number, sample in enumerate(corrected):
            said = settings.says(
                found[number].cpu().numpy(),
                truth[number],
                None if beside is None or not distances[number] else beside[number],
                hint_format.strength(distances[number]),
                outputs,
                choices,
            )
            own, present = hints[sample, :outputs], hints[sample, outputs:]
            torch.maximum(own, torch.from_numpy(said).to(own), out=own)
            if sees_present[sample]:
                present[:] = F.one_hot(found[number], outputs).movedim(-1, 0)
                painted = own >= 1  # is in the labels that are grown on from
                present[:, painted.any(dim=0)] = 0
                present[painted] = 1
    return hints


def _grown(preset: Preset, network: Network, batch: Batch, hints: Tensor, fire: torch.Generator) -> Tensor:
    """The likeliest output of each pixel, (N, H, W), by the stages before the first that is trained on windows."""
    knowledge, state = batch.knowledge, None
    for index, (stage, automaton) in enumerate(zip(network.architecture.stages, network.automata)):
        if state is not None and preset.crops[index] is not None:
            break
        state = network.initial_state(batch.image, index, state, hints)
        if index == 0 and knowledge is not None and knowledge.protocols is not None:
            state = NamedProtocols.draw(knowledge.protocols, knowledge.votes, 0.0, fire).begin(state)
        state = automaton(state, stage.steps, fire)
    assert state is not None
    height, width = batch.image.shape[2:]
    logits = resize(network.logits(state), (height, width), network.architecture.handover)
    return logits.movedim(1, -1).contiguous().argmax(dim=-1)  # faster than across planes


def _right_outputs(target: Tensor, batch: Batch) -> np.ndarray:
    """Number of the right output of each pixel, (N, H, W), 0 for the background, -1 if it is not known."""
    knowledge, known, count = batch.knowledge, batch.known, target.shape[1] - len(batch.wholes)
    labels = target[:, :count] if knowledge is None else target[:, :-1]
    whole = labels.sum(dim=1)
    right = torch.where(whole >= 0.5, labels.argmax(dim=1) + 1, 0)
    if knowledge is not None:
        unknown = (knowledge.whole_only[:, None, None] & (whole >= 0.5)) | (target[:, -1] >= 0.5)
        right = torch.where(unknown, -1, right)
    if known is not None:  # neither which part of a whole it is, nor whether it is a label that the sample lacks
        covered = known[:, :count].clone()
        for number, parts in enumerate(batch.wholes, count):
            covered[:, list(parts)] |= known[:, number, None]
        lacks = ~covered.all(dim=1)[:, None, None] & (whole < 0.5)
        right = torch.where(lacks | (target[:, count:].sum(dim=1) >= 0.5), -1, right)
    found: np.ndarray = right.cpu().numpy()
    return found
