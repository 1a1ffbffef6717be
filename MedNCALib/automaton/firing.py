"""Which cells fire: draws that depend only on seed, pass, stage, step and slice.

These five are the key and the counter of the counter-based generator Philox (Salmon et al., "Parallel random numbers:
as easy as 1, 2, 3", SC 2011). The result for one seed therefore depends neither on the kernel nor on the number of
threads nor on how many slices run together.

With independent firing, each step draws a number u for each cell, and the cell fires if u is below the fire rate. With
antithetic firing (Hammersley and Morton, "A new Monte Carlo technique: antithetic variates", 1956), steps come in
pairs: the first fires by u, the second by 1 - u. A single step is distributed as with independent firing, but at a rate
of one half each cell fires exactly once in a pair, so that passes differ less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Firing = Literal["independent", "antithetic"]
FIRINGS: tuple[Firing, ...] = get_args(Firing)
_BLOCK_BITS = 256  # Philox makes four words of 64 bits at each count


@dataclass(frozen=True)
class FireDraws:
    """The draws of one pass.

    Attributes:
        rate: probability that a cell fires in one step, 0 to 1.
        seed: the user's seed, 0 to 2**64 - 1.
        run: number of the pass, from 0.
        firing: "independent" or "antithetic".
    """

    rate: float
    seed: int = 0
    run: int = 0
    firing: Firing = "independent"

    def draw(self, stage: int, step: int, slices: range, height: int, width: int) -> np.ndarray:
        """Which cells fire in one step.

        Args:
            stage, step: indices of the stage, and of the step within it, from 0.
            slices: consecutive numbers of slices.
            height, width: cells of a slice at the stage's scale.

        Returns:
            Boolean, shape (len(slices), height, width).
        """
        shape = (len(slices), height, width)
        if self.rate >= 1:
            return np.ones(shape, bool)
        # One bit is enough for a rate of one half; other rates are met to 1/65536.
        bits = 1 if self.rate == 0.5 else 16
        cells = height * width
        blocks = -(-cells * bits // _BLOCK_BITS)
        antithetic = self.firing == "antithetic"
        # Each slice has its own range of counts, so that one call draws for all of them.
        counter = [slices.start * blocks, step // 2 if antithetic else step, 0, 0]
        # As an array, since a list with a number of 64 bits would be rounded.
        key = np.array([self.seed, (self.run << 32) | stage], np.uint64)
        generator = np.random.Philox(key=key, counter=counter)
        words = generator.random_raw(len(slices) * blocks * (_BLOCK_BITS // 64))
        if antithetic and step % 2:
            words = ~words
        if bits == 1:
            fire = np.unpackbits(words.view(np.uint8)).view(bool)
        else:
            fire = words.view(np.uint16) < round(self.rate * (1 << bits))
        return fire.reshape(len(slices), -1)[:, :cells].reshape(shape)
