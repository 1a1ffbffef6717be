"""A trained cascade in another architecture.

Made larger, it computes what it did, and has room for more (Net2Net, arXiv 1511.05641). For other labels, it keeps all
that it sees, and each new label begins as the mean of those that it had. With the weights of another that read hints,
it takes corrections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..automaton.architecture import Architecture
from ..automaton.cascade import Cascade
from ..automaton.rule import Rule

_NEWS = 0.05  # of a fresh weight's size, if it reaches what was there: small, so that it lasts


def can_be_widened(old: Architecture, new: Architecture) -> bool:
    """Whether a cascade of one architecture can be made one of the other: the same but for sizes, and none smaller.

    One that takes no hints can be made one that does.
    """
    sizes = [(getattr(old, name), getattr(new, name)) for name in ("channels", "filters", "hidden", "image_channels")]
    hidden = [each.channels - each.fixed_channels for each in (old, new)]
    if old.hints is not None and old.hints != new.hints:
        return False
    same = [(getattr(old, name), getattr(new, name)) for name in ("outputs", "activation", "kernel_size")]
    scales = [[stage.scale for stage in each.stages] for each in (old, new)]
    none_smaller = all(one <= other for one, other in (*sizes, hidden))
    return none_smaller and all(one == other for one, other in (*same, scales))


def widened(cascade: Cascade, architecture: Architecture, seed: int) -> Cascade:
    """The cascade in an architecture with more channels, filters, hidden units or neighbouring slices, or with hints.

    Channels of hints that are new change nothing at first, whatever is said.

    Args:
        cascade: trained.
        architecture: with the same stages, outputs and kernel size, and nothing fewer.
        seed: of the new weights.
    """
    old = cascade.architecture
    random = np.random.default_rng(seed)
    more = (architecture.image_channels - old.image_channels) // 2  # new neighbours on either side
    hints = architecture.image_channels + np.arange(architecture.fixed_channels - architecture.image_channels)
    new_hints = hints[old.fixed_channels - old.image_channels :]
    places = np.concatenate(
        [
            more + np.arange(old.image_channels),
            hints[: old.fixed_channels - old.image_channels],
            architecture.fixed_channels + np.arange(old.channels - old.fixed_channels),
        ]
    )
    if old.channels > old.first_hidden:
        places[-1] = architecture.channels - 1  # the last hidden channel holds the protocol's value in both
    rules = []
    for rule in cascade.rules:
        fresh = {}
        for name, shape in architecture.rule_shapes.items():
            fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 1
            bound = fan_in**-0.5 if len(shape) > 1 else 0.0
            fresh[name] = random.uniform(-bound, bound, shape).astype(np.float32)
        filters, hidden = old.filters, old.hidden
        known = np.concatenate([places, architecture.channels + np.arange(filters)])  # what an old unit reads
        fresh["perception"][:filters] *= _NEWS
        fresh["perception"][:filters, places] = rule.perception
        fresh["perception"][:filters, new_hints] = 0
        fresh["perception_bias"][:filters] = rule.perception_bias
        fresh["hidden"][:hidden] *= _NEWS
        fresh["hidden"][np.ix_(np.arange(hidden), known)] = rule.hidden
        fresh["hidden"][:hidden, new_hints] = 0
        fresh["hidden_bias"][:hidden] = rule.hidden_bias
        fresh["update"] *= _NEWS
        fresh["update"][np.ix_(places, np.arange(hidden))] = rule.update
        fresh["update"][: architecture.fixed_channels] = 0
        rules.append(Rule(**fresh))
    return Cascade(architecture, tuple(rules))


def can_be_relabelled(old: Architecture, new: Architecture) -> bool:
    """Whether two architectures differ in the number of labels alone, both of a softmax and without hints."""
    channels = old.channels + new.outputs - old.outputs
    alike = replace(old, outputs=new.outputs, channels=max(channels, 1), stages=new.stages) == new
    same_scales = [stage.scale for stage in old.stages] == [stage.scale for stage in new.stages]
    return alike and same_scales and old.activation == "softmax" and old.hints is None


def relabelled(cascade: Cascade, architecture: Architecture, sources: Sequence[Sequence[int]]) -> Cascade:
    """The cascade for other labels.

    Args:
        cascade: trained.
        architecture: see `can_be_relabelled`.
        sources: for each new label the numbers, from 0, of the old ones that it begins as the mean of.
    """
    old = cascade.architecture
    background = old.fixed_channels
    mixed = np.zeros((architecture.channels, old.channels), np.float32)  # a new channel's share of each old one
    mixed[: background + 1, : background + 1] = np.eye(background + 1)
    for number, labels in enumerate(sources):
        mixed[background + 1 + number, [background + 1 + label for label in labels]] = 1 / len(labels)
    hidden = old.channels - old.first_hidden
    mixed[architecture.first_hidden :, old.first_hidden :] = np.eye(hidden)
    # What read an old channel reads those that took its place, each with its share.
    taken = mixed / np.maximum(mixed.sum(axis=0), 1e-9)
    rules = [
        Rule(
            perception=np.einsum("fckl,nc->fnkl", rule.perception, taken).astype(np.float32, order="C"),
            perception_bias=rule.perception_bias,
            hidden=np.concatenate([rule.hidden[:, : old.channels] @ taken.T, rule.hidden[:, old.channels :]], axis=1),
            hidden_bias=rule.hidden_bias,
            update=(mixed @ rule.update).astype(np.float32),
        )
        for rule in cascade.rules
    ]
    return Cascade(architecture, tuple(rules))


def with_hints_of(cascade: Cascade, hinted: Cascade, sources: Sequence[Sequence[int]]) -> Cascade:
    """The cascade with the weights of another that read hints; without hints it computes what it did.

    Args:
        cascade: without hints, trained on from the other without its hints, for the same labels or others.
        hinted: the other.
        sources: as for `relabelled`: hints of a label are read as the mean of those of these.
    """
    old, outputs = hinted.architecture, cascade.architecture.label_count + 1
    shares = np.zeros((outputs, old.hint_outputs), np.float32)
    shares[0, 0] = 1
    for number, labels in enumerate(sources, 1):
        shares[number, [1 + label for label in labels]] = 1 / len(labels)
    shares = np.kron(np.eye(2, dtype=np.float32), shares)  # for what is said and for what is present
    hints, place = slice(old.image_channels, old.fixed_channels), old.image_channels
    rules = []
    for rule, other in zip(cascade.rules, hinted.rules):
        perception = np.einsum("fckl,nc->fnkl", other.perception[:, hints], shares)
        hidden, update = other.hidden[:, hints] @ shares.T, np.zeros((2 * outputs, rule.update.shape[1]), np.float32)
        rules.append(
            Rule(
                np.concatenate([rule.perception[:, :place], perception, rule.perception[:, place:]], axis=1),
                rule.perception_bias,
                np.concatenate([rule.hidden[:, :place], hidden, rule.hidden[:, place:]], axis=1),
                rule.hidden_bias,
                np.concatenate([rule.update[:place], update, rule.update[place:]]),
            )
        )
    architecture = replace(cascade.architecture, channels=cascade.architecture.channels + 2 * outputs, hints=old.hints)
    return Cascade(architecture, tuple(rules))


def with_protocol(cascade: Cascade, value: float) -> Cascade:
    """The cascade that computes with no protocol named what this one does with one.

    Its last channel holds by how much that differs from the protocol's value; the biases make up for it. Only the sums
    are rounded otherwise.

    Args:
        cascade: of a model that tells protocols apart, see `Architecture.initial_state`.
        value: of the protocol.
    """
    last = cascade.architecture.channels - 1
    rules = []
    for rule in cascade.rules:
        perceived = value * rule.perception[:, last].sum(axis=(1, 2))
        rules.append(
            replace(
                rule,
                perception_bias=(rule.perception_bias + perceived).astype(np.float32),
                hidden_bias=(rule.hidden_bias + value * rule.hidden[:, last]).astype(np.float32),
            )
        )
    return Cascade(cascade.architecture, tuple(rules))
