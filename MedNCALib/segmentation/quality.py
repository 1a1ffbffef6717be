"""Scores that say how far a result can be trusted.

Several passes differ only in which cells fired. If they differ in the result, the model is unsure.

- NQM = sum of the standard deviation over passes / sum of the mean, of the probability of any label (Kalkhof and
  Mukhopadhyay, "M3D-NCA", MICCAI 2023, arXiv 2309.02954, who have one label); higher is worse.
- Agreement = mean Dice over all pairs of passes, per label and averaged over labels (as a failure score: arXiv
  2406.03323); lower is worse.

The verdict compares both with thresholds from the model's card, which are measured on validation data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np

from ..model.card import Thresholds
from ..numerics.channels import over_channels

Verdict = Literal["pass", "review"]


@dataclass(frozen=True)
class VolumeEstimate:
    """Volume of one label.

    Attributes:
        mean: volume in the result, in mL.
        sd: standard deviation over the passes, in mL; None for one pass.
        by_pass: volume in each pass, on the model's grid, in mL; none for one pass.
    """

    mean: float
    sd: float | None
    by_pass: tuple[float, ...] = ()


@dataclass(frozen=True)
class Quality:
    """Scores of one result. All but the volumes need at least two passes and are None, or empty, for one.

    Attributes:
        runs: number of passes.
        nqm: normalised quality measure, see the module's text.
        agreement: mean over labels of `label_agreement`.
        label_agreement: mean pairwise Dice of the passes, by label name.
        volumes_ml: by label name.
        verdict: "pass" or "review"; None if the card has no thresholds.
    """

    runs: int
    nqm: float | None
    agreement: float | None
    label_agreement: dict[str, float]
    volumes_ml: dict[str, VolumeEstimate]
    verdict: Verdict | None

    def as_dict(self) -> dict[str, Any]:
        """The same as plain dictionaries and numbers, for JSON."""
        plain = asdict(self)
        for volume in plain["volumes_ml"].values():
            volume["by_pass"] = list(volume["by_pass"])
        return plain


class QualityMeter:
    """Adds up over groups of slices what the scores need, so that no pass is kept whole.

    Args:
        runs: number of passes.
        label_count: K, number of labels.
    """

    def __init__(self, runs: int, label_count: int) -> None:
        self._sizes = np.zeros((runs, label_count), np.int64)
        self._overlaps = np.zeros((runs, runs, label_count), np.int64)
        self._deviation = self._probability = 0.0

    @classmethod
    def of_all(cls, meters: Sequence[QualityMeter]) -> QualityMeter:
        """One meter for all labels of several, in their order; they have the same number of passes."""
        whole = cls(len(meters[0]._sizes), 0)
        whole._sizes = np.concatenate([meter._sizes for meter in meters], axis=-1)
        whole._overlaps = np.concatenate([meter._overlaps for meter in meters], axis=-1)
        whole._deviation = sum(meter._deviation for meter in meters)
        whole._probability = sum(meter._probability for meter in meters)
        return whole

    def add(self, winners: Sequence[np.ndarray], probabilities: Sequence[np.ndarray]) -> None:
        """Add a group of slices.

        Args:
            winners: for each pass, the likeliest label of each cell: 0 for none, else 1 to K; any shape.
            probabilities: for each pass, of the labels, shape (..., K).
        """
        for label in range(self._sizes.shape[1]):
            masks = [winner == label + 1 for winner in winners]
            self._sizes[:, label] += [np.count_nonzero(mask) for mask in masks]
            for a, b in combinations(range(len(masks)), 2):
                self._overlaps[a, b, label] += np.count_nonzero(masks[a] & masks[b])
        of_any = np.stack([over_channels(np.add, run) for run in probabilities])
        self._deviation += float(of_any.std(axis=0).sum(dtype=np.float64))
        self._probability += float(of_any.mean(axis=0).sum(dtype=np.float64))

    def quality(
        self, names: Sequence[str], volumes: Sequence[float], cell_ml: float | np.ndarray, thresholds: Thresholds | None
    ) -> Quality:
        """The scores.

        Args:
            names: name of each label.
            volumes: volume of each label in the result, in mL.
            cell_ml: volume of one cell of the model's grid, in mL; of each label's, if their grids differ.
            thresholds: which results pass; None gives no verdict.
        """
        runs = len(self._sizes)
        if runs < 2:
            only_volumes = {name: VolumeEstimate(ml, None) for name, ml in zip(names, volumes)}
            return Quality(1, None, None, {}, only_volumes, None)
        nqm = self._deviation / self._probability if self._probability else 0.0
        pairs = list(combinations(range(runs), 2))
        by_label = {
            name: float(np.mean([self._dice(a, b, label) for a, b in pairs])) for label, name in enumerate(names)
        }
        agreement = float(np.mean(list(by_label.values())))
        by_pass = self._sizes * cell_ml
        estimates = {
            name: VolumeEstimate(ml, float(sd), tuple(of_label.tolist()))
            for name, ml, sd, of_label in zip(names, volumes, by_pass.std(axis=0, ddof=1), by_pass.T)
        }
        verdict: Verdict | None = None
        if thresholds:
            sure = agreement >= thresholds.agreement and nqm <= thresholds.nqm and min(volumes) > 0
            verdict = "pass" if sure else "review"
        return Quality(runs, nqm, agreement, by_label, estimates, verdict)

    def _dice(self, a: int, b: int, label: int) -> float:
        return dice_of_counts(self._sizes[a, label], self._sizes[b, label], self._overlaps[a, b, label])


def dice_of_counts(first: int, second: int, both: int) -> float:
    """Dice of two masks, 2 |A and B| / (|A| + |B|), by how many elements each and both of them have; 1 if none has."""
    return 2 * both / (first + second) if first + second else 1.0
