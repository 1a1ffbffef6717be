"""What a training says of itself while it runs, for programs that look on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Callable, Union


@dataclass(frozen=True)
class Proposed:
    """What there is to know of the cases, and with `--preset auto` which settings follow from them, in sentences."""

    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Started:
    """The data is read, and the first batch comes next.

    Attributes:
        batches, minutes: the length, one of them; None is the other.
        parameters: number of parameters that are learned.
        device: "cpu" or "cuda".
        labels: names.
        cases: number of those that are trained on ("train") and of those that choose the weights ("validation").
        batch: batches that were done before, if an earlier training goes on.
    """

    batches: int | None
    minutes: float | None
    parameters: int
    device: str
    labels: tuple[str, ...]
    cases: Mapping[str, int]
    batch: int


@dataclass(frozen=True)
class Advanced:
    """Where the training stands, about once a second.

    Attributes:
        batch: batches done.
        batches: all of them; None if the training goes by the clock.
        seconds: working time so far.
        seconds_left: what is left of it, as far as it is known.
        learning_rate: of the last batch.
        loss: mean of late.
    """

    batch: int
    batches: int | None
    seconds: float
    seconds_left: float
    learning_rate: float
    loss: float


@dataclass(frozen=True)
class ValidationDone:
    """The weights were measured.

    Attributes:
        batch, seconds: when.
        dice: mean Dice by label.
        whole: of all labels merged.
        best: whether they are the best so far, which the model folder then holds.
    """

    batch: int
    seconds: float
    dice: Mapping[str, float]
    whole: float
    best: bool


@dataclass(frozen=True)
class PreviewWritten:
    """A validation case was segmented with the present weights.

    Attributes:
        batch: when.
        case: name.
        image: file of its image.
        labels: file of the result, a Slicer segmentation (`.seg.nrrd`).
    """

    batch: int
    case: str
    image: str
    labels: str


@dataclass(frozen=True)
class Measuring:
    """The training is over, and the figures of the card are measured; `done` is the share, 0 to 1."""

    done: float


@dataclass(frozen=True)
class Ended:
    """The model is written.

    Attributes:
        stopped: whether the training ended before its length.
        model: folder.
        batch: batches done.
        dice: mean Dice by label on the held-out cases, as in the card.
        whole: of all labels merged.
    """

    stopped: bool
    model: str
    batch: int
    dice: Mapping[str, float]
    whole: float


Event = Union[Proposed, Started, Advanced, ValidationDone, PreviewWritten, Measuring, Ended]
Listener = Callable[[Event], None]

_NAMES = {
    Proposed: "proposal",
    Started: "start",
    Advanced: "progress",
    ValidationDone: "validation",
    PreviewWritten: "preview",
    Measuring: "measuring",
    Ended: "end",
}


def ignore_events(event: Event) -> None:
    """A `Listener` that does nothing."""


def never() -> bool:
    """For trainings that nobody stops."""
    return False


def event_json(event: Event) -> dict[str, Any]:
    """An event as a JSON object; `event` is its name."""
    return {"event": _NAMES[type(event)], **asdict(event)}
