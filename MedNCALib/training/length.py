"""How long to train: a number of batches, or minutes of working time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

_VALIDATIONS = 16  # over a whole training
_FEWEST_VALIDATIONS = 4  # of a short training by the clock, which has one a minute, since each costs seconds


@dataclass(frozen=True)
class Batches:
    """A number of batches; the same seed then gives the same weights."""

    count: int

    @property
    def validations(self) -> int:
        """How often to validate over the whole training."""
        return _VALIDATIONS

    def progress(self, batch: int, seconds: float) -> float:
        """Share that is done after so many batches and so much working time, 0 to 1."""
        return min(1.0, batch / self.count)


@dataclass(frozen=True)
class Minutes:
    """Minutes of working time."""

    minutes: float

    @property
    def validations(self) -> int:
        """How often to validate over the whole training."""
        return int(min(_VALIDATIONS, max(_FEWEST_VALIDATIONS, self.minutes)))

    def progress(self, batch: int, seconds: float) -> float:
        """Share that is done after so many batches and so much working time, 0 to 1."""
        return min(1.0, seconds / (60 * self.minutes))


Length = Union[Batches, Minutes]
