"""What a cascade is, apart from its learned numbers: its stages, its channels, and what they mean."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np

from ..checks import require, require_choice, require_keys, require_list, require_number, require_whole_number
from ..numerics import blas_threads
from ..numerics.channels import over_channels
from ..numerics.resampling import METHODS, Method, sampling_matrix
from .firing import FIRINGS, FireDraws, Firing
from .hints import HintFormat, at_scale
from .rule import PADDINGS, Padding, Rule

Activation = Literal["softmax", "sigmoid"]
ACTIVATIONS: tuple[Activation, ...] = get_args(Activation)

Window = tuple[slice, slice]  # of rows and columns
WHOLE: Window = (slice(None), slice(None))


@dataclass(frozen=True)
class Stage:
    """One stage of a cascade.

    Attributes:
        scale: how many times smaller than the model's grid the stage's grid is along rows and columns.
        steps: how often the rule is applied.

    Raises:
        ValueError: a value that is no positive whole number.
    """

    scale: int
    steps: int

    def __post_init__(self) -> None:
        require_whole_number(self.scale, "a stage's scale")
        require_whole_number(self.steps, "a stage's number of steps")

    @classmethod
    def from_json(cls, settings: Any) -> Stage:
        """From an object of `stages` in a card or a preset."""
        require_keys(settings, "a stage", ("scale", "steps"))
        return cls(**settings)


@dataclass(frozen=True)
class Architecture:
    """What a cascade is, apart from its learned numbers.

    Attributes:
        channels: C, channels of the state.
        hidden: H, width of the hidden layer.
        filters: F, filters of the perception.
        kernel_size: k, width of the perception in cells, odd.
        image_channels: leading channels that hold the image: one, or a slice with its neighbours.
        outputs: channels after those of the image and the hints that are the output's logits.
        activation: "softmax" (the first output is the background, one further output a label) or "sigmoid" (one a
            label).
        fire_rate: probability that a cell fires in one step.
        padding: what a cell at the border sees outside, "edge" or "reflect".
        downscale: how the image is made small, "area" or "linear".
        handover: how the state is made large, "nearest" or "linear".
        stages: from coarse to fine; each scale divides the one before, and the last is 1.
        firing: whether steps draw independently of each other or in antithetic pairs, see `FireDraws`.
        hints: how hints come in; None for a model that takes none.

    Raises:
        ValueError: values that make no automaton.
    """

    channels: int
    hidden: int
    filters: int
    kernel_size: int
    image_channels: int
    outputs: int
    activation: Activation
    fire_rate: float
    padding: Padding
    downscale: Method
    handover: Method
    stages: tuple[Stage, ...]
    firing: Firing = "independent"
    hints: HintFormat | None = None

    def __post_init__(self) -> None:
        for name in ("channels", "hidden", "filters", "kernel_size", "image_channels", "outputs"):
            require_whole_number(getattr(self, name), name)
        require(self.kernel_size % 2 == 1, f"kernel_size must be odd, not {self.kernel_size}")
        require(self.image_channels % 2 == 1, f"image_channels must be odd, not {self.image_channels}")
        holds = "the image and the outputs" if self.hints is None else "the image, the hints and the outputs"
        require(self.channels >= self.first_hidden, f"channels must hold {holds}")
        require_choice(self.activation, "activation", ACTIVATIONS)
        require(self.activation == "sigmoid" or self.outputs > 1, "softmax needs an output for the background")
        require_number(self.fire_rate, "fire_rate")
        require(0 < self.fire_rate <= 1, f"fire_rate must be above 0 and at most 1, not {self.fire_rate}")
        require_choice(self.firing, "firing", FIRINGS)
        require_choice(self.padding, "padding", PADDINGS)
        require_choice(self.downscale, "downscale", METHODS)
        require_choice(self.handover, "handover", METHODS)
        scales = [stage.scale for stage in self.stages]
        require(bool(scales) and scales[-1] == 1, "the last stage must have scale 1")
        coarser = zip(scales, scales[1:])
        require(all(a > b and a % b == 0 for a, b in coarser), "each scale must divide the one before")

    @classmethod
    def from_json(cls, settings: Any) -> Architecture:
        """From the object `architecture` of a card.

        Raises:
            ValueError: keys that are missing or not known, or values that make no automaton.
        """
        names = [field.name for field in fields(cls)]
        optional = ("firing", "hints")
        require_keys(settings, "architecture", [name for name in names if name not in optional], optional)
        require_list(settings["stages"], "stages")
        hints = settings.get("hints")
        return cls(
            **{
                **settings,
                "stages": tuple(map(Stage.from_json, settings["stages"])),
                "hints": None if hints is None else HintFormat.from_json(hints),
            }
        )

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        settings = asdict(self)
        if self.hints is None:
            del settings["hints"]
        return settings

    @property
    def hint_outputs(self) -> int:
        """What a hint can say: one of the labels, or background."""
        return self.label_count + 1

    @property
    def fixed_channels(self) -> int:
        """Leading channels that no step changes: those of the image and of the hints."""
        return self.image_channels + (0 if self.hints is None else 2 * self.hint_outputs)

    @property
    def first_hidden(self) -> int:
        """The channel after those of the outputs."""
        return self.fixed_channels + self.outputs

    @property
    def without_hints(self) -> Architecture:
        """The same without the channels of the hints."""
        more = self.fixed_channels - self.image_channels
        return replace(self, channels=self.channels - more, hints=None)

    @property
    def label_count(self) -> int:
        """K, the number of labels besides the background."""
        return self.outputs - 1 if self.activation == "softmax" else self.outputs

    @property
    def rule_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter of a stage's rule, by attribute name."""
        return Rule.shapes(self.channels, self.filters, self.hidden, self.kernel_size)

    def fire_draws(self, seed: int, run: int = 0) -> FireDraws:
        """Which cells fire in one pass."""
        return FireDraws(self.fire_rate, seed, run, self.firing)

    def probabilities(self, state: np.ndarray) -> np.ndarray:
        """Each label's probability: (N, H, W, C) -> float32 (N, H, W, K)."""
        logits = state[..., self.fixed_channels : self.first_hidden]
        if self.activation == "sigmoid":
            return 1 / (1 + np.exp(-logits))
        shifted = np.exp(logits - over_channels(np.maximum, logits)[..., None])
        return shifted[..., 1:] / over_channels(np.add, shifted)[..., None]

    def initial_state(
        self,
        image: np.ndarray,
        stage: int,
        before: np.ndarray | None,
        window: Window = WHOLE,
        before_window: Window = WHOLE,
        protocol: float = 0.0,
        hints: np.ndarray | None = None,
    ) -> np.ndarray:
        """The state that a stage begins with.

        Args:
            image: shape (N, H, W, image_channels), H and W multiples of the coarsest scale.
            stage: index of the stage.
            before: state at the end of the stage before; None for the first stage.
            window: rows and columns of the stage's grid that are wanted.
            before_window: rows and columns of its grid that `before` holds; cells that would take from others are of no
                use.
            protocol: what the last channel begins with in the first stage: the value of the segmentation protocol whose
                border the cells draw, 0 if none is named.
            hints: for an architecture with hints: what is said, then what is present, each for the background and the
                labels, shape (N, H, W, 2 * hint_outputs); None is the same as zeros.

        Returns:
            float32, shape (N, H / scale, W / scale, C), cut to the window: the image and the hints at this scale, then
            zeros and the protocol's value, or the enlarged state.
        """
        scale = self.stages[stage].scale
        shape = image.shape[1] // scale, image.shape[2] // scale
        small = _resize(image, image.shape[1:3], shape, self.downscale, WHOLE, window)
        state = np.zeros((*small.shape[:3], self.channels), np.float32)
        if before is None:
            state[..., -1] = protocol
        else:
            ratio = self.stages[stage - 1].scale // scale
            before_shape = shape[0] // ratio, shape[1] // ratio
            state[...] = _resize(before, before_shape, shape, self.handover, before_window, window)
        state[..., : self.image_channels] = small
        if self.hints is not None:
            said = slice(self.image_channels, self.image_channels + self.hint_outputs)
            present = slice(said.stop, self.fixed_channels)
            state[..., said.start : present.stop] = 0
            if hints is not None:
                rows, columns = window
                state[..., said] = at_scale(hints[..., : self.hint_outputs], scale)[:, rows, columns]
                before_all = hints[..., self.hint_outputs :]
                state[..., present] = _resize(before_all, image.shape[1:3], shape, self.downscale, WHOLE, window)
        return state


@blas_threads.one_thread()
def _resize(
    array: np.ndarray,
    shape: tuple[int, ...],
    new_shape: tuple[int, ...],
    method: Method,
    window: Window,
    new_window: Window,
) -> np.ndarray:
    """Resize (N, H, W, C) along H and W, from a window of a grid of `shape` to a window of one of `new_shape`."""
    if shape == new_shape:
        return array[:, new_window[0], new_window[1]]
    across = np.matmul(_matrix(shape[1], new_shape[1], method)[new_window[1], window[1]], array)
    count, rows, columns, channels = across.shape
    matrix = _matrix(shape[0], new_shape[0], method)[new_window[0], window[0]]
    down = np.matmul(matrix, across.reshape(count, rows, columns * channels))
    return down.reshape(count, len(matrix), columns, channels)


@lru_cache(maxsize=16)
def _matrix(length: int, samples: int, method: Method) -> np.ndarray:
    """`sampling_matrix` of lines that cover the same extent, kept from one group of slices to the next."""
    return sampling_matrix(length, samples, method)
