"""What the kernels share: only the cells that fire are computed, block by block, by several threads.

At a fire rate of one half that is half of the work of computing all cells. The neighbourhoods of a block are gathered
for one product. Blocks do not depend on each other, and NumPy and PyTorch release the interpreter's lock inside each
operation, so that threads which take block after block keep all processors busy. The linear algebra library is kept to
one thread meanwhile, since its own threads could share out only single products.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import numpy as np

from ..rule import Padding, Rule
from .cell_layout import Layout

SMALLEST_BLOCK = 1024  # cells; less work is not shared out


class Scratch:
    """The working copies of one thread.

    Attributes:
        seen: shape (cells, C + F + 1): a cell's state, its perception, and a one that the hidden layer's bias
            multiplies.
        hidden: shape (cells, H).
    """

    def __init__(self, cells: int, inputs: int, hidden: int) -> None:
        self.seen = np.ones((cells, inputs), np.float32)
        self.hidden = np.empty((cells, hidden), np.float32)


class FiringCellsKernel(ABC):
    """Runs one rule on a group of slices. Subclasses compute a block with the products of their library.

    The rule as matrices: neighbourhoods (n, k*k*C) -> perception (n, F); state, perception and one (n, C + F + 1) ->
    hidden layer (n, H) -> change of state (n, C). The perception's bias is part of the hidden layer's bias, since all
    is linear between them. The image channels' columns of the last matrix are zero, so the image never changes.

    Args:
        rule: the rule.
        image_channels: leading channels that hold the image.
        padding: "edge" or "reflect".
        threads: how many processors to use; None takes as many as the library's own products would. Into so many blocks
            cells are divided at least, by which products are rounded one way or another.
        beside: how many kernels run at the same time, this one among them, and share these processors.

    Attributes:
        largest_block: most cells of a block. A small block stays in a core's cache; with large blocks threads seldom
            wait for the interpreter's lock, which they need between two operations.
    """

    largest_block: int

    def __init__(
        self, rule: Rule, image_channels: int, padding: Padding, threads: int | None = None, beside: int = 1
    ) -> None:
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
        self._least_blocks = threads or self.library_threads()
        own_threads = max(1, self._least_blocks // beside)
        self._scratch = [Scratch(self.largest_block, *self.hidden.shape) for _ in range(own_threads)]
        # Threads start when they are needed, and end with the kernel.
        self._others = ThreadPoolExecutor(max(1, len(self._scratch) - 1), initializer=self.begin_thread)

    def load(self, state: np.ndarray) -> None:
        """Take over a state, shape (N, H, W, C)."""
        slices, height, width, channels = state.shape
        self._layout = Layout(slices, height, width, self._radius, self._padding)
        self._framed = np.empty((*self._layout.shape, channels), np.float32)
        self._framed[self._layout.interior] = state
        self._layout.refresh_frame(self._framed)
        flat = self._framed.reshape(-1, channels)
        # A state is one piece of memory too, and is put into its place whole.
        self._state = np.dtype((np.void, channels * 4))
        self._states = flat.view(self._state)[:, 0]
        # A row of a neighbourhood is one piece of memory. As items of an array whose pieces overlap, rows are gathered
        # whole.
        row = np.dtype((np.void, (2 * self._radius + 1) * channels * 4))
        self._rows = np.ndarray(len(flat) - 2 * self._radius, row, self._framed, strides=(channels * 4,))
        self._after = np.empty((len(self._layout.cells), channels), np.float32)

    @property
    def state(self) -> np.ndarray:
        """The state now, float32, shape (N, H, W, C): a view that the next step changes."""
        return self._framed[self._layout.interior]

    def step(self, fire: np.ndarray) -> None:
        """One step.

        Args:
            fire: which cells fire, boolean, shape (N, H, W).
        """
        cells = np.compress(fire.ravel(), self._layout.cells)
        after = self._after[: len(cells)]
        share = -(-len(cells) // self._least_blocks)
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
        self._states[cells] = after.view(self._state)[
            :, 0
        ]  # only now: every cell has to see its neighbours before the step
        self._layout.refresh_frame(self._framed)

    def _neighbourhoods(self, cells: np.ndarray) -> np.ndarray:
        """The neighbourhoods of cells: float32, shape (len(cells), k * k * C)."""
        return self._rows[cells[:, None] + self._layout.rows].view(np.float32)

    @abstractmethod
    def library_threads(self) -> int:
        """How many threads the linear algebra library uses by itself."""

    @abstractmethod
    def one_library_thread(self) -> AbstractContextManager[None]:
        """Keep the linear algebra library to the thread that calls it, for the length of a block."""

    @staticmethod  # noqa: B027 (a hook: NumPy needs nothing here)
    def begin_thread() -> None:
        """Is called at the start of each thread of the kernel."""

    @abstractmethod
    def advance(self, neighbours: np.ndarray, after: np.ndarray, scratch: Scratch) -> None:
        """Write the next state of a block of cells to `after`, shape (n, C).

        Args:
            neighbours: the block's neighbourhoods, shape (n, k * k * C), n at most `largest_block`.
            after: is written to.
            scratch: working copies of this thread.
        """
