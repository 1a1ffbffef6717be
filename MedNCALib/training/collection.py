"""Collections: what a preset says of each set of subjects that a training draws blocks from."""

from __future__ import annotations

import re
from collections.abc import Collection as Words
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Union, get_args

from ..checks import (
    require,
    require_choice,
    require_keys,
    require_list,
    require_number,
    require_object,
    require_text,
    require_whole_number,
)
from ..model.card import DataSource
from .blocks import Drawing
from .scanner import ScannerChange

Part = Union[int, str]  # a label value, or a text that names several
Known = Literal["parts", "whole"]
KNOWN: tuple[Known, ...] = get_args(Known)


@dataclass(frozen=True)
class BatchShare:
    """How blocks of a collection take part in batches.

    Attributes:
        slices: number of slices in each batch.
        drawing: how their blocks are drawn.
        renewed: blocks that are new with each batch.
        pool: blocks that are kept, see `Pool`.
        protocol: in place of the collection's; None for that.
        votes: whether the cells learn to find out the protocol by the look of these blocks; false if they look like
            another collection's.

    Raises:
        ValueError: values of the wrong type or out of range.
    """

    slices: int
    drawing: Drawing = field(default_factory=Drawing)
    renewed: float = 0.5
    pool: int = 300
    protocol: float | None = None
    votes: bool = True

    def __post_init__(self) -> None:
        require_whole_number(self.slices, "slices")
        require_whole_number(self.pool, "pool")
        require_number(self.renewed, "renewed")
        require(self.renewed >= 0, f"renewed must not be negative, not {self.renewed}")
        if self.protocol is not None:
            require_number(self.protocol, "protocol")
        require(isinstance(self.votes, bool), f"votes must be true or false, not {self.votes!r}")

    @classmethod
    def from_json(cls, settings: Any) -> BatchShare:
        """From an object of `batch` in a collection."""
        _require_attributes(cls, settings, "a share of the batch", needed=("slices",))
        return cls(**{**settings, "drawing": Drawing.from_json(settings.get("drawing", {}))})


@dataclass(frozen=True)
class ValidationBlocks:
    """What of a subject's image is segmented in validation.

    Attributes:
        field_mm: mm along slices, rows and columns of a box around each structure; None takes the whole image.
        shift: largest distance of the box's centre from the structure's along each axis, in mm.
        draws: of each structure of a label map, from which T1-like images are drawn.
        changes: of the scanner, for these.

    Raises:
        ValueError: values of the wrong type or out of range.
    """

    field_mm: tuple[float, float, float] | None = None
    shift: float = 0.0
    draws: int = 1
    changes: ScannerChange = field(default_factory=lambda: ScannerChange(chance=0))

    def __post_init__(self) -> None:
        if self.field_mm is not None:
            require_list(self.field_mm, "field_mm", 3)
            for mm in self.field_mm:
                require_number(mm, "field_mm")
                require(mm > 0, f"field_mm must be positive, not {mm}")
        require_number(self.shift, "shift")
        require(self.shift >= 0, f"shift must not be negative, not {self.shift}")
        require_whole_number(self.draws, "draws")

    @classmethod
    def from_json(cls, settings: Any) -> ValidationBlocks:
        """From the object `validation` of a collection."""
        _require_attributes(cls, settings, "validation")
        box = settings.get("field_mm")
        require(box is None or isinstance(box, (list, tuple)), f"field_mm must be a list or null, not {box!r}")
        values = {**settings, "field_mm": None if box is None else tuple(box)}
        if "changes" in settings:
            values["changes"] = ScannerChange.from_json(settings["changes"])
        return cls(**values)


@dataclass(frozen=True)
class Collection:
    """A set of subjects with labels of one protocol.

    Attributes:
        name: for people, and in names of scores.
        images: folder of images below the data's folder; None for label maps, from which images are drawn.
        labels: folder of label images of the same names, or of label maps.
        structures: label values of each structure: of one subject's left and right one, for example. Each has blocks of
            its own. A text names several values that are one, such as "1-46, 49-207".
        known: "parts" if each value of a structure is one of the model's labels, in their order; "whole" if the values
            of a structure are together the sum of the model's labels.
        batch: shares of each batch.
        protocol: number of the segmentation protocol that its labels follow, which the last hidden channel of the first
            stage begins with; 0 for none.
        data: name, source and licence of the data, for the card.
        subject: regular expression that finds the subject in a file's name; None if each file is a subject.
        leave_out: regular expression for the names of files that take no part; None for none.
        choosing: held-out subjects that choose the best weights.
        reporting: held-out subjects that choose nothing: the card's scores are measured on them.
        validation: what of the held-out subjects is segmented.
        least_ml: smaller structures take no part, such as those of which only a rest is there.

    Raises:
        ValueError: values of the wrong type, or that contradict each other.
    """

    name: str
    images: str | None
    labels: str
    structures: tuple[tuple[Part, ...], ...]
    known: Known
    batch: tuple[BatchShare, ...]
    protocol: float = 0.0
    data: DataSource | None = None
    subject: str | None = None
    leave_out: str | None = None
    choosing: tuple[str, ...] = ()
    reporting: tuple[str, ...] = ()
    validation: ValidationBlocks = field(default_factory=ValidationBlocks)
    least_ml: float = 0.0

    def __post_init__(self) -> None:
        require_text(self.name, "name of a collection")
        require_text(self.labels, "labels of a collection")
        if self.images is not None:
            require_text(self.images, "images of a collection")
        for name in ("subject", "leave_out"):
            require_expression(getattr(self, name), name)
        require(bool(self.batch), "batch must have at least one share")
        require(bool(self.structures) and all(self.structures), "structures must name at least one label value each")
        for part in (part for parts in self.structures for part in parts):
            values_of(part)
        require_choice(self.known, "known", KNOWN)
        same_length = len({len(values) for values in self.structures}) == 1
        require(self.known == "whole" or same_length, "structures of known parts must have the same number of values")
        require_number(self.protocol, "protocol")
        require_number(self.least_ml, "least_ml")
        for subject in (*self.choosing, *self.reporting):
            require_text(subject, "a held-out subject")
        both = sorted({*self.choosing} & {*self.reporting})
        require(not both, f"{', '.join(both)} must not be among both choosing and reporting")
        whole_image = self.images is None and self.validation.field_mm is None
        held_out = bool(self.choosing or self.reporting)
        require(not (whole_image and held_out), "validation of label maps needs field_mm")
        whole_map = self.images is None and any(share.drawing.size is None for share in self.batch)
        require(not whole_map, "drawings of label maps need a size")

    @classmethod
    def from_json(cls, settings: Any) -> Collection:
        """From an object of `collections` in a preset.

        Raises:
            ValueError: keys that are missing or not known, or values that describe no collection.
        """
        _require_attributes(cls, settings, "a collection", needed=("name", "labels", "structures", "known", "batch"))
        for key in ("structures", "batch", "choosing", "reporting"):
            require_list(settings.get(key, ()), key)
        for values in settings["structures"]:
            require_list(values, "each of structures")
        data = settings.get("data")
        return cls(
            **{
                "images": None,
                **settings,
                "structures": tuple(map(tuple, settings["structures"])),
                "batch": tuple(map(BatchShare.from_json, settings["batch"])),
                "data": None if data is None else DataSource.from_json(data),
                "choosing": tuple(settings.get("choosing", ())),
                "reporting": tuple(settings.get("reporting", ())),
                "validation": ValidationBlocks.from_json(settings.get("validation", {})),
            }
        )

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return {**asdict(self), "data": None if self.data is None else self.data.to_json()}

    @property
    def batch_protocols(self) -> tuple[float, ...]:
        """Number of the protocol of each share of the batch."""
        return tuple(self.protocol if share.protocol is None else share.protocol for share in self.batch)

    @property
    def label_count(self) -> int:
        """Number of the model's labels that are known one by one; 1 if only the whole is known."""
        return len(self.structures[0]) if self.known == "parts" else 1


def check_collections(collections: tuple[Collection, ...]) -> None:
    """Raise `ValueError` if collections cannot be trained on together."""
    names = [collection.name for collection in collections]
    require(len(set(names)) == len(names), f"collections must have different names, not {', '.join(names)}")
    counts = {collection.label_count for collection in collections if collection.known == "parts"}
    require(len(counts) <= 1, "collections of known parts must have the same number of parts")
    for share in ("choosing", "reporting"):
        held_out = any(getattr(collection, share) for collection in collections)
        require(held_out, f"one of the collections at least must hold out subjects for {share}")
    numbers = {number for collection in collections for number in (collection.protocol, *collection.batch_protocols)}
    signed = len(numbers) == 2 and min(numbers) < 0 < max(numbers)
    require(numbers == {0} or signed, "protocols must be two numbers, one below and one above 0, or none")


def values_of(part: Part) -> list[tuple[int, int]]:
    """The ranges of label values, both ends included, that a part of a structure names.

    Raises:
        ValueError: no positive whole number, and no text such as "1-46, 49".
    """
    if not isinstance(part, str):
        require_whole_number(part, "a label value")
        return [(part, part)]
    ranges = []
    for each in part.split(","):
        found = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", each)
        low, high = (0, 0) if found is None else (int(found[1]), int(found[2] or found[1]))
        require(0 < low <= high, f"label values must be a text such as '1-46, 49', not {part!r}")
        ranges.append((low, high))
    return ranges


def require_expression(value: Any, name: str) -> None:
    """A regular expression, or None."""
    if value is None:
        return
    require_text(value, name)
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{name} {value!r} is not a regular expression ({error})") from error


def _require_attributes(kind: type, settings: Any, name: str, needed: Words[str] = ()) -> None:
    require_object(settings, name)
    require_keys(settings, name, needed, [each.name for each in fields(kind)])
