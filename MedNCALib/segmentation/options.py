"""How a run is done, whatever it segments."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal, get_args

import numpy as np

from ..automaton.kernels import KernelName, choose_kernel
from ..errors import ArgumentError
from ..model.card import AUTO

Find = Literal["auto", "always", "never"]
FINDS: tuple[Find, ...] = get_args(Find)


@dataclass(frozen=True)
class RunOptions:
    """How often a model runs, with which draws, on which kernel.

    `segment` and `segment_steps` take them as keyword arguments: `segment(image, model, **asdict(options))`.

    Attributes:
        runs: number of passes; the results are averaged. Two or more give the quality scores.
        seed: of the fire draws, 0 to 2**64 - 1.
        engine: the kernel, "auto", "numpy" or "torch".
        threads: how many processors to use; None takes as many as NumPy's or PyTorch's own products would.
        all_cells: whether also those cells run that cannot belong to a label, as the model's card has it
            (`MedNCALib.automaton.wanted_cells`). The result differs by less than the card's bound.
        protocol: name of the segmentation protocol whose border is drawn, one of the card's; "auto" goes by how the
            image looks: the cells vote. A model without protocols takes only "auto".
        find: whether the model's finder looks for the anatomy first, in the whole image: "auto" if the image is larger
            than what the model expects, "always" or "never". A region says where the anatomy is, so that nothing has
            to be found. A model without a finder takes only "auto" and "never".

    Raises:
        ArgumentError: a value of the wrong type or out of range.
        MedNCAError: PyTorch is asked for and not installed.
    """

    runs: int = 1
    seed: int = 0
    engine: KernelName = "auto"
    threads: int | None = None
    all_cells: bool = False
    protocol: str = AUTO
    find: Find = "auto"

    def __post_init__(self) -> None:
        _require_whole_number(self.runs, "The number of runs", 1)
        _require_whole_number(self.seed, "The seed", 0)
        if self.seed >= 1 << 64:
            raise ArgumentError(f"The seed must be from 0 to 2**64 - 1, not {self.seed}.")
        if self.threads is not None:
            _require_whole_number(self.threads, "The number of threads", 1)
        if not isinstance(self.all_cells, (bool, np.bool_)):
            raise ArgumentError(f"Whether all cells run must be True or False, not {self.all_cells!r}.")
        if not isinstance(self.protocol, str):
            raise ArgumentError(f"The protocol must be a name, not {self.protocol!r}.")
        if self.find not in FINDS:
            raise ArgumentError(f"find must be one of {', '.join(FINDS)}, not {self.find!r}.")
        choose_kernel(self.engine)

    @property
    def kernel(self) -> KernelName:
        """The kernel that `engine` stands for."""
        return choose_kernel(self.engine)


def _require_whole_number(value: Any, name: str, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise ArgumentError(f"{name} must be a whole number, not {value!r}.")
    if value < least:
        raise ArgumentError(f"{name} must be at least {least}, not {value}.")
