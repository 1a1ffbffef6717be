"""The finder: a small model that runs over the whole image on a coarse grid and says where the structures are."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import replace

import numpy as np
import SimpleITK as sitk

from ..errors import ArgumentError, NotFoundError
from ..imaging.anatomical_axes import orientation
from ..imaging.contrast_turn import ContrastTurn
from ..imaging.slice_space import as_volume
from ..model.card import AUTO, FinderUse
from ..model.model import Model, knows_brain, structures_of
from .coarse_map import CoarseMap, Piece
from .finding import found_in
from .found_structures import Finding
from .model_input import ModelInput
from .options import Find, RunOptions
from .passes import cell_count, pass_steps, work_of_cell
from .steps import Step, part_of_run, tap

# An image that is longer along any axis than this many times what a model expects is searched. The blocks that models
# are trained on differ in size by less.
_LARGER = 1.5

# Rows and columns of a block in which nothing is found are padded to multiples of this many cells: the coarse stages of
# a finder see too little around a structure that the border is close to.
_BLOCK_CELLS = 24

# With the contrast turned over, a piece counts from this many times the volume on that counts otherwise: in a true
# brain pieces are then as large as ever, and small ones come from what is no brain.
_TURNED_LARGER = 5

_TURNED = (
    "Fluid is bright in the volume, as in T2-weighted images, and the model knows dark fluid: dark and bright were "
    "exchanged to find and segment. Check the result."
)
_BRIGHT_FLUID = (
    "Fluid is bright in the volume, as in T2-weighted images, and the model knows dark fluid: the result may lie at a "
    "wrong place. Check it."
)


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

    If fluid is bright in the brain that the finder sees, it looks once more, with the contrast turned over. If nothing
    is found in an image that is no larger than the model expects, it looks once more with the border of the image
    going on farther.

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
        self._input = _SeenInput(image, model.finder)
        self._looks = 1

    @property
    def share(self) -> float:
        """Share of the looks so far in all work of the run, if the search finds as much as the finder knows."""
        space, model = self._input.space, self._model
        expected = model.card.field_of_view_mm
        if expected is None:
            return self._looks / (self._looks + 1)
        spacing = [mm or min(space.image.GetSpacing()) for mm in model.slice_format.spacing]
        cells = len(structures_of(self._finder)) * math.prod(expected) / math.prod(spacing)
        own = self._looks * cell_count(space) * work_of_cell(self._finder)
        return own / (own + self._runs * cells * work_of_cell(model))

    def steps(self, at_once: int = 1) -> Generator[Step, None, Finding]:
        """Search, step by step.

        Args:
            at_once: how many groups of slices go on side by side, see `side_by_side`.

        Yields:
            The steps of the finder, with the share of the whole run that is done; the last one of a look again when it
            is known what is found, so that an event loop has its turn before that is segmented.

        Raises:
            NotFoundError: nothing is found, or more than one on a side.
        """
        use = self._model.card.finder or FinderUse()
        coarse, last = yield from self._look(self._input, 0.0, at_once)
        brain = self._brain(coarse)
        first, turn = self._found_in(coarse, brain, use), self._contrast_turn(brain)
        yield last
        if turn is not None:
            turned = ModelInput(self._input.space.image, self._finder, contrast_turn=turn)
            coarse, last = yield from self._second_look(turned, at_once)
            # The brain is seen better with its own contrast.
            second = self._found_in(coarse, brain, replace(use, least_ml=_TURNED_LARGER * use.least_ml))
            yield last
            if isinstance(second, Finding) and self._is_surer(second, first):
                structures = tuple(replace(each, contrast_turn=turn) for each in second.structures)
                return replace(second, structures=structures, notes=(_TURNED, *second.notes))
        elif isinstance(first, NotFoundError) and not _is_larger(self._input.space.image, self._model):
            padded = ModelInput(self._input.space.image, self._finder, multiple=self._block_multiple)
            coarse, last = yield from self._second_look(padded, at_once)
            first = self._found_in(coarse, self._brain(coarse), use)
            yield last
        if isinstance(first, NotFoundError):
            raise first
        return first if turn is None else replace(first, notes=(_BRIGHT_FLUID, *first.notes))

    def _second_look(self, model_input: ModelInput, at_once: int) -> Generator[Step, None, tuple[CoarseMap, Step]]:
        """Look once more; the work of the run is more than it seemed to be."""
        begin, self._looks = self.share, 2
        return (yield from self._look(model_input, begin, at_once))

    def _look(
        self, model_input: ModelInput, begin: float, at_once: int
    ) -> Generator[Step, None, tuple[CoarseMap, Step]]:
        """One run of the finder: its cells, and its last step."""
        coarse = CoarseMap(model_input.space, self._finder.labels)
        steps = pass_steps(model_input, self._finder, self._options, None, coarse.add, at_once=at_once)
        last: deque[Step] = deque(maxlen=1)
        yield from tap(part_of_run(steps, begin, self.share, is_finding=True), last.append)
        return coarse, last.pop()

    def _brain(self, coarse: CoarseMap) -> Piece | None:
        return coarse.largest_piece() if knows_brain(self._finder) else None

    @property
    def _block_multiple(self) -> int:
        scale = self._finder.cascade.architecture.stages[0].scale
        return scale * -(-_BLOCK_CELLS // scale)

    def _found_in(self, coarse: CoarseMap, brain: Piece | None, use: FinderUse) -> Finding | NotFoundError:
        """What a look has found, or why it has found nothing."""
        try:
            return found_in(coarse, self._model, self._finder, brain, use)
        except NotFoundError as error:
            return error

    def _contrast_turn(self, brain: Piece | None) -> ContrastTurn | None:
        """The curve under which to look once more; None if fluid is dark, or no brain is seen.

        A finder that sees each slice, or each place, with a contrast of its own does not see one intensity as one.
        """
        normalisation = self._finder.normalisation
        if brain is None or normalisation.scope != "volume" or normalisation.contrast_window_sd is not None:
            return None
        return ContrastTurn.of_brain(self._input.seen(brain.cells), self._input.limits[0])

    def _is_surer(self, second: Finding, first: Finding | NotFoundError) -> bool:
        """Whether the second look counts: it has found all structures, which is hardly so without a brain."""
        if len(second.structures) < len(structures_of(self._finder)):
            return False
        return isinstance(first, NotFoundError) or _confidence(second) > _confidence(first)


def _confidence(finding: Finding) -> float:
    """Of all structures together."""
    return sum(structure.confidence for structure in finding.structures)


class _SeenInput(ModelInput):
    """The slices of an image, whose intensities stay known; for the arguments see `ModelInput`."""

    def __init__(self, image: sitk.Image, model: Model) -> None:
        super().__init__(image, model)
        self._seen = np.empty((self.space.count, self.space.height, self.space.width), np.float32)

    def slices(self, group: range) -> np.ndarray:
        """See `ModelInput.slices`."""
        slices = super().slices(group)
        self._seen[group.start : group.stop] = slices[..., slices.shape[-1] // 2]
        return slices

    def seen(self, cells: np.ndarray) -> np.ndarray:
        """Intensities of the image in cells, (slice, row, column) on the grid without its margin, that were read."""
        low, high = self.limits
        return low + (high - low) * self._seen[self.space.inside][tuple(cells.T)].astype(float)
