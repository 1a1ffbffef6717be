"""The model folder on disk: `card.json`, `weights.npz` and `labels.csv`, and that of the model's finder inside of it.

Bundled models are in `weights/`, the user's own in a directory that the caller or the environment variable
MEDNCA_MODELS names. A folder copied there is a new model: no code changes.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable

import numpy as np

from .._version import __version__
from ..atomic_write import written_whole
from ..automaton.architecture import Architecture
from ..automaton.cascade import Cascade
from ..automaton.rule import Rule
from ..automaton.wanted_cells import SkipRule
from ..checks import require, require_object
from ..errors import ModelError
from ..imaging.labels import Label, read_labels, write_labels
from ..imaging.laterality import SIDES, AnySide, can_have_sides, name_without_side, on_side, side_of, split_by_side
from ..imaging.normalisation import Normalisation
from ..imaging.slice_format import SliceFormat
from .card import REQUIRED, FinderUse, ModelCard

FORMAT = 1
CARD, WEIGHTS, LABELS = "card.json", "weights.npz", "labels.csv"
# Name of the label of a finder that is no structure: all tissue inside of the skull besides the structures.
_BRAIN = "brain"
# What reading a file raises that is no archive of arrays, or a damaged one.
_UNREADABLE = (
    ValueError, OSError, EOFError, KeyError, TypeError, RuntimeError, MemoryError, struct.error, zipfile.BadZipFile,
    zlib.error,
)  # fmt: skip

# Keys of the card that follow from the other attributes of a model.
_OWN_KEYS = ("format", "written_by", "architecture", "preprocessing", "parameters", "sha256")

# What counts as found if nothing is known of a finder.
FINDER_USE = FinderUse()


@dataclass(frozen=True)
class Model:
    """A model, ready to run.

    Attributes:
        card: what people want to know of it.
        cascade: the architecture and the rules.
        slice_format: the slices it expects.
        normalisation: how intensities are scaled.
        labels: what it segments, in the order of its outputs.
        folder: its folder; None for one that was never saved.
        sha256: checksum of the folder's weights in hexadecimal digits; None for one that was never saved.
        finder: the model that finds where the structures are; None without one. See `with_finder`.
        sided_labels: what the labels are on a side, if `labels.csv` says it.
    """

    card: ModelCard
    cascade: Cascade
    slice_format: SliceFormat
    normalisation: Normalisation
    labels: tuple[Label, ...]
    folder: Path | None = None
    sha256: str | None = None
    finder: Model | None = None
    sided_labels: tuple[Label, ...] = ()

    @property
    def name(self) -> str:
        """The name that `load_model` takes: that of its folder, or the card's if it was never saved."""
        return self.card.name if self.folder is None else Path(os.path.abspath(self.folder)).name

    @property
    def title(self) -> str:
        """The card's title."""
        return self.card.title

    @property
    def skip_rule(self) -> SkipRule | None:
        """Which cells matter, by the card; None if it does not say: then all cells do."""
        skipping = self.card.skipping
        return None if skipping is None else SkipRule(skipping.threshold, skipping.margin)

    @property
    def can_regrow(self) -> bool:
        """Whether it takes hints, so that corrections steer its cells."""
        return self.cascade.architecture.hints is not None

    @property
    def size_bytes(self) -> int:
        """Size of the folder's three files, and of the finder's; 0 for a model that was never saved."""
        if self.folder is None:
            return 0
        own = sum((self.folder / file).stat().st_size for file in (CARD, WEIGHTS, LABELS))
        return own + (self.finder.size_bytes if self.finder else 0)

    def labels_on(self, side: AnySide) -> tuple[Label, ...]:
        """The labels on a side, in the order of the outputs; without a side, the labels."""
        if side is not None and not can_have_sides(self.labels):
            raise ModelError(f"The labels of {self.name} have no side: their values must be below 10.")
        named = {label.value: label for label in self.sided_labels}
        by_rule = [on_side(label, side) for label in self.labels]
        return tuple(named.get(label.value, label) for label in by_rule)

    @property
    def has_sides(self) -> bool:
        """Whether the labels may be on a side: the finder says so, or `labels.csv`."""
        return bool(self.sided_labels) or (
            self.finder is not None and any(side_of(label) for label in structures_of(self.finder))
        )

    @property
    def all_labels(self) -> tuple[Label, ...]:
        """The labels and, if they may be on a side, what they are there."""
        sides = SIDES if self.has_sides else ()
        return (*self.labels, *(label for side in sides for label in self.labels_on(side)))

    def with_finder(self, finder: Model, use: FinderUse = FINDER_USE) -> Model:
        """The same model with a finder.

        Args:
            finder: a model whose labels are the structures that this one segments, one on each side ("left hippocampus"
                and "right hippocampus") or one without a side, and may be the brain.
            use: what counts as found.

        Raises:
            ModelError: a finder whose labels are others.
        """
        wrong = _unfit_finder(self.labels, finder)
        if wrong:
            raise ModelError(f"{finder.name} cannot be the finder of {self.name}: {wrong}.")
        return replace(self, finder=finder, card=replace(self.card, finder=use))

    def save(self, folder: str | os.PathLike[str]) -> Model:
        """Write the folder and return the model as saved: each file is replaced whole, the card last."""
        folder = _path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        weights = _pack(self.cascade)
        checksum = hashlib.sha256(weights).hexdigest()
        card = {
            "format": FORMAT,
            "written_by": f"MedNCA {__version__}",
            **self.card.to_json(),
            "architecture": self.cascade.architecture.to_json(),
            "preprocessing": {**self.slice_format.to_json(), "normalisation": self.normalisation.to_json()},
            "parameters": self.cascade.parameter_count,
            "sha256": checksum,
        }
        finder = None
        if self.finder is not None and self.card.finder is not None:
            finder = self.finder.save(folder / self.card.finder.folder)
        with written_whole(folder / LABELS) as path:
            write_labels(path, (*self.labels, *self.sided_labels))
        with written_whole(folder / WEIGHTS) as path:
            path.write_bytes(weights)
        with written_whole(folder / CARD) as path:
            path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return replace(self, folder=folder, sha256=checksum, finder=finder)


def load_model(name_or_folder: str | os.PathLike[str], directory: str | os.PathLike[str] | None = None) -> Model:
    """Load a model by its name, or from its folder.

    Args:
        name_or_folder: name of a bundled model or of a folder in the user's models directory, or a path to a model
            folder.
        directory: the user's models directory; None takes the one that MEDNCA_MODELS names.

    Raises:
        ModelError: there is none, or its folder is damaged; the message says what is wrong and what to do.
    """
    path = _path(name_or_folder)
    if (path / CARD).is_file():
        return _load(path)
    folders = {folder.name: folder for folder in reversed(_model_folders(directory))}
    if str(name_or_folder) in folders:
        return _load(folders[str(name_or_folder)])
    if path.is_dir():
        raise ModelError(f"{name_or_folder} is not a model folder: it has no {CARD}.")
    raise ModelError(
        f"There is no model {str(name_or_folder)!r}. Choose one of: {', '.join(sorted(folders)) or 'none'}."
    )


def list_models(directory: str | os.PathLike[str] | None = None) -> list[Model]:
    """All models that load, bundled ones first. Folders that do not load are left out; `check_model` says why."""
    models: dict[str, Model] = {}
    for folder in _model_folders(directory):
        with suppress(ModelError):
            models.setdefault(folder.name, _load(folder))
    return list(models.values())


def check_model(folder: str | os.PathLike[str]) -> str | None:
    """What is wrong with a model folder, in a sentence; None if nothing is."""
    try:
        _load(_path(folder))
    except ModelError as error:
        return str(error)
    return None


def bundled_models_directory() -> Path:
    """The folder of the bundled models: in the installed package, or beside it in the source tree and in Slicer."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "weights"
    return inside if inside.is_dir() else package.parent / "weights"


def _model_folders(directory: str | os.PathLike[str] | None) -> list[Path]:
    directory = directory or os.environ.get("MEDNCA_MODELS")
    roots = [bundled_models_directory(), *([_path(directory)] if directory else [])]
    return [card.parent for root in roots for card in sorted(root.glob(f"*/{CARD}"))]


def _path(folder: str | os.PathLike[str]) -> Path:
    try:
        return Path(folder)
    except TypeError as error:
        raise ModelError(f"A model or its folder must be named by a text or a path, not {folder!r}.") from error


def _load(folder: Path) -> Model:
    def damaged(what: str) -> ModelError:
        return ModelError(f"The model folder {folder} cannot be used: {what}.")

    for file in (CARD, WEIGHTS, LABELS):
        if not (folder / file).is_file():
            raise damaged(f"{file} is missing; copy the whole folder again")
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        version = card["format"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise damaged(f"{CARD} cannot be read ({error}); copy the folder again") from error
    if version != FORMAT:
        raise damaged(f"its format is {version} and this version of MedNCA reads {FORMAT}; update MedNCA")
    missing = [key for key in (*REQUIRED, "architecture", "preprocessing", "sha256") if key not in card]
    if missing:
        raise damaged(f"{CARD} lacks {', '.join(missing)}; copy the folder again")
    weights = (folder / WEIGHTS).read_bytes()
    if hashlib.sha256(weights).hexdigest() != card["sha256"]:
        raise damaged(
            f"{WEIGHTS} is not the file that {CARD} was written for (checksums differ); copy the folder again"
        )
    try:
        architecture = Architecture.from_json(card["architecture"])
        require_object(card["preprocessing"], "preprocessing")
        preprocessing = dict(card["preprocessing"])
        normalisation = Normalisation.from_json(preprocessing.pop("normalisation", None))
        slice_format = SliceFormat.from_json(preprocessing)
        texts = ModelCard.from_json({key: value for key, value in card.items() if key not in _OWN_KEYS})
        has_hidden = architecture.channels > architecture.first_hidden
        require(has_hidden or not texts.protocols, "protocols need a hidden channel")
        counts = (0, architecture.label_count)
        require(len(texts.least_pieces) in counts, "least_pieces must have one share for each label, or none")
    except ValueError as error:
        raise damaged(f"{CARD} describes no model that can be built ({error})") from error
    labels, sided_labels = split_by_side(read_labels(folder / LABELS))
    if len(labels) != architecture.label_count:
        raise damaged(f"{LABELS} names {len(labels)} labels and the model finds {architecture.label_count}")
    cascade = _unpack(weights, architecture, damaged)
    finder = _load_finder(folder / texts.finder.folder, labels, damaged) if texts.finder else None
    return Model(texts, cascade, slice_format, normalisation, labels, folder, card["sha256"], finder, sided_labels)


def _load_finder(folder: Path, labels: Sequence[Label], damaged: Callable[[str], ModelError]) -> Model:
    """The finder of a model that segments the labels."""
    if not folder.is_dir():
        raise damaged(f"{CARD} names a finder, and its folder {folder.name} is missing; copy the whole folder again")
    finder = _load(folder)
    wrong = _unfit_finder(labels, finder)
    if wrong:
        raise damaged(f"its finder does not fit: {wrong}")
    return finder


def _unfit_finder(labels: Sequence[Label], finder: Model) -> str | None:
    """Why a model cannot be the finder of one that segments the labels; None if it can."""
    sides = [side_of(label) for label in structures_of(finder)]
    if finder.finder is not None:
        return "it has a finder itself"
    if not sides or (sides != [None] and (None in sides or len(set(sides)) != len(sides))):
        return "its labels must be one structure on each side, or one without a side"
    if len({name_without_side(label) for label in structures_of(finder)}) > 1:
        return "its labels must be one structure on each side, of one name"
    if sides != [None] and not (can_have_sides(labels) and not any(side_of(label) for label in labels)):
        return "labels that are found on two sides must have values below 10, and names without a side"
    return None


def structures_of(finder: Model) -> list[Label]:
    """The labels of a finder that are structures, left before right."""
    found = [label for label in finder.labels if not _is_brain(label)]
    order = (*SIDES, None)
    return sorted(found, key=lambda label: order.index(side_of(label)))


def knows_brain(finder: Model) -> bool:
    """Whether a finder has a label for the brain."""
    return any(map(_is_brain, finder.labels))


def _is_brain(label: Label) -> bool:
    return label.name.casefold() == _BRAIN


def _pack(cascade: Cascade) -> bytes:
    arrays = {
        f"stage{number}.{name}": array
        for number, rule in enumerate(cascade.rules, 1)
        for name, array in vars(rule).items()
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _unpack(weights: bytes, architecture: Architecture, damaged: Callable[[str], ModelError]) -> Cascade:
    rules = []
    try:
        with np.load(io.BytesIO(weights), allow_pickle=False) as file:
            for number in range(1, len(architecture.stages) + 1):
                names = {name: f"stage{number}.{name}" for name in architecture.rule_shapes}
                missing = [key for key in names.values() if key not in file]
                if missing:
                    raise damaged(f"{WEIGHTS} lacks {', '.join(missing)}; copy the folder again")
                parameters = {name: file[key] for name, key in names.items()}
                try:
                    rules.append(Rule(**parameters))
                except ValueError as error:
                    raise damaged(f"{WEIGHTS} holds no rule for stage {number} ({error})") from error
                if not all(np.isfinite(array).all() for array in parameters.values()):
                    raise damaged(f"{WEIGHTS} holds values that are not numbers in stage {number}")
        return Cascade(architecture, tuple(rules))
    except _UNREADABLE as error:
        raise damaged(f"{WEIGHTS} cannot be read ({error}); copy the folder again") from error
