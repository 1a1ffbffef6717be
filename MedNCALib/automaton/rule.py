"""The automaton's rule: its learned parameters and what one step of it means.

A cell is one pixel. Its state has C channels, `[image | outputs | hidden]`, and in some models hints after the image
(`hints`). One step is the same for every cell
(Kalkhof, González and Mukhopadhyay, "Med-NCA", IPMI 2023, arXiv 2302.03473):

1. perceive   y  = [x, p(x)]                 p: learned k x k convolution with bias, C -> F (F = 2C in Med-NCA)
2. update     dx = U relu(W y + b)           W: (H, C + F), U: (C, H), no bias on U
3. fire       dx = 0 if the cell does not fire (one draw a cell, for all channels together)
4. x <- x + dx, except the image and the hints, which never change

`Rule.step` computes this plainly. The fast kernels in `kernels` compute the same and are tested against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..checks import require

Padding = Literal["edge", "reflect"]  # names as in numpy.pad
PADDINGS: tuple[Padding, ...] = get_args(Padding)


@dataclass(frozen=True)
class Rule:
    """The parameters of one automaton, all float32.

    Attributes:
        perception: filters, shape (F, C, k, k), k odd; the first k runs along rows, the second along columns.
        perception_bias: shape (F,).
        hidden: weights of the hidden layer, shape (H, C + F).
        hidden_bias: shape (H,).
        update: weights from the hidden layer to the change of state, shape (C, H).

    Raises:
        ValueError: an array that is not float32, or shapes that do not fit together.
    """

    perception: np.ndarray
    perception_bias: np.ndarray
    hidden: np.ndarray
    hidden_bias: np.ndarray
    update: np.ndarray

    def __post_init__(self) -> None:
        for name, array in vars(self).items():
            require(isinstance(array, np.ndarray), f"{name} must be an array, not {type(array).__name__}")
        kernel = self.perception.shape
        is_square = len(kernel) == 4 and kernel[2] == kernel[3] and kernel[2] % 2 == 1
        require(is_square, f"perception must have the shape (F, C, k, k) with an odd k, not {kernel}")
        self.require_shapes(self.shapes(kernel[1], kernel[0], len(self.hidden_bias), kernel[2]))

    def require_shapes(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Raise `ValueError` unless the parameters are float32 and have these shapes, given by attribute name."""
        for name, shape in shapes.items():
            array = getattr(self, name)
            fits = array.shape == shape and array.dtype == np.float32
            require(fits, f"{name} is {array.dtype} {array.shape}, where float32 {shape} is needed")

    @property
    def channels(self) -> int:
        """C, channels of the state."""
        return self.perception.shape[1]

    @property
    def radius(self) -> int:
        """How far a cell sees, in cells."""
        return self.perception.shape[2] // 2

    @property
    def parameter_count(self) -> int:
        """Number of learned numbers."""
        return sum(array.size for array in vars(self).values())

    def without_channels(self, channels: range) -> Rule:
        """The rule for a state that lacks these channels, which computes what this one does if they are 0."""
        return Rule(
            np.delete(self.perception, channels, axis=1),
            self.perception_bias,
            np.delete(self.hidden, channels, axis=1),
            self.hidden_bias,
            np.delete(self.update, channels, axis=0),
        )

    @staticmethod
    def shapes(channels: int, filters: int, hidden: int, kernel_size: int) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter, by attribute name."""
        return {
            "perception": (filters, channels, kernel_size, kernel_size),
            "perception_bias": (filters,),
            "hidden": (hidden, channels + filters),
            "hidden_bias": (hidden,),
            "update": (channels, hidden),
        }

    def step(self, state: np.ndarray, fire: np.ndarray, image_channels: int, padding: Padding = "edge") -> np.ndarray:
        """One step as the module's text has it: for every cell, in float64.

        Args:
            state: shape (N, H, W, C).
            fire: which cells fire, boolean, shape (N, H, W).
            image_channels: how many leading channels hold the image and stay as they are.
            padding: what a cell at the border sees outside, "edge" or "reflect".

        Returns:
            The next state, float64, shape (N, H, W, C).
        """
        state = state.astype(np.float64)
        _, height, width, _ = state.shape
        radius, size = self.radius, self.perception.shape[2]
        padded = np.pad(state, ((0, 0), (radius, radius), (radius, radius), (0, 0)), mode=padding)
        perceived = np.broadcast_to(self.perception_bias.astype(np.float64), (*state.shape[:3], len(self.perception)))
        for row in range(size):
            for column in range(size):
                neighbour = padded[:, row : row + height, column : column + width]
                perceived = perceived + neighbour @ self.perception[:, :, row, column].T
        perception = np.concatenate([state, perceived], axis=-1)
        change = np.maximum(perception @ self.hidden.T + self.hidden_bias, 0) @ self.update.T
        change[..., :image_channels] = 0
        return state + change * fire[..., None]
