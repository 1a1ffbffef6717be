"""One step as the method's reference code does it, with PyTorch: the baseline of the kernels' speed.

Every cell is computed, whether it fires or not. The state keeps its channels last. Its columns are swapped with its
channels for two convolutions of C filters each; the state and their results are joined and swapped back for two dense
layers; the change is masked, added, and joined with the image again (Kalkhof, González and Mukhopadhyay, "Med-NCA",
IPMI 2023, arXiv 2302.03473, and its public code).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (PyTorch's own convention)

from ..rule import Rule


class DenseReference:
    """A rule with two convolutions of C filters and reflect padding.

    Args:
        rule: the rule, with F = 2C.
        image_channels: leading channels that hold the image.
    """

    def __init__(self, rule: Rule, image_channels: int) -> None:
        # Columns come before rows in the swapped state, so also in the filters.
        filters = torch.from_numpy(rule.perception).transpose(2, 3).contiguous().chunk(2)
        biases = torch.from_numpy(rule.perception_bias).chunk(2)
        self._convolutions = list(zip(filters, biases))
        self._hidden, self._hidden_bias = torch.from_numpy(rule.hidden), torch.from_numpy(rule.hidden_bias)
        self._update = torch.from_numpy(rule.update)
        self._image_channels = image_channels
        self._padding = (rule.radius,) * 4

    @torch.no_grad()
    def step(self, state: torch.Tensor, fire: torch.Tensor) -> torch.Tensor:
        """The next state.

        Args:
            state: shape (N, H, W, C).
            fire: which cells fire, boolean, shape (N, H, W).
        """
        swapped = state.transpose(1, 3)
        seen = [F.conv2d(F.pad(swapped, self._padding, mode="reflect"), *each) for each in self._convolutions]
        perception = torch.cat([swapped, *seen], dim=1).transpose(1, 3)
        hidden = F.relu(F.linear(perception, self._hidden, self._hidden_bias))
        after = state + F.linear(hidden, self._update) * fire[..., None].float()
        return torch.cat([state[..., : self._image_channels], after[..., self._image_channels :]], dim=-1)
