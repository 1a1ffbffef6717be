"""What slices a model expects."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from ..checks import (
    require,
    require_choice,
    require_keys,
    require_list,
    require_number,
    require_text,
    require_whole_number,
)
from .anatomical_axes import ACQUIRED

Interpolation = Literal["linear", "cubic"]
INTERPOLATIONS: tuple[Interpolation, ...] = get_args(Interpolation)


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
        interpolation: "linear" or "cubic", for pixels that are smaller than the image's. Larger pixels are means,
            unless `size` is given.

    Raises:
        ValueError: values that describe no slices.
    """

    axes: str
    spacing: tuple[float | None, float | None, float | None]
    size: tuple[int, int] | None = None
    interpolation: Interpolation = "linear"

    def __post_init__(self) -> None:
        require_text(self.axes, "axes")
        groups = ("LR", "PA", "SI")
        named = sorted(group for letter in self.letters for group in groups if letter in group)
        require(
            named == sorted(groups) and len(self.letters) == 3,
            f"axes must name each of left-right, posterior-anterior, superior-inferior once, or be {ACQUIRED!r}, "
            f"not {self.axes!r}",
        )
        require_list(self.spacing, "spacing", 3)
        for mm in self.spacing:
            if mm is not None:
                require_number(mm, "spacing")
                require(mm > 0, f"spacing must be three positive lengths in mm or null, not {self.spacing!r}")
        if self.size is not None:
            require_list(self.size, "size", 2)
            for length in self.size:
                require_whole_number(length, "size")
        require_choice(self.interpolation, "interpolation", INTERPOLATIONS)

    @classmethod
    def from_json(cls, settings: Any) -> SliceFormat:
        """From the keys of `preprocessing` in a card, without its `normalisation`.

        Raises:
            ValueError: keys that are missing or not known, or values that describe no slices.
        """
        require_keys(settings, "preprocessing", ("axes", "spacing"), ("size", "interpolation"))
        require_list(settings["spacing"], "spacing", 3)
        size = settings.get("size")
        if size is not None:
            require_list(size, "size", 2)
        return cls(**{**settings, "spacing": tuple(settings["spacing"]), "size": None if size is None else tuple(size)})

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return asdict(self)

    @property
    def letters(self) -> str:
        """The three letters of `axes`; for acquired slices those of an axial volume, which is one case of them."""
        return "LPS" if self.axes == ACQUIRED else self.axes

    @property
    def left_right(self) -> str:
        """Which of "columns", "rows" and "slices" runs between left and right; for acquired slices their columns."""
        return next(name for name, letter in zip(("columns", "rows", "slices"), self.letters) if letter in "LR")
