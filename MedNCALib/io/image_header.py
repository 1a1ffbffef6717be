"""What a file says about its voxels before they are read, and whether that can be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import SimpleITK as sitk

from ..errors import ImageError
from ..imaging.anatomical_axes import DIRECTIONS_LPS
from ..process_memory import machine_bytes
from .frame_times import FrameTimes

# Voxel sizes (mm) from light-sheet microscopy to scout views, of which only the slices lie far apart; and the longest
# side of a volume (mm): a person.
PLAUSIBLE_SPACING = (0.01, 50.0)
PLAUSIBLE_SMALLEST = 8.0
PLAUSIBLE_EXTENT = 2000.0
# How far the cosine between two axes may be from 0, and the length of a unit step from 1: half a degree.
ORTHOGONAL = 0.01
# Bytes that a byte of a compressed file can stand for at most: 1032 with Deflate (zlib.net, "zlib Technical Details"),
# some more with the LZW of TIFF.
MOST_PACKED = 1400

_ROUNDING = 1 + 1e-6  # of numbers that a file has in single precision

_RAS_EXAMPLE = "for example --axes RAS if they run to the right, to the front and upwards"


@dataclass(frozen=True)
class ImageHeader:
    """Where the voxels of a file lie, and of what kind they are.

    Attributes:
        size: voxels along the first three axes.
        spacing, origin: mm.
        direction: nine numbers, row by row: column i is the unit step of axis i in LPS.
        voxel_bytes: bytes of one voxel.
        frames: lengths of further axes, without those of length 1.
        components: values in each voxel.
        complex_numbers: whether these are complex.
        axes_missing, spacing_missing: why the file does not say which way its axes point, or how large its voxels are;
            empty if it does.
        axes_note, spacing_note: what a caller should know about them, though the file can be read.
    """

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: tuple[float, ...]
    voxel_bytes: int
    frames: tuple[int, ...] = ()
    components: int = 1
    complex_numbers: bool = False
    axes_missing: str = ""
    spacing_missing: str = ""
    axes_note: str = ""
    spacing_note: str = ""

    @property
    def voxel_count(self) -> int:
        """Voxels of the first three axes."""
        return math.prod(self.size)

    def stated(self, axes: str | None, spacing: Sequence[float] | None) -> ImageHeader:
        """The header with what the caller states in place of what the file says.

        Args:
            axes: three letters, one of L and R, P and A, S and I each: where the first, second and third axis run to.
            spacing: mm along these axes.

        Raises:
            ImageError: the letters are not three axes, or the sizes are not three plausible lengths.
        """
        header = self
        if axes is not None:
            header = replace(header, direction=_direction(axes), axes_missing="", axes_note="")
        if spacing is not None:
            low, high = PLAUSIBLE_SPACING
            try:
                values = tuple(float(value) for value in spacing)
            except (TypeError, ValueError):
                values = ()
            if len(values) != 3 or not all(low <= value <= high for value in values):
                raise ImageError(
                    f"The stated spacing {spacing!r} is not plausible: give three lengths from {low:g} to {high:g} mm."
                )
            header = replace(header, spacing=values, spacing_missing="", spacing_note="")
        return header

    def check(self, path: Path) -> None:
        """Refuse what cannot be a volume of grey values in space, before its voxels are read.

        Raises:
            ImageError: the first thing that is off.
        """
        if 0 in self.size or 0 in self.frames:
            raise ImageError(f"{path} has no voxels: one of its dimensions is 0. Copy it again, or save it anew.")
        if self.components > 1:
            raise ImageError(
                f"{path} has {self.components} values in each voxel (colour or vectors). Convert it to grey values "
                "first."
            )
        if self.complex_numbers:
            raise ImageError(f"{path} holds complex numbers. Save their magnitude as an image of its own.")
        if self.frames:
            frames = " x ".join(str(length) for length in self.frames)
            raise ImageError(
                f"{path} is a sequence of {frames} frames. Segment it frame by frame: save the frame that you want as "
                "a volume of its own."
            )
        self._check_known(path)
        self._check_spacing(path)
        self._check_directions(path)
        needed = 2 * self.voxel_bytes * self.voxel_count  # while a file is read, its voxels are there twice
        if needed > machine_bytes():
            raise too_large(path, self.size)

    def check_holds(self, path: Path, packed_bytes: int) -> None:
        """Refuse a compressed file that is too small for the voxels that its header announces."""
        voxels = self.voxel_count * math.prod(self.frames)
        if self.voxel_bytes * voxels * self.components > MOST_PACKED * packed_bytes:
            raise ImageError(f"{path} is damaged or cut short. Copy it again.")

    def place(self, image: sitk.Image) -> sitk.Image:
        """Give a three-dimensional image this header's place in space."""
        image.SetSpacing(self.spacing)
        image.SetOrigin(self.origin)
        image.SetDirection(self.direction)
        return image

    def _check_known(self, path: Path) -> None:
        if self.axes_missing and self.spacing_missing:
            raise ImageError(
                f"{path} says neither which way its axes point ({self.axes_missing}) nor how large its voxels are "
                f"({self.spacing_missing}). State both: --axes, {_RAS_EXAMPLE}, and --spacing X Y Z in mm."
            )
        if self.axes_missing:
            raise ImageError(
                f"{path} does not say which way its axes point: {self.axes_missing}. State it with --axes, "
                f"{_RAS_EXAMPLE}."
            )
        if self.spacing_missing:
            raise ImageError(
                f"{path} does not say how large its voxels are: {self.spacing_missing}. State it in mm with --spacing "
                "X Y Z."
            )

    def _check_spacing(self, path: Path) -> None:
        low, high = PLAUSIBLE_SPACING
        if not (
            all(low <= length * _ROUNDING and length <= high * _ROUNDING for length in self.spacing)
            and min(self.spacing) <= PLAUSIBLE_SMALLEST
        ):
            raise ImageError(
                f"{path} has voxels of {_by(self.spacing)} mm by its header; plausible are {low:g} to {high:g} mm, the "
                f"least up to {PLAUSIBLE_SMALLEST:g}. Is it another unit? State the size in mm with --spacing X Y Z."
            )
        extent = [length * count for length, count in zip(self.spacing, self.size)]
        if max(extent) > PLAUSIBLE_EXTENT:
            raise ImageError(
                f"{path} is {_by(extent)} mm large by its header; plausible are up to {PLAUSIBLE_EXTENT:g} mm. State "
                "the size of a voxel in mm with --spacing X Y Z."
            )

    def _check_directions(self, path: Path) -> None:
        direction = np.reshape(self.direction, (3, 3))
        if not (np.isfinite(direction).all() and np.isfinite(self.origin).all()):
            raise ImageError(f"{path} is damaged: its header does not say where it lies. Save it anew.")
        if np.abs(direction.T @ direction - np.eye(3)).max() > ORTHOGONAL:
            raise ImageError(f"{path}: its axes are not at right angles. Resample it to a grid without shear first.")


class SequenceFile(Protocol):
    """A file, or a folder of files, with several volumes on one grid, whose headers have been read.

    Attributes:
        header: of each volume; its `frames` is how many there are.
    """

    header: ImageHeader

    @property
    def times(self) -> FrameTimes:
        """When the volumes are."""

    def frames(self) -> Iterator[sitk.Image]:
        """Read the volumes one after the other, as `ImageFile.read` does.

        Raises:
            ImageError: the file is damaged or cut short.
        """


class ImageFile(Protocol):
    """A file, or a folder of files, whose header has been read."""

    header: ImageHeader

    def read(self) -> sitk.Image:
        """Read the voxels: an image with three dimensions of which only the values count, its place is the header's."""


def too_large(path: Path, size: Sequence[int] = ()) -> ImageError:
    """The error for an image that the memory does not hold."""
    voxels = f"announces {' x '.join(map(str, size))} voxels, " if size else "has "
    return ImageError(
        f"{path} {voxels}more than this computer has memory for. If that cannot be, the file is damaged: copy it again."
    )


def _direction(axes: str) -> tuple[float, ...]:
    letters = str(axes).upper()
    if sorted("LPS"["LRPASI".index(letter) // 2] if letter in "LRPASI" else "" for letter in letters) != list("LPS"):
        raise ImageError(
            f"The stated axes {axes!r} are not three directions: give one letter of L and R, one of P and A, and one "
            f"of S and I, {_RAS_EXAMPLE}."
        )
    return tuple(np.transpose([DIRECTIONS_LPS[letter] for letter in letters]).astype(float).ravel())


def _by(lengths: Sequence[float]) -> str:
    return " x ".join(f"{length:.4g}" for length in lengths)
