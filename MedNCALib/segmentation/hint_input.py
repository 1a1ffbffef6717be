"""Corrections and labels as a model takes them: what is said and what is present, in slices on its own grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError
from ..imaging.anatomical_axes import image_on_grid_of, same_grid
from ..imaging.labels import Label
from ..imaging.oblique_slice_space import slice_space
from ..imaging.slice_space import SliceSpace, as_volume
from ..model.model import Model

BACKGROUND = 255  # in corrections: this is none of the labels

# Share of a cell that a correction has to cover to be said of it. Strokes thinner than a cell are said, too.
_LEAST_SHARE = 0.25


def as_labels(labels: sitk.Image, image: sitk.Image, what: str) -> np.ndarray:
    """A label image on the grid of an image; on any other grid, each voxel takes the nearest value.

    Args:
        labels: whole numbers from 0 to 255.
        image: three-dimensional.
        what: name for messages.

    Returns:
        uint8, shape (z, y, x).

    Raises:
        ImageError: no label image.
    """
    volume = as_volume(labels)
    values = sitk.GetArrayViewFromImage(volume)
    is_whole = values.dtype.kind in "iu" or (np.isfinite(values).all() and (values % 1 == 0).all())
    if not (is_whole and values.min() >= 0 and values.max() <= 255):
        raise ImageError(f"The {what} are no label image: their voxels must be whole numbers from 0 to 255.")
    volume = sitk.Cast(volume, sitk.sitkUInt8)
    if not same_grid(volume, image):
        volume = sitk.Resample(volume, image, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    array: np.ndarray = sitk.GetArrayFromImage(volume)
    return array


class HintInput:
    """What is said and present in one part of an image.

    Args:
        image: three-dimensional.
        model: with hints.
        region: of the part, see `segment_steps`.
        part_labels: of the model's outputs, with the values that they have in this part.
        labels: present labels, corrections among them, on the image's grid (z, y, x). Other values are background.
        corrections: likewise: 0 for nothing said, `BACKGROUND`, or the value of a label, with its side or without.
        changed: boolean, likewise: where corrections differ from those that the present labels have grown from.

    Attributes:
        ranges: numbers of the model's slices that corrections which have changed come in to, as ranges in order.
    """

    def __init__(
        self,
        image: sitk.Image,
        model: Model,
        region: Sequence[float] | None,
        part_labels: Sequence[Label],
        labels: np.ndarray,
        corrections: np.ndarray,
        changed: np.ndarray,
    ) -> None:
        self._image, self._model, self._region = image, model, region
        hints = model.cascade.architecture.hints
        assert hints is not None
        self._hints = hints
        numbers = np.zeros(256, np.uint8)  # of outputs, by value
        for number, pair in enumerate(zip(model.labels, part_labels), 1):
            for label in pair:
                numbers[label.value] = number
        outputs = range(len(model.labels) + 1)
        present, said = numbers[labels], np.where(corrections > 0, numbers[corrections], BACKGROUND)
        self._present = [self._space_of(present == output) for output in outputs[1:]]
        self._said = {output: self._space_of(said == output) for output in outputs if (said == output).any()}
        self._recent: dict[int, np.ndarray] = {}  # what is said in the slices read last, by their numbers
        self.ranges = self._reached(changed)

    def slices(self, group: range) -> np.ndarray:
        """The hints of some slices.

        Args:
            group: numbers of slices.

        Returns:
            float32, shape (len(group), H, W, 2 * outputs), as `Architecture.initial_state` takes them.
        """
        reach, count = self._hints.slices, self._present[0].count
        around = range(max(0, group.start - reach), min(count, group.stop + reach))
        said = self._hints.spread(self._said_in(around))[group.start - around.start :][: len(group)]
        shares = np.stack([space.read(group.start, group.stop) for space in self._present], axis=-1).clip(0, 1)
        background = (1 - shares.sum(axis=-1, keepdims=True)).clip(0, 1)
        return np.concatenate([said, background, shares], axis=-1)

    def _said_in(self, numbers: range) -> np.ndarray:
        """1 for the output that is said of each cell, else 0: (len(numbers), H, W, outputs)."""
        new = [number for number in numbers if number not in self._recent]
        if new:
            first, stop = new[0], new[-1] + 1
            space = self._present[0]
            shares = np.zeros((stop - first, space.height, space.width, len(self._present) + 1), np.float32)
            for output, mask in self._said.items():
                shares[..., output] = mask.read(first, stop)
            said = shares.sum(axis=-1, keepdims=True) >= _LEAST_SHARE
            said = said & (np.arange(shares.shape[-1]) == shares.argmax(axis=-1)[..., None])
            self._recent.update(zip(range(first, stop), said))
        self._recent = {number: self._recent[number] for number in numbers}
        return np.stack(list(self._recent.values()))

    def _reached(self, changed: np.ndarray) -> list[range]:
        if not changed.any():
            return []
        space = self._space_of(changed)
        reach = self._hints.slices
        ranges: list[range] = []
        for number in space.filled_slices():
            first, stop = max(0, number - reach), min(space.count, number + reach + 1)
            if ranges and first <= ranges[-1].stop:
                first = ranges.pop().start
            ranges.append(range(first, stop))
        return ranges

    def _space_of(self, mask: np.ndarray) -> SliceSpace:
        image = image_on_grid_of(self._image, mask.view(np.uint8))
        multiple = self._model.cascade.architecture.stages[0].scale
        return slice_space(image, self._model.slice_format, multiple, self._region, outside=0.0)
