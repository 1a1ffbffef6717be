"""Which cells fire: reproducible draws that depend on nothing but what they are for.

A draw is keyed by seed, run, stage, step and slice and comes from the counter-based generator Philox (Salmon et al.,
"Parallel random numbers: as easy as 1, 2, 3", SC 2011). So the result for one seed does not depend on the kernel, on
the number of threads, nor on how many slices run together.

With independent firing, every step has a draw u of its own for each cell, and the cell fires where u is below the fire
rate. With antithetic firing (Hammersley and Morton, "A new Monte Carlo technique: antithetic variates", 1956), steps
come in pairs: one fires by u, the next by 1 - u. Each step looks the same as before, and cells still fire in an order
of their own, but at a rate of one half each fires exactly once in a pair, so that runs differ less.
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
    """The draws of one run.

    Attributes:
        rate: probability that a cell fires in one step, 0 to 1.
        seed: the user's seed, 0 to 2**64 - 1.
        run: number of the run.
        firing: "independent" or "antithetic".
    """

    rate: float
    seed: int = 0
    run: int = 0
    firing: Firing = "independent"

    def draw(self, stage: int, step: int, slices: range, height: int, width: int) -> np.ndarray:
        """Who fires in one step: boolean, shape (len(slices), height, width). `slices` are consecutive."""
        shape = (len(slices), height, width)
        if self.rate >= 1:
            return np.ones(shape, bool)
        # One bit tells heads from tails; any other rate is met to 1/65536.
        bits = 1 if self.rate == 0.5 else 16
        cells = height * width
        blocks = -(-cells * bits // _BLOCK_BITS)
        antithetic = self.firing == "antithetic"
        # Each slice has counts of its own, so that one call draws for all.
        counter = [slices.start * blocks, step // 2 if antithetic else step, 0, 0]
        generator = np.random.Philox(key=[self.seed, (self.run << 32) | stage], counter=counter)
        words = generator.random_raw(len(slices) * blocks * (_BLOCK_BITS // 64))
        if antithetic and step % 2:
            words = ~words
        if bits == 1:
            fire = np.unpackbits(words.view(np.uint8)).view(bool)
        else:
            fire = words.view(np.uint16) < round(self.rate * (1 << bits))
        return fire.reshape(len(slices), -1)[:, :cells].reshape(shape)
