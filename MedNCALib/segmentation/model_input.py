"""What a model sees of an image: slices on its own grid, normalised, each with its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np
import SimpleITK as sitk

from ..errors import ModelError
from ..imaging.contrast_turn import ContrastTurn
from ..imaging.oblique_slice_space import slice_space
from ..imaging.slice_space import SliceSpace
from ..model.model import Model


def model_space(
    image: sitk.Image, model: Model, region: Sequence[float] | None = None, multiple: int | None = None
) -> SliceSpace:
    """The grid on which a model sees an image, whatever its intensities; arguments and errors as for `ModelInput`."""
    require_model(model)
    return slice_space(image, model.slice_format, multiple or model.cascade.architecture.stages[0].scale, region)


def require_model(model: Model) -> None:
    """Refuse what is no model.

    Raises:
        ModelError: it is none.
    """
    if not isinstance(model, Model):
        raise ModelError(f"The model must be what load_model returns, not {model!r}: call load_model first.")


class ModelInput:
    """The slices of an image, or of a region of it, as a model takes them.

    Args:
        image: three-dimensional scalar image.
        model: the model.
        region: (R0, R1, A0, A1, S0, S1) in mm along right, anterior and superior; None is the whole image.
        contrast_turn: under which the model takes the image; None takes it as it is.
        multiple: rows and columns are padded to multiples of this, which is one of the model's coarsest scale; None is
            that scale.

    Attributes:
        space: the grid of the slices.
        limits: the intensities, or tones of the curve, that become 0 and 1, see `Normalisation.limits`.

    Raises:
        ImageError: an image or a region that cannot be used, voxels that are not numbers, or all voxels alike.
        ModelError: no model.
    """

    def __init__(
        self,
        image: sitk.Image,
        model: Model,
        region: Sequence[float] | None = None,
        contrast_turn: ContrastTurn | None = None,
        multiple: int | None = None,
    ) -> None:
        self.space = model_space(image, model, region, multiple)
        limits = model.normalisation.limits(self.space.voxels)
        self.limits = (0.0, 1.0) if contrast_turn else limits
        self._contrast_turn = contrast_turn
        self._normalisation = model.normalisation
        self._reach = model.cascade.architecture.image_channels // 2  # neighbouring slices on either side
        self._recent: dict[int, np.ndarray] = {}  # slices read last, by their numbers
        self._reading = Lock()  # for groups that run side by side

    def slices(self, group: range) -> np.ndarray:
        """Normalised slices with their neighbours as channels.

        Args:
            group: consecutive numbers of slices.

        Returns:
            float32, shape (len(group), H, W, image_channels). Beyond the first and the last slice that slice goes on.
        """
        count = self.space.count
        first, last = max(0, group.start - self._reach), min(count, group.stop + self._reach)
        slices = self._read(range(first, last))
        wanted = np.arange(group.start, group.stop)[:, None] + np.arange(-self._reach, self._reach + 1)
        return np.moveaxis(slices[np.clip(wanted, 0, count - 1) - first], 1, -1)

    def _read(self, numbers: range) -> np.ndarray:
        """Normalised slices; those that the group before had as neighbours are not read again."""
        if not self.space.reads_slices_apart:
            return self._normalisation.apply(self._tones(numbers.start, numbers.stop), self.limits)
        with self._reading:
            new = [number for number in numbers if number not in self._recent]
            if new:
                first, stop = new[0], new[-1] + 1
                slices = self._normalisation.apply(self._tones(first, stop), self.limits)
                self._recent.update(zip(range(first, stop), slices))
            self._recent = {number: self._recent[number] for number in numbers}
            return np.stack(list(self._recent.values()))

    def plane(self, number: int) -> np.ndarray:
        """One slice as a picture: scaled to 0..1, without local contrast normalisation; float32, shape (H, W)."""
        return self._normalisation.scale(self._tones(number, number + 1), self.limits)[0]

    def _tones(self, start: int, stop: int) -> np.ndarray:
        """Slices on the model's grid, their contrast turned over if that is asked for."""
        slices = self.space.read(start, stop)
        return self._contrast_turn.tones(slices) if self._contrast_turn else slices
