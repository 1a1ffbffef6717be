"""Collects what the passes give into the result, on the image's own grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import SimpleITK as sitk

from ..imaging.anatomical_axes import image_on_grid_of
from ..imaging.connected_components import keep_largest
from ..imaging.labels import Label
from ..imaging.slice_space import SliceSpace
from ..model.card import Protocol, Thresholds
from ..numerics.channels import over_channels
from .found_structures import Finding
from .quality import Quality, QualityMeter
from .slice_volumes import slice_numbers
from .steps import Result


def argmax_labels(probabilities: np.ndarray) -> np.ndarray:
    """The likeliest label of each cell.

    Args:
        probabilities: of the labels, shape (..., K).

    Returns:
        uint8, shape (...): 1 to K, or 0 if the background is likelier than every label.
    """
    if not probabilities.any():  # as where no cell matters
        return np.zeros(probabilities.shape[:-1], np.uint8)
    background = 1 - over_channels(np.add, probabilities)
    return np.where(over_channels(np.maximum, probabilities) > background, probabilities.argmax(axis=-1) + 1, 0).astype(
        np.uint8
    )


class Output:
    """The images of a result, which several parts of the image are written into.

    Args:
        image: the input, three-dimensional.
        runs: number of passes.
        axes: those of the model's slice format.
        thresholds: which results the verdict passes.
        probabilities, uncertainty: see `segment_steps`.
        least_pieces: as of the card.
    """

    def __init__(
        self,
        image: sitk.Image,
        runs: int,
        axes: str,
        thresholds: Thresholds | None,
        probabilities: bool,
        uncertainty: bool,
        least_pieces: Sequence[float],
    ) -> None:
        self.image, self.runs, self.axes, self.with_probabilities = image, runs, axes, probabilities
        self._thresholds, self._least_pieces = thresholds, least_pieces
        self.labels = self.empty(np.uint8)
        self.uncertainty = self.empty(np.float32) if uncertainty else None
        self._parts: list[OutputPart] = []

    def empty(self, kind: type) -> np.ndarray:
        """Zeros on the image's grid, shape (z, y, x)."""
        return np.zeros(self.image.GetSize()[::-1], kind)

    def part(self, space: SliceSpace, labels: Sequence[Label]) -> OutputPart:
        """A part of the image that is written now.

        Args:
            space: its slices.
            labels: of the model's outputs, with the values and names that they have in this part.
        """
        self._parts.append(OutputPart(self, space, labels))
        return self._parts[-1]

    def result(self, protocol: Protocol | None, finding: Finding | None) -> Result:
        """The result, once all groups of all parts are added.

        Args:
            protocol: of the passes.
            finding: what the parts were found by.
        """
        if any(self._least_pieces):
            for part in self._parts:
                part.keep_largest(self._least_pieces)
        probabilities = {name: array for part in self._parts for name, array in part.probabilities.items()}
        return Result(
            image_on_grid_of(self.image, self.labels),
            {name: image_on_grid_of(self.image, array) for name, array in probabilities.items()},
            None if self.uncertainty is None else image_on_grid_of(self.image, self.uncertainty),
            self._quality(),
            None if protocol is None else protocol.name,
            tuple(label for part in self._parts for label in part.labels),
            *((finding.structures, finding.brain_ml, finding.notes) if finding else ((), None, ())),
            self._parts[0].pass_slices() if len(self._parts) == 1 else None,
        )

    def _quality(self) -> Quality:
        """The scores over all parts. They pass if each part would pass by itself."""
        voxel_ml = float(np.prod(self.image.GetSpacing())) / 1000
        by_part = [part.quality(voxel_ml, self._thresholds) for part in self._parts]
        if len(by_part) == 1:
            return by_part[0]
        whole = QualityMeter.of_all([part.meter for part in self._parts]).quality(
            [label.name for part in self._parts for label in part.labels],
            [volume * voxel_ml for part in self._parts for volume in part.counts[1:].tolist()],
            np.concatenate([np.full(len(part.labels), part.space.voxel_ml) for part in self._parts]),
            self._thresholds,
        )
        return replace(whole, verdict="review") if any(part.verdict == "review" for part in by_part) else whole


class OutputPart:
    """Collects the finished groups of slices of one part of the image; arguments as for `Output.part`.

    Attributes:
        space, labels: as given.
        counts: voxels of the background and of each label.
        meter: adds up the scores.
        probabilities: on request, each label's by its name, on the image's grid.
    """

    def __init__(self, output: Output, space: SliceSpace, labels: Sequence[Label]) -> None:
        self.space, self.labels, self._output = space, labels, output
        self.counts = np.zeros(len(labels) + 1, np.int64)
        self.meter = QualityMeter(output.runs, len(labels))
        with_probabilities = output.with_probabilities
        self.probabilities = {label.name: output.empty(np.float32) for label in labels} if with_probabilities else {}
        self._values = np.array([0, *(label.value for label in labels)], np.uint8)
        self._pass_cells: list[np.ndarray] = []  # of each group, shape (passes, K, slices); for two passes or more
        self._writer, self._spread_writer = space.writer(len(labels)), space.writer(1)
        self._labels_view = space.view_of(output.labels)
        self._probability_views = [space.view_of(array) for array in self.probabilities.values()]
        self._spread_view = None if output.uncertainty is None else space.view_of(output.uncertainty)

    def add(self, finished: Sequence[np.ndarray]) -> None:
        """Add the next group of slices: the probabilities of each pass, shape (n, H, W, K)."""
        mean = np.mean(finished, axis=0)
        inside = [run[self.space.inside] for run in finished]
        self._count([argmax_labels(run) for run in inside], inside)
        ready, values = self._writer.add(mean)
        found = argmax_labels(values)
        written = self._labels_view[ready]
        found[written > 0] = 0  # voxels of a part before this one, whose box reaches into this one's
        self._labels_view[ready] = written + self._values[found]
        self.counts += np.bincount(found.reshape(-1), minlength=len(self.counts))
        for label, view in enumerate(self._probability_views):
            view[ready] = values[..., label]
        if self._spread_view is not None:
            deviation = np.std(finished, axis=0)
            ready, values = self._spread_writer.add(deviation.max(axis=-1, keepdims=True))
            self._spread_view[ready] = np.maximum(self._spread_view[ready], values[..., 0])

    def _count(self, winners: Sequence[np.ndarray], inside: Sequence[np.ndarray]) -> None:
        """Add the likeliest labels and the probabilities of each pass to the scores and to the volumes of slices."""
        self.meter.add(winners, inside)
        if len(winners) > 1:
            numbers = range(1, len(self.labels) + 1)
            self._pass_cells.append(np.array([[(run == n).sum(axis=(1, 2)) for n in numbers] for run in winners]))

    def quality(self, voxel_ml: float, thresholds: Thresholds | None) -> Quality:
        """The scores of this part by itself."""
        names, volumes = [label.name for label in self.labels], (self.counts[1:] * voxel_ml).tolist()
        return self.meter.quality(names, volumes, self.space.voxel_ml, thresholds)

    def pass_slices(self) -> np.ndarray | None:
        """See `Result.pass_slices`."""
        if not self._pass_cells:
            return None
        cells = np.concatenate(self._pass_cells, axis=-1)
        numbers, count = slice_numbers(self.space, self._output.axes)
        slices = np.zeros((*cells.shape[:2], count))
        for number, of_slice in zip(numbers, np.moveaxis(cells, -1, 0)):
            slices[..., number] += of_slice * self.space.voxel_ml
        return slices

    def keep_largest(self, shares: Sequence[float]) -> None:
        """Clear small pieces of each label, see the function of this name."""
        labels = self._output.labels
        keep_largest(labels, self._values[1:], shares)
        self.counts[:] = [np.count_nonzero(labels == value) for value in self._values]
