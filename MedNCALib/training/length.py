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
    def batches(self) -> int | None:
        """All batches; None if they are not counted."""
        return self.count

    @property
    def clock_minutes(self) -> float | None:
        """Minutes, if the training goes by the clock."""
        return None

    @property
    def validations(self) -> int:
        """How often to validate over the whole training."""
        return _VALIDATIONS

    def progress(self, batch: int, seconds: float) -> float:
        """Share that is done after so many batches and so much working time, 0 to 1."""
        return min(1.0, batch / self.count)

    def seconds_left(self, batch: int, seconds: float, seconds_a_batch: float) -> float:
        """Working time that is left if each batch takes so long."""
        return (self.count - batch) * seconds_a_batch


@dataclass(frozen=True)
class Minutes:
    """Minutes of working time."""

    minutes: float

    @property
    def batches(self) -> int | None:
        """All batches; None if they are not counted."""
        return None

    @property
    def clock_minutes(self) -> float | None:
        """Minutes, if the training goes by the clock."""
        return self.minutes

    @property
    def validations(self) -> int:
        """How often to validate over the whole training."""
        return int(min(_VALIDATIONS, max(_FEWEST_VALIDATIONS, self.minutes)))

    def progress(self, batch: int, seconds: float) -> float:
        """Share that is done after so many batches and so much working time, 0 to 1."""
        return min(1.0, seconds / (60 * self.minutes))

    def seconds_left(self, batch: int, seconds: float, seconds_a_batch: float) -> float:
        """Working time that is left if each batch takes so long."""
        return max(0.0, 60 * self.minutes - seconds)


Length = Union[Batches, Minutes]
