"""Segmentation protocols in training: whose border the cells draw, and how they find it out.

Labels of different collections end at different borders. The number of a protocol is what the last hidden channel of
the first stage begins with. If no protocol is named it begins with 0, and the cells of the first stage, which see the
whole image, vote: the mean of that channel at the stage's end says the protocol. The next stages are always given the
number, of the protocol that is named or of the one that won.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


@dataclass(frozen=True)
class NamedProtocols:
    """The protocols of a batch in its first stage.

    Attributes:
        numbers: of each sample's protocol, shape (N, 1, 1, 1).
        named: bool, the same shape: for which samples the cells are given the number.
        votes: bool, shape (N,): see `Knowledge`.
    """

    numbers: Tensor
    named: Tensor
    votes: Tensor

    @classmethod
    def draw(cls, numbers: Tensor, votes: Tensor, unnamed_share: float, generator: torch.Generator) -> NamedProtocols:
        """Draw for which samples the protocol is named; for the arguments see `Knowledge` and `Preset`."""
        numbers = numbers[:, None, None, None]
        drawn = torch.rand(numbers.shape, device=generator.device, generator=generator)
        return cls(numbers, drawn >= unnamed_share, votes)

    def begin(self, state: Tensor) -> Tensor:
        """The initial state (N, C, h, w) with the numbers that are named."""
        return _with_last_channel(state, self.named * self.numbers)

    def vote_loss(self, state: Tensor) -> Tensor:
        """Cross-entropy of the vote at the end of the stage: the mean of the last channel is the logit."""
        asked = ~self.named.flatten() & self.votes
        if not asked.any():
            return state.new_zeros(())
        vote = state[asked, -1].mean(dim=(1, 2))
        return F.binary_cross_entropy_with_logits(vote, (self.numbers.flatten()[asked] > 0).to(vote))

    def hand_over(self, state: Tensor) -> Tensor:
        """The state for the next stage: if no protocol was named, with the number of the right one."""
        return _with_last_channel(state, torch.where(self.named, state[:, -1:], self.numbers))


def _with_last_channel(state: Tensor, values: Tensor) -> Tensor:
    return torch.cat([state[:, :-1], values.expand_as(state[:, -1:])], dim=1)
