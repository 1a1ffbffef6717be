"""What one step of a training sees, whatever its slices were drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Knowledge:
    """What is known of each sample of a batch whose samples do not all know the same.

    Attributes:
        whole_only: bool, shape (N,), samples that know only the sum of the labels.
        protocols: float32, shape (N,), number of the protocol that drew the border; None if nobody asks for it.
        votes: bool, shape (N,), samples from whose look the cells learn to find out the protocol.
    """

    whole_only: Tensor
    protocols: Tensor | None
    votes: Tensor

    def to(self, device: torch.device) -> Knowledge:
        """The same on a device."""
        protocols = None if self.protocols is None else self.protocols.to(device)
        return Knowledge(self.whole_only.to(device), protocols, self.votes.to(device))

    def samples(self, numbers: list[int]) -> Knowledge:
        """The same of some of the samples."""
        protocols = None if self.protocols is None else self.protocols[numbers]
        return Knowledge(self.whole_only[numbers], protocols, self.votes[numbers])


@dataclass(frozen=True)
class Batch:
    """One batch.

    Attributes:
        image: slices with their neighbours, 0 to 1, shape (N, image_channels, H, W).
        target: share of each pixel that is each label, 0 to 1, shape (N, K, H, W). With `knowledge` there is one
            channel more, the share that is not scored, and the sum of the labels is in the first if no more is known.
        knowledge: of each sample; None if all labels of all samples are known.
        beside: the target of one slice near each sample's own, for corrections that are made there; None without.
        distances: how many slices it is away, whole numbers, shape (N,); None without.
        known: bool, shape (N, K), labels of which the target says where they are; where the others are is not known,
            so that what is not labelled may be one of them. None if all are known.
        wholes: numbers of labels, from 0, of which some samples know the sum alone; target and `known` have one channel
            more for each, see `dice_and_cross_entropy`.
    """

    image: Tensor
    target: Tensor
    knowledge: Knowledge | None = None
    beside: Tensor | None = None
    distances: Tensor | None = None
    known: Tensor | None = None
    wholes: tuple[tuple[int, ...], ...] = ()

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        knowledge = None if self.knowledge is None else self.knowledge.to(device)
        beside = None if self.beside is None else self.beside.to(device)
        known = None if self.known is None else self.known.to(device)
        return Batch(
            self.image.to(device), self.target.to(device), knowledge, beside, self.distances, known, self.wholes
        )

    def samples(self, numbers: Sequence[int]) -> Batch:
        """Some of the samples."""
        chosen = list(numbers)
        return Batch(
            self.image[chosen],
            self.target[chosen],
            None if self.knowledge is None else self.knowledge.samples(chosen),
            None if self.beside is None else self.beside[chosen],
            None if self.distances is None else self.distances[chosen],
            None if self.known is None else self.known[chosen],
            self.wholes,
        )


def known_on_both_sides(known: Tensor, mirrored: Sequence[int], wholes: Sequence[Sequence[int]]) -> Tensor:
    """What is known of samples that may be mirrored: of a label that changes places with another, both or neither.

    Args:
        known, wholes: as of `Batch`. A whole that becomes another one says nothing.
        mirrored: which label or whole takes the place of each.
    """
    known = known & known[:, list(mirrored)]
    for number, parts in enumerate(wholes, known.shape[1] - len(wholes)):
        if {*parts} != {mirrored[part] for part in parts}:
            known[:, number] = False
    return known


def slice_beside(index: int, count: int, reach: int, choices: np.random.Generator) -> int:
    """A slice near that of an index, at most `reach` away; the slice itself if there is no other."""
    others = [number for number in range(index - reach, index + reach + 1) if 0 <= number < count and number != index]
    return int(choices.choice(others)) if others else index


class BatchSampler(Protocol):
    """Draws batches.

    Attributes:
        size: rows and columns of a drawn slice.
    """

    size: tuple[int, ...]

    def draw_batch(self, number: int, choices: np.random.Generator) -> Batch:
        """The batch of this number, which with the generator alone decides what is drawn."""
