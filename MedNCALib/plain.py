"""One step as the method's reference code does it, with PyTorch: what the kernels' speed is compared with.

Every cell is worked on, whether it fires or not. The state keeps its channels last, and is turned round for two
convolutions of C filters each, joined with what they give, turned back for two dense layers, masked, added, and joined
with the image again (Kalkhof, González and Mukhopadhyay, "Med-NCA", IPMI 2023, arXiv 2302.03473).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (PyTorch's own convention)

from .rule import Rule


class PlainReading:
    """A rule with two convolutions of C filters and reflect padding.

    Args:
        rule: the automaton, F = 2C.
        image_channels: leading channels that hold the image.
    """

    def __init__(self, rule: Rule, image_channels: int):
        filters = torch.from_numpy(rule.perception).chunk(2)
        biases = torch.from_numpy(rule.perception_bias).chunk(2)
        self._convolutions = list(zip(filters, biases))
        self._hidden, self._hidden_bias = torch.from_numpy(rule.hidden), torch.from_numpy(rule.hidden_bias)
        self._update = torch.from_numpy(rule.update)
        self._image_channels = image_channels
        self._padding = (rule.radius,) * 4

    @torch.no_grad()
    def step(self, state: torch.Tensor, fire: torch.Tensor) -> torch.Tensor:
        """The next state: state (N, H, W, C), fire (N, H, W) of booleans."""
        turned = state.permute(0, 3, 1, 2)
        seen = [F.conv2d(F.pad(turned, self._padding, mode="reflect"), *each) for each in self._convolutions]
        perception = torch.cat([turned, *seen], dim=1).permute(0, 2, 3, 1)
        hidden = F.relu(F.linear(perception, self._hidden, self._hidden_bias))
        after = state + F.linear(hidden, self._update) * fire[..., None].float()
        return torch.cat([state[..., : self._image_channels], after[..., self._image_channels :]], dim=-1)
