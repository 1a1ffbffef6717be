"""A model's card: what it is for, how it came about and how well it does; the part of `card.json` that is for people.

Each part keeps the keys that it does not know in `extra` and writes them back, so that a card of another tool or of a
later version loses nothing when it is saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..checks import require, require_list, require_number, require_object, require_text, require_whole_number
from .card_json import KEYS, json_of, require_numbers, tuple_of, values_of

AUTO = "auto"  # in place of a protocol's name: the cells find out

REQUIRED = ("name", "title", "description", "modality", "anatomy", "licence")


@dataclass(frozen=True)
class DataSource:
    """A data set that a model was trained on.

    Attributes:
        name: of the data set.
        source: who published it, and where.
        licence: of the data.
        cases: number of volumes that took part; None if it is not known.
    """

    name: str
    source: str = ""
    licence: str = ""
    cases: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in ("name", "source", "licence"):
            require_text(getattr(self, key), f"{key} of the training's data")
        if self.cases is not None:
            require_whole_number(self.cases, "cases of the training's data", 0)

    @classmethod
    def from_json(cls, settings: Any) -> DataSource:
        """From an object of `training.data` in a card."""
        return cls(**values_of(cls, settings, "the training's data", needed=("name",)))

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return json_of(self)


@dataclass(frozen=True)
class TrainingHistory:
    """How a model came about.

    Attributes:
        data: what it was trained on.
        synthetic_phantoms: number of phantoms that took part.
        preset: name or file of the preset; None if it is not known, as for all that follow.
        started_from: the model whose weights the training started from; None for random weights.
        seed: of the training's random draws.
        batches, minutes: length of the training.
        kept_aside_batches: batches after which the cases of the scores were trained on too. The scores are of the
            weights before that, those of the model have learned on. None if these cases were never trained on.
        peak_mb: most memory that the training held, in MB.
        remark: what else there is to know.
    """

    data: tuple[DataSource, ...] = ()
    synthetic_phantoms: int = 0
    preset: str | None = None
    started_from: str | None = None
    seed: int | None = None
    batches: int | None = None
    minutes: float | None = None
    peak_mb: float | None = None
    kept_aside_batches: int | None = None
    remark: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_whole_number(self.synthetic_phantoms, "synthetic_phantoms", 0)
        for key in ("preset", "started_from", "remark"):
            if getattr(self, key) is not None:
                require_text(getattr(self, key), key)
        for key in ("seed", "batches", "kept_aside_batches"):
            if getattr(self, key) is not None:
                require_whole_number(getattr(self, key), key, 0)
        for key in ("minutes", "peak_mb"):
            if getattr(self, key) is not None:
                require_number(getattr(self, key), key)

    @classmethod
    def from_json(cls, settings: Any) -> TrainingHistory:
        """From the object `training` of a card."""
        values = values_of(cls, settings, "training")
        if "data" in values:
            require_list(values["data"], "the training's data")
            values["data"] = tuple(map(DataSource.from_json, values["data"]))
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return {
            **json_of(self, optional=("kept_aside_batches", "remark")),
            "data": [source.to_json() for source in self.data],
        }


@dataclass(frozen=True)
class Scores:
    """Dice on cases that a model was not trained on.

    Attributes:
        what: how it was measured.
        cases: names of the cases.
        labels: mean Dice by label name.
        whole: mean Dice of all labels merged.
        collections: the scores on each of several collections, by its name; none if there is only one.
    """

    whole: float
    labels: Mapping[str, float] = field(default_factory=dict)
    cases: tuple[str, ...] = ()
    what: str = ""
    collections: Mapping[str, Scores] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_text(self.what, "what of the scores")
        for case in self.cases:
            require_text(case, "a case of the scores")
        require_number(self.whole, "whole of the scores")
        require_numbers(self.labels, "labels of the scores")

    @classmethod
    def from_json(cls, settings: Any) -> Scores:
        """From the object `scores` of a card."""
        values = values_of(cls, settings, "scores", needed=("whole",))
        values["cases"] = tuple_of(values.get("cases", ()), "cases of the scores")
        collections = values.get("collections", {})
        require_object(collections, "collections of the scores")
        values["collections"] = {name: cls.from_json(scores) for name, scores in collections.items()}
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        scores = json_of(self, optional=("collections",))
        if self.collections:
            scores["collections"] = {name: each.to_json() for name, each in self.collections.items()}
        return scores


@dataclass(frozen=True)
class Thresholds:
    """Which results the verdict passes.

    Attributes:
        agreement: lowest agreement that passes.
        nqm: highest NQM that passes.
        runs: number of passes that they were measured with.
        dice: results below it count as bad.
        spearman: rank correlation of each score with Dice, by the score's name; None if it has but one value.
        what: how they were measured.
    """

    agreement: float
    nqm: float
    runs: int | None = None
    dice: float | None = None
    spearman: Mapping[str, float | None] = field(default_factory=dict)
    what: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_text(self.what, "what of quality")
        require_number(self.agreement, "agreement of quality")
        require_number(self.nqm, "nqm of quality")
        if self.runs is not None:
            require_whole_number(self.runs, "runs of quality")
        if self.dice is not None:
            require_number(self.dice, "dice of quality")
        require_object(self.spearman, "spearman of quality")
        require_numbers({key: value for key, value in self.spearman.items() if value is not None}, "spearman")

    @classmethod
    def from_json(cls, settings: Any) -> Thresholds:
        """From the object `quality` of a card."""
        return cls(**values_of(cls, settings, "quality", needed=("agreement", "nqm")))

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return json_of(self)


@dataclass(frozen=True)
class Skipping:
    """Which cells need not run, see `MedNCALib.automaton.wanted_cells`, and what that costs.

    Attributes:
        threshold, margin: see `SkipRule`.
        dice_change: mean over the cases of the absolute difference in Dice, all labels merged, from a run of all cells.
        largest_change: the largest of these differences.
        cases: number of cases.
        what: how it was measured.
    """

    threshold: float
    margin: int
    dice_change: float
    largest_change: float | None = None
    cases: int | None = None
    what: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_number(self.threshold, "threshold of skipping")
        require_whole_number(self.margin, "margin of skipping", 0)
        require_number(self.dice_change, "dice_change of skipping")
        if self.largest_change is not None:
            require_number(self.largest_change, "largest_change of skipping")
        if self.cases is not None:
            require_whole_number(self.cases, "cases of skipping")
        require_text(self.what, "what of skipping")

    @classmethod
    def from_json(cls, settings: Any) -> Skipping:
        """From the object `skipping` of a card."""
        return cls(**values_of(cls, settings, "skipping", needed=("threshold", "margin", "dice_change")))

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return json_of(self)


@dataclass(frozen=True)
class Protocol:
    """A segmentation protocol that a model knows: a convention of where the border of a structure is drawn.

    Attributes:
        name: what it is chosen by.
        description: of the border, for people.
        value: what the last hidden channel of the first stage begins with if this protocol is chosen.
    """

    name: str
    description: str
    value: float
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_text(self.name, "name of a protocol")
        require(self.name not in ("", AUTO), f"name of a protocol must not be {self.name!r}")
        require_text(self.description, "description of a protocol")
        require_number(self.value, "value of a protocol")
        require(self.value != 0, "value of a protocol must not be 0, which stands for none")

    @classmethod
    def from_json(cls, settings: Any) -> Protocol:
        """From an object of `protocols` in a card."""
        return cls(**values_of(cls, settings, "a protocol", needed=("name", "description", "value")))

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return json_of(self)


@dataclass(frozen=True)
class FinderUse:
    """The model that finds where a model's structures are, and what counts as found.

    Attributes:
        folder: its folder, inside of the model's own.
        least_ml: least volume of a structure, in mL.
        least_confidence: least confidence of a structure, see `MedNCALib.segmentation.found_structures`.
        usual_confidence: what the finder has at least in images like those that it has learned from; a structure with
            less is found, with a note.
        margin_mm: what a box shows around a structure, at least.
    """

    folder: str = "finder"
    least_ml: float = 0.15
    least_confidence: float = 0.6
    usual_confidence: float = 0.0
    margin_mm: float = 6.0
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_text(self.folder, "folder of the finder")
        is_name = self.folder not in ("", ".", "..") and not any(letter in self.folder for letter in "/\\:")
        require(is_name, f"folder of the finder must be a name without a path, not {self.folder!r}")
        for key in ("least_ml", "least_confidence", "usual_confidence", "margin_mm"):
            require_number(getattr(self, key), f"{key} of the finder")
            require(getattr(self, key) >= 0, f"{key} of the finder must not be negative")

    @classmethod
    def from_json(cls, settings: Any) -> FinderUse:
        """From the object `finder` of a card."""
        return cls(**values_of(cls, settings, "finder", needed=("folder",)))

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return json_of(self, optional=("usual_confidence",))


@dataclass(frozen=True)
class ModelCard:
    """What people want to know of a model.

    Attributes:
        name: what it was saved as.
        title, description: for people.
        modality, anatomy: what images it takes, and of what.
        licence: of the weights.
        limits: what it cannot do, a sentence each.
        field_of_view_mm: how much it expects to see, in mm along right, anterior and superior; None if it says nothing.
        training: how it came about.
        scores: how well it does on cases that it was not trained on.
        robustness: by how much perturbations lower the Dice, by their names.
        thresholds: which results the verdict passes; None gives no verdict.
        skipping: which cells need not run; None runs all.
        protocols: the segmentation protocols that it tells apart, at least two; none if it knows only one.
        finder: the model that finds where its structures are; None without one.
        least_pieces: for each label the share of its largest connected piece that another piece needs to stay in a
            result, 0 to 1; none keeps all.

    Raises:
        ValueError: a value of the wrong type or out of range.
    """

    name: str
    title: str
    description: str
    modality: str
    anatomy: str
    licence: str
    limits: tuple[str, ...] = ()
    field_of_view_mm: tuple[float, float, float] | None = None
    training: TrainingHistory | None = None
    scores: Scores | None = None
    robustness: Mapping[str, float] = field(default_factory=dict)
    thresholds: Thresholds | None = None
    skipping: Skipping | None = None
    protocols: tuple[Protocol, ...] = ()
    finder: FinderUse | None = None
    least_pieces: tuple[float, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in REQUIRED:
            require_text(getattr(self, key), key)
        for limit in self.limits:
            require_text(limit, "a limit")
        if self.field_of_view_mm is not None:
            require_list(self.field_of_view_mm, "field_of_view_mm", 3)
            for mm in self.field_of_view_mm:
                require_number(mm, "field_of_view_mm")
                require(mm > 0, f"field_of_view_mm must be positive, not {mm}")
        for share in self.least_pieces:
            require_number(share, "a share of least_pieces")
            require(0 <= share <= 1, f"a share of least_pieces must be from 0 to 1, not {share}")
        require_numbers(self.robustness, "robustness")
        require(len(self.protocols) != 1, "protocols must be at least two, or none")
        for values in ([each.name for each in self.protocols], [each.value for each in self.protocols]):
            require(len(set(values)) == len(values), "protocols must differ in name and value")

    @classmethod
    def from_json(cls, settings: Any) -> ModelCard:
        """From `card.json` without the keys that `Model` writes.

        Raises:
            ValueError: keys that are missing, or values of the wrong type or out of range.
        """
        values = values_of(cls, settings, "the card", needed=REQUIRED)
        for key in ("limits", "least_pieces"):
            values[key] = tuple_of(values.get(key, ()), key)
        if values.get("field_of_view_mm") is not None:
            values["field_of_view_mm"] = tuple_of(values["field_of_view_mm"], "field_of_view_mm")
        # Parts that could not be measured may be empty.
        for key, part in _PARTS.items():
            values[key] = part.from_json(values[key]) if values.get(key) else None
        values["robustness"] = values.get("robustness") or {}
        require_list(values.get("protocols", ()), "protocols")
        values["protocols"] = tuple(map(Protocol.from_json, values.get("protocols", ())))
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes; parts that say nothing are left out."""
        card = json_of(
            self, optional=("limits", "field_of_view_mm", "robustness", "protocols", "least_pieces", *_PARTS)
        )
        for key in _PARTS:
            part = getattr(self, key)
            if part is not None:
                card[KEYS.get(key, key)] = part.to_json()
        if self.protocols:
            card["protocols"] = [protocol.to_json() for protocol in self.protocols]
        return card

    def protocol_name(self, value: float) -> str:
        """Name of the protocol of a value; "auto" for 0, which stands for none.

        Raises:
            ValueError: there is no such protocol.
        """
        names = {0.0: AUTO, **{protocol.value: protocol.name for protocol in self.protocols}}
        require(value in names, f"the card's protocols have none of value {value:g}")
        return names[value]


# The parts of a card that have classes of their own.
_PARTS: Mapping[str, Any] = {
    "training": TrainingHistory,
    "scores": Scores,
    "thresholds": Thresholds,
    "skipping": Skipping,
    "finder": FinderUse,
}
