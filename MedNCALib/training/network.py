"""The cascade as a PyTorch module: the same meaning as `MedNCALib.cascade`, with gradients, on a CPU or a GPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (PyTorch's own convention)
from torch import Tensor, nn

from ..cascade import Architecture, Cascade
from ..interpolation import sampling_matrix
from ..rule import Rule
from .neighbourhoods import Neighbourhoods

_TORCH_PADDING = {"edge": "replicate", "reflect": "reflect"}
WAYS = ("firing cells", "every cell", "every cell in bfloat16")

_CACHED_CELLS = 8192  # of 4096, 8192 and all at once the fastest for 64 x 64 cells, C 16 and C 32; not for 16 x 16

# Gradient of a silent unit in one step, all cells together. The median of the units' is 5e-5 to 2e-2 in the stages of
# the bundled hippocampus and left ventricle.
_PUSH = 1e-6


def fast_in_bfloat16(device: torch.device) -> bool:
    """Whether products of bfloat16 are much faster than others: on a GPU, and on a processor with AMX."""
    return device.type == "cuda" or getattr(torch.cpu, "get_capabilities", dict)().get("amx_bf16", False)


class Automaton(nn.Module):
    """One rule. Up to the relu it is linear, so perception and hidden layer are folded into one convolution, C -> H."""

    def __init__(self, architecture: Architecture):
        super().__init__()
        self._architecture = architecture
        for name, shape in architecture.rule_shapes.items():
            values = torch.zeros(shape)  # each filter is made a row: the optimiser wants matrices
            self.register_parameter(name, nn.Parameter(values.flatten(1) if values.dim() > 2 else values))
        # As PyTorch initialises its layers; the update starts at zero, so that the first step changes nothing.
        for weight, bias in ((self.perception, self.perception_bias), (self.hidden, self.hidden_bias)):
            bound = weight.shape[1] ** -0.5
            nn.init.uniform_(weight, -bound, bound)
            nn.init.uniform_(bias, -bound, bound)
        frozen = torch.ones(architecture.channels, 1)
        frozen[: architecture.image_channels] = 0
        self.register_buffer("_moves", frozen, persistent=False)

    def forward(self, state: Tensor, steps: int, generator: torch.Generator, way: str | None = None) -> Tensor:
        """Apply the rule `steps` times to (N, C, h, w).

        Args:
            state: float32.
            steps: how often.
            generator: of who fires.
            way: one of `WAYS`, by default the fastest here. The change is computed for all cells, or for the firing
                ones alone, which is less arithmetic but needs them to be gathered. In bfloat16 only the change is
                rounded; the state that it is added to stays float32.
        """
        architecture = self._architecture
        channels, size = architecture.channels, architecture.kernel_size
        own, perceived = self.hidden[:, :channels], self.hidden[:, channels:]
        kernel = (perceived @ self.perception).view(-1, channels, size, size)
        kernel = kernel + F.pad(own[:, :, None, None], (size // 2,) * 4)
        bias = self.hidden_bias + perceived @ self.perception_bias
        update = (self.update * self._moves).T
        way = way or ("every cell in bfloat16" if fast_in_bfloat16(state.device) else "firing cells")
        if way != "firing cells":
            with torch.autocast(state.device.type, torch.bfloat16, enabled=way == "every cell in bfloat16"):
                return self._step_all(state, kernel, bias, update, steps, generator)
        # Samples that share the processor's cache run through all steps together.
        some = max(1, _CACHED_CELLS // (state.shape[2] * state.shape[3]))
        parts = state.movedim(1, -1).split(some)
        return torch.cat([self._step_firing(part, kernel, bias, update, steps, generator) for part in parts]).movedim(
            -1, 1
        )

    def _step_all(
        self, state: Tensor, kernel: Tensor, bias: Tensor, update: Tensor, steps: int, generator: torch.Generator
    ) -> Tensor:
        """(N, C, h, w)."""
        count, _, height, width = state.shape
        kernel, state = (each.contiguous(memory_format=torch.channels_last) for each in (kernel, state))
        for fire in self._fire(steps, (count, 1, height, width), generator):
            hidden = _relu(F.conv2d(self._framed(state), kernel, bias))
            state = state + F.conv2d(hidden, update.T[:, :, None, None]) * fire.to(state.dtype)
        return state

    def _step_firing(
        self, state: Tensor, kernel: Tensor, bias: Tensor, update: Tensor, steps: int, generator: torch.Generator
    ) -> Tensor:
        """(N, h, w, C)."""
        size = self._architecture.kernel_size
        count, height, width, channels = state.shape
        weights = kernel.permute(2, 3, 1, 0).reshape(-1, len(bias))
        for fire in self._fire(steps, (count, height, width), generator):
            sample, row, column = fire.nonzero(as_tuple=True)
            first = (sample * (height + size - 1) + row) * (width + size - 1) + column
            framed = self._framed(state.movedim(-1, 1)).movedim(1, -1).contiguous()
            hidden = _relu(torch.addmm(bias, Neighbourhoods.apply(framed, first, size), weights))
            cell = (sample * height + row) * width + column
            state = state.reshape(-1, channels).index_add(0, cell, hidden @ update).view(count, height, width, channels)
        return state

    def _fire(self, steps: int, shape: tuple[int, ...], generator: torch.Generator) -> Iterator[Tensor]:
        """Who fires in each step, as `FireDraws` has it."""
        draws = None
        for step in range(steps):
            if step % 2 and self._architecture.firing == "antithetic":
                draws = 1 - draws
            else:
                draws = torch.rand(shape, device=generator.device, generator=generator)
            yield draws < self._architecture.fire_rate

    def _framed(self, state: Tensor) -> Tensor:
        radius = self._architecture.kernel_size // 2
        return F.pad(state, (radius,) * 4, mode=_TORCH_PADDING[self._architecture.padding])


def _relu(values: Tensor) -> Tensor:
    """The hidden layer's relu; a unit (axis 1) that is silent in every cell of a step is pushed up by the gradient.

    Such a unit has no gradient of its own, and would never be heard again (Lu et al., arXiv 1903.06733). A whole stage
    can go that way in a long training, and the result still looks plausible, since the stages before it are in the
    loss. An optimiser that scales gradients to their own size follows the push where there is nothing else to follow.
    """
    hidden = F.relu(values)
    if values.requires_grad:
        cells = [axis for axis in range(values.dim()) if axis != 1]
        silent = hidden.detach().sum(cells, keepdim=True) == 0
        if silent.any():
            push = silent.to(values.dtype) * (_PUSH * silent.numel() / values.numel())
            values.register_hook(lambda gradient: gradient - push)
    return hidden


class Network(nn.Module):
    """All stages of a cascade."""

    def __init__(self, architecture: Architecture):
        super().__init__()
        self.architecture = architecture
        self.automata = nn.ModuleList(Automaton(architecture) for _ in architecture.stages)

    def seed(self, image: Tensor, stage: int, before: Tensor | None) -> Tensor:
        """`Architecture.seed` for tensors: image (N, image_channels, H, W), state (N, C, h, w)."""
        architecture = self.architecture
        scale = architecture.stages[stage].scale
        size = image.shape[2] // scale, image.shape[3] // scale
        small = resize(image, size, architecture.downscale)
        if before is None:
            rest = small.new_zeros(len(small), architecture.channels - architecture.image_channels, *size)
        else:
            rest = resize(before, size, architecture.handover)[:, architecture.image_channels :]
        return torch.cat([small, rest], dim=1)

    def logits(self, state: Tensor) -> Tensor:
        first = self.architecture.image_channels
        return state[:, first : first + self.architecture.outputs]

    def to_cascade(self) -> Cascade:
        """The same cascade for the engine."""
        shapes = self.architecture.rule_shapes
        rules = []
        for automaton in self.automata:
            arrays = {name: value.detach().float().cpu().numpy() for name, value in automaton.named_parameters()}
            rules.append(Rule(**{name: array.reshape(shapes[name]) for name, array in arrays.items()}))
        return Cascade(self.architecture, tuple(rules))

    @torch.no_grad()
    def load_rules(self, rules: Sequence[Rule]) -> None:
        """Take over the parameters of a cascade of the same architecture."""
        for automaton, rule in zip(self.automata, rules):
            for name, value in automaton.named_parameters():
                value.copy_(torch.from_numpy(np.array(getattr(rule, name))).view_as(value))


def resize(planes: Tensor, size: tuple[int, int], method: str) -> Tensor:
    """Resize (N, C, H, W) with the engine's own matrices."""
    if planes.shape[2:] == size:
        return planes
    rows, columns = (
        torch.from_numpy(sampling_matrix(length, samples, method)).to(planes)
        for length, samples in zip(planes.shape[2:], size)
    )
    return rows @ planes @ columns.T
