"""The finder: a small model that runs over the whole image on a coarse grid and says where the structures are."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import replace

import SimpleITK as sitk

from ..errors import ArgumentError
from ..imaging.anatomical_axes import orientation
from ..imaging.slice_space import as_volume
from ..model.card import AUTO
from ..model.model import Model, structures_of
from .coarse_map import CoarseMap
from .finding import found_in
from .found_structures import Finding
from .model_input import ModelInput
from .options import Find, RunOptions
from .passes import cell_count, pass_steps, work_of_cell
from .steps import Step, part_of_run, tap

# An image that is longer along any axis than this many times what a model expects is searched. The blocks that models
# are trained on differ in size by less.
_LARGER = 1.5


def runs_finder(image: sitk.Image, model: Model, region: Sequence[float] | None, find: Find) -> bool:
    """Whether a run begins with the finder.

    Args:
        image, model, region: of the run.
        find: see `RunOptions`.

    Raises:
        ArgumentError: the finder is asked for, and the model has none.
        ImageError: an image that cannot be used.
    """
    if find == "always" and model.finder is None:
        raise ArgumentError(f"The model {model.name} has no finder. Limit the run to a region over the anatomy.")
    if model.finder is None or region is not None or find == "never":
        return False
    return find == "always" or _is_larger(as_volume(image), model)


def _is_larger(image: sitk.Image, model: Model) -> bool:
    """Whether an image shows more than a model expects, along the image's own axes."""
    expected = model.card.field_of_view_mm
    if expected is None:
        return True
    nearest = orientation(image, "RAS")  # slices run to superior, rows to anterior, columns to the right
    voxels = [image.GetSize()[2 - axis] for axis in nearest.order]
    extent = [count * mm for count, mm in zip(voxels, nearest.spacing(image))][::-1]
    return any(mm > _LARGER * size for mm, size in zip(extent, expected))


class Search:
    """A search for a model's structures in a whole image.

    Args:
        image: three-dimensional.
        model: one that has a finder.
        options: of the run; the finder takes one pass.

    Raises:
        ImageError: an image that cannot be used.
    """

    def __init__(self, image: sitk.Image, model: Model, options: RunOptions) -> None:
        if model.finder is None:
            raise ValueError("a search needs a finder")
        self._model, self._finder = model, model.finder
        self._options, self._runs = replace(options, runs=1, protocol=AUTO), options.runs
        self._input = ModelInput(image, model.finder)

    @property
    def share(self) -> float:
        """Share of the search in all work of the run, if it finds as much as the finder knows."""
        space, model = self._input.space, self._model
        expected = model.card.field_of_view_mm
        if expected is None:
            return 0.5
        spacing = [mm or min(space.image.GetSpacing()) for mm in model.slice_format.spacing]
        cells = len(structures_of(self._finder)) * math.prod(expected) / math.prod(spacing)
        own = cell_count(space) * work_of_cell(self._finder)
        return own / (own + self._runs * cells * work_of_cell(model))

    def steps(self, at_once: int = 1) -> Generator[Step, None, Finding]:
        """Search, step by step.

        Args:
            at_once: how many groups of slices go on side by side, see `side_by_side`.

        Yields:
            The steps of the finder, with the share of them that is done; the last one again when it is known what is
            found, so that an event loop has its turn before that is segmented.

        Raises:
            NotFoundError: nothing is found, or more than one on a side.
        """
        coarse = CoarseMap(self._input.space, self._finder.labels)
        steps = pass_steps(self._input, self._finder, self._options, None, coarse.add, at_once=at_once)
        last: deque[Step] = deque(maxlen=1)
        yield from tap(part_of_run(steps, 0, 1, is_finding=True), last.append)
        finding = found_in(coarse, self._model, self._finder)
        yield last.pop()
        return finding
