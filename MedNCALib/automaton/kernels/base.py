"""What the kernels share: only the cells that fire are worked on, block by block, shared out among threads.

At a fire rate of one half that saves half of the work of a dense reading. The neighbourhoods of a block are gathered
for one product. Blocks are independent until all are done, and NumPy and PyTorch let go of the interpreter inside each
operation, so threads that take block after block keep all processors busy; the library below is kept to one thread
meanwhile, since its own could only share out single products.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import numpy as np

from ..rule import Rule
from .cell_layout import Layout

SMALLEST_BLOCK = 1024  # cells; less work is not shared out


class Scratch:
    """The working copies of one thread.

    Attributes:
        seen: shape (cells, C + F + 1): a cell's state, its perception, and a one that the hidden layer's bias
            multiplies.
        hidden: shape (cells, H).
    """

    def __init__(self, cells: int, inputs: int, hidden: int):
        self.seen = np.ones((cells, inputs), np.float32)
        self.hidden = np.empty((cells, hidden), np.float32)


class FiringCellsKernel(ABC):
    """Runs one rule on a group of slices. Subclasses say how a block advances and how their library keeps to itself.

    The rule as matrices: neighbourhoods (n, k*k*C) -> perception (n, F); state, perception and one (n, C + F + 1) ->
    hidden layer (n, H) -> change of state (n, C). The perception's bias is part of the hidden layer's, as all is linear
    between them. The image channels' columns of the last matrix are zero, so the image never changes.

    Args:
        rule: the automaton.
        image_channels: leading channels that hold the image.
        padding: "edge" or "reflect".
        threads: how many processors to use; None takes as many as the library below would.

    Attributes:
        largest_block: cells of a block where there are many. A small one stays in a core's cache; with a large one
            threads seldom wait for the interpreter, which they need between two operations.
    """

    largest_block: int

    def __init__(self, rule: Rule, image_channels: int, padding: str, threads: int | None = None):
        size, channels = rule.perception.shape[2], rule.channels
        self.perception = np.ascontiguousarray(
            rule.perception.transpose(2, 3, 1, 0).reshape(size * size * channels, -1), np.float32
        )
        bias = rule.hidden_bias + rule.hidden[:, channels:] @ rule.perception_bias
        self.hidden = np.vstack([rule.hidden.T, bias]).astype(np.float32)
        self.update = np.array(rule.update.T, np.float32, order="C")
        self.update[:, :image_channels] = 0
        self.centre = np.s_[:, size * size // 2 * channels : (size * size // 2 + 1) * channels]
        self._radius, self._padding = rule.radius, padding
        self._scratch = [
            Scratch(self.largest_block, *self.hidden.shape) for _ in range(threads or self.library_threads())
        ]
        # Starts its threads when they are needed, and ends them with the kernel.
        self._others = ThreadPoolExecutor(max(1, len(self._scratch) - 1), initializer=self.begin_thread)

    def load(self, state: np.ndarray) -> None:
        """Take over a state, shape (N, H, W, C)."""
        self._layout = Layout(*state.shape[:3], self._radius, self._padding)
        channels = state.shape[3]
        self._framed = np.empty((*self._layout.shape, channels), np.float32)
        self._framed[self._layout.interior] = state
        self._layout.refresh_frame(self._framed)
        self._flat = self._framed.reshape(-1, channels)
        # A row of a neighbourhood is one piece of memory, and a view of pieces that overlap gathers it at once.
        row = np.dtype((np.void, (2 * self._radius + 1) * channels * 4))
        self._rows = np.ndarray(len(self._flat) - 2 * self._radius, row, self._framed, strides=(channels * 4,))
        self._after = np.empty((len(self._layout.cells), channels), np.float32)

    @property
    def state(self) -> np.ndarray:
        """The state now, float32, shape (N, H, W, C): a view that the next step changes."""
        return self._framed[self._layout.interior]

    def step(self, fire: np.ndarray) -> None:
        """One step; `fire` is boolean, shape (N, H, W)."""
        cells = np.compress(fire.ravel(), self._layout.cells)
        after = self._after[: len(cells)]
        share = -(-len(cells) // len(self._scratch))
        size = min(max(SMALLEST_BLOCK, share), self.largest_block)
        blocks = deque(slice(start, start + size) for start in range(0, len(cells), size))

        def work(scratch: Scratch) -> None:
            while True:
                try:
                    block = blocks.popleft()
                except IndexError:
                    return
                self.advance(self._neighbourhoods(cells[block]), after[block], scratch)

        with self.one_library_thread():
            scratch = self._scratch[: max(1, len(blocks))]
            others = [self._others.submit(work, own) for own in scratch[1:]]
            work(scratch[0])
            for other in others:
                other.result()
        self._flat[cells] = after  # only now: all cells look around before any of them changes
        self._layout.refresh_frame(self._framed)

    def _neighbourhoods(self, cells: np.ndarray) -> np.ndarray:
        """What `cells` see: float32, shape (len(cells), k * k * C)."""
        return self._rows[cells[:, None] + self._layout.rows].view(np.float32)

    @abstractmethod
    def library_threads(self) -> int:
        """How many threads the library below uses by itself."""

    @abstractmethod
    def one_library_thread(self) -> AbstractContextManager:
        """While it lasts, the library below works in the thread that calls it."""

    @staticmethod  # noqa: B027 (a hook: NumPy needs nothing here)
    def begin_thread() -> None:
        """Called in each thread of the kernel's own before it does anything."""

    @abstractmethod
    def advance(self, neighbours: np.ndarray, after: np.ndarray, scratch: Scratch) -> None:
        """Write the next state of a block of cells to `after`, shape (n, C).

        Args:
            neighbours: the block's neighbourhoods, shape (n, k * k * C), n at most `largest_block`.
            after: is written to.
            scratch: this thread's own.
        """
