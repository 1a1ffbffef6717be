"""Presets: all settings of a training in one small JSON file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..automaton.architecture import Architecture, Stage
from ..errors import TrainingError
from ..imaging.normalisation import Normalisation
from ..imaging.slice_space import SliceFormat
from .augmentation import Augmentation

_FOLDER = Path(__file__).parent / "presets"


@dataclass(frozen=True)
class Preset:
    """What a preset file says.

    Attributes:
        card: the card's texts: title, description, modality, anatomy, field of view, data, limits, licence.
        architecture: keywords of `Architecture` except `outputs`, which follows from the labels in the data.
        preprocessing: keywords of `SliceFormat`, a spacing of "median" for the data's own, and `normalisation`.
        augmentation: keywords of `Augmentation`.
        finish: share of the training, at its end, whose images are changed less.
        finish_augmentation: keywords of `Augmentation` that are then others.
        canvas: rows and columns of a training slice, multiples of the coarsest scale; null for the largest slice in the
            data. On one much larger than the slices a shift cuts nothing off, and the model never meets a part alone.
        crops: for each stage the rows and columns of the random windows that it is trained on, in pixels of the full
            size; null for all that the stage before worked on. A multiple of the scale of the stage before.
        supervision: weight of the coarser stages' outputs in the loss, against the last stage's 1.
        batch_size: slices in a batch.
        learning_rate: largest learning rate; until the restart it rises over the first 2 % and falls as a cosine.
        restart: share of the training, at its end, for which the learning rate rises and falls once more in the same
            way (a warm restart: Loshchilov and Hutter, arXiv 1608.03983); 0 for none.
        restart_learning_rate: the largest one then.
        dice_weight: weight of the Dice loss against the cross-entropy's 1.
        dice_over: "batch" or "slice", see `dice_and_cross_entropy`.
        averaging: decay of the exponential moving average of the weights, which is what is saved.
        jitter: relative range of the random number of steps.
        rest: share of batches that go on for up to twice the last stage's steps, without gradient, before the loss.
        foreground: share of slices that show a label.
        small_first: a case is drawn in proportion to its labelled area to the power of minus this; 0 draws all
            equally often.
        leave_out: regular expression that finds names of cases whose labels are known to be wrong, and which take no
            part; null for none.
        subject: regular expression that finds in a case's name whom it shows, so that validation has subjects of its
            own; null where each case is a subject.
        phantoms: synthetic phantoms added to the training cases.
        batches: length of training where neither minutes nor batches are given.
    """

    card: dict[str, Any]
    architecture: dict[str, Any]
    preprocessing: dict[str, Any]
    augmentation: dict[str, Any]
    finish: float
    finish_augmentation: dict[str, Any]
    canvas: tuple[int, int] | None
    crops: tuple[tuple[int, int] | None, ...]
    supervision: float
    batch_size: int
    learning_rate: float
    restart: float
    restart_learning_rate: float
    dice_weight: float
    dice_over: str
    averaging: float
    jitter: float
    rest: float
    foreground: float
    small_first: float
    leave_out: str | None
    subject: str | None
    phantoms: int
    batches: int

    def __post_init__(self):
        scales = [stage["scale"] for stage in self.architecture["stages"]]
        if len(self.crops) != len(scales):
            raise ValueError(f"crops must have one entry a stage, {len(scales)}, not {len(self.crops)}")
        if self.dice_over not in ("batch", "slice"):
            raise ValueError(f"dice_over must be batch or slice, not {self.dice_over!r}")
        for expression in filter(None, (self.leave_out, self.subject)):
            try:
                re.compile(expression)
            except re.error as error:
                raise ValueError(f"{expression!r} is not a regular expression ({error})") from error
        for size, multiple in [(self.canvas, scales[0]), *zip(self.crops, [scales[0], *scales])]:
            if size and any(length % multiple for length in size):
                raise ValueError(f"{list(size)} pixels are not multiples of the scale {multiple}")

    def build_architecture(self, labels: int) -> Architecture:
        settings = dict(self.architecture)
        stages = tuple(Stage(**stage) for stage in settings.pop("stages"))
        return Architecture(**settings, stages=stages, outputs=labels + 1, activation="softmax")

    def build_slice_format(self, median_spacing: tuple[float, float, float]) -> SliceFormat:
        """`median_spacing`: of the training images, along the axes that the preset names."""
        settings = {name: value for name, value in self.preprocessing.items() if name != "normalisation"}
        spacing = [
            median if value == "median" else value for value, median in zip(settings.pop("spacing"), median_spacing)
        ]
        return SliceFormat(**settings, spacing=tuple(spacing))

    def build_normalisation(self) -> Normalisation:
        return Normalisation.from_json(self.preprocessing["normalisation"])

    def build_augmentation(self, done: float) -> Augmentation:
        """For a batch when this share of the training is done."""
        others = self.finish_augmentation if done >= 1 - self.finish else {}
        return Augmentation(**{**self.augmentation, **others})


def preset_names() -> list[str]:
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
        settings = json.loads(path.read_text(encoding="utf-8"))
        settings["canvas"] = settings["canvas"] and tuple(settings["canvas"])
        settings["crops"] = tuple(size and tuple(size) for size in settings["crops"])
        return Preset(**settings)
    except (ValueError, TypeError, KeyError) as error:
        raise TrainingError(f"The preset {path} cannot be read: {error}.") from error
