"""The cascade as a PyTorch module: the meaning of `MedNCALib.automaton.cascade`, with gradients, on a CPU or a GPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (PyTorch's own convention)
from torch import Tensor, nn

from ..automaton.architecture import Architecture
from ..automaton.cascade import Cascade
from ..automaton.rule import Rule
from ..numerics.resampling import Method, sampling_matrix
from .firing_steps import Weights, fired_steps


def fast_in_bfloat16(device: torch.device) -> bool:
    """Whether products of bfloat16 are much faster: on a GPU, and on a processor with AMX or AVX512-BF16."""
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return device.type == "cuda" or any(capabilities.get(name, False) for name in ("amx_bf16", "avx512_bf16"))


class Automaton(nn.Module):
    """One rule, computed for the firing cells alone, see `firing_steps.py`."""

    # The parameters of `Rule`, and which channels change.
    perception: nn.Parameter
    perception_bias: nn.Parameter
    hidden: nn.Parameter
    hidden_bias: nn.Parameter
    update: nn.Parameter
    _moves: Tensor

    def __init__(self, architecture: Architecture) -> None:
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
        frozen[: architecture.fixed_channels] = 0
        self.register_buffer("_moves", frozen, persistent=False)

    def learn_only_hints(self) -> None:
        """Let training change only the weights that read hints: without hints the rule then stays exactly as it is."""
        architecture = self._architecture
        reads = torch.zeros(architecture.channels)
        reads[architecture.image_channels : architecture.fixed_channels] = 1
        masks = {
            "perception": reads.repeat_interleave(architecture.kernel_size**2),
            "hidden": F.pad(reads, (0, architecture.filters)),
        }
        for name, parameter in self.named_parameters():
            if name in masks:
                parameter.register_hook(partial(torch.mul, masks[name].to(parameter.device)))
            else:
                parameter.requires_grad_(False)

    def forward(
        self, state: Tensor, steps: int, generator: torch.Generator, precision: torch.dtype | None = None
    ) -> Tensor:
        """Apply the rule `steps` times to (N, C, h, w).

        Args:
            state: float32.
            steps: how often.
            generator: of the cells that fire.
            precision: of the change, float32 or bfloat16; by default bfloat16 if it is fast. The state that it is
                added to stays float32.
        """
        precision = precision or (torch.bfloat16 if fast_in_bfloat16(state.device) else torch.float32)
        count, _, height, width = state.shape
        fires = torch.stack(list(self._fire(steps, (count, height, width), generator)))
        architecture = self._architecture
        after = fired_steps(
            state.movedim(1, -1).contiguous(),
            self._weights(precision),
            fires,
            architecture.kernel_size,
            architecture.padding,
        )
        return after.movedim(-1, 1)

    def _weights(self, precision: torch.dtype) -> Weights:
        """The weights in the form of the products of one step."""
        channels, size = self._architecture.channels, self._architecture.kernel_size
        weights = Weights(
            filters=self.perception.view(-1, channels, size**2).permute(2, 1, 0).flatten(0, 1),
            hidden=self.hidden.T,
            bias=self.hidden_bias + self.hidden[:, channels:] @ self.perception_bias,
            update=(self.update * self._moves).T,
        )
        return Weights(*(each.to(precision).contiguous() for each in weights))

    def _fire(self, steps: int, shape: tuple[int, ...], generator: torch.Generator) -> Iterator[Tensor]:
        """Which cells fire in each step, in the manner of `FireDraws`."""
        antithetic = self._architecture.firing == "antithetic"
        draws = torch.empty(0)
        for step in range(steps):
            if step % 2 and antithetic:
                draws = 1 - draws
            else:
                draws = torch.rand(shape, device=generator.device, generator=generator)
            yield draws < self._architecture.fire_rate


class TrainableNetwork(nn.Module):
    """What a training needs of a network besides its parameters."""

    def load_rules(self, rules: Sequence[Rule]) -> None:
        """Take over the parameters of a cascade of the same architecture."""
        raise NotImplementedError

    def to_cascade(self) -> Cascade:
        """The same network for the engine."""
        raise NotImplementedError


class Network(TrainableNetwork):
    """All stages of a cascade.

    Attributes:
        joined: number of stages that are trained, from the coarsest on.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.automata = nn.ModuleList(Automaton(architecture) for _ in architecture.stages)
        self.joined = len(architecture.stages)

    @torch.no_grad()
    def join(self, count: int) -> None:
        """Train so many of the stages, from the coarsest on; one that joins begins with the weights of that before it.

        Until then its update is zero, so that it hands over what it is given. A stage that has learned something, in a
        training that goes on, keeps it.
        """
        self.joined = count
        for before, automaton in zip(self.automata, self.automata[1:count]):
            if not automaton.get_parameter("update").any():
                automaton.load_state_dict(before.state_dict())

    def initial_state(self, image: Tensor, stage: int, before: Tensor | None, hints: Tensor | None = None) -> Tensor:
        """`Architecture.initial_state` for tensors: channels come second, in the image, the state and the hints."""
        architecture = self.architecture
        scale = architecture.stages[stage].scale
        size = image.shape[2] // scale, image.shape[3] // scale
        small = resize(image, size, architecture.downscale)
        if before is None:
            rest = small.new_zeros(len(small), architecture.channels - architecture.fixed_channels, *size)
        else:
            rest = resize(before, size, architecture.handover)[:, architecture.fixed_channels :]
        fixed = [small]
        if hints is not None:
            said, present = hints.tensor_split([architecture.hint_outputs], dim=1)
            fixed += [F.max_pool2d(said, scale), resize(present, size, architecture.downscale)]
        elif architecture.hints is not None:
            fixed.append(small.new_zeros(len(small), 2 * architecture.hint_outputs, *size))
        return torch.cat([*fixed, rest], dim=1)

    def said(self, hints: Tensor) -> Tensor:
        """What is said, without what is present: (N, 2 * hint_outputs, H, W) -> (N, hint_outputs, H, W)."""
        return hints[:, : self.architecture.hint_outputs]

    def logits(self, state: Tensor) -> Tensor:
        """The output channels of a state: (N, C, h, w) -> (N, outputs, h, w)."""
        return state[:, self.architecture.fixed_channels : self.architecture.first_hidden]

    def to_cascade(self) -> Cascade:
        """The cascade for the engine."""
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
                array = np.array(getattr(rule, name), order="C")  # what is put together of parts may not be
                value.copy_(torch.from_numpy(array).view_as(value))


def resize(planes: Tensor, size: tuple[int, int], method: Method) -> Tensor:
    """Resize (N, C, H, W) with the engine's own matrices."""
    if planes.shape[2:] == size:
        return planes
    rows, columns = (
        _sampling_matrix(length, samples, method, planes.device, planes.dtype)
        for length, samples in zip(planes.shape[2:], size)
    )
    return rows @ planes @ columns.T


@lru_cache(maxsize=64)
def _sampling_matrix(length: int, samples: int, method: Method, device: torch.device, dtype: torch.dtype) -> Tensor:
    return torch.from_numpy(sampling_matrix(length, samples, method)).to(device, dtype)
