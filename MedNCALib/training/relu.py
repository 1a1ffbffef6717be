"""The hidden layer's relu, with a gradient that lets no unit die."""

from __future__ import annotations

import torch
from torch import Tensor

_PUSH = 1e-6  # for all cells together; in a living stage a bias has a gradient of 1e-3 and more


class Relu(torch.autograd.Function):
    """max(0, x), whose gradient pushes a unit up that is silent in every cell.

    Such a unit has no gradient of its own and would never be heard again (Lu et al., "Dying ReLU and Initialization",
    arXiv 1903.06733). A whole stage can go that way in a long training, and the result still looks plausible, since the
    stages before it are in the loss. The push is too small to be felt beside any other gradient, but an optimiser that
    scales gradients to their own size follows it once there is no other.

    Args:
        values: of the hidden layer before the relu.
        units: the axis of the units.
    """

    @staticmethod
    def forward(ctx, values: Tensor, units: int) -> Tensor:
        result = values.relu()
        ctx.save_for_backward(result)
        ctx.units = units
        return result

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        (result,) = ctx.saved_tensors
        cells = [axis for axis in range(result.dim()) if axis != ctx.units]
        silent = result.amax(cells, keepdim=True) == 0
        push = silent.to(gradient.dtype) * (-_PUSH * len(silent.flatten()) / result.numel())
        return torch.where(result > 0, gradient, push), None
