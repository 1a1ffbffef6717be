"""Settings that follow from the cases: what `--preset auto` trains with, and why, in sentences.

Needs no PyTorch, so that a program can show the sentences before anything is installed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import SimpleITK as sitk

from ..errors import TrainingError
from ..evaluation.perturbations import LabelledCase
from ..imaging.anatomical_axes import ACQUIRED, degrees_off, orientation
from ..imaging.connected_components import numbered_pieces
from ..imaging.labels import Label
from ..imaging.laterality import name_without_side, side_of
from ..model.model import Model

if TYPE_CHECKING:
    from .preset import Preset

# The name in place of a preset's.
AUTO_PRESET = "auto"

_AXES = {0: "LPS", 1: "LIP", 2: "PIL"}  # by the axis across the slices: superior, posterior, left
_PLANES = {0: "axial", 1: "coronal", 2: "sagittal"}
_THICK = 1.5  # slices are thick if their spacing is so many times that of the pixels
_VERY_THICK = 4.0  # neighbours of such slices say little
_OBLIQUE = 20.0  # degrees
_MOST_PIXELS = 144  # along a slice
_COARSEST_CELLS = 16  # along a slice: more ask for a coarser grid
_LEAST_CELLS = {2: 0.75, 4: 0.75, 8: 3.5}  # that the structure has on a grid of this scale
_FOREGROUND = 0.7  # share of slices, and of windows in these, that show a label: with many, too much is drawn elsewhere
_FOREGROUND_OF_THICK = 0.3  # of thick slices
_SMALL = 24  # pixels: the smaller of these windows is for structures that are nowhere larger
_WINDOWS = 32, 48  # pixels that the finest stage is trained on
_WINDOW_BEFORE = 64  # that the stage before it is trained on
_NO_CRUMBS = 0.95  # share of a label's voxels that its pieces without crumbs are
_CRUMB = 0.1  # of the smallest piece that is none: what is smaller is taken out of a result
_LEAST_PIECE = 0.01  # of the largest piece: if pieces may be smaller anyway, none is taken out
_ALL_JOINED = 0.35  # share of the training after which all stages are trained
_FEW_CASES = 6  # up to so many one is kept aside, a large part of them
_KEPT_ASIDE_UNTIL = 0.5  # share of the training
_ONE_SIDED = 0.9  # share of a structure's voxels in one half of the image
_HOUNSFIELD_AIR = -500
_ENOUGH = 8  # cases say what settings follow from them
_UNEVEN = 0.2  # standard deviation between cases of the structure's scaled intensity, as a share of its mean
_CONTRAST_WINDOW_SD = 12  # pixels
_VARIED = 0.15  # standard deviation between cases of the structure's size in a slice, as a share of its mean
# Stronger changes for structures that differ so much.
_OF_UNEVEN = {"gamma": 2.0, "contrast": 0.3, "bias": 1.0}
_OF_VARIED = {"rotation": 25, "scale": 1.4, "elastic": 0.03}
_COARSE_OF_VARIED = 1.0  # weight of the coarse stages' loss for such structures, that of the finest is 1
_SMALL_STEPS = 0.0015  # largest learning rate of a training that starts from a model
_FOREGROUND_ADAPTED = 0.4  # of such a training, as `_FOREGROUND`
_STEPS = {8: 12, 4: 8, 2: 8, 1: 8}  # by scale
_STEPS_OF_LARGE = 20  # of the coarsest stage, if its grid has more cells than that

T = TypeVar("T")


@dataclass(frozen=True)
class Proposal:
    """Proposed settings.

    Attributes:
        settings: the object of a preset file.
        sentences: why they are so, for people.
    """

    settings: dict[str, Any]
    sentences: tuple[str, ...]

    @property
    def preset(self) -> Preset:
        """The preset; needs PyTorch."""
        from .preset import Preset

        return Preset.from_json(self.settings)


@dataclass(frozen=True)
class _Measured:
    """A case in the axes S, P and L (superior, posterior, left).

    Attributes:
        spacing: mm along each axis.
        size: voxels along each axis.
        extent: of the box around each label, the largest, in mm along each axis.
        left_share: share of the labelled voxels that lie in the image's left half.
        degrees: between the image's axes and the body's.
        pieces: by label value the size of the smallest connected piece that is no crumb, as a share of the largest.
        intensity: median of the labelled voxels, from 0 to 1 between the image's percentiles.
        darkest: lowest intensity.
    """

    spacing: np.ndarray
    size: np.ndarray
    extent: np.ndarray
    left_share: float
    degrees: float
    pieces: Mapping[int, float]
    intensity: float
    darkest: float


def spread_over(cases: Sequence[T]) -> list[T]:
    """The cases that a proposal goes by, spread over all: those beside each other may be slices of one patient."""
    count = min(_ENOUGH, len(cases))
    return [cases[number * len(cases) // count] for number in range(count)]


def propose_preset(
    cases: Sequence[LabelledCase],
    labels: Sequence[Label] = (),
    start: Model | None = None,
    case_count: int | None = None,
) -> Proposal:
    """Settings for a training on cases.

    Args:
        cases: at least one with a label; `spread_over` chooses some of many.
        labels: of the new model; without them no label is taken to have a side.
        start: the model whose weights the training starts from; its grid and its network are then kept.
        case_count: of the training, if `cases` are only some of them.

    Raises:
        TrainingError: no case has a label.
    """
    measured = [each for each in map(_measure, cases) if each is not None]
    if not measured:
        raise TrainingError("No case has a label: draw the structure in at least one of them.")
    settings: dict[str, Any] = json.loads((Path(__file__).parent / "presets" / "general.json").read_text("utf-8"))
    mirror, mirror_sentence = _mirroring(settings, measured, labels)
    settings["augmentation"]["mirror"] = mirror
    if _are_single(measured):
        settings["dice_reduction"] = "slice"  # each is a case of its own, however little it shows
    pieces_sentences = _pieces(settings, measured, labels)
    if start is not None:
        return Proposal(settings, (_adapted(settings, start, len(labels)), mirror_sentence, *pieces_sentences))
    sentences = [_slices(settings, measured), _stages(settings, measured), mirror_sentence]
    sentences += [_intensities(settings, measured), *_shapes(settings, measured), *pieces_sentences]
    if (case_count or len(cases)) <= _FEW_CASES:
        settings["kept_aside_until"] = _KEPT_ASIDE_UNTIL
        sentences.append(
            "With so few cases, what is kept aside is learned from too in the second half. The scores are from before "
            "that, so the model that comes out has seen more than what they say."
        )
    return Proposal(settings, tuple(sentences))


def _measure(case: LabelledCase) -> _Measured | None:
    axes = orientation(case.image, "LPS")
    values = axes.oriented(sitk.GetArrayViewFromImage(case.labels))
    image = axes.oriented(sitk.GetArrayViewFromImage(case.image))
    if not values.any():
        return None
    spacing = np.array(axes.spacing(case.image))
    extents, pieces = [], {}
    for value in np.unique(values[values > 0]).tolist():
        mask = values == value
        places = np.nonzero(mask)
        extents.append([np.ptp(along) + 1 for along in places])
        pieces[value] = _smallest_piece(mask[tuple(slice(along.min(), along.max() + 1) for along in places)])
    shown = values > 0
    low, high = np.percentile(image, (0.5, 99.5))
    middle = values.shape[2] // 2
    return _Measured(
        spacing=spacing,
        size=np.array(values.shape),
        extent=np.max(extents, axis=0) * spacing,
        left_share=float(shown[:, :, middle:].sum() / shown.sum()),
        degrees=degrees_off(case.image),
        pieces=pieces,
        intensity=float(np.clip((np.median(image[shown]) - low) / max(high - low, 1e-6), 0, 1)),
        darkest=float(image.min()),
    )


def _smallest_piece(mask: np.ndarray) -> float:
    """The smallest of the pieces that together are nearly all of a mask, as a share of the largest one."""
    sizes = np.sort(np.bincount(numbered_pieces(np.ascontiguousarray(mask)).reshape(-1))[1:])[::-1]
    count = int(np.searchsorted(sizes.cumsum(), _NO_CRUMBS * sizes.sum()))
    return float(sizes[count] / sizes[0])


def _median(measured: Sequence[_Measured], name: str) -> np.ndarray:
    return np.median([getattr(each, name) for each in measured], axis=0)


def _are_single(measured: Sequence[_Measured]) -> bool:
    """Whether images are single slices."""
    return bool((_median(measured, "size") == 1).any())


def _across(measured: Sequence[_Measured]) -> int | None:
    """The axis across the slices; None for slices as they were acquired."""
    spacing = _median(measured, "spacing")
    if _are_single(measured) or max(each.degrees for each in measured) > _OBLIQUE:
        return None
    if spacing.max() / np.median(spacing) >= _THICK:
        return int(spacing.argmax())
    return 0


def _across_or_thickest(measured: Sequence[_Measured]) -> int:
    """As `_across`; for slices as they were acquired the axis of a single one, or that of the thickest voxels."""
    across, size = _across(measured), _median(measured, "size")
    if across is not None:
        return across
    return int((size == 1).argmax() if _are_single(measured) else _median(measured, "spacing").argmax())


def _slices(settings: dict[str, Any], measured: Sequence[_Measured]) -> str:
    """Direction, spacing and neighbours of the slices."""
    spacing, size = _median(measured, "spacing"), _median(measured, "size")
    is_single, acquired = _are_single(measured), _across(measured) is None
    across = _across_or_thickest(measured)
    native = float(np.delete(spacing, across).min())
    pixel = round(native * max(1.0, float(np.delete(size * spacing, across).max()) / native / _MOST_PIXELS), 3)
    ratio = spacing[across] / pixel
    is_isotropic = not (is_single or acquired) and ratio < _THICK
    neighbours = 0 if is_single else 2 if is_isotropic else 1 if ratio < _VERY_THICK else 0
    settings["architecture"]["image_channels"] = 1 + 2 * neighbours
    settings["foreground_share"] = _FOREGROUND if is_single or ratio < _THICK else _FOREGROUND_OF_THICK
    slices = max(pixel, round(float(spacing[across]), 3)) if is_isotropic else None
    settings["preprocessing"].update(axes=ACQUIRED if acquired else _AXES[across], spacing=[pixel, pixel, slices])
    grid = f"on a grid of {pixel:.2g} mm" + ("" if pixel <= native else f", coarser than the images' {native:.2g} mm")
    if is_single:
        return f"Images are single slices, {grid}."
    seen = f"with {neighbours} on either side" if neighbours else "by itself"
    shape = "voxels are near isotropic" if is_isotropic else f"slices are {spacing[across]:.2g} mm apart"
    plane = (
        "Slices lie oblique to the body and are taken as they were acquired"
        if acquired
        else (f"Slices are {_PLANES[across]}")
    )
    return f"{plane}, {grid}; {shape}, so each slice is seen {seen}."


def _stages(settings: dict[str, Any], measured: Sequence[_Measured]) -> str:
    """Stages by the size of the slices and of the structure, and the window of the finest one."""
    across = _across_or_thickest(measured)
    pixel = settings["preprocessing"]["spacing"][0]
    lengths = np.delete(np.max([each.size * each.spacing for each in measured], axis=0), across) / pixel
    diameters = np.delete([each.extent for each in measured], across, axis=1).mean(axis=1) / pixel
    diameter = float(np.delete(_median(measured, "extent"), across).mean()) / pixel
    coarsest = 1
    while (
        coarsest < max(_STEPS)
        and lengths.max() / coarsest > _COARSEST_CELLS
        and diameter / (2 * coarsest) >= _LEAST_CELLS[2 * coarsest]
    ):
        coarsest *= 2
    scales = [scale for scale in _STEPS if scale <= coarsest]
    window = _WINDOWS[bool(diameters.max() > _SMALL)]
    settings["architecture"]["stages"] = [{"scale": scale, "steps": _STEPS[scale]} for scale in scales]
    if lengths.max() / coarsest > _COARSEST_CELLS:
        settings["architecture"]["stages"][0]["steps"] = _STEPS_OF_LARGE
    if len(scales) > 1:
        settings["stage_starts"] = [round(number / (len(scales) - 1) * _ALL_JOINED, 3) for number in range(len(scales))]
    settings["crops"] = _windows(scales, window)
    grows = f"The structure is about {diameter:.0f} of {lengths.max():.0f} pixels wide, so the result grows on"
    if coarsest == 1:
        return f"{grows} one grid."
    return (
        f"{grows} {len(scales)} grids, the coarsest with cells of {pixel * coarsest:.2g} mm, which is trained first; "
        f"the finest is trained on windows of {window} pixels."
    )


def _windows(scales: Sequence[int], finest: int) -> list[list[int] | None]:
    """What each stage is trained on, in pixels; the two finest on windows, whole cells of the stage before."""
    crops: list[list[int] | None] = [None] * len(scales)
    for stage, length in ((-1, finest), (-2, _WINDOW_BEFORE)):
        if len(scales) > -stage:
            before = scales[stage - 1]
            crops[stage] = [before * ceil(length / before)] * 2
    return crops


def _mirroring(settings: dict[str, Any], measured: Sequence[_Measured], labels: Sequence[Label]) -> tuple[bool, str]:
    """Whether images are mirrored in training, and why."""
    sides = {number: side for number, label in enumerate(labels, 1) if (side := side_of(label)) is not None}
    if sides:
        partners: dict[str, list[int]] = {}
        for number in sides:
            partners.setdefault(name_without_side(labels[number - 1]).casefold(), []).append(number)
        pairs = [numbers for numbers in partners.values() if len(numbers) == 2]
        if 2 * len(pairs) == len(sides):
            settings["mirrored_labels"] = pairs
            return True, "Images are mirrored in training, and then the left and the right label change places."
        return False, "Images are not mirrored, since a label has a side."
    left = float(np.mean([each.left_share for each in measured]))
    same = all((each.left_share > 0.5) == (left > 0.5) for each in measured)
    if same and max(left, 1 - left) >= _ONE_SIDED:
        return False, "Images are not mirrored, since the structure always lies in the same half of the image."
    return True, "Images are mirrored in training, since no label has a side."


def _intensities(settings: dict[str, Any], measured: Sequence[_Measured]) -> str:
    """Scaling of the intensities by their contrast."""
    normalisation = settings["preprocessing"]["normalisation"]
    if _are_single(measured):
        normalisation["scope"] = "slice"
    if min(each.darkest for each in measured) < _HOUNSFIELD_AIR:
        settings["augmentation"].update(gamma=1.1, bias=0.0, contrast=0.1)
        return "Intensities go below -500, as in CT, so they are changed little in training."
    intensities = [each.intensity for each in measured]
    if np.std(intensities) > _UNEVEN * np.mean(intensities):
        normalisation["contrast_window_sd"] = _CONTRAST_WINDOW_SD
        settings["augmentation"].update(_OF_UNEVEN)
        return (
            "The structure's brightness differs much between the images, so each place is scaled by the contrast "
            "around it, and the intensities are changed more in training."
        )
    return f"Intensities are scaled by the percentiles of each {normalisation['scope']}."


def _shapes(settings: dict[str, Any], measured: Sequence[_Measured]) -> list[str]:
    """How much slices are turned, scaled and deformed in training, and the weight of the coarse stages' loss."""
    extents = np.delete([each.extent for each in measured], _across_or_thickest(measured), axis=1)
    if (extents.std(axis=0) / extents.mean(axis=0)).mean() <= _VARIED:
        return []
    settings["augmentation"].update(_OF_VARIED)
    settings["deep_supervision_weight"] = _COARSE_OF_VARIED
    return [
        "The structure's size differs much between the images, so they are turned, scaled and deformed more, and what "
        "the coarse grids find weighs more."
    ]


def _pieces(settings: dict[str, Any], measured: Sequence[_Measured], labels: Sequence[Label]) -> list[str]:
    """The pieces that are taken out of a result, and why."""
    shares = [
        _CRUMB * min((each.pieces[label.value] for each in measured if label.value in each.pieces), default=0.0)
        for label in labels
    ]
    shares = [round(share, 3) if share >= _LEAST_PIECE else 0.0 for share in shares]
    if not any(shares):
        return []
    settings["card"]["least_pieces"] = shares
    low, high = (round(100 * end(filter(None, shares))) for end in (min, max))
    of = "" if all(shares) else f" of {', '.join(label.name for label, share in zip(labels, shares) if share)}"
    return [
        f"Pieces{of} below {low if low == high else f'{low} to {high}'} % of the largest one are taken out of results: "
        "the labels have none so small but crumbs."
    ]


def _adapted(settings: dict[str, Any], start: Model, label_count: int) -> str:
    """The settings of a training that goes on from a model: its grid and its network, small steps.

    Without its hints: a simulated person takes more time than all else.
    """
    architecture = start.cascade.architecture.without_hints
    network = architecture.to_json()
    if label_count and architecture.activation == "softmax":
        network["channels"] += label_count - architecture.label_count
    for key in ("outputs", "activation"):
        del network[key]
    settings["architecture"] = network
    settings["preprocessing"] = {**start.slice_format.to_json(), "normalisation": start.normalisation.to_json()}
    card = start.card
    settings["card"].update(
        description=f"{start.title}, adapted to the user's own images and labels.",
        modality=card.modality,
        anatomy=card.anatomy,
        licence=card.licence,
    )
    crops = _windows([stage.scale for stage in architecture.stages], _WINDOWS[1])
    settings.update(crops=crops, learning_rate=_SMALL_STEPS, foreground_share=_FOREGROUND_ADAPTED)
    kept = "its grid and its network are kept, and the steps are small"
    return f"The training starts from {start.title}: {kept}."
