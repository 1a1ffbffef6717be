"""What a training has said so far, and where a run of it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .process import Event

PHASES = ("cases", "starting", "training", "ending", "comparing")


@dataclass(frozen=True)
class Validation:
    """A validation on the cases that are kept aside.

    Attributes:
        batch: after how many.
        dice: of each label, by name; None of one that no case has.
        whole: of all labels merged.
        isBest: whether it is better than all before.
    """

    batch: int
    dice: Mapping[str, float | None]
    whole: float
    isBest: bool = False


@dataclass(frozen=True)
class Preview:
    """The present result on a validation case.

    Attributes:
        case: name of its files.
        image, labels: paths.
    """

    case: str
    image: str
    labels: str


@dataclass
class History:
    """The lines of `mednca train --json-progress`, as far as they have come.

    Attributes:
        proposal: why the settings are as they are, in sentences; none if the user has chosen them.
        labels: names of the labels.
        trainingCases, validationCases: how many there are.
        device: that it computes on.
        losses: batch and mean loss.
        validations: in their order.
        batch, seconds, secondsLeft: where it stands; the last is None while it is unknown.
        preview: the latest, or None.
        measured: share of the measurement of the finished model that is done; None before it.
        model: path of the finished model's folder; empty before.
        isStopped: whether it was ended before its time.
    """

    proposal: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    trainingCases: int = 0
    validationCases: int = 0
    device: str = ""
    losses: list[tuple[int, float]] = field(default_factory=list)
    validations: list[Validation] = field(default_factory=list)
    batch: int = 0
    seconds: float = 0.0
    secondsLeft: float | None = None
    preview: Preview | None = None
    measured: float | None = None
    model: str = ""
    isStopped: bool = False

    @property
    def best(self) -> float | None:
        """The best Dice of all labels merged; None before the first validation."""
        return max((each.whole for each in self.validations), default=None)

    def add(self, event: Event) -> None:
        """Take up a line; kinds and keys that are not known count for nothing."""
        read = getattr(self, f"_on_{event['event']}", None)
        if read is not None:
            read(event)

    def _on_proposal(self, event: Event) -> None:
        self.proposal = tuple(event.get("sentences") or ())

    def _on_measuring(self, event: Event) -> None:
        self.measured = float(event.get("done") or 0.0)

    def _on_start(self, event: Event) -> None:
        cases = event.get("cases") or {}
        self.labels = tuple(event.get("labels") or ())
        self.trainingCases, self.validationCases = cases.get("train", 0), cases.get("validation", 0)
        self.device = event.get("device", "")

    def _on_progress(self, event: Event) -> None:
        self._stands(event)
        self.secondsLeft = event.get("seconds_left")
        if event.get("loss") is not None:
            self.losses.append((self.batch, float(event["loss"])))

    def _on_validation(self, event: Event) -> None:
        self._stands(event)
        self.validations.append(
            Validation(self.batch, event.get("dice") or {}, float(event["whole"]), bool(event.get("best")))
        )

    def _on_preview(self, event: Event) -> None:
        self.preview = Preview(str(event["case"]), str(event["image"]), str(event["labels"]))

    def _on_end(self, event: Event) -> None:
        self._stands(event)
        self.model, self.isStopped = str(event.get("model", "")), bool(event.get("stopped"))

    def _stands(self, event: Event) -> None:
        self.batch = int(event.get("batch", self.batch))
        self.seconds = float(event.get("seconds", self.seconds))


@dataclass(frozen=True)
class TrainingStep:
    """Where a training stands.

    Attributes:
        fraction: share that is done, 0 to 1.
        phase: one of `PHASES`.
        history: what the training has said so far.
        isNew: whether it has said anything since the step before.
        case: name of the case that is copied or compared now; empty in other phases.
    """

    fraction: float
    phase: str
    history: History
    isNew: bool = False
    case: str = ""


def fraction(history: History, minutes: float | None, batches: Any) -> float:
    """Share of a training that is done."""
    done = history.batch / batches if batches else history.seconds / (60 * minutes) if minutes else 0.0
    return min(1.0, max(0.0, done))
