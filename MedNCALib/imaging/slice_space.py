"""Physical space: from an image to the slices that a model knows, and exactly back.

The model's axes are found from the direction matrix and, where it takes slices as they were acquired, from spacing and
size. Turning an image into them is a view on its memory (a permutation and flips of the array's axes), so that the 48
axis orders of one anatomy give bit for bit the same slices. Spacing is brought to the model's by one small matrix along
each axis (`interpolation`), and the way back is again one matrix along each axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError
from ..numerics import blas_threads
from ..numerics.resampling import resample_planes, sampling_matrix

# Anatomical directions in ITK's coordinates, whose axes point left, posterior and superior (LPS).
_DIRECTIONS = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}

# `SliceFormat.axes` of a model that takes slices as they were acquired.
ACQUIRED = "acquired"

# Acquired slices are shown as radiologists look at them: columns run to the left or, in a sagittal slice, to the back;
# rows to the feet or, in an axial slice, to the back. An oblique plane takes what comes nearest to both.
_SHOWN_COLUMNS, _SHOWN_ROWS = np.array((1, 0.5, 0)), np.array((0, 0.5, -1))

# Spacings that differ by less than this are taken for equal: over 256 voxels it adds up to a quarter of a voxel.
_SAME_SPACING = 0.001


@dataclass(frozen=True)
class SliceFormat:
    """What slices a model expects.

    Attributes:
        axes: three letters of R, L, A, P, S and I: where the columns, the rows and the slices run to. "PIL" are
            sagittal slices seen from the left: columns run to posterior, rows to inferior, slices to the left. Or
            "acquired": the image's own slices, across its thickest voxels, shown as radiologists look at them; for
            slices whose plane is oblique to the body, such as short-axis views of the heart.
        spacing: mm between columns, rows and slices; None keeps the image's own.
        size: rows and columns that each slice is resized to, whatever its spacing; None goes by spacing.
        interpolation: "linear" or "cubic" where the model's pixels are smaller; larger pixels are means where going by
            spacing.
    """

    axes: str
    spacing: tuple[float | None, float | None, float | None]
    size: tuple[int, int] | None = None
    interpolation: str = "linear"

    def __post_init__(self):
        groups = ("LR", "PA", "SI")
        named = sorted(group for letter in self.letters for group in groups if letter in group)
        if named != sorted(groups) or len(self.letters) != 3:
            raise ValueError(
                f"axes must name each of left-right, posterior-anterior, superior-inferior once, or be {ACQUIRED!r}, "
                f"not {self.axes!r}"
            )
        if len(self.spacing) != 3 or any(mm is not None and not mm > 0 for mm in self.spacing):
            raise ValueError(f"spacing must be three positive lengths in mm or null, not {self.spacing!r}")
        if self.interpolation not in ("linear", "cubic"):
            raise ValueError(f"interpolation {self.interpolation!r} is not known")

    @property
    def letters(self) -> str:
        """The three letters of `axes`; for acquired slices those of an axial volume, which is one case of them."""
        return "LPS" if self.axes == ACQUIRED else self.axes

    @property
    def left_right(self) -> str:
        """Which of "columns", "rows" and "slices" runs between left and right; for acquired slices their columns."""
        return next(name for name, letter in zip(("columns", "rows", "slices"), self.letters) if letter in "LR")


class _Axis:
    """One axis: `length` voxels of `spacing` mm in, `samples` model pixels out, a padded margin among them."""

    def __init__(self, length: int, spacing: float, model_spacing: float | None, multiple: int, interpolation: str):
        step = 1.0 if model_spacing is None else model_spacing / spacing
        if abs(step - 1) < _SAME_SPACING:
            step = 1.0
        samples = max(1, round(length / step))
        self._set(length, step, -(-samples // multiple) * multiple, interpolation)

    @classmethod
    def resized(cls, length: int, samples: int, interpolation: str) -> _Axis:
        axis = cls.__new__(cls)
        axis._set(length, length / samples, samples, interpolation, method=interpolation)
        return axis

    def _set(self, length: int, step: float, samples: int, interpolation: str, method: str | None = None):
        # Centred: the same margin on both sides, to half a pixel where pixels have to stay on the image's own.
        start = ((length - 1) - (samples - 1) * step) / 2
        if step == 1:
            start = float(np.floor(start))
        self.length, self.samples, self.step, self.start = length, samples, step, start
        positions = start + step * np.arange(samples)
        within = np.flatnonzero((positions > -0.5) & (positions < length - 0.5))
        self.inside = slice(int(within[0]), int(within[-1]) + 1)
        if step == 1 and samples == length:
            self.forward = self.backward = None
            return
        method = method or ("area" if step > 1 else interpolation)
        self.forward = sampling_matrix(length, samples, method, step, start)
        self.backward = sampling_matrix(samples, length, "linear" if step >= 1 else "area", 1 / step, -start / step)


class SliceSpace:
    """The slices of one image, or of a region of it, as a model sees them.

    Args:
        image: three-dimensional scalar SimpleITK image.
        slice_format: what the model expects.
        multiple: rows and columns are padded (the border goes on) to multiples of this, the model's coarsest scale.
        region: (R0, R1, A0, A1, S0, S1), a box in mm along right, anterior and superior; None is the whole image. The
            smallest box of voxels around it is used.

    Attributes:
        count: number of slices; height, width: pixels of each.
        voxels: view on the image's memory in the model's axes, cropped to the region: (slices, rows, columns).
        spacing: mm between slices, rows and columns of the model's grid.
        inside: index expression that takes the padded margin away from an array (slices, height, width).

    Raises:
        ImageError: not a scalar volume, no voxels, or a region outside of it.
    """

    def __init__(
        self,
        image: sitk.Image,
        slice_format: SliceFormat,
        multiple: int = 1,
        region: Sequence[float] | None = None,
    ):
        self.image = _as_volume(image)
        self._order, self._flips = _orientation(self.image, slice_format.axes)
        self._box = self._oriented_box(_region_box(self.image, region))
        self.voxels = self._view(sitk.GetArrayViewFromImage(self.image))
        x_spacing = self.image.GetSpacing()
        spacing = [x_spacing[2 - axis] for axis in self._order]  # of slices, rows, columns
        wanted = slice_format.spacing[::-1]
        lengths = self.voxels.shape
        method = slice_format.interpolation
        self._slices = _Axis(lengths[0], spacing[0], wanted[0], 1, method)
        if slice_format.size is None:
            self._rows = _Axis(lengths[1], spacing[1], wanted[1], multiple, method)
            self._columns = _Axis(lengths[2], spacing[2], wanted[2], multiple, method)
        else:
            self._rows = _Axis.resized(lengths[1], slice_format.size[0], method)
            self._columns = _Axis.resized(lengths[2], slice_format.size[1], method)
        self.count, self.height, self.width = self._slices.samples, self._rows.samples, self._columns.samples
        self.inside = np.s_[:, self._rows.inside, self._columns.inside]
        axes = (self._slices, self._rows, self._columns)
        self.spacing = tuple(mm * axis.step for mm, axis in zip(spacing, axes))

    @property
    def voxel_ml(self) -> float:
        """Volume of one cell of the model's grid, in mL."""
        return float(np.prod(self.spacing)) / 1000

    @property
    def inside_shape(self) -> tuple[int, int, int]:
        """Slices, rows and columns of the model's grid without the padded margin."""
        rows, columns = self._rows.inside, self._columns.inside
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
            row = 2 - self._order[oriented]
            begin = self._box[oriented].start + axis.start + axis.step * first
            if self._flips[oriented]:
                to_image[row, column], to_image[row, 3] = -axis.step, self.image.GetSize()[row] - 1 - begin
            else:
                to_image[row, column], to_image[row, 3] = axis.step, begin
        image_to_lps = np.eye(4)
        image_to_lps[:3, :3] = np.reshape(self.image.GetDirection(), (3, 3)) * self.image.GetSpacing()
        image_to_lps[:3, 3] = self.image.GetOrigin()
        return image_to_lps @ to_image

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
            thick = self.voxels[first:last].astype(np.float32)
            planes = np.tensordot(rows[:, first:last], thick, axes=1)
        # In one order in memory whatever the image's was, so that sums are added up in the same order.
        return resample_planes(np.ascontiguousarray(planes), self._rows.forward, self._columns.forward)

    def writer(self, labels: int) -> SliceWriter:
        """A way back for arrays of `labels` channels that come slice by slice."""
        return SliceWriter(self, labels)

    def empty_image(self, kind: type) -> tuple[np.ndarray, np.ndarray]:
        """Zeros on the image's own grid: the array (z, y, x) and the view on it in the model's axes and region."""
        array = np.zeros(self.image.GetSize()[::-1], kind)
        return array, self._view(array)

    def to_image(self, array: np.ndarray) -> sitk.Image:
        """A SimpleITK image of the input's geometry."""
        image = sitk.GetImageFromArray(array)
        image.CopyInformation(self.image)
        return image

    def _view(self, array: np.ndarray) -> np.ndarray:
        oriented = array.transpose(self._order)[tuple(slice(None, None, -1 if flip else 1) for flip in self._flips)]
        return oriented[self._box]

    def _oriented_box(self, box: Sequence[tuple[int, int]]) -> tuple[slice, ...]:
        """The box, given for z, y and x, in the model's axes."""
        oriented = []
        for axis, flip in zip(self._order, self._flips):
            first, last = box[axis]
            length = self.image.GetSize()[2 - axis]
            oriented.append(slice(length - last, length - first) if flip else slice(first, last))
        return tuple(oriented)


class SliceWriter:
    """Brings model slices, which come in order and in groups, back to the image's own grid.

    Only the slices that are still needed are kept: the memory does not grow with the volume.
    """

    def __init__(self, space: SliceSpace, labels: int):
        self._space = space
        self._kept = np.empty((0, space.height, space.width, labels), np.float32)
        self._first = 0  # model slice number of the first one kept
        self._done = 0  # image slices already handed out

    @blas_threads.one_thread()
    def add(self, planes: np.ndarray) -> tuple[range, np.ndarray]:
        """Add the next slices, shape (n, height, width, K).

        Returns:
            The image slices (in the model's axes and region) that are complete now, and their values:
            float32, shape (m, rows, columns, K).
        """
        space = self._space
        self._kept = np.concatenate([self._kept, planes])
        known = self._first + len(self._kept)
        matrix = space._slices.backward
        if matrix is None:
            ready, values = range(self._done, known), self._kept
            first_needed = known
        else:
            uses = matrix != 0
            last_use = matrix.shape[1] - np.argmax(uses[:, ::-1], axis=1)  # one past
            end = self._done + int((last_use[self._done :] <= known).sum())
            ready = range(self._done, end)
            values = np.tensordot(matrix[self._done : end, self._first : known], self._kept, axes=1)
            first_needed = int(np.argmax(uses[end])) if end < len(uses) else known
        self._kept = self._kept[first_needed - self._first :]
        self._first, self._done = first_needed, ready.stop
        planes = np.moveaxis(values, -1, 1)  # (m, K, height, width)
        return ready, np.moveaxis(resample_planes(planes, space._rows.backward, space._columns.backward), 1, -1)


def _as_volume(image: sitk.Image) -> sitk.Image:
    if image.GetNumberOfComponentsPerPixel() > 1:
        raise ImageError(
            f"The image has {image.GetNumberOfComponentsPerPixel()} values in each voxel (colour or vectors). "
            "Convert it to a grey-value volume first."
        )
    if image.GetDimension() > 3:
        raise ImageError(f"The image has {image.GetDimension()} dimensions. Segment a sequence frame by frame.")
    if image.GetDimension() == 2:
        image = sitk.JoinSeries(image)
    if 0 in image.GetSize():
        raise ImageError("The image has no voxels. Load the volume again, or choose another one.")
    return image


def _orientation(image: sitk.Image, axes: str) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """How an array (z, y, x) becomes (slices, rows, columns): the order of its axes, and which of them to flip then."""
    direction = np.reshape(image.GetDirection(), (3, 3))  # column i: where index i runs to
    if axes == ACQUIRED:
        found = _acquired_axes(direction, image.GetSize(), image.GetSpacing())
    else:
        found = _anatomical_axes(direction, axes)
    return tuple(2 - index for index, _ in found[::-1]), tuple(flip for _, flip in found[::-1])


def _anatomical_axes(direction: np.ndarray, letters: str) -> list[tuple[int, bool]]:
    """Which index runs along columns, rows and slices, and whether it runs backwards: the nearest to the letters."""
    wanted = np.array([_DIRECTIONS[letter] for letter in letters])  # of columns, rows, slices
    along = wanted @ direction
    best = max(permutations(range(3)), key=lambda index: sum(abs(along[row, i]) for row, i in enumerate(index)))
    return [(index, bool(along[row, index] < 0)) for row, index in enumerate(best)]


def _acquired_axes(direction: np.ndarray, size: Sequence[int], spacing: Sequence[float]) -> list[tuple[int, bool]]:
    """The same for slices as they were acquired, whatever order the image is stored in.

    - A single slice lies across the axis with one voxel. Slices are thicker than pixels are wide, so of several the
      axis with the largest spacing is theirs; where spacings are equal, the one with the fewest voxels; where these are
      too, the one nearest to the body's long axis.
    - Columns (direction c) and rows (r) are the two other axes, assigned and flipped so that
      c . (1, 1/2, 0) + r . (0, 1/2, -1) in LPS is largest.
    - Slices run along c x r, as the normal of a DICOM slice does.
    """
    thickest = max(spacing) * (1 - _SAME_SPACING)
    across = max(range(3), key=lambda i: (size[i] == 1, spacing[i] >= thickest, -size[i], abs(direction[2, i])))
    # Summed elementwise: a matrix product may round differently for another order of the axes.
    to_columns, to_rows = ((direction * wanted[:, None]).sum(axis=0) for wanted in (_SHOWN_COLUMNS, _SHOWN_ROWS))
    plane = [index for index in range(3) if index != across]
    columns, rows = max(permutations(plane), key=lambda pair: abs(to_columns[pair[0]]) + abs(to_rows[pair[1]]))
    flip_columns, flip_rows = bool(to_columns[columns] < 0), bool(to_rows[rows] < 0)
    along_normal = np.cross(direction[:, columns], direction[:, rows]) @ direction[:, across]
    flip_slices = bool(along_normal < 0) != (flip_columns != flip_rows)
    return [(columns, flip_columns), (rows, flip_rows), (across, flip_slices)]


def _region_box(image: sitk.Image, region: Sequence[float] | None) -> list[tuple[int, int]]:
    """First and one past the last index along z, y and x of the voxels in a region."""
    size = image.GetSize()
    if region is None:
        return [(0, length) for length in size[::-1]]
    bounds = np.asarray(region, float)
    if bounds.shape != (6,) or not np.isfinite(bounds).all() or not (bounds[::2] < bounds[1::2]).all():
        raise ImageError(
            f"The region {list(region)} is not a box: give R0 R1 A0 A1 S0 S1 in mm, each first value below the second."
        )
    corners = [
        image.TransformPhysicalPointToContinuousIndex((-right, -anterior, superior))
        for right, anterior, superior in product(bounds[:2], bounds[2:4], bounds[4:])
    ]
    # Voxel i reaches from i - 1/2 to i + 1/2; a face on a border between voxels takes none from beyond it.
    low = np.floor(np.min(corners, axis=0) + 0.5 + 1e-6).astype(int)
    high = np.ceil(np.max(corners, axis=0) + 0.5 - 1e-6).astype(int)
    low, high = np.maximum(low, 0), np.minimum(high, size)
    if (low >= high).any():
        raise ImageError("The region lies outside of the volume. Move it over the anatomy.")
    return [(int(first), int(last)) for first, last in zip(low[::-1], high[::-1])]
