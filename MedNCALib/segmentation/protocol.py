"""Whose border a run draws: the segmentation protocol that is named, or the one that the cells vote for.

For the vote the first stage runs over all slices with no protocol named. Every cell then holds in its last channel how
far it takes the labels for those of one protocol or another; the mean over all cells decides, and the run itself begins
with the protocol that has won.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from ..automaton.architecture import Architecture
from ..errors import ArgumentError
from ..model.card import AUTO, Protocol
from ..model.model import Model
from .group_steps import group_steps
from .model_input import ModelInput
from .options import RunOptions
from .side_by_side import side_by_side
from .slice_groups import slice_groups
from .steps import Step, run_to_end


def named_protocol(model: Model, name: str) -> Protocol | None:
    """The protocol of a name; None for "auto".

    Raises:
        ArgumentError: the model has none of this name.
    """
    named = {protocol.name: protocol for protocol in model.card.protocols}
    if name != AUTO and name not in named:
        raise ArgumentError(
            f"The model {model.name} has no protocol {name!r}. Choose one of: {', '.join([AUTO, *named])}."
        )
    return named.get(name)


@dataclass(frozen=True)
class Vote:
    """How far the cells take the labels for those of one protocol or another.

    Attributes:
        total: sum over the cells.
        cells: how many there are.
    """

    total: float
    cells: int


def protocol_steps(
    model_input: ModelInput, model: Model, options: RunOptions
) -> Generator[Step, None, Protocol | None]:
    """Decide on the protocol of a run.

    Yields:
        The steps of the vote, as `vote_steps` does; none if there is nothing to decide.

    Returns:
        The protocol: the one that is named, or the one that the cells vote for; None for a model without protocols.

    Raises:
        ArgumentError: the model does not have the protocol that is named.
    """
    named = named_protocol(model, options.protocol)
    if not is_voted(model, options):
        return named
    return protocol_of_votes(model, [(yield from vote_steps(model_input, model, options))])


def vote_steps(
    model_input: ModelInput, model: Model, options: RunOptions, at_once: int = 1
) -> Generator[Step, None, Vote]:
    """Let the cells of all slices vote on the protocol.

    Args:
        model_input, model, options: of the run.
        at_once: how many groups of slices go on side by side, see `side_by_side`.

    Yields:
        The steps, with `run` 0 and the share of the vote that is done.
    """
    cascade, space = model.cascade.without_hints, model_input.space
    groups = slice_groups(space, cascade.architecture)
    at_once = min(at_once, len(groups))
    sums: list[float] = []  # of each slice, so that groups of any size give the same mean

    def vote(group: range) -> Generator[Step, None, list[float]]:
        slices = model_input.slices(group)
        cells = yield from group_steps(model_input, model, options, cascade, slices, group, None, at_once)
        of_slices: list[float] = cells.state[..., -1].sum(axis=(1, 2), dtype=np.float64).tolist()
        return of_slices

    yield from side_by_side(
        map(vote, groups), [len(group) for group in groups], at_once, sums.extend, ahead=len(groups)
    )
    scale = cascade.architecture.stages[0].scale
    return Vote(math.fsum(sums), space.count * (space.height // scale) * (space.width // scale))


def protocol_of_votes(model: Model, votes: Sequence[Vote]) -> Protocol:
    """The protocol whose value is nearest to the mean of all votes."""
    mean = math.fsum(vote.total for vote in votes) / sum(vote.cells for vote in votes)
    return min(model.card.protocols, key=lambda protocol: (abs(protocol.value - mean), protocol.value))


def is_voted(model: Model, options: RunOptions) -> bool:
    """Whether the cells decide on the protocol."""
    return bool(model.card.protocols) and options.protocol == AUTO


def vote_share(architecture: Architecture, runs: int) -> float:
    """Share of the vote in all work of a run with this number of passes."""
    first, *others = (stage.steps / stage.scale**2 for stage in architecture.stages)
    return first / (first + runs * (first + sum(others)))


def value_for_run(model_input: ModelInput, model: Model, protocol: str, seed: int) -> float:
    """What the last channel of the first stage begins with in a run: see `Cascade.run`.

    Args:
        model_input, model: of the run.
        protocol, seed: see `RunOptions`.
    """
    return value_of(run_to_end(protocol_steps(model_input, model, RunOptions(seed=seed, protocol=protocol))))


def value_of(protocol: Protocol | None) -> float:
    """The value of a protocol, 0 for none."""
    return 0.0 if protocol is None else protocol.value
