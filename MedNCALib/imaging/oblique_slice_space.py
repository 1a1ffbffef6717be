"""Upright slices of an oblique image, and the way back to the image's own grid.

A model with anatomical axes has learned upright anatomy. An image that is pitched, rolled or yawed by more than about
ten degrees is therefore sampled on an upright grid: the smallest one around the image, or the region. Outside of the
image, the grid holds the image's mean intensity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import product
from typing import Any, Callable

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError
from .anatomical_axes import ACQUIRED, DIRECTIONS_LPS, degrees_off, image_on_grid_of, index_to_physical, orientation
from .slice_format import SliceFormat
from .slice_space import OUTSIDE, SliceSpace, SliceWriter, as_volume, check_length, region_bounds, region_box
from .voxel_values import in_single_precision

# Degrees up to which a model takes an image along the image's own axes.
UPRIGHT = 10.5

# Model pixels that are more voxels long than this are means of several samples.
_LONGEST_SAMPLE = 1.25


def slice_space(
    image: sitk.Image,
    slice_format: SliceFormat,
    multiple: int = 1,
    region: Sequence[float] | None = None,
    outside: float | None = None,
) -> SliceSpace:
    """The slices of an image as a model sees them: along the image's own axes, or upright if these are oblique.

    A model of acquired slices, or of the image's own pixels, takes them as they lie. So does every model with a single
    slice, which has no others beside it to sample from.

    Args:
        image, slice_format, multiple, region: as for `SliceSpace`.
        outside: intensity of upright slices outside of the image; None is the image's mean. Masks need 0.

    Raises:
        ImageError: as `SliceSpace`.
    """
    image = as_volume(image)
    has_own_pixels = slice_format.axes != ACQUIRED and None not in slice_format.spacing[:2]
    if has_own_pixels and min(image.GetSize()) > 1 and degrees_off(image) > UPRIGHT:
        return ObliqueSliceSpace(image, slice_format, multiple, region, outside)
    return SliceSpace(image, slice_format, multiple, region)


class ObliqueSliceSpace(SliceSpace):
    """The upright slices of an oblique image, or of a region of it.

    Arguments are those of `slice_space`; attributes and errors those of `SliceSpace`, with two differences: `voxels`
    are in the order of the image, and a spacing of None in the format is that of the image's nearest axis.
    """

    def __init__(
        self,
        image: sitk.Image,
        slice_format: SliceFormat,
        multiple: int = 1,
        region: Sequence[float] | None = None,
        outside: float | None = None,
    ) -> None:
        self.image = as_volume(image)
        box = region_box(self.image, region)[::-1]  # along i, j and k
        self._corner = np.array([first for first, _ in box])
        self._source = _cropped(self.image, box) if region is not None else self.image
        array = sitk.GetArrayViewFromImage(self._source)
        self.voxels = in_single_precision(array)
        if self.voxels is not array:
            self._source = image_on_grid_of(self._source, self.voxels)
        self._outside = outside

        # All that follows is in the order of slices, rows, columns.
        self._directions = np.array([DIRECTIONS_LPS[letter] for letter in slice_format.letters[::-1]], float)
        low, high = _extent(self._source, self._directions)
        self._limits = None
        if region is not None:
            self._limits = _region_extent(region, self._directions)
            low, high = np.maximum(low, self._limits[0]), np.minimum(high, self._limits[1])
            if (low >= high).any():
                raise ImageError(OUTSIDE)
        check_length(float((high - low).max()), max(self.image.GetSpacing()))
        own = np.array(orientation(self.image, slice_format.axes).spacing(self.image))
        wanted = slice_format.spacing[::-1]
        spacing = np.array([length if mm is None else mm for mm, length in zip(wanted, own)])
        counts = np.maximum(1, np.rint((high - low) / spacing)).astype(int)
        margins = -counts % (1, multiple, multiple)
        before = margins // 2
        first = (low + high) / 2 - ((counts - 1) / 2 + before) * spacing

        self.count, self.height, self.width = (counts + margins).tolist()
        rows, columns = (slice(start, start + count) for start, count in zip(before[1:].tolist(), counts[1:].tolist()))
        self.inside = np.s_[:, rows, columns]
        self.spacing = (float(spacing[0]), float(spacing[1]), float(spacing[2]))
        self._samples = np.maximum(1, np.ceil(spacing / own / _LONGEST_SAMPLE)).astype(int)
        self._to_physical = np.eye(4)  # from (column, row, slice) of the grid with its margin to LPS mm
        self._to_physical[:3, :3] = (self._directions * spacing[:, None])[::-1].T
        self._to_physical[:3, 3] = first @ self._directions

    def index_to_physical(self) -> np.ndarray:
        """See `SliceSpace.index_to_physical`."""
        _, rows, columns = self.inside
        matrix = self._to_physical.copy()
        matrix[:, 3] = matrix @ (columns.start, rows.start, 0, 1)
        return matrix

    @property
    def reads_slices_apart(self) -> bool:
        """See `SliceSpace.reads_slices_apart`."""
        return True

    def read(self, start: int, stop: int) -> np.ndarray:
        """See `SliceSpace.read`."""
        return np.concatenate([self._sampled(number) for number in range(start, stop)])

    def filled_slices(self) -> list[int]:
        """See `SliceSpace.filled_slices`."""
        return [number for number in range(self.count) if self._sampled(number).any()]

    def writer(self, channels: int) -> SliceWriter:
        """See `SliceSpace.writer`."""
        to_grid = np.linalg.inv(self._to_physical) @ index_to_physical(self._source)
        shape = (self.count, self.height, self.width, channels)
        return _ObliqueWriter(shape, to_grid, self._source.GetSize(), self._corner, self._reach_in)

    def view_of(self, array: np.ndarray) -> np.ndarray:
        """See `SliceSpace.view_of`."""
        return array

    @cached_property
    def _mean(self) -> float:
        return float(self.voxels.mean(dtype=np.float64))

    def _sampled(self, number: int) -> np.ndarray:
        """One slice, float32, shape (1, height, width). Its pixels are means over samples within them."""
        slices, rows, columns = self._samples.tolist()
        steps = self._to_physical[:3, :3] / (columns, rows, slices)
        lengths = np.linalg.norm(steps, axis=0)
        offset = (1 / self._samples - 1) / 2  # of the first sample of a pixel
        begin = self._to_physical @ (offset[2], offset[1], number + offset[0], 1)
        resample = sitk.ResampleImageFilter()
        resample.SetSize((self.width * columns, self.height * rows, slices))
        resample.SetOutputSpacing(lengths.tolist())
        resample.SetOutputDirection((steps / lengths).ravel().tolist())
        resample.SetOutputOrigin(begin[:3].tolist())
        resample.SetOutputPixelType(sitk.sitkFloat32)
        resample.SetNumberOfThreads(1)
        resample.SetDefaultPixelValue(self._mean if self._outside is None else self._outside)
        samples = sitk.GetArrayFromImage(resample.Execute(self._source))
        blocks = samples.reshape(1, slices, self.height, rows, self.width, columns)
        return blocks.mean(axis=(1, 3, 5), dtype=np.float32)

    def _reach_in(self, indices: np.ndarray) -> np.ndarray:
        """Which voxels, given by their (i, j, k) in the box around the region, reach into the region."""
        if self._limits is None:
            return np.ones(len(indices), bool)
        steps = self._directions @ index_to_physical(self._source)[:3]  # mm along slices, rows and columns
        places = indices @ steps[:, :3].T + steps[:, 3]
        reach = np.abs(steps[:, :3]).sum(axis=1) / 2
        return ((places > self._limits[0] - reach) & (places < self._limits[1] + reach)).all(axis=1)


class _ObliqueWriter(SliceWriter):
    """Interpolates at the voxels that lie between the latest slices.

    Args:
        shape: slices, rows, columns and channels of the grid.
        to_grid: 4x4 matrix from (i, j, k) of a box of voxels to (column, row, slice) of the grid.
        size: voxels of the box along i, j and k.
        corner: its first voxel in the image.
        is_written: says which of some voxels, (i, j, k) of shape (n, 3), are written.
    """

    def __init__(
        self,
        shape: tuple[int, int, int, int],
        to_grid: np.ndarray,
        size: tuple[int, int, int],
        corner: np.ndarray,
        is_written: Callable[[np.ndarray], np.ndarray],
    ) -> None:
        self._shape, self._to_grid, self._size, self._corner = shape, to_grid, size, corner
        self._is_written = is_written
        self._kept = np.empty((0, *shape[1:]), np.float32)
        self._first = 0  # number of the first slice that is kept

    def add(self, planes: np.ndarray) -> tuple[Any, np.ndarray]:
        """See `SliceWriter.add`."""
        low = self._first if len(self._kept) else -np.inf
        self._kept = np.concatenate([self._kept, planes])
        last = self._first + len(self._kept) - 1
        high = last if last < self._shape[0] - 1 else np.inf
        indices, values = [np.empty((0, 3), int)], [np.empty((0, self._shape[3]), np.float32)]
        for found in self._between(low, high):
            indices.append(found[self._is_written(found)])
            values.append(self._interpolated(indices[-1]))
        self._kept, self._first = self._kept[-1:], last
        i, j, k = (np.concatenate(indices) + self._corner).T
        return (k, j, i), np.concatenate(values)

    def _between(self, low: float, high: float) -> Iterator[np.ndarray]:
        """Voxels, (i, j, k) of shape (n, 3), whose slice coordinate is at least `low` and below `high`.

        From each place of a plane of voxels, a short run of voxels along the axis that crosses the slices most steeply
        lies between. The first voxel of each run is yielded, then the second, and so on.
        """
        slope = self._to_grid[2]
        along = int(np.argmax(np.abs(slope[:3])))
        one, other = (axis for axis in range(3) if axis != along)
        plane = np.indices((self._size[one], self._size[other])).reshape(2, -1)
        level = slope[one] * plane[0] + slope[other] * plane[1] + slope[3]
        if slope[along] > 0:
            edges = np.ceil((low - level) / slope[along]), np.ceil((high - level) / slope[along])
        else:
            edges = np.floor((high - level) / slope[along]) + 1, np.floor((low - level) / slope[along]) + 1
        starts, stops = (np.clip(edge, 0, self._size[along]).astype(int) for edge in edges)
        for step in range(max(0, int((stops - starts).max()))):
            chosen = starts + step < stops
            found = np.empty((np.count_nonzero(chosen), 3), int)
            found[:, one], found[:, other] = plane[:, chosen]
            found[:, along] = starts[chosen] + step
            yield found

    def _interpolated(self, indices: np.ndarray) -> np.ndarray:
        """Values at voxels, linear between the eight cells around each: float32, shape (n, K)."""
        slices, rows, columns, channels = self._shape
        column, row, number = (indices @ self._to_grid[:3, :3].T + self._to_grid[:3, 3]).T
        first, second, weights = [], [], []
        for index, length, begin, held in (
            (number, slices, self._first, len(self._kept)),
            (row, rows, 0, rows),
            (column, columns, 0, columns),
        ):
            place = np.clip(index, 0, length - 1) - begin
            below = np.floor(place).astype(int)
            first.append(below)
            second.append(np.minimum(below + 1, held - 1))
            weights.append((place - below).astype(np.float32))
        flat = self._kept.reshape(-1, channels)
        values = np.zeros((len(indices), channels), np.float32)
        for corner in product((0, 1), repeat=3):
            at, share = np.zeros(len(indices), int), np.ones(len(indices), np.float32)
            for axis, length in enumerate((1, rows, columns)):
                at = at * length + (second if corner[axis] else first)[axis]
                share = share * (weights[axis] if corner[axis] else 1 - weights[axis])
            values += share[:, None] * flat[at]
        return values


def _cropped(image: sitk.Image, box: Sequence[tuple[int, int]]) -> sitk.Image:
    return sitk.RegionOfInterest(image, [last - first for first, last in box], [first for first, _ in box])


def _extent(image: sitk.Image, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where an image begins and ends along directions, in mm."""
    corners = np.array(list(product(*((-0.5, length - 0.5) for length in image.GetSize()))))
    matrix = index_to_physical(image)
    along = (corners @ matrix[:3, :3].T + matrix[:3, 3]) @ directions.T
    return along.min(axis=0), along.max(axis=0)


def _region_extent(region: Sequence[float], directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a region begins and ends along directions, in mm."""
    bounds = region_bounds(region)
    corners = np.array(list(product(bounds[:2], bounds[2:4], bounds[4:]))) * (-1, -1, 1)
    along = corners @ directions.T
    return along.min(axis=0), along.max(axis=0)
