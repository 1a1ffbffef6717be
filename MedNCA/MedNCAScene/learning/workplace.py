"""The folder of a training: its cases, its settings, its checkpoint, and the model as far as it is.

It lies in a hidden folder of the user's models directory, so that a model is listed only when it is finished, and so
that a training can go on after Slicer was closed:

    MODELS/.learning/NAME/   the model folder that the engine trains in: card, weights, labels, training/
        cases/images, cases/labels
        learning.json        what the training was started with, and where it stands
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.atomic_write import written_whole
from MedNCALib.imaging.labels import read_labels, write_labels
from MedNCALib.io.images import write_image
from MedNCALib.model.model import LABELS
from MedNCALib.model.model_archive import checked_name

from ..application.settings import modelsFolder
from .cases import LearningCase, Naming, fileNames, imagesOf, labelsOf

_HIDDEN = ".learning"
_SETTINGS, _CHECKPOINT = "learning.json", Path("training") / "checkpoint.pt"


@dataclass(frozen=True)
class Description:
    """What the user says of a model, for its card.

    Attributes:
        data: what it was trained on.
        licence: of the weights.
        limits: what it cannot do.
    """

    data: str = ""
    licence: str = ""
    limits: str = ""


@dataclass(frozen=True)
class Plan:
    """What a training was started with.

    Attributes:
        name: of the model.
        images, labels: the folders that it learns from.
        minutes: working time in all, None if it goes by batches.
        batches: number of batches, likewise.
        startFrom: the model whose weights it starts from, a name or a folder; None for none.
        preset: "auto", a name, or a file.
        seed: of the training's random draws.
        description: for the card.
        seconds: working time so far.
        isFinished: whether it went to its end.
    """

    name: str
    images: str
    labels: str
    minutes: float | None = 10.0
    batches: int | None = None
    startFrom: str | None = None
    preset: str = "auto"
    seed: int = 0
    description: Description = Description()
    seconds: float = 0.0
    isFinished: bool = False


class Workplace:
    """The folder of one training.

    Args:
        models: the user's models directory.
        name: of the model.

    Raises:
        ModelError: no model can have this name.
    """

    def __init__(self, models: str | Path, name: str) -> None:
        self.models = Path(models)
        self.folder = self.models / _HIDDEN / checked_name(name)

    @property
    def canGoOn(self) -> bool:
        """Whether a training was begun here and left a checkpoint."""
        return (self.folder / _SETTINGS).is_file() and (self.folder / _CHECKPOINT).is_file()

    @property
    def isFinished(self) -> bool:
        """Whether the training went to its end, or cannot be gone on with at all."""
        try:
            return self.plan().isFinished
        except mednca.TrainingError:
            return True

    @property
    def changed(self) -> float:
        """When its settings were written last."""
        return (self.folder / _SETTINGS).stat().st_mtime

    def clear(self) -> None:
        """Remove what an earlier training has left."""
        self.remove()
        self.folder.mkdir(parents=True, exist_ok=True)

    def remove(self) -> None:
        """Remove the copied cases, the checkpoint and all else."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def save(self, plan: Plan) -> Plan:
        """Remember what the training was started with and where it stands."""
        with written_whole(self.folder / _SETTINGS) as path:
            path.write_text(json.dumps(asdict(plan), indent=2) + "\n", encoding="utf-8")
        return plan

    def plan(self) -> Plan:
        """What `save` remembered.

        Raises:
            TrainingError: nothing, or something that cannot be read.
        """
        try:
            values = json.loads((self.folder / _SETTINGS).read_text(encoding="utf-8"))
            return Plan(**{**values, "description": Description(**values["description"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise mednca.TrainingError(
                _("There is no training of {name} to go on with: start one.").format(name=self.folder.name)
            ) from error

    def stands(self, seconds: float, isFinished: bool) -> None:
        """Remember where the training stands."""
        self.save(replace(self.plan(), seconds=seconds, isFinished=isFinished))

    def writeLabels(self, labels: Sequence[mednca.Label]) -> None:
        """Write the names, colours and terminology of the labels, which the training takes over."""
        with written_whole(self.folder / LABELS) as path:
            write_labels(path, labels)

    def writeCases(self, cases: Sequence[LearningCase], naming: Naming) -> Generator[str, None, tuple[str, str]]:
        """Write the cases as files, one after the other; the folders appear when all are written.

        Yields:
            The name of the case that is written next.

        Returns:
            The folders of the images and of the labels.

        Raises:
            MedNCAError: a case was deleted meanwhile, or cannot be written.
        """
        labels = labelsOf(cases, naming)
        new, folder = self.folder / "cases.new", self.folder / "cases"
        shutil.rmtree(new, ignore_errors=True)
        for each in ("images", "labels"):
            (new / each).mkdir(parents=True)
        for case, name in zip(cases, fileNames(cases)):
            yield case.name
            _writeCase(case, naming, labels, new, name)
        self.writeLabels(labels)
        shutil.rmtree(folder, ignore_errors=True)
        new.replace(folder)
        return str(folder / "images"), str(folder / "labels")


def begunTrainings() -> list[str]:
    """Names of the models whose training has not come to its end, the latest first."""
    begun = [place for place in _places() if place.canGoOn and not place.isFinished]
    return [place.folder.name for place in sorted(begun, key=lambda place: -place.changed)]


def canContinue(name: str) -> bool:
    """Whether a training of this name was begun."""
    return any(place.folder.name == name and place.canGoOn for place in _places())


def labelsInWork(name: str) -> tuple[mednca.Label, ...]:
    """The labels of a training; none if they are not known yet."""
    tables = [place.folder / LABELS for place in _places() if place.folder.name == name]
    return read_labels(tables[0]) if tables and tables[0].is_file() else ()


def _places() -> Iterator[Workplace]:
    """Those of the user's models directory; what only looks like one is left out."""
    models = modelsFolder() or os.environ.get("MEDNCA_MODELS")
    for path in Path(models, _HIDDEN).glob(f"*/{_SETTINGS}") if models else ():
        try:
            yield Workplace(models or "", path.parent.name)
        except mednca.ModelError:
            continue


def _writeCase(case: LearningCase, naming: Naming, labels: Sequence[mednca.Label], folder: Path, name: str) -> None:
    image, drawn, own = imagesOf(case, naming, labels)
    for key in image.GetMetaDataKeys():  # what the files need not say of a patient
        image.EraseMetaData(key)
    write_image(folder / "images" / f"{name}.nrrd", image)
    # A case says which labels it has: of one that it does not name, it teaches nothing.
    mednca.write_segmentation(folder / "labels" / f"{name}.seg.nrrd", drawn, own)


def describedCard(model: mednca.Model, description: Description) -> mednca.Model:
    """The model with what the user says of it in its card; empty texts leave the card's own."""
    card, training = model.card, model.card.training
    changes: dict[str, Any] = {}
    if description.licence.strip():
        changes["licence"] = description.licence.strip()
    if description.limits.strip() and description.limits.strip() not in card.limits:
        changes["limits"] = (*card.limits, description.limits.strip())
    if description.data.strip():
        changes["description"] = _("Trained by its user on: {data}").format(data=description.data.strip())
        if training is not None and training.data:
            first = replace(training.data[0], name=description.data.strip())
            changes["training"] = replace(training, data=(first, *training.data[1:]))
    return replace(model, card=replace(card, **changes))


def arguments(plan: Plan, folder: Path, resume: bool) -> list[str]:
    """The arguments of `mednca train`."""
    options: Mapping[str, Any] = {
        "--images": plan.images,
        "--labels": plan.labels,
        "--output": folder,
        "--preset": plan.preset,
        "--minutes": plan.minutes if plan.batches is None else None,
        "--batches": plan.batches,
        "--seed": plan.seed,
        "--from": plan.startFrom,
    }
    given = [text for name, value in options.items() if value is not None for text in (name, str(value))]
    return ["train", *given, "--json-progress", *(["--resume"] if resume else [])]
