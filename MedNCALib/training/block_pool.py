"""Pools of drawn blocks that are renewed all the time, and batches of slices from them.

Drawing a block takes tens of milliseconds, a batch takes some hundred: a pool keeps a few hundred blocks and replaces a
few with every batch. Which blocks are in it follows from the seed and the batch's number, so that a training that goes
on after a break draws what it would have drawn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from .batch import Batch, Knowledge, slice_beside
from .blocks import Block, Drawing, Structure


class Pool:
    """Blocks of one kind that are renewed while they are used.

    Args:
        structures: that the blocks lie around.
        drawing: how a block is drawn.
        spacing: mm between slices, rows and columns of the model's grid.
        size: blocks that are kept.
        renewed: blocks that are new with each batch.
        seed: of the draws; block n follows from (seed, n) alone.
    """

    def __init__(
        self,
        structures: Sequence[Structure],
        drawing: Drawing,
        spacing: Sequence[float],
        size: int,
        renewed: float,
        seed: Sequence[int],
    ) -> None:
        self._structures, self._drawing, self._spacing = structures, drawing, spacing
        self._size, self._renewed, self._seed, self._drawn = size, renewed, list(seed), 0
        self._blocks: deque[Block] = deque(maxlen=size)

    def at(self, batch: int) -> Sequence[Block]:
        """The blocks for a batch, by its number. Numbers must not fall; after a break they may begin anywhere."""
        last = self._size + int(batch * self._renewed)
        self._drawn = max(self._drawn, last - self._size)
        while self._drawn < last:
            choices = np.random.default_rng([*self._seed, self._drawn])
            structure = self._structures[int(choices.integers(len(self._structures)))]
            self._blocks.append(self._drawing.draw(structure, self._spacing, choices))
            self._drawn += 1
        return self._blocks


@dataclass(frozen=True)
class PooledSlices:
    """A pool's part of each batch.

    Attributes:
        pool: of the blocks.
        count: slices in a batch.
        protocol: number of the protocol that drew the border, 0 for none.
        votes: whether the cells learn from the look of these slices to find out the protocol.
    """

    pool: Pool
    count: int
    protocol: float
    votes: bool


class PoolSampler:
    """Draws batches of slices with their neighbours from blocks.

    Args:
        parts: of each batch.
        image_channels: slices in a stack.
        label_count: K.
        size: rows and columns that slices are brought to: cut or, with their border going on, padded.
        foreground_share: share of slices that show a label; the others are any.
        reach: as of `Sampler`.

    Attributes:
        size: as given.
    """

    def __init__(
        self,
        parts: Sequence[PooledSlices],
        image_channels: int,
        label_count: int,
        size: tuple[int, int],
        foreground_share: float,
        reach: int = 0,
    ) -> None:
        self._reach = reach
        self._parts, self._label_count, self._foreground_share = parts, label_count, foreground_share
        self._offsets = np.arange(image_channels) - image_channels // 2
        self._has_protocols = any(part.protocol for part in parts)
        self.size: tuple[int, ...] = size

    def draw_batch(self, number: int, choices: np.random.Generator) -> Batch:
        """The batch of this number; numbers must not fall, see `Pool.at`."""
        images, targets, whole_only, protocols, votes = [], [], [], [], []
        beside, distances = [], []
        for part in self._parts:
            blocks = part.pool.at(number)
            for _ in range(part.count):
                block = blocks[int(choices.integers(len(blocks)))]
                index = self._index(block, choices)
                images.append(self._image(block, index))
                targets.append(self._target(block, index))
                if self._reach:
                    other = slice_beside(index, len(block.image), self._reach, choices)
                    beside.append(self._target(block, other))
                    distances.append(abs(other - index))
                whole_only.append(block.whole_only)
                protocols.append(part.protocol)
                votes.append(part.votes)
        image, target = (torch.from_numpy(np.stack(slices)).float() / 255 for slices in (images, targets))
        named = torch.tensor(protocols, dtype=torch.float32) if self._has_protocols else None
        batch = Batch(image, target, Knowledge(torch.tensor(whole_only), named, torch.tensor(votes)))
        if not self._reach:
            return batch
        near = torch.from_numpy(np.stack(beside)).float() / 255
        return replace(batch, beside=near, distances=torch.tensor(distances))

    def draw_slice(self, block: Block, choices: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A slice of a block.

        Returns:
            Both uint8: the image (image_channels, H, W), and shares of the labels and what is not scored (K + 1, H, W).
        """
        index = self._index(block, choices)
        return self._image(block, index), self._target(block, index)

    def _index(self, block: Block, choices: np.random.Generator) -> int:
        index = int(choices.integers(len(block.image)))
        if choices.random() < self._foreground_share:
            shown = np.flatnonzero((block.target.sum(axis=1, dtype=np.int32) >= 128).any(axis=(1, 2)))
            index = int(choices.choice(shown)) if len(shown) else index
        return index

    def _image(self, block: Block, index: int) -> np.ndarray:
        return self._fitted(block.image[np.clip(index + self._offsets, 0, len(block.image) - 1)])

    def _target(self, block: Block, index: int) -> np.ndarray:
        target = np.zeros((self._label_count + 1, *block.image.shape[1:]), np.uint8)
        target[: block.target.shape[1]] = block.target[index]
        if block.unscored is not None:
            target[-1] = block.unscored[index]
        return self._fitted(target)

    def _fitted(self, planes: np.ndarray) -> np.ndarray:
        for axis, wanted in zip((1, 2), self.size):
            excess = planes.shape[axis] - wanted
            if excess > 0:
                planes = planes.take(range(excess // 2, excess // 2 + wanted), axis=axis)
            elif excess < 0:
                margins = [(0, 0)] * 3
                margins[axis] = (-excess // 2, -excess - -excess // 2)
                planes = np.pad(planes, margins, mode="edge")
        return planes
