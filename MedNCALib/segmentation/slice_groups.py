"""Groups of slices that run together."""

from __future__ import annotations

from collections.abc import Sequence

from ..automaton.architecture import Architecture
from ..imaging.slice_space import SliceSpace

# The states of a group, with the working copies of a step, fit into this. It bounds the memory whatever the size of the
# volume, and the time of one step. Resources/Documentation/decisions has the timings.
GROUP_BYTES = 12 << 20


def slice_groups(space: SliceSpace, architecture: Architecture, among: Sequence[range] | None = None) -> list[range]:
    """The numbers of all slices, or of those among some ranges, in groups."""
    size = group_size(space, architecture)
    ranges = [range(space.count)] if among is None else among
    starts = [(start, each.stop) for each in ranges for start in range(each.start, each.stop, size)]
    return [range(start, min(start + size, stop)) for start, stop in starts]


def group_size(space: SliceSpace, architecture: Architecture) -> int:
    """Number of slices that run together."""
    return max(1, GROUP_BYTES // (space.height * space.width * cell_bytes(architecture)))


def cell_bytes(architecture: Architecture) -> int:
    """Memory that a cell takes.

    That is its state, the initial state of the next stage and the next states of firing cells, in float32, and three
    index tables of 64-bit numbers.
    """
    return 3 * 4 * architecture.channels + 3 * 8
