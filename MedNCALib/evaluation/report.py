"""What an evaluation finds, and how it is written as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..segmentation.quality import Quality
from .corrections import CorrectionReport
from .metrics import Score


@dataclass(frozen=True)
class CaseReport:
    """How well one case was segmented.

    Attributes:
        name: of the case.
        seconds: that the segmentation took.
        labels: the score of each label by its name.
        whole: the score of all labels merged.
        quality: what the model's own passes say.
        protocol: as in `Result`.
    """

    name: str
    seconds: float
    labels: Mapping[str, Score]
    whole: Score
    quality: Quality
    protocol: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "seconds": self.seconds,
            "labels": {name: asdict(score) for name, score in self.labels.items()},
            "whole": asdict(self.whole),
            "quality": self.quality.as_dict(),
            "protocol": self.protocol,
        }


@dataclass(frozen=True)
class PerturbationReport:
    """Mean Dice with one perturbation.

    Attributes:
        whole: of all labels merged.
        dice_drop: how much `whole` is lower than for the same cases without the perturbation.
        labels: of each label by its name.
    """

    whole: float
    dice_drop: float
    labels: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"whole": self.whole, "fall": self.dice_drop, "labels": dict(self.labels)}


@dataclass(frozen=True)
class EvaluationReport:
    """What an evaluation finds.

    Attributes:
        cases: the cases that could be scored, in the order of their names.
        mean_labels, mean_whole: mean scores over these; a mean leaves out cases without a value.
        perturbations: by name, in the order of `perturbations.NAMES`; None if they were not asked for.
        failures: why a case could not be scored, by its name.
        corrections: what corrections are worth; None if that was not asked for.
    """

    cases: tuple[CaseReport, ...]
    mean_labels: Mapping[str, Score]
    mean_whole: Score
    perturbations: Mapping[str, PerturbationReport] | None = None
    failures: Mapping[str, str] = field(default_factory=dict)
    corrections: CorrectionReport | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON: {"cases": [...], "mean": {"labels": {...}, "whole": ...}}, and what else there is."""
        report: dict[str, Any] = {
            "cases": [case.as_dict() for case in self.cases],
            "mean": {
                "labels": {name: asdict(score) for name, score in self.mean_labels.items()},
                "whole": asdict(self.mean_whole),
            },
        }
        if self.perturbations is not None:
            report["perturbations"] = {name: each.as_dict() for name, each in self.perturbations.items()}
        if self.corrections is not None:
            report["corrections"] = self.corrections.as_dict()
        if self.failures:
            report["failures"] = dict(self.failures)
        return report
