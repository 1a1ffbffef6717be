"""Physical space: from an image to the slices that a model knows, and exactly back.

The model's axes are found from the direction matrix and, if it takes slices as they were acquired, from spacing and
size. Turning an image into them is a view on its memory (a permutation and flips of the array's axes), so that the 48
axis orders of one anatomy give bit for bit the same slices. Spacing is brought to the model's by one small matrix along
each axis (`numerics.resampling`), and the way back is again one matrix along each axis.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError
from ..numerics import blas_threads
from ..numerics.resampling import Method, resample_planes, sampling_matrix
from .anatomical_axes import SAME_SPACING, index_to_physical, orientation
from .slice_format import Interpolation, SliceFormat
from .voxel_values import in_single_precision

OUTSIDE = "The region lies outside of the volume. Move it over the anatomy."

# No image of a body is longer (mm).
_LONGEST = 4000.0


@dataclass(frozen=True)
class _Axis:
    """One axis of the slices: a line of voxels in, a line of model pixels out.

    Attributes:
        length: voxels in.
        samples: model pixels out, a padded margin among them.
        step: distance of model pixels, in voxels.
        start: where the first model pixel lies, in voxels.
        inside: which model pixels are no margin.
        method: how voxels become model pixels.
    """

    length: int
    samples: int
    step: float
    start: float
    inside: slice
    method: Method

    @classmethod
    def spaced(
        cls, length: int, spacing: float, model_spacing: float | None, multiple: int, interpolation: Interpolation
    ) -> _Axis:
        """Voxels of `spacing` mm as pixels of `model_spacing`, their number a multiple of `multiple`.

        Raises:
            ImageError: the line is longer than a body.
        """
        step = 1.0 if model_spacing is None else model_spacing / spacing
        if abs(step - 1) < SAME_SPACING:
            step = 1.0
        check_length(length * spacing, spacing)
        samples = max(1, round(length / step))
        return cls._centred(length, -(-samples // multiple) * multiple, step, "area" if step > 1 else interpolation)

    @classmethod
    def resized(cls, length: int, samples: int, interpolation: Interpolation) -> _Axis:
        """Voxels as a given number of pixels that cover the same extent."""
        return cls._centred(length, samples, length / samples, interpolation)

    @classmethod
    def _centred(cls, length: int, samples: int, step: float, method: Method) -> _Axis:
        """The same margin on both sides, to half a pixel if pixels have to stay on the image's own."""
        start = ((length - 1) - (samples - 1) * step) / 2
        if step == 1:
            start = float(np.floor(start))
        elif length < step and samples % 2 == 0:
            start += step / 2  # on a line thinner than a pixel, a pixel in the middle
        positions = start + step * np.arange(samples)
        within = np.flatnonzero((positions > -0.5) & (positions < length - 0.5))
        return cls(length, samples, step, start, slice(int(within[0]), int(within[-1]) + 1), method)

    @cached_property
    def forward(self) -> np.ndarray | None:
        """The matrix from voxels to model pixels; None if voxels are model pixels."""
        if self.step == 1 and self.samples == self.length:
            return None
        return sampling_matrix(self.length, self.samples, self.method, self.step, self.start)

    @cached_property
    def backward(self) -> np.ndarray | None:
        """The matrix from model pixels to voxels; None if voxels are model pixels."""
        if self.step == 1 and self.samples == self.length:
            return None
        method: Method = "linear" if self.step >= 1 else "area"
        return sampling_matrix(self.samples, self.length, method, 1 / self.step, -self.start / self.step)


class SliceSpace:
    """The slices of one image, or of a region of it, as a model sees them.

    Args:
        image: three-dimensional scalar SimpleITK image.
        slice_format: what the model expects.
        multiple: rows and columns are padded (the border goes on) to multiples of this, the model's coarsest scale.
        region: (R0, R1, A0, A1, S0, S1), a box in mm along right, anterior and superior; None is the whole image. The
            smallest box of voxels around it is used.

    Attributes:
        image: the image; one with two dimensions has become a volume of one slice.
        count: number of slices; height, width: pixels of each.
        voxels: intensities in the model's axes, cropped to the region: (slices, rows, columns). A view on the image's
            memory unless its numbers are too large for single precision.
        spacing: mm between slices, rows and columns of the model's grid.
        inside: index expression that takes the padded margin away from an array (slices, height, width).

    Raises:
        ImageError: no scalar volume, no voxels, voxels that are not numbers, an implausible spacing, or a region that
            lies outside of the volume.
    """

    def __init__(
        self,
        image: sitk.Image,
        slice_format: SliceFormat,
        multiple: int = 1,
        region: Sequence[float] | None = None,
    ):
        self.image = as_volume(image)
        self._orientation = orientation(self.image, slice_format.axes)
        self._box = self._oriented_box(region_box(self.image, region))
        self.voxels = in_single_precision(self.view_of(sitk.GetArrayViewFromImage(self.image)))
        spacing = self._orientation.spacing(self.image)
        wanted = slice_format.spacing[::-1]
        lengths = self.voxels.shape
        method = slice_format.interpolation
        self._slices = _Axis.spaced(lengths[0], spacing[0], wanted[0], 1, method)
        if slice_format.size is None:
            self._rows = _Axis.spaced(lengths[1], spacing[1], wanted[1], multiple, method)
            self._columns = _Axis.spaced(lengths[2], spacing[2], wanted[2], multiple, method)
        else:
            self._rows = _Axis.resized(lengths[1], slice_format.size[0], method)
            self._columns = _Axis.resized(lengths[2], slice_format.size[1], method)
        self.count, self.height, self.width = self._slices.samples, self._rows.samples, self._columns.samples
        self.inside = np.s_[:, self._rows.inside, self._columns.inside]
        self.spacing = (
            spacing[0] * self._slices.step,
            spacing[1] * self._rows.step,
            spacing[2] * self._columns.step,
        )

    @property
    def voxel_ml(self) -> float:
        """Volume of one cell of the model's grid, in mL."""
        return float(np.prod(self.spacing)) / 1000

    @property
    def inside_shape(self) -> tuple[int, int, int]:
        """Slices, rows and columns of the model's grid without the padded margin."""
        _, rows, columns = self.inside
        return self.count, rows.stop - rows.start, columns.stop - columns.start

    def index_to_physical(self) -> np.ndarray:
        """Where the model's grid without the padded margin lies: the 4x4 matrix from (column, row, slice) to LPS mm.

        Cell (0, 0, 0) is the first one of `inside`; the matrix is the one of an image with that grid.
        """
        to_image = np.zeros((4, 4))  # from (column, row, slice) to (i, j, k) of the image
        to_image[3, 3] = 1
        axes = (self._columns, self._columns.inside.start), (self._rows, self._rows.inside.start), (self._slices, 0)
        for column, (axis, first) in enumerate(axes):
            oriented = 2 - column
            row = 2 - self._orientation.order[oriented]
            begin = self._box[oriented].start + axis.start + axis.step * first
            if self._orientation.flips[oriented]:
                to_image[row, column], to_image[row, 3] = -axis.step, self.image.GetSize()[row] - 1 - begin
            else:
                to_image[row, column], to_image[row, 3] = axis.step, begin
        return index_to_physical(self.image) @ to_image

    @property
    def reads_slices_apart(self) -> bool:
        """Whether a slice that is read alone is bit for bit the one that is read with others."""
        return self._slices.forward is None

    @blas_threads.one_thread()
    def read(self, start: int, stop: int) -> np.ndarray:
        """Intensities of slices start to stop on the model's grid: float32, shape (stop - start, height, width)."""
        matrix = self._slices.forward
        if matrix is None:
            planes = self.voxels[start:stop].astype(np.float32)
        else:
            rows = matrix[start:stop]
            used = np.flatnonzero(rows.any(axis=0))
            first, last = used[0], used[-1] + 1
            thick = self.voxels[first:last].astype(np.float32, order="C")
            planes = np.tensordot(rows[:, first:last], thick, axes=1)
        # In one order in memory whatever the image's was, so that sums are added up in the same order.
        return resample_planes(np.ascontiguousarray(planes), self._rows.forward, self._columns.forward)

    def filled_slices(self) -> list[int]:
        """Numbers of the slices in which the image, a mask, is not 0 everywhere."""
        if self._slices.forward is None:
            filled = self.voxels.any(axis=(1, 2))
        else:
            filled = self.read(0, self.count).any(axis=(1, 2))
        numbers: list[int] = np.flatnonzero(filled).tolist()
        return numbers

    def writer(self, channels: int) -> SliceWriter:
        """A way back for arrays of so many channels that come slice by slice."""
        return _AlignedWriter(
            (self.height, self.width, channels), self._slices.backward, self._rows.backward, self._columns.backward
        )

    def empty_image(self, kind: type) -> tuple[np.ndarray, np.ndarray]:
        """Zeros on the image's own grid: the array (z, y, x) and the view on it that a writer's places refer to."""
        array = np.zeros(self.image.GetSize()[::-1], kind)
        return array, self.view_of(array)

    def view_of(self, array: np.ndarray) -> np.ndarray:
        """The view on an array of the image's own grid (z, y, x) that a writer's places refer to."""
        return self._orientation.oriented(array)[self._box]

    def _oriented_box(self, box: Sequence[tuple[int, int]]) -> tuple[slice, ...]:
        """The box, given for z, y and x, in the model's axes."""
        oriented = []
        for axis, flip in zip(self._orientation.order, self._orientation.flips):
            first, last = box[axis]
            length = self.image.GetSize()[2 - axis]
            oriented.append(slice(length - last, length - first) if flip else slice(first, last))
        return tuple(oriented)


class SliceWriter(ABC):
    """Brings model slices, which come in order and in groups, back to the image's own grid.

    Only the slices that are still needed are kept: the memory does not grow with the volume.
    """

    @abstractmethod
    def add(self, planes: np.ndarray) -> tuple[Any, np.ndarray]:
        """Add the next slices, shape (n, height, width, K).

        Returns:
            The voxels that are complete now, as an index expression for `SliceSpace.view_of`, and their values:
            float32, with K channels last.
        """


class _AlignedWriter(SliceWriter):
    """Applies a matrix along each axis.

    Args:
        shape: (height, width, K) of a model slice.
        slices, rows, columns: matrices from model pixels to voxels along each axis, None if they are the same.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        slices: np.ndarray | None,
        rows: np.ndarray | None,
        columns: np.ndarray | None,
    ) -> None:
        self._slices, self._rows, self._columns = slices, rows, columns
        height, width, channels = shape
        self._shape = (
            len(rows) if rows is not None else height,
            len(columns) if columns is not None else width,
            channels,
        )
        self._kept = np.empty((0, *shape), np.float32)
        self._first = 0  # model slice number of the first one kept
        self._done = 0  # image slices already handed out

    @blas_threads.one_thread()
    def add(self, planes: np.ndarray) -> tuple[Any, np.ndarray]:
        """See `SliceWriter.add`."""
        self._kept = np.concatenate([self._kept, planes])
        known = self._first + len(self._kept)
        matrix = self._slices
        if matrix is None:
            end, values = known, self._kept
            first_needed = known
        else:
            uses = matrix != 0
            last_use = matrix.shape[1] - np.argmax(uses[:, ::-1], axis=1)  # one past
            end = self._done + int((last_use[self._done :] <= known).sum())
            values = np.tensordot(matrix[self._done : end, self._first : known], self._kept, axes=1)
            first_needed = int(np.argmax(uses[end])) if end < len(uses) else known
        ready = slice(self._done, end)
        self._kept = self._kept[first_needed - self._first :]
        self._first, self._done = first_needed, end
        planes = np.moveaxis(values, -1, 1)  # (m, K, height, width)
        if not planes.any():  # as where no cell matters
            return ready, np.zeros((len(planes), *self._shape), np.float32)
        return ready, np.moveaxis(resample_planes(planes, self._rows, self._columns), 1, -1)


def as_volume(image: sitk.Image) -> sitk.Image:
    """The image as a volume: a picture becomes one slice.

    Raises:
        ImageError: no image of SimpleITK, colours, vectors or complex numbers, a sequence, or no voxels.
    """
    if not isinstance(image, sitk.Image):
        raise ImageError(
            f"The image must be a SimpleITK.Image, not a {type(image).__name__}. Read it with read_image, or make it "
            "with SimpleITK.GetImageFromArray and set its spacing, origin and direction."
        )
    if image.GetNumberOfComponentsPerPixel() > 1:
        raise ImageError(
            f"The image has {image.GetNumberOfComponentsPerPixel()} values in each voxel (colour or vectors). "
            "Convert it to a grey-value volume first."
        )
    if image.GetPixelID() in (sitk.sitkComplexFloat32, sitk.sitkComplexFloat64):
        raise ImageError("The image has complex numbers. Convert it to magnitudes first.")
    if image.GetDimension() > 3:
        raise ImageError(f"The image has {image.GetDimension()} dimensions. Segment a sequence frame by frame.")
    if image.GetDimension() == 2:
        image = sitk.JoinSeries(image)
    if 0 in image.GetSize():
        raise ImageError("The image has no voxels. Load the volume again, or choose another one.")
    return image


def check_length(length: float, spacing: float) -> None:
    """Refuse an image of this length in mm if no body is as long."""
    if length > _LONGEST:
        raise ImageError(
            f"The image is {length / 1000:.3g} m long along one axis: its spacing of {spacing:g} mm cannot be right. "
            "Correct the spacing."
        )


def region_bounds(region: Sequence[float]) -> np.ndarray:
    """A region as an array of six floats.

    Raises:
        ImageError: it is no box.
    """
    try:
        bounds = np.asarray(region, float)
    except (TypeError, ValueError):
        bounds = np.empty(0)
    if bounds.shape != (6,) or not np.isfinite(bounds).all() or not (bounds[::2] < bounds[1::2]).all():
        given = list(region) if isinstance(region, (tuple, np.ndarray)) else region
        raise ImageError(
            f"The region {given!r} is not a box: give R0 R1 A0 A1 S0 S1 in mm, each first value below the second."
        )
    return bounds


def region_box(image: sitk.Image, region: Sequence[float] | None) -> list[tuple[int, int]]:
    """First and one past the last index along z, y and x of the voxels in a region.

    Raises:
        ImageError: the region is no box, or lies outside of the image.
    """
    size = image.GetSize()
    if region is None:
        return [(0, length) for length in size[::-1]]
    bounds = region_bounds(region)
    corners = [
        image.TransformPhysicalPointToContinuousIndex((-right, -anterior, superior))
        for right, anterior, superior in product(bounds[:2], bounds[2:4], bounds[4:])
    ]
    # Voxel i reaches from i - 1/2 to i + 1/2; a face on a border between voxels takes none from beyond it.
    low = np.floor(np.min(corners, axis=0) + 0.5 + 1e-6).astype(int)
    high = np.ceil(np.max(corners, axis=0) + 0.5 - 1e-6).astype(int)
    high = np.maximum(high, low + 1)  # a region between two voxels
    low, high = np.maximum(low, 0), np.minimum(high, size)
    if (low >= high).any():
        raise ImageError(OUTSIDE)
    return [(int(first), int(last)) for first, last in zip(low[::-1], high[::-1])]
