"""Presets: all settings of a training in one small JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, Union

from ..automaton.architecture import Architecture
from ..checks import (
    require,
    require_choice,
    require_keys,
    require_list,
    require_number,
    require_object,
    require_whole_number,
)
from ..errors import TrainingError
from ..imaging.anatomical_axes import ACQUIRED
from ..imaging.normalisation import Normalisation
from ..imaging.slice_format import Interpolation, SliceFormat
from ..model.card import DataSource, ModelCard
from .augmentation import Augmentation
from .collection import Collection, check_collections, require_expression
from .corrections import SimulatedCorrections
from .loss import DICE_REDUCTIONS, DiceReduction

_FOLDER = Path(__file__).parent / "presets"

MEDIAN: Literal["median"] = "median"
PresetSpacing = Union[float, Literal["median"], None]
Size = tuple[int, int]
Crop = tuple[Union[int, Size], Union[int, Size]]  # rows and columns, each a length or a range

# Keys of earlier versions, which files may still have.
_RENAMED = {
    "finish": "final_phase",
    "finish_augmentation": "final_phase_augmentation",
    "supervision": "deep_supervision_weight",
    "dice_over": "dice_reduction",
    "averaging": "ema_decay",
    "jitter": "step_jitter",
    "rest": "persistence",
    "foreground": "foreground_share",
    "small_first": "area_exponent",
}
_SHARES_OF_TRAINING = ("final_phase", "restart", "kept_aside_until")
_SHARES_OF_SLICES = ("foreground_share", "unnamed_share")
_WEIGHTS = ("deep_supervision_weight", "dice_weight", "false_weight", "vote_weight")
# What follows from the labels in the data.
_OF_THE_LABELS = ("outputs", "activation")
# What a file may leave out.
_OPTIONAL = (
    "false_weight",
    "mirrored_labels",
    "collections",
    "slice_size",
    "label_weights",
    "unnamed_share",
    "vote_weight",
    "corrections",
    "stage_starts",
    "kept_aside_until",
)


@dataclass(frozen=True)
class Preprocessing:
    """How images become the slices that the model is trained on.

    Attributes:
        axes, size, interpolation: as of `SliceFormat`.
        spacing: as of `SliceFormat`, or "median": the median of the images in the data.
        normalisation: how intensities are scaled.

    Raises:
        ValueError: values that make no `SliceFormat`.
    """

    axes: str
    spacing: tuple[PresetSpacing, PresetSpacing, PresetSpacing]
    size: Size | None
    interpolation: Interpolation
    normalisation: Normalisation

    def __post_init__(self) -> None:
        require_list(self.spacing, "spacing", 3)
        self.slice_format((1.0, 1.0, 1.0))

    @classmethod
    def from_json(cls, settings: Any) -> Preprocessing:
        """From the object `preprocessing` of a preset."""
        require_keys(settings, "preprocessing", ("axes", "spacing", "normalisation"), ("size", "interpolation"))
        require_list(settings["spacing"], "spacing", 3)
        return cls(
            axes=settings["axes"],
            spacing=tuple(settings["spacing"]),
            size=_size(settings.get("size"), "size"),
            interpolation=settings.get("interpolation", "linear"),
            normalisation=Normalisation.from_json(settings["normalisation"]),
        )

    @property
    def needs_median(self) -> bool:
        """Whether the spacing is known only when the images are."""
        return MEDIAN in self.spacing

    def slice_format(self, median: tuple[float | None, float | None, float | None]) -> SliceFormat:
        """The slices.

        Args:
            median: of the images' spacing between columns, rows and slices, in mm; None is each image's own.
        """
        columns, rows, slices = (own if mm == MEDIAN else mm for mm, own in zip(self.spacing, median))
        return SliceFormat(self.axes, (columns, rows, slices), self.size, self.interpolation)


@dataclass(frozen=True)
class Preset:
    """What a preset file says.

    Attributes:
        card: the card's texts, without a name; the title may be empty.
        data: what the training data is, `data` of the card's texts in a file; None if it is not known.
        architecture: of a model with one label; `architecture_for` gives that of another.
        preprocessing: how images become slices.
        augmentation: how slices are changed.
        final_phase: share of the training, at its end, in which `final_phase_augmentation` takes the place of
            `augmentation`.
        final_phase_augmentation: in a file only what differs from `augmentation`.
        canvas: rows and columns of a training slice, multiples of the coarsest scale; None for the largest slice in the
            data. If the canvas is much larger than the slices, shifts never crop the anatomy, and the model never sees
            partial views.
        crops: for each stage the rows and columns of the random windows that it is trained on, in pixels of the full
            size, multiples of the scale of the stage before; None for all that the stage before worked on. A length may
            be a range from which each batch draws its own; what is longer than the slice takes all of it.
        deep_supervision_weight: weight of the coarser stages' outputs in the loss; the last stage's is 1.
        batch_size: slices in a batch.
        learning_rate: largest learning rate; until the restart it rises over the first 2 % and falls as a cosine.
        restart: share of the training, at its end, for which the learning rate rises and falls once more in the same
            way (a warm restart: Loshchilov and Hutter, arXiv 1608.03983); 0 for none.
        restart_learning_rate: the largest one then.
        dice_weight: weight of the Dice loss; the cross-entropy's is 1.
        dice_reduction: "batch" or "slice", see `dice_and_cross_entropy`.
        false_weight: with "slice": weight of what is drawn in slices that show no label; "batch" has it in the Dice.
        ema_decay: decay of the exponential moving average of the weights, which is what is saved.
        step_jitter: relative range of the random number of steps.
        persistence: share of batches that go on for up to twice the last stage's steps, without gradient, before the
            loss, so that the result learns to stay.
        foreground_share: share of slices that show a label.
        area_exponent: a case is drawn in proportion to its labelled area to the power of minus this; 0 draws all
            equally often.
        leave_out: regular expression for the names of cases that take no part, such as those whose labels are known to
            be wrong; None for none.
        subject: regular expression that finds the subject in a case's name, so that validation has subjects of its own;
            None if each case is a subject.
        phantoms: synthetic phantoms added to the training cases.
        batches: length of a training that is given neither minutes nor batches.
        mirrored_labels: pairs of labels, by their numbers from 1 in the model's order, that are one structure on either
            side of the body: mirroring exchanges them.
        collections: what the training draws blocks from; none if it goes by one folder of images and one of labels.
            With collections `leave_out`, `subject` and `area_exponent` say nothing, and `batch_size` is the sum of
            their slices.
        slice_size: with collections: rows and columns of a drawn slice, before it is warped onto the canvas.
        label_weights: with collections: weight of each label's pixels in the cross-entropy, for labels that are small
            beside others; none for 1 each.
        unnamed_share: with collections: share of slices for which the cells have to find out the protocol.
        vote_weight: with collections: weight of finding it out in the loss.
        corrections: the person who is simulated, for an architecture with hints; None without them.
        stage_starts: for each stage the share of the training that is done when it joins, see `Network.join`; none if
            all are trained from the beginning. A batch for the coarse stages alone takes a fraction of the time.
        kept_aside_until: share of the training that is done when the cases that choose the weights are trained on too;
            1 for never. The card's figures are then of the weights before that, and the last weights are the model's.

    Raises:
        ValueError: values that make no training.
    """

    card: ModelCard
    data: DataSource | None
    architecture: Architecture
    preprocessing: Preprocessing
    augmentation: Augmentation
    final_phase: float
    final_phase_augmentation: Augmentation
    canvas: Size | None
    crops: tuple[Crop | None, ...]
    deep_supervision_weight: float
    batch_size: int
    learning_rate: float
    restart: float
    restart_learning_rate: float
    dice_weight: float
    dice_reduction: DiceReduction
    ema_decay: float
    step_jitter: float
    persistence: float
    foreground_share: float
    area_exponent: float
    leave_out: str | None
    subject: str | None
    phantoms: int
    batches: int
    false_weight: float = 0.0
    mirrored_labels: tuple[tuple[int, int], ...] = ()
    collections: tuple[Collection, ...] = ()
    slice_size: Size | None = None
    label_weights: tuple[float, ...] = ()
    unnamed_share: float = 0.3
    vote_weight: float = 0.2
    corrections: SimulatedCorrections | None = None
    stage_starts: tuple[float, ...] = ()
    kept_aside_until: float = 1.0

    def __post_init__(self) -> None:
        for name in (*_SHARES_OF_TRAINING, "ema_decay", "step_jitter", "persistence", *_SHARES_OF_SLICES):
            _require_between(getattr(self, name), name, 0, 1)
        for name in ("learning_rate", "restart_learning_rate", *_WEIGHTS):
            _require_between(getattr(self, name), name, 0)
        require_number(self.area_exponent, "area_exponent")
        require_whole_number(self.batch_size, "batch_size")
        require_whole_number(self.batches, "batches")
        require_whole_number(self.phantoms, "phantoms", 0)
        require_choice(self.dice_reduction, "dice_reduction", DICE_REDUCTIONS)
        only_slices = self.dice_reduction == "slice" or not self.false_weight
        require(only_slices, "false_weight must be 0 if dice_reduction is batch")
        for name in ("leave_out", "subject"):
            require_expression(getattr(self, name), name)
        scales = [stage.scale for stage in self.architecture.stages]
        require(len(self.crops) == len(scales), f"crops must have one entry a stage, {len(scales)}")
        for size, multiple in [(self.canvas, scales[0]), *zip(self.crops, [scales[0], *scales])]:
            lengths = [end for each in size or () for end in (each if isinstance(each, tuple) else (each,))]
            fits = all(length % multiple == 0 for length in lengths)
            require(fits, f"{lengths} pixels are not multiples of the scale {multiple}")
        numbers = [number for pair in self.mirrored_labels for number in pair]
        for number in numbers:
            require_whole_number(number, "a label of mirrored_labels")
        require(len({*numbers}) == len(numbers), f"mirrored_labels must name each label once, not {numbers}")
        for weight in self.label_weights:
            _require_between(weight, "a weight of label_weights", 0)
        for start in self.stage_starts:
            _require_between(start, "a share of stage_starts", 0, 1)
        rises = not self.stage_starts or (
            self.stage_starts[0] == 0 and list(self.stage_starts) == sorted(self.stage_starts)
        )
        require(rises, f"stage_starts must rise from 0, not {list(self.stage_starts)}")
        count = len(self.stage_starts)
        require(count in (0, len(scales)), f"stage_starts must have one entry a stage, {len(scales)}, or none")
        has_hints = self.architecture.hints is not None
        both = has_hints == (self.corrections is not None)
        require(both, "corrections and the architecture's hints must be given together, or neither")
        if self.collections:
            self._check_collections()

    def _check_collections(self) -> None:
        check_collections(self.collections)
        for collection in self.collections:
            for value in (collection.protocol, *collection.batch_protocols):
                self.card.protocol_name(value)
        slices = sum(share.slices for collection in self.collections for share in collection.batch)
        require(self.batch_size == slices, f"batch_size must be the sum of the collections' slices, {slices}")
        for name in ("slice_size", "canvas"):
            require(getattr(self, name) is not None, f"{name} must be given with collections")
        require(self.dice_reduction == "batch", "dice_reduction must be batch with collections")
        count = max(collection.label_count for collection in self.collections)
        fits = len(self.label_weights) in (0, count)
        require(fits, f"label_weights must have one weight for each of the {count} labels, or none")
        require(self.phantoms == 0, "phantoms must be 0 with collections")
        spacing = self.preprocessing.spacing
        known = all(mm is not None and mm != MEDIAN for mm in spacing) and self.preprocessing.size is None
        require(known, "collections need a model grid of three lengths in mm, without a size")
        require(self.preprocessing.axes != ACQUIRED, "collections need axes of three letters")
        require(self.kept_aside_until == 1, "kept_aside_until must be 1 with collections")

    @classmethod
    def from_json(cls, settings: Any) -> Preset:
        """From the object in a preset file; keys of earlier versions are read too.

        Raises:
            ValueError: keys that are missing, not known or given twice, or values that make no training.
        """
        settings = _with_new_keys(settings)
        needed = [field.name for field in fields(cls) if field.name not in ("data", *_OPTIONAL)]
        require_keys(settings, "the preset", needed, _OPTIONAL)
        require_object(settings["card"], "card")
        texts = {"name": "", "title": "", **settings["card"]}
        data = texts.pop("data", None)
        require_list(settings["crops"], "crops")
        for key in ("mirrored_labels", "label_weights", "stage_starts"):
            require_list(settings.get(key, ()), key)
        for pair in settings.get("mirrored_labels", ()):
            require_list(pair, "each of mirrored_labels", 2)
        require_list(settings.get("collections", ()), "collections")
        augmentation = Augmentation.from_json(settings["augmentation"])
        return cls(
            **{
                **settings,
                "card": ModelCard.from_json(texts),
                "data": None if data is None else DataSource.from_json(data),
                "architecture": _architecture(settings["architecture"]),
                "preprocessing": Preprocessing.from_json(settings["preprocessing"]),
                "augmentation": augmentation,
                "final_phase_augmentation": augmentation.changed(settings["final_phase_augmentation"]),
                "canvas": _size(settings["canvas"], "canvas"),
                "crops": tuple(map(_crop, settings["crops"])),
                "mirrored_labels": tuple(map(tuple, settings.get("mirrored_labels", ()))),
                "collections": tuple(map(Collection.from_json, settings.get("collections", ()))),
                "slice_size": _size(settings.get("slice_size"), "slice_size"),
                "label_weights": tuple(settings.get("label_weights", ())),
                "stage_starts": tuple(settings.get("stage_starts", ())),
                "corrections": _corrections(settings.get("corrections")),
            }
        )

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        collections = [collection.to_json() for collection in self.collections]
        settings = {**asdict(self), "card": self.card.to_json(), "collections": collections}
        if self.data is not None:
            settings["card"]["data"] = self.data.to_json()
        del settings["data"]
        settings["architecture"] = self.architecture.to_json()
        for name in _OF_THE_LABELS:
            del settings["architecture"][name]
        for each in fields(self):
            if each.name in _OPTIONAL and getattr(self, each.name) == each.default:
                del settings[each.name]
        return settings

    def architecture_for(self, label_count: int) -> Architecture:
        """The architecture of a model that finds so many labels.

        Raises:
            TrainingError: its channels do not hold so many, or it mirrors one that is not there.
        """
        unknown = [number for pair in self.mirrored_labels for number in pair if number > label_count]
        if unknown:
            raise TrainingError(
                f"The preset's mirrored_labels name label {unknown[0]} of {label_count}: correct the preset."
            )
        try:
            return replace(self.architecture, outputs=label_count + 1)
        except ValueError as error:
            raise TrainingError(
                f"The preset's architecture does not fit the {label_count} labels of the data: {error}."
            ) from error

    @property
    def hint_reach(self) -> int:
        """To how many slices on either side hints come in; 0 for an architecture without."""
        return 0 if self.architecture.hints is None else self.architecture.hints.slices

    def mirrored_target(self, channels: int) -> list[int] | None:
        """Which of so many channels of a target takes the place of each when it is mirrored; None if all stay."""
        if not self.mirrored_labels:
            return None
        order = list(range(channels))
        for first, second in self.mirrored_labels:
            order[first - 1], order[second - 1] = second - 1, first - 1
        return order

    def stages_at(self, done: float) -> int:
        """How many stages are trained when this share of the training is done."""
        return sum(start <= done for start in self.stage_starts) or len(self.architecture.stages)

    def augmentation_at(self, done: float) -> Augmentation:
        """For a batch when this share of the training is done."""
        return self.final_phase_augmentation if done >= 1 - self.final_phase else self.augmentation


def preset_names() -> list[str]:
    """Names of the bundled presets, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.json"))


def load_preset(name: str) -> Preset:
    """Load a preset by its name, or from a JSON file.

    Raises:
        TrainingError: there is none of that name, or the file cannot be read.
    """
    path = Path(name) if name.endswith(".json") else _FOLDER / f"{name}.json"
    if not path.is_file():
        raise TrainingError(
            f"There is no preset {name!r}. Choose one of {', '.join(preset_names())}, or name a .json file."
        )
    try:
        return Preset.from_json(json.loads(path.read_text(encoding="utf-8-sig")))
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(f"The preset {path} cannot be read: {error}.") from error


def _with_new_keys(settings: Any) -> dict[str, Any]:
    require_object(settings, "the preset")
    for old, new in _RENAMED.items():
        require(not (old in settings and new in settings), f"{new} is given twice, once by its earlier name {old}")
    return {_RENAMED.get(key, key): value for key, value in settings.items()}


def _architecture(settings: Any) -> Architecture:
    require_object(settings, "architecture")
    given = [name for name in _OF_THE_LABELS if name in settings]
    require(not given, f"architecture must not give {', '.join(given)}, which follow from the labels in the data")
    return Architecture.from_json({**settings, "outputs": 2, "activation": "softmax"})


def _corrections(settings: Any) -> SimulatedCorrections | None:
    return None if settings is None else SimulatedCorrections.from_json(settings)


def _size(value: Any, name: str) -> Size | None:
    return None if value is None else _pair(value, name)


def _pair(value: Any, name: str) -> Size:
    require_list(value, name, 2)
    for length in value:
        require_whole_number(length, f"each length of {name}")
    return (value[0], value[1])


def _crop(value: Any) -> Crop | None:
    if value is None:
        return None
    require_list(value, "a crop", 2)
    return (_crop_length(value[0]), _crop_length(value[1]))


def _crop_length(value: Any) -> int | Size:
    if isinstance(value, int):
        require_whole_number(value, "each length of a crop")
        return value
    shortest, longest = _pair(value, "a range")
    require(shortest <= longest, f"a range must run from the smallest to the largest, not {list(value)}")
    return (shortest, longest)


def _require_between(value: Any, name: str, least: float, most: float | None = None) -> None:
    require_number(value, name)
    bounds = f"at least {least}" if most is None else f"from {least} to {most}"
    require(least <= value and (most is None or value <= most), f"{name} must be {bounds}, not {value}")
