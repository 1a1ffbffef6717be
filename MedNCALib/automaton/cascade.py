"""Stages from coarse to fine and the hand-over between them.

Med-NCA has two stages: the first spreads global knowledge over the image at a quarter of its size, the second draws the
detail at full size. Any number of stages works; each has a rule of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..numerics import blas_threads
from ..numerics.resampling import METHODS, sampling_matrix
from .firing import FIRINGS, FireDraws
from .kernels import make_kernel
from .rule import PADDINGS, Rule


@dataclass(frozen=True)
class Stage:
    """One stage: the image is `scale` times smaller along rows and columns, and the rule is applied `steps` times."""

    scale: int
    steps: int


@dataclass(frozen=True)
class Architecture:
    """What a cascade is, apart from its learned numbers.

    Attributes:
        channels: C, channels of the state.
        hidden: H, width of the hidden layer.
        filters: F, filters of the perception.
        kernel_size: k, width of the perception in cells, odd.
        image_channels: leading channels that hold the image: one, or a slice with its neighbours.
        outputs: channels after the image channels that are the output's logits.
        activation: "softmax" (the first output is the background, one further output a label) or "sigmoid" (one a
            label).
        fire_rate: probability that a cell fires in one step.
        padding: what a cell at the border sees outside, "edge" or "reflect".
        downscale: how the image is made small, "area" or "linear".
        handover: how the state is made large, "nearest" or "linear".
        stages: from coarse to fine; each scale divides the one before, and the last is 1.
        firing: whether steps draw independently of each other or in antithetic pairs, see `FireDraws`.
    """

    channels: int
    hidden: int
    filters: int
    kernel_size: int
    image_channels: int
    outputs: int
    activation: str
    fire_rate: float
    padding: str
    downscale: str
    handover: str
    stages: tuple[Stage, ...]
    firing: str = "independent"

    def __post_init__(self):
        def require(true: bool, what: str):
            if not true:
                raise ValueError(what)

        for name in ("channels", "hidden", "filters", "kernel_size", "image_channels", "outputs"):
            value = getattr(self, name)
            require(isinstance(value, int) and value > 0, f"{name} must be a positive whole number, not {value!r}")
        require(self.kernel_size % 2 == 1, f"kernel_size must be odd, not {self.kernel_size}")
        require(self.image_channels % 2 == 1, f"image_channels must be odd, not {self.image_channels}")
        require(self.channels >= self.image_channels + self.outputs, "channels must hold the image and the outputs")
        require(self.activation in ("softmax", "sigmoid"), f"activation {self.activation!r} is not known")
        require(self.activation == "sigmoid" or self.outputs > 1, "softmax needs an output for the background")
        require(0 < self.fire_rate <= 1, f"fire_rate must be above 0 and at most 1, not {self.fire_rate}")
        require(self.firing in FIRINGS, f"firing {self.firing!r} is not known")
        require(self.padding in PADDINGS, f"padding {self.padding!r} is not known")
        require(self.downscale in METHODS, f"downscale {self.downscale!r} is not known")
        require(self.handover in METHODS, f"handover {self.handover!r} is not known")
        scales = [stage.scale for stage in self.stages]
        require(bool(scales) and scales[-1] == 1, "the last stage must have scale 1")
        require(all(stage.steps > 0 for stage in self.stages), "each stage must have at least one step")
        coarser = zip(scales, scales[1:])
        require(all(a > b > 0 and a % b == 0 for a, b in coarser), "each scale must divide the one before")

    @property
    def label_count(self) -> int:
        """K, the number of labels that the outputs tell apart from the background."""
        return self.outputs - 1 if self.activation == "softmax" else self.outputs

    @property
    def rule_shapes(self) -> dict[str, tuple[int, ...]]:
        return Rule.shapes(self.channels, self.filters, self.hidden, self.kernel_size)

    def fire_draws(self, seed: int, run: int = 0) -> FireDraws:
        """Who fires in one run."""
        return FireDraws(self.fire_rate, seed, run, self.firing)

    def probabilities(self, state: np.ndarray) -> np.ndarray:
        """Each label's probability: (N, H, W, C) -> float32 (N, H, W, K)."""
        logits = state[..., self.image_channels : self.image_channels + self.outputs]
        if self.activation == "sigmoid":
            return 1 / (1 + np.exp(-logits))
        shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return shifted[..., 1:] / shifted.sum(axis=-1, keepdims=True)

    def initial_state(self, image: np.ndarray, stage: int, before: np.ndarray | None) -> np.ndarray:
        """The state that a stage begins with.

        Args:
            image: shape (N, H, W, image_channels), H and W multiples of the coarsest scale.
            stage: index of the stage.
            before: state at the end of the stage before, None for the first stage.

        Returns:
            float32, shape (N, H / scale, W / scale, C): the image at this scale, then zeros or the enlarged state.
        """
        scale = self.stages[stage].scale
        height, width = image.shape[1] // scale, image.shape[2] // scale
        state = np.zeros((len(image), height, width, self.channels), np.float32)
        if before is not None:
            state[...] = _resize(before, height, width, self.handover)
        state[..., : self.image_channels] = _resize(image, height, width, self.downscale)
        return state


@blas_threads.one_thread()
def _resize(array: np.ndarray, height: int, width: int, method: str) -> np.ndarray:
    """Resize (N, H, W, C) along H and W."""
    _, rows, columns, channels = array.shape
    if (rows, columns) == (height, width):
        return array
    across = np.matmul(sampling_matrix(columns, width, method), array)
    down = np.matmul(sampling_matrix(rows, height, method), across.reshape(len(array), rows, width * channels))
    return down.reshape(len(array), height, width, channels)


@dataclass(frozen=True)
class CascadeStep:
    """Where a run of the cascade stands: indices from 0, and the state after this step, shape (N, h, w, C), a view."""

    stage: int
    step: int
    state: np.ndarray


@dataclass(frozen=True)
class Cascade:
    """An architecture and one rule for each of its stages."""

    architecture: Architecture
    rules: tuple[Rule, ...]

    @property
    def parameter_count(self) -> int:
        return sum(rule.parameter_count for rule in self.rules)

    def run(
        self, image: np.ndarray, slices: range, draws: FireDraws, engine: str = "numpy", threads: int | None = None
    ) -> Iterator[CascadeStep]:
        """Run all stages on a group of slices, one step of the automaton for each `next`.

        Args:
            image: float32, shape (N, H, W, image_channels), H and W multiples of the coarsest scale.
            slices: number of each slice in the volume, which keys its fire draws.
            draws: who fires.
            engine: "numpy" or "torch".
            threads: see the kernels.
        """
        architecture = self.architecture
        state = None
        for index, (stage, rule) in enumerate(zip(architecture.stages, self.rules)):
            state = architecture.initial_state(image, index, state)
            kernel = make_kernel(engine, rule, architecture.image_channels, architecture.padding, threads)
            kernel.load(state)
            for step in range(stage.steps):
                kernel.step(draws.draw(index, step, slices, *state.shape[1:3]))
                yield CascadeStep(index, step, kernel.state)
            state = kernel.state
