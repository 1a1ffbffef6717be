"""Which cells fire: reproducible draws that depend on nothing but what they are for.

A draw is keyed by seed, run, stage, step and slice and comes from the counter-based generator Philox (Salmon et al.,
"Parallel random numbers: as easy as 1, 2, 3", SC 2011). So the result for one seed does not depend on the kernel, on
the number of threads, nor on how many slices run together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_LEVELS = 1 << 16  # 16 bits a cell: the rate is met to 1/65536


@dataclass(frozen=True)
class FireDraws:
    """The draws of one run.

    Attributes:
        rate: probability that a cell fires in one step, 0 to 1.
        seed: the user's seed, 0 to 2**64 - 1.
        run: number of the run.
    """

    rate: float
    seed: int = 0
    run: int = 0

    def draw(self, stage: int, step: int, slices: range, height: int, width: int) -> np.ndarray:
        """Who fires in one step: boolean, shape (len(slices), height, width)."""
        if self.rate >= 1:
            return np.ones((len(slices), height, width), bool)
        threshold = round(self.rate * _LEVELS)
        cells = height * width
        words = -(-cells // 4)  # four draws of 16 bits in a word of 64
        fire = np.empty((len(slices), cells), bool)
        for row, index in zip(fire, slices):
            generator = np.random.Philox(key=[self.seed, (self.run << 32) | stage], counter=[0, step, index, 0])
            np.less(generator.random_raw(words).view(np.uint16)[:cells], threshold, out=row)
        return fire.reshape(len(slices), height, width)
