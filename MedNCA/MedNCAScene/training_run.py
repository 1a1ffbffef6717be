"""A training from cases of the scene to a model in the user's list: copied, taught by a process, compared, taken in."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.io.image_label_pairs import find_pairs, labels_named_in
from MedNCALib.model.model_archive import add_model, checked_name, remove_model
from MedNCALib.segmentation.steps import map_steps

from .application.pytorch import requireTorch
from .application.settings import modelsFolder, ownModelsFolder
from .learning.case_checks import check, checkFolders, require
from .learning.cases import LearningCase, Naming, caseOf
from .learning.choices import AUTO, presetFor, proposalForFolders
from .learning.held_out import HeldOut, compareSteps
from .learning.history import History, TrainingStep, fraction
from .learning.process import TrainingProcess
from .learning.workplace import Description, Plan, Workplace, arguments, describedCard

MINUTES = 10.0

Steps = Generator[TrainingStep, None, "TrainedModel"]


@dataclass(frozen=True)
class TrainedModel:
    """What came of a training.

    Attributes:
        model: as it is in the user's models directory.
        history: what the training has said.
        heldOut: what became of the cases that were kept aside; None if there is nothing to compare.
        isStopped: whether it was ended before its time; *Continue* goes on.
    """

    model: mednca.Model
    history: History
    heldOut: HeldOut | None
    isStopped: bool


class TrainingRun:
    """One training, which may be stopped.

    Args:
        waitMs: how long a step waits for the process to say something; 0 if the application's event loop runs in
            between.
    """

    def __init__(self, waitMs: int = 100) -> None:
        self._waitMs = waitMs
        self._process: TrainingProcess | None = None
        self._isStopped = False

    def stop(self) -> None:
        """Have it end with the best model so far; the steps go on until that is done."""
        self._isStopped = True
        if self._process is not None:
            self._process.stop()

    def steps(
        self,
        pairs: Any,
        name: str,
        minutes: float | None = MINUTES,
        startFrom: str | None = None,
        names: dict[str, str] | None = None,
        leftOut: Iterable[str] = (),
        preset: str = AUTO,
        slices: str | None = None,
        mirror: bool | None = None,
        batches: int | None = None,
        seed: int = 0,
        data: str = "",
        licence: str = "",
        limits: str = "",
    ) -> Steps:
        """Train a new model; for the arguments see `MedNCALogic.trainSteps`."""
        requireTorch()
        models = ownModelsFolder()
        workplace = Workplace(models, name)
        _checkName(name)
        if startFrom is not None:
            startFrom = str(mednca.load_model(startFrom, models).folder)
        plan = Plan(name, "", "", minutes, batches, startFrom, preset, seed, Description(data, licence, limits))
        folders = _folders(pairs)
        if folders is not None:
            require(checkFolders(*folders))
            workplace.clear()
            named = labels_named_in(find_pairs(*folders))
            if named:
                workplace.writeLabels(named)
        else:
            cases, naming = casesOf(pairs), Naming(names or {}, frozenset(leftOut))
            require(check(cases, naming))
            workplace.clear()
            writing = workplace.writeCases(cases, naming)
            folders = yield from map_steps(writing, lambda case: TrainingStep(0.0, "cases", History(), case=case))
        before, chosen = _loaded(startFrom, models), folders
        preset = presetFor(
            preset, slices, mirror, lambda: proposalForFolders(*chosen, before), workplace.folder / "preset.json"
        )
        plan = workplace.save(replace(plan, images=folders[0], labels=folders[1], preset=preset))
        return (yield from self._trained(workplace, plan, resume=False))

    def stepsOn(self, name: str, minutes: float | None = None) -> Steps:
        """Go on with a training; for the arguments see `MedNCALogic.continueTrainingSteps`."""
        requireTorch()
        workplace = Workplace(ownModelsFolder(), name)
        plan = workplace.plan()
        if not workplace.canGoOn:
            raise mednca.TrainingError(_("There is no training of {name} to go on with: start one.").format(name=name))
        if plan.batches is None and minutes is not None:
            plan = replace(plan, minutes=plan.seconds / 60 + minutes)
        elif plan.isFinished:
            more = MINUTES if plan.minutes is None else plan.minutes
            plan = replace(plan, minutes=plan.seconds / 60 + more, batches=plan.batches and 2 * plan.batches)
        workplace.save(replace(plan, isFinished=False))
        return (yield from self._trained(workplace, plan, resume=True))

    def _trained(self, workplace: Workplace, plan: Plan, resume: bool) -> Steps:
        history, length = History(), (plan.minutes, plan.batches)
        history.seconds = plan.seconds
        process = self._process = TrainingProcess(arguments(plan, workplace.folder, resume))
        try:
            if self._isStopped:
                process.stop()
            yield TrainingStep(fraction(history, *length), "starting", history)
            isRunning = True
            while isRunning:
                isRunning = process.isRunning  # before its last words are read
                events = process.events(self._waitMs)
                for event in events:
                    history.add(event)
                yield TrainingStep(fraction(history, *length), self._phase(history), history, bool(events))
            failure = process.failure()
            if failure or not history.model:
                raise mednca.TrainingError(failure or _("The training ended without a model: train for longer."))
        finally:
            process.kill()
            self._process = None
            if history.seconds > plan.seconds:
                workplace.stands(history.seconds, bool(history.model) and not history.isStopped)
        return (yield from self._takenIn(workplace, plan, history))

    def _phase(self, history: History) -> str:
        if self._isStopped or history.measured is not None:
            return "ending"
        return "training" if history.losses else "starting"

    def _takenIn(self, workplace: Workplace, plan: Plan, history: History) -> Steps:
        """Compare the model with the one before, and take it into the user's list."""
        trained = describedCard(mednca.load_model(workplace.folder), plan.description)
        before = _loaded(plan.startFrom, workplace.models)
        comparing = compareSteps(trained, before, plan.images, plan.labels, workplace.folder / "held-out")
        heldOut = yield from map_steps(comparing, lambda case: TrainingStep(1.0, "comparing", history, case=case))
        if before is not None and trained.card.training is not None:  # its folder's path is nobody's business
            since = replace(trained.card.training, started_from=before.name)
            trained = replace(trained, card=replace(trained.card, training=since))
        trained.save(workplace.folder)
        model = add_model(workplace.folder, workplace.models, plan.name, replace=True)
        return TrainedModel(model, history, heldOut, history.isStopped)


def casesOf(pairs: Any) -> list[LearningCase]:
    """Pairs of a volume and a segmentation node, or cases, as cases."""
    return [pair if isinstance(pair, LearningCase) else caseOf(pair[1], pair[0]) for pair in pairs]


def removeOwnModel(model: mednca.Model) -> None:
    """Delete a model of the user's own, with the copied cases of its training.

    Raises:
        ModelError: it is none of the user's own, or cannot be deleted.
    """
    remove_model(model, ownModelsFolder())
    Workplace(ownModelsFolder(), model.name).remove()


def describe(name: str, data: str, licence: str, limits: str) -> mednca.Model:
    """Put what the user says of a model into its card, in the user's models directory.

    Raises:
        MedNCAError: there is no such model, or it cannot be written.
    """
    model = mednca.load_model(Path(ownModelsFolder()) / checked_name(name))
    assert model.folder is not None
    description, workplace = Description(data, licence, limits), Workplace(ownModelsFolder(), name)
    if workplace.canGoOn:  # what comes of it then shall say the same
        workplace.save(replace(workplace.plan(), description=description))
    return describedCard(model, description).save(model.folder)


def _loaded(name: str | None, models: str | Path) -> mednca.Model | None:
    return mednca.load_model(name, models) if name else None


def _folders(pairs: Any) -> tuple[str, str] | None:
    """The folders of images and labels; None if the pairs are of the scene."""
    pairs = list(pairs)
    if len(pairs) != 2 or any(isinstance(each, (tuple, list, slicer.vtkMRMLNode, LearningCase)) for each in pairs):
        return None
    images, labels = (str(Path(each).absolute()) if str(each) else "" for each in pairs)  # the process runs elsewhere
    return images, labels


def _checkName(name: str) -> None:
    if name.casefold() in {model.name.casefold() for model in mednca.list_models(modelsFolder())}:
        raise mednca.ModelError(_("There is a model {name} already: choose another name.").format(name=name))
